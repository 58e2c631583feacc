//! Whether a signature's hashes are those of what it is in.

use super::blobs::{self, Blob};
use super::directory::Directory;
use super::{Hash, Place, SignatureError};
use crate::target::image::Flags;

/// What was found of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its identifier, such as `com.apple.agx`.
    pub identifier: String,
    /// The flags of the code directory that the kernel goes by.
    pub flags: Flags,
    /// Whether a certificate vouches for it. Whether that may be trusted is not looked at.
    pub certified: bool,
    /// Each code directory, in the signature's order.
    pub directories: Vec<CheckedDirectory>,
}

/// A code directory's hashes, held against what they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedDirectory {
    /// How it hashes.
    pub hash: Hash,
    /// How many pages it speaks of.
    pub pages: usize,
    /// Where in the image the pages begin whose hash is another; none where its kind of hash is not
    /// computed here (SHA-1).
    pub wrong_pages: Option<Vec<usize>>,
    /// The slots for which it has a hash.
    pub slots: Vec<CheckedSlot>,
}

/// A slot's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedSlot {
    /// `CSSLOT_...`: 1 `Info.plist`, 2 requirements, 3 resources, 5 and 7 entitlements, ...
    pub slot: u32,
    /// What was found.
    pub state: SlotState,
}

/// What was found of a slot's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// It is that of the blob.
    Right,
    /// It is not that of the blob.
    Wrong,
    /// It is of a file beside the image, such as `Info.plist`: not looked at.
    Outside,
    /// It is of a blob that is not there.
    Missing,
    /// There is a blob, and no hash of it.
    Unhashed,
    /// Its kind of hash is not computed here (SHA-1).
    NotComputed,
}

impl CheckedDirectory {
    /// What is wrong, in words; none where all that was looked at is right.
    pub fn fault(&self) -> Option<String> {
        if let Some(first) = self.wrong_pages.iter().flatten().next() {
            let count = self.wrong_pages.as_ref().map_or(0, Vec::len);
            return Some(format!(
                "{count} of its {} pages have another hash, the first at offset {first:#x}",
                self.pages
            ));
        }
        let slot = self.slots.iter().find_map(|checked| {
            let what = match checked.state {
                SlotState::Wrong => "has another hash",
                SlotState::Missing => "is not there, but has a hash",
                SlotState::Unhashed => "is there, but has no hash",
                SlotState::Right | SlotState::Outside | SlotState::NotComputed => return None,
            };
            Some(format!("the blob of slot {} {what}", checked.slot))
        })?;
        Some(slot)
    }
}

impl Verified {
    /// What is wrong with its hashes, in words; none where all that was looked at is right.
    pub fn fault(&self) -> Option<String> {
        if self.directories.iter().all(|one| one.wrong_pages.is_none()) {
            return Some("it has no hashes but SHA-1, which are not computed here".to_owned());
        }
        self.directories.iter().find_map(CheckedDirectory::fault)
    }

    /// Whether it is ad hoc: no certificate vouches for it, and it says so.
    pub fn is_ad_hoc(&self) -> bool {
        self.flags.has(Flags::AD_HOC) && !self.certified
    }
}

/// Computes every hash of the signature of the image `bytes` again.
pub fn verify(bytes: &[u8], place: &Place) -> Result<Verified, SignatureError> {
    let (blobs, directories) = directories(bytes, place)?;
    // The kernel goes by the strongest hash (xnu, `bsd/kern/ubc_subr.c`, `hash_rank`).
    let best = directories
        .iter()
        .max_by_key(|directory| directory.hash)
        .ok_or_else(no_directory)?;
    Ok(Verified {
        identifier: String::from_utf8_lossy(best.identifier).into_owned(),
        flags: Flags(best.flags),
        certified: blobs
            .iter()
            .any(|blob| blob.slot == blobs::CMS_SLOT && blob.bytes.len() > blobs::BLOB_HEADER),
        directories: directories
            .iter()
            .map(|directory| check(bytes, &blobs, directory))
            .collect(),
    })
}

/// The blobs of an image's signature, and its code directories.
pub(super) fn directories<'a>(
    bytes: &'a [u8],
    place: &Place,
) -> Result<(Vec<Blob<'a>>, Vec<Directory<'a>>), SignatureError> {
    let data = bytes
        .get(place.signature.clone())
        .ok_or_else(|| SignatureError::damaged("its place", "the image is shorter"))?;
    let blobs = blobs::read(data)?;
    let mut directories = Vec::new();
    for blob in &blobs {
        if blob.slot == blobs::DIRECTORY_SLOT
            || blobs::ALTERNATE_DIRECTORY_SLOTS.contains(&blob.slot)
        {
            let directory = Directory::read(blob.bytes)?;
            if directory.limit != place.signature.start as u64 {
                return Err(SignatureError::Unknown(format!(
                    "it speaks of {:#x} bytes, but begins at {:#x}",
                    directory.limit, place.signature.start
                )));
            }
            directories.push(directory);
        }
    }
    Ok((blobs, directories))
}

pub(super) fn no_directory() -> SignatureError {
    SignatureError::damaged("its table of blobs", "it has no code directory")
}

fn check(image: &[u8], blobs: &[Blob<'_>], directory: &Directory<'_>) -> CheckedDirectory {
    let wrong = directory
        .extents()
        .zip(&directory.pages)
        .map(|(extent, hash)| {
            let found = directory.hash_of(&image[extent.clone()])?;
            Some((extent.start, found == *hash))
        })
        .collect::<Option<Vec<_>>>();
    let wrong_pages = wrong.map(|pages| {
        let wrong = pages.into_iter().filter(|(_, right)| !right);
        wrong.map(|(start, _)| start).collect()
    });
    let slots = (1..=blobs::LAST_HASHED_SLOT)
        .filter_map(|slot| {
            let state = slot_state(slot, blobs, directory)?;
            Some(CheckedSlot { slot, state })
        })
        .collect();
    CheckedDirectory {
        hash: directory.hash,
        pages: directory.pages.len(),
        wrong_pages,
        slots,
    }
}

fn slot_state(slot: u32, blobs: &[Blob<'_>], directory: &Directory<'_>) -> Option<SlotState> {
    let blob = blobs.iter().find(|blob| blob.slot == slot);
    let hash = directory
        .special
        .get(slot as usize - 1)
        .filter(|hash| hash.iter().any(|byte| *byte != 0));
    Some(match (blob, hash) {
        (None, None) => return None,
        (None, Some(_)) if is_outside(slot) => SlotState::Outside,
        (None, Some(_)) => SlotState::Missing,
        (Some(_), None) => SlotState::Unhashed,
        (Some(blob), Some(hash)) => match directory.hash_of(blob.bytes) {
            None => SlotState::NotComputed,
            Some(found) if found == **hash => SlotState::Right,
            Some(_) => SlotState::Wrong,
        },
    })
}

/// Whether a slot's hash is of something that is not in the signature: `Info.plist`, the resources'
/// seal, what an application or a disk image has of its own.
pub(super) fn is_outside(slot: u32) -> bool {
    matches!(slot, 1 | 3 | 4 | 6)
}
