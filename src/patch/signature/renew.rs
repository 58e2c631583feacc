//! A new signature for changed code, ad hoc, in the old one's place.

use sha2::{Digest, Sha256};

use super::blobs::{self, Blob};
use super::directory::{self, Directory, New};
use super::verify::{directories, is_outside};
use super::{Hash, Place, SignatureError, verify};
use crate::target::image::Flags;

/// What became of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// Its identifier, as it was.
    pub identifier: String,
    /// Bytes that the new signature has.
    pub size: usize,
    /// Bytes that the old one's place has; what is left is zero.
    pub room: usize,
    /// Whether a certificate vouched for the old one.
    pub was_certified: bool,
    /// The hash of the new code directory, by which systems name code: its first 20 bytes.
    pub cdhash: [u8; 20],
    /// Slots whose blobs were left out, as they vouched for the old code.
    pub dropped: Vec<u32>,
}

/// Signs `changed` ad hoc: `original` with some of its code changed, of the same length and with its
/// signature in the same place.
///
/// Identifier, page size, entitlements, the hashes of what is beside the image, and the flags that
/// restrict a process are kept. Requirements become an empty set, and the CMS signature an empty one,
/// each where there was one. An original whose own hashes are not right is refused: nobody can say
/// what it is.
pub fn renew(
    original: &[u8],
    changed: &mut [u8],
    place: &Place,
) -> Result<Renewed, SignatureError> {
    let verified = verify(original, place)?;
    if let Some(fault) = verified.fault() {
        return Err(SignatureError::Broken(fault));
    }
    let (old, directories) = directories(original, place)?;
    let source = directories
        .iter()
        .find(|directory| directory.hash == Hash::Sha256)
        .ok_or_else(|| SignatureError::Unknown("it has no hashes of SHA-256".to_owned()))?;
    let (mut blobs, dropped) = kept(&old);
    let directory = directory::write(&New {
        flags: flags(source.flags),
        identifier: source.identifier,
        code: changed
            .get(..place.signature.start)
            .ok_or_else(|| SignatureError::damaged("its place", "the image is shorter"))?,
        page: source.page,
        special: special(source, &blobs)?,
        text: place.text.clone(),
        segment_flags: source
            .segment_flags
            .unwrap_or(if place.program { MAIN_PROGRAM } else { 0 }),
        runtime: source
            .runtime
            .filter(|_| Flags(source.flags).has(Flags::HARDENED_RUNTIME)),
    });
    let hash = Sha256::digest(&directory);
    let mut cdhash = [0; 20];
    cdhash.copy_from_slice(&hash[..20]);
    blobs.insert(0, (blobs::DIRECTORY_SLOT, directory));
    let signature = blobs::write(&blobs);
    let room = place.signature.len();
    if signature.len() > room {
        return Err(SignatureError::NoRoom {
            needed: signature.len(),
            room,
        });
    }
    let there = &mut changed[place.signature.clone()];
    there[..signature.len()].copy_from_slice(&signature);
    there[signature.len()..].fill(0);
    Ok(Renewed {
        identifier: verified.identifier,
        size: signature.len(),
        room,
        was_certified: verified.certified,
        cdhash,
        dropped,
    })
}

/// The blobs of the new signature but its directory, in the order of their slots, and the slots of
/// those that are left out.
fn kept(old: &[Blob<'_>]) -> (Vec<(u32, Vec<u8>)>, Vec<u32>) {
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    for blob in old {
        match blob.slot {
            blobs::DIRECTORY_SLOT => {}
            // They name the certificate that signed.
            blobs::REQUIREMENTS_SLOT => {
                let empty = blobs::blob(blobs::REQUIREMENTS_MAGIC, &[0; 4]);
                kept.push((blob.slot, empty));
            }
            blobs::CMS_SLOT => kept.push((blob.slot, blobs::blob(blobs::CMS_MAGIC, &[]))),
            slot if slot <= blobs::LAST_HASHED_SLOT => kept.push((slot, blob.bytes.to_vec())),
            // Another directory; a ticket of notarisation; whatever else hangs on the old hashes.
            slot => dropped.push(slot),
        }
    }
    kept.sort_by_key(|(slot, _)| *slot);
    (kept, dropped)
}

/// The hashes of the slots: of the blobs that are there, and as they were of what is beside the image.
fn special(
    source: &Directory<'_>,
    blobs: &[(u32, Vec<u8>)],
) -> Result<Vec<[u8; 32]>, SignatureError> {
    let mut special = Vec::with_capacity(source.special.len());
    for (slot, old) in (1..).zip(&source.special) {
        let blob = blobs.iter().find(|(filled, _)| *filled == slot);
        special.push(match blob {
            Some((_, bytes)) => Sha256::digest(bytes).into(),
            None if is_outside(slot) => <[u8; 32]>::try_from(*old)
                .map_err(|_| SignatureError::damaged("a code directory", "a short hash"))?,
            None if old.iter().all(|byte| *byte == 0) => [0; 32],
            None => {
                return Err(SignatureError::Unknown(format!(
                    "a hash of slot {slot}, which is not there"
                )));
            }
        });
    }
    Ok(special)
}

/// The flags that a process is restricted by stay; what speaks of a certificate, or of the linker, goes.
fn flags(old: u32) -> u32 {
    old & RESTRICTING | Flags::AD_HOC.0
}

/// `CS_HARD`, `CS_KILL`, `CS_RESTRICT`, `CS_ENFORCEMENT`, `CS_REQUIRE_LV`, `CS_RUNTIME`.
const RESTRICTING: u32 = 0x100
    | 0x200
    | Flags::RESTRICT.0
    | 0x1000
    | Flags::LIBRARY_VALIDATION.0
    | Flags::HARDENED_RUNTIME.0;

/// `CS_EXECSEG_MAIN_BINARY`.
const MAIN_PROGRAM: u64 = 1;
