//! A slice's embedded signature: the fields by which the kernel and AMFI decide.
//!
//! Layouts and numbers are those of xnu's `osfmk/kern/cs_blobs.h`. Everything is big-endian. The
//! hashes are neither read nor checked: a file that was tampered with is the kernel's to refuse.

use super::Unreadable;
use super::entitlements::{self, Entitlements};
use super::source::Window;

/// What a slice's signature says.
#[derive(Debug)]
pub struct Signature {
    /// How the process is to be treated.
    pub flags: Flags,
    /// The identifier, such as `com.apple.python3`.
    pub identifier: String,
    /// The team that signed; none in an ad-hoc signature, and none in Apple's own.
    pub team: Option<String>,
    /// Not zero in what Apple signs as a part of macOS (`codesign -d` calls it "Platform
    /// identifier").
    pub platform: u8,
    /// Whether a certificate vouches for it (a CMS signature is there); otherwise it is ad hoc.
    pub certified: bool,
    /// What it may do. An error here matters only where a rule needs one of them.
    pub entitlements: Result<Entitlements, Unreadable>,
}

/// The flags of a code directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// `CS_ADHOC`: no certificate vouches for it.
    pub const AD_HOC: Flags = Flags(0x2);
    /// `CS_FORCED_LV`: libraries are validated by the system's policy. Set by the kernel, which
    /// ignores it in a file.
    pub const FORCED_LIBRARY_VALIDATION: Flags = Flags(0x10);
    /// `CS_RESTRICT`: dyld is to distrust the environment.
    pub const RESTRICT: Flags = Flags(0x800);
    /// `CS_REQUIRE_LV`: libraries must be signed by the same team, or be Apple's.
    pub const LIBRARY_VALIDATION: Flags = Flags(0x2000);
    /// `CS_RUNTIME`: the hardened runtime.
    pub const HARDENED_RUNTIME: Flags = Flags(0x1_0000);
    /// `CS_LINKER_SIGNED`: signed by the linker, ad hoc.
    pub const LINKER_SIGNED: Flags = Flags(0x2_0000);

    /// Whether any flag of `others` is set.
    pub fn has(self, others: Flags) -> bool {
        self.0 & others.0 != 0
    }
}

/// Reads the signature that fills `data`.
pub(super) fn parse(data: &Window<'_>) -> Result<Signature, Unreadable> {
    let blobs = index(data)?;
    let directory = preferred_directory(data, &blobs)?;
    let certified = match find(&blobs, CMS_SLOT) {
        // An ad-hoc signature may have the slot, with an empty blob in it.
        Some(offset) => blob(data, offset, CMS_MAGIC, "the CMS signature")?.size() > BLOB_HEADER,
        None => false,
    };
    Ok(Signature {
        certified,
        entitlements: read_entitlements(data, &blobs),
        ..directory
    })
}

/// Slot and offset of each blob.
fn index(data: &Window<'_>) -> Result<Vec<(u32, u32)>, Unreadable> {
    let head = data.read(0, 12, 12, SIGNATURE)?;
    if u32_at(&head, 0, SIGNATURE)? != SIGNATURE_MAGIC {
        return Err(Unreadable::malformed(SIGNATURE, "another magic number"));
    }
    // The blob must fit into the part that the load command names; the rest of it is padding.
    let whole = data.part(0, u32_at(&head, 4, SIGNATURE)?.into(), SIGNATURE)?;
    let count = u32_at(&head, 8, SIGNATURE)?;
    let size = u64::from(count) * 8;
    let entries = whole.read(12, size, MOST_BLOBS * 8, "the signature's table of blobs")?;
    let mut blobs = Vec::new();
    for entry in entries.chunks_exact(8) {
        let slot = u32_at(entry, 0, SIGNATURE)?;
        if find(&blobs, slot).is_some() {
            return Err(Unreadable::Contradiction {
                what: "two blobs of the signature fill one slot",
            });
        }
        blobs.push((slot, u32_at(entry, 4, SIGNATURE)?));
    }
    Ok(blobs)
}

fn find(blobs: &[(u32, u32)], slot: u32) -> Option<u32> {
    blobs
        .iter()
        .find(|(filled, _)| *filled == slot)
        .map(|(_, offset)| *offset)
}

/// The blob at `offset`, its header included.
fn blob<'a>(
    data: &Window<'a>,
    offset: u32,
    magic: u32,
    what: &'static str,
) -> Result<Window<'a>, Unreadable> {
    let head = data.read(offset.into(), BLOB_HEADER, 8, what)?;
    if u32_at(&head, 0, what)? != magic {
        return Err(Unreadable::malformed(what, "another magic number"));
    }
    let size = u64::from(u32_at(&head, 4, what)?);
    if size < BLOB_HEADER {
        return Err(Unreadable::malformed(what, "shorter than its own header"));
    }
    data.part(offset.into(), size, what)
}

