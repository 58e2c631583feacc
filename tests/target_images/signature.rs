//! Makes embedded signatures: a SuperBlob of a code directory, requirements, entitlements as a property
//! list and in DER, and a CMS blob (xnu, `osfmk/kern/cs_blobs.h`).

use std::fmt::Write;

use super::macho::{big_words, to_u32};

pub const AD_HOC: u32 = 0x2;
pub const FORCED_LV: u32 = 0x10;
pub const RESTRICT: u32 = 0x800;
pub const REQUIRE_LV: u32 = 0x2000;
pub const RUNTIME: u32 = 0x1_0000;
pub const LINKER_SIGNED: u32 = 0x2_0000;

pub const DYLD_VARIABLES: &str = "com.apple.security.cs.allow-dyld-environment-variables";
pub const NO_LIBRARY_VALIDATION: &str = "com.apple.security.cs.disable-library-validation";
pub const GET_TASK_ALLOW: &str = "com.apple.security.get-task-allow";
pub const SANDBOX: &str = "com.apple.security.app-sandbox";

/// A signature to be made.
#[derive(Clone)]
pub struct Signature {
    pub flags: u32,
    pub team: Option<&'static str>,
    pub platform: u8,
    pub certified: bool,
    pub xml: Option<Vec<u8>>,
    pub der: Option<Vec<u8>>,
}

impl Signature {
    /// As linkers sign: ad hoc, nothing but a code directory.
    pub fn by_linker() -> Self {
        Signature {
            flags: AD_HOC | LINKER_SIGNED,
            team: None,
            platform: 0,
            certified: false,
            xml: None,
            der: None,
        }
    }

    /// As `codesign --sign -` does.
    pub fn ad_hoc(flags: u32) -> Self {
        Signature {
            flags: AD_HOC | flags,
            ..Signature::by_linker()
        }
    }

    /// As `codesign --sign "Developer ID Application: ..." --options runtime` does.
    pub fn developer(flags: u32) -> Self {
        Signature {
            flags,
            team: Some("ABCDE12345"),
            certified: true,
            ..Signature::by_linker()
        }
    }

    /// With these entitlements, each true, in both forms.
    pub fn entitled(self, names: &[&str]) -> Self {
        let entries: Vec<(&str, bool)> = names.iter().map(|name| (*name, true)).collect();
        Signature {
            xml: Some(xml(&entries)),
            der: Some(der(&entries)),
            ..self
        }
    }

    pub fn build(&self) -> Vec<u8> {
        let mut blobs = vec![(0, self.directory()), (2, blob(0xfade_0c01, &[0; 4]))];
        if let Some(xml) = &self.xml {
            blobs.push((5, blob(0xfade_7171, xml)));
        }
        if let Some(der) = &self.der {
            blobs.push((7, blob(0xfade_7172, der)));
        }
        // An ad-hoc signature of `codesign` has the slot, too, with nothing in it.
        let cms: &[u8] = if self.certified {
            b"a CMS signature would stand here"
        } else {
            &[]
        };
        blobs.push((0x1_0000, blob(0xfade_0b01, cms)));
        super_blob(&blobs)
    }

    fn directory(&self) -> Vec<u8> {
        let identifier = b"org.example.program\0";
        let team = self.team.map(|team| format!("{team}\0"));
        let fixed = 88;
        let team_offset = team.as_ref().map_or(0, |_| fixed + identifier.len());
        let strings = identifier.len() + team.as_ref().map_or(0, String::len);
        let hashes = fixed + strings;
        let length = hashes + 32;
        let mut bytes = big_words(&[
            0xfade_0c02,
            to_u32(length),
            0x2_0400,
            self.flags,
            to_u32(hashes),
            to_u32(fixed),
            0,
            1,
            0x1000,
        ]);
        bytes.extend([32, 2, self.platform, 12]);
        bytes.extend(big_words(&[0, 0, to_u32(team_offset)]));
        bytes.resize(fixed, 0);
        bytes.extend(identifier);
        bytes.extend(team.unwrap_or_default().as_bytes());
        bytes.resize(length, 0xaa);
        bytes
    }
}

/// A SuperBlob of (slot, blob).
pub fn super_blob(blobs: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut offset = 12 + 8 * blobs.len();
    let mut index = Vec::new();
    for (slot, blob) in blobs {
        index.extend(big_words(&[*slot, to_u32(offset)]));
        offset += blob.len();
    }
    let mut bytes = big_words(&[0xfade_0cc0, to_u32(offset), to_u32(blobs.len())]);
    bytes.extend(index);
    for (_, blob) in blobs {
        bytes.extend(blob);
    }
    bytes
}

pub fn blob(magic: u32, contents: &[u8]) -> Vec<u8> {
    let mut bytes = big_words(&[magic, to_u32(8 + contents.len())]);
    bytes.extend(contents);
    bytes
}

/// A property list as `codesign` embeds it.
pub fn xml(entries: &[(&str, bool)]) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in entries {
        write!(body, "\t<key>{name}</key>\n\t<{value}/>\n").expect("strings take any text");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n{body}</dict>\n</plist>\n"
    )
    .into_bytes()
}

/// The same in DER, as CoreEntitlements lays it out.
pub fn der(entries: &[(&str, bool)]) -> Vec<u8> {
    let mut dictionary = Vec::new();
    for (name, value) in entries {
        let mut entry = tagged(0x0c, name.as_bytes());
        entry.extend(tagged(0x01, &[if *value { 0xff } else { 0 }]));
        dictionary.extend(tagged(0x30, &entry));
    }
    let mut contents = tagged(0x02, &[1]);
    contents.extend(tagged(0xb0, &dictionary));
    tagged(0x70, &contents)
}

fn tagged(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match contents.len() {
        short @ 0..=127 => bytes.push(u8::try_from(short).expect("at most 127")),
        medium @ 128..=255 => bytes.extend([0x81, u8::try_from(medium).expect("at most 255")]),
        long => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(long).expect("a short list").to_be_bytes());
        }
    }
    bytes.extend(contents);
    bytes
}
