//! The entitlements that decide about inserted libraries.
//!
//! A signature carries them twice: as a property list, and since macOS 12 in DER as well, which is
//! then what the kernel goes by. A file whose two copies disagree is believed in neither.

use der::asn1::{AnyRef, Utf8StringRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use serde::Deserialize;

use super::Unreadable;

/// Whether an entitlement is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grant {
    /// Not mentioned.
    #[default]
    Absent,
    /// Mentioned, but not as the boolean `true`: it grants nothing.
    Refused,
    /// `true`.
    Given,
}

/// The entitlements that a rule asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entitlements {
    /// `com.apple.security.cs.allow-dyld-environment-variables`.
    pub dyld_variables: Grant,
    /// `com.apple.security.cs.disable-library-validation`.
    pub no_library_validation: Grant,
    /// `com.apple.security.get-task-allow`: debuggers may attach.
    pub get_task_allow: Grant,
    /// `com.apple.security.app-sandbox`.
    pub sandbox: Grant,
}

impl Entitlements {
    /// Reads the contents of the two blobs, where they exist.
    pub fn parse(xml: Option<&[u8]>, der: Option<&[u8]>) -> Result<Self, Unreadable> {
        match (
            xml.map(from_xml).transpose()?,
            der.map(from_der).transpose()?,
        ) {
            (Some(xml), Some(der)) if xml != der => Err(Unreadable::Contradiction {
                what: "the entitlements as a property list and in DER differ",
            }),
            (_, Some(found)) | (Some(found), None) => Ok(found),
            (None, None) => Ok(Entitlements::default()),
        }
    }

    fn entry(&mut self, name: &str) -> Option<&mut Grant> {
        match name {
            DYLD_VARIABLES => Some(&mut self.dyld_variables),
            NO_LIBRARY_VALIDATION => Some(&mut self.no_library_validation),
            GET_TASK_ALLOW => Some(&mut self.get_task_allow),
            SANDBOX => Some(&mut self.sandbox),
            _ => None,
        }
    }

    /// Notes that `name` has the value `true`, or another one.
    fn note(&mut self, name: &str, is_true: bool) -> Result<(), Unreadable> {
        let Some(grant) = self.entry(name) else {
            return Ok(());
        };
        if *grant != Grant::Absent {
            return Err(Unreadable::Contradiction {
                what: "an entitlement is listed twice",
            });
        }
        *grant = if is_true {
            Grant::Given
        } else {
            Grant::Refused
        };
        Ok(())
    }
}

fn from_xml(bytes: &[u8]) -> Result<Entitlements, Unreadable> {
    // The reader recurses; no honest list of entitlements comes near this.
    let containers = bytes
        .windows(5)
        .filter(|tag| tag == b"<dict" || tag == b"<arra")
        .count();
    if containers > MOST_CONTAINERS {
        return Err(Unreadable::TooLarge {
            what: XML,
            size: containers as u64,
            limit: MOST_CONTAINERS,
        });
    }
    // Some signers end the text with a NUL.
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let entries: Entries = plist::from_reader_xml(bytes)
        .map_err(|error| Unreadable::malformed(XML, error.to_string()))?;
    let mut found = Entitlements::default();
    for (name, is_true) in entries.0 {
        found.note(&name, is_true)?;
    }
    Ok(found)
}

/// The entries of the property list, in its order and with their repetitions: name, and whether the
/// value is `true`.
struct Entries(Vec<(String, bool)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a dictionary of entitlements")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, plist::Value>()? {
                    entries.push((name, value.as_boolean() == Some(true)));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Apple's form: an application tag 16 around a version, 1, and a context tag 16 around sequences
/// of a name and a value (CoreEntitlements; `codesign -d --entitlements - --der`).
fn from_der(bytes: &[u8]) -> Result<Entitlements, Unreadable> {
    let damaged = |error: der::Error| Unreadable::malformed(DER, error.to_string());
    let outer = AnyRef::from_der(bytes).map_err(damaged)?;
    if outer.tag() != ENVELOPE {
        return Err(Unreadable::malformed(DER, "another envelope"));
    }
    let mut reader = SliceReader::new(outer.value()).map_err(damaged)?;
    let version = u8::decode(&mut reader).map_err(damaged)?;
    if version != 1 {
        return Err(Unreadable::malformed(DER, "another version"));
    }
    let dictionary = AnyRef::decode(&mut reader).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    if dictionary.tag() != DICTIONARY {
        return Err(Unreadable::malformed(DER, "no dictionary"));
    }
    let mut found = Entitlements::default();
    let mut entries = SliceReader::new(dictionary.value()).map_err(damaged)?;
    while !entries.is_finished() {
        let entry = AnyRef::decode(&mut entries).map_err(damaged)?;
        let (name, is_true) = entry
            .sequence(|entry| -> der::Result<_> {
                let name = Utf8StringRef::decode(entry)?.as_str();
                let value = AnyRef::decode(entry)?;
                // DER has one encoding of true.
                Ok((name, value.tag() == Tag::Boolean && value.value() == [0xff]))
            })
            .map_err(damaged)?;
        found.note(name, is_true)?;
    }
    Ok(found)
}

const DYLD_VARIABLES: &str = "com.apple.security.cs.allow-dyld-environment-variables";
const NO_LIBRARY_VALIDATION: &str = "com.apple.security.cs.disable-library-validation";
const GET_TASK_ALLOW: &str = "com.apple.security.get-task-allow";
const SANDBOX: &str = "com.apple.security.app-sandbox";

const ENVELOPE: Tag = Tag::Application {
    constructed: true,
    number: TagNumber(16),
};
const DICTIONARY: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(16),
};

pub(super) const XML: &str = "the property list of entitlements";
pub(super) const DER: &str = "the entitlements in DER";
const MOST_CONTAINERS: usize = 512;