/// The code directory that the kernel goes by: of those with a hash that it knows, the one with the
/// strongest (xnu, `bsd/kern/ubc_subr.c`, `cs_validate_csblob` and `hash_rank`).
fn preferred_directory(data: &Window<'_>, blobs: &[(u32, u32)]) -> Result<Signature, Unreadable> {
    let mut best: Option<(u8, Signature)> = None;
    for &(slot, offset) in blobs {
        if slot != DIRECTORY_SLOT && !ALTERNATE_DIRECTORY_SLOTS.contains(&slot) {
            continue;
        }
        let (rank, directory) = directory(&blob(data, offset, DIRECTORY_MAGIC, DIRECTORY)?)?;
        if rank > 0 && best.as_ref().is_none_or(|(other, _)| rank > *other) {
            best = Some((rank, directory));
        }
    }
    best.map(|(_, directory)| directory)
        .ok_or_else(|| Unreadable::malformed(SIGNATURE, "no code directory with a known hash"))
}

/// A code directory's rank by its hash, and what it says.
fn directory(blob: &Window<'_>) -> Result<(u8, Signature), Unreadable> {
    let fixed = blob.read_up_to(0, 52, DIRECTORY)?;
    let field = |offset| u32_at(&fixed, offset, DIRECTORY);
    let byte = |offset: usize| -> Result<u8, Unreadable> {
        Ok(field(offset & !3)?.to_be_bytes()[offset & 3])
    };
    let version = field(8)?;
    let rank = match byte(37)? {
        SHA_1 => 1,
        SHA_256_TRUNCATED => 2,
        SHA_256 => 3,
        SHA_384 => 4,
        _ => 0,
    };
    // Version 0x20200 brought the team, and may have none.
    let team = if version >= 0x2_0200 { field(48)? } else { 0 };
    let signature = Signature {
        flags: Flags(field(12)?),
        identifier: text(blob, field(20)?, "the signature's identifier")?,
        team: match team {
            0 => None,
            offset => Some(text(blob, offset, "the signature's team")?),
        },
        platform: byte(38)?,
        certified: false,
        entitlements: Ok(Entitlements::default()),
    };
    Ok((rank, signature))
}

/// The C string at `offset`.
fn text(blob: &Window<'_>, offset: u32, what: &'static str) -> Result<String, Unreadable> {
    let bytes = blob.read_up_to(offset.into(), LONGEST_NAME, what)?;
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .ok_or_else(|| Unreadable::malformed(what, "it does not end"))?;
    match std::str::from_utf8(&bytes[..end]) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Unreadable::malformed(what, error.to_string())),
    }
}

fn read_entitlements(data: &Window<'_>, blobs: &[(u32, u32)]) -> Result<Entitlements, Unreadable> {
    let contents = |slot, magic, what| {
        find(blobs, slot)
            .map(|offset| {
                let blob = blob(data, offset, magic, what)?;
                let size = blob.size() - BLOB_HEADER;
                blob.read(BLOB_HEADER, size, LONGEST_ENTITLEMENTS, what)
            })
            .transpose()
    };
    let xml = contents(XML_SLOT, XML_MAGIC, entitlements::XML)?;
    let der = contents(DER_SLOT, DER_MAGIC, entitlements::DER)?;
    Entitlements::parse(xml.as_deref(), der.as_deref())
}

fn u32_at(bytes: &[u8], offset: usize, what: &'static str) -> Result<u32, Unreadable> {
    bytes
        .get(offset..)
        .and_then(<[u8]>::first_chunk)
        .map(|bytes| u32::from_be_bytes(*bytes))
        .ok_or_else(|| Unreadable::malformed(what, "too short"))
}

const SIGNATURE: &str = "the signature";
const DIRECTORY: &str = "the signature's code directory";

/// Magic number and length.
const BLOB_HEADER: u64 = 8;

const SIGNATURE_MAGIC: u32 = 0xfade_0cc0;
const DIRECTORY_MAGIC: u32 = 0xfade_0c02;
const CMS_MAGIC: u32 = 0xfade_0b01;
const XML_MAGIC: u32 = 0xfade_7171;
const DER_MAGIC: u32 = 0xfade_7172;

const DIRECTORY_SLOT: u32 = 0;
const ALTERNATE_DIRECTORY_SLOTS: std::ops::Range<u32> = 0x1000..0x1005;
const XML_SLOT: u32 = 5;
const DER_SLOT: u32 = 7;
const CMS_SLOT: u32 = 0x1_0000;

const SHA_1: u8 = 1;
const SHA_256: u8 = 2;
const SHA_256_TRUNCATED: u8 = 3;
const SHA_384: u8 = 4;

/// Signatures have about ten blobs.
const MOST_BLOBS: usize = 64;
const LONGEST_NAME: usize = 4096;
/// The longest known ones, of Apple's own daemons, have some fifty kilobytes.
const LONGEST_ENTITLEMENTS: usize = 256 * 1024;
