//! The table of blobs that a signature is.

use super::SignatureError;

/// A blob, with the slot that it fills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blob<'a> {
    /// `CSSLOT_...`.
    pub slot: u32,
    /// Its bytes: magic number, length, contents.
    pub bytes: &'a [u8],
}

/// The blobs of the signature that `data` begins with, in its order; what follows it is padding.
pub(super) fn read(data: &[u8]) -> Result<Vec<Blob<'_>>, SignatureError> {
    let damaged = |why: &str| SignatureError::damaged("its table of blobs", why);
    let cut = || damaged("it is cut off");
    if u32_at(data, 0).ok_or_else(cut)? != SIGNATURE_MAGIC {
        return Err(damaged("another magic number"));
    }
    let length = u32_at(data, 4).ok_or_else(cut)? as usize;
    let whole = data.get(..length).ok_or_else(cut)?;
    let count = u32_at(whole, 8).ok_or_else(cut)?;
    if count > MOST_BLOBS {
        return Err(damaged("more blobs than a signature has"));
    }
    let mut blobs: Vec<Blob<'_>> = Vec::new();
    for index in 0..count as usize {
        let entry = HEADER + index * ENTRY;
        let slot = u32_at(whole, entry).ok_or_else(cut)?;
        let start = u32_at(whole, entry + 4).ok_or_else(cut)? as usize;
        let rest = whole.get(start..).ok_or_else(cut)?;
        let size = u32_at(rest, 4).ok_or_else(cut)? as usize;
        if size < BLOB_HEADER {
            return Err(damaged("a blob is shorter than its own header"));
        }
        let bytes = rest.get(..size).ok_or_else(cut)?;
        if blobs.iter().any(|blob| blob.slot == slot) {
            return Err(damaged("two blobs fill one slot"));
        }
        blobs.push(Blob { slot, bytes });
    }
    Ok(blobs)
}

/// The signature that has these blobs.
pub(super) fn write(blobs: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let start = HEADER + blobs.len() * ENTRY;
    let size: usize = start + blobs.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let mut signature = Vec::with_capacity(size);
    put_u32(&mut signature, SIGNATURE_MAGIC);
    put_size(&mut signature, size);
    put_size(&mut signature, blobs.len());
    let mut at = start;
    for (slot, bytes) in blobs {
        put_u32(&mut signature, *slot);
        put_size(&mut signature, at);
        at += bytes.len();
    }
    for (_, bytes) in blobs {
        signature.extend_from_slice(bytes);
    }
    signature
}

/// A blob with nothing but its header and `contents`.
pub(super) fn blob(magic: u32, contents: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOB_HEADER + contents.len());
    put_u32(&mut bytes, magic);
    put_size(&mut bytes, BLOB_HEADER + contents.len());
    bytes.extend_from_slice(contents);
    bytes
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u32::from_be_bytes(*field))
}

pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    let field = bytes.get(offset..)?.first_chunk()?;
    Some(u64::from_be_bytes(*field))
}

pub(super) fn put_u32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend_from_slice(&value.to_be_bytes());
}

pub(super) fn put_u64(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend_from_slice(&value.to_be_bytes());
}

/// A size or an offset within a signature. The load command that names a signature counts in 32 bits,
/// and what is written is never longer than what was read.
pub(super) fn put_size(bytes: &mut Vec<u8>, size: usize) {
    put_u32(bytes, u32::try_from(size).unwrap_or(u32::MAX));
}

pub(super) const DIRECTORY_SLOT: u32 = 0;
pub(super) const REQUIREMENTS_SLOT: u32 = 2;
/// `CSSLOT_LIBRARY_CONSTRAINT`: the last one whose hash the directory has.
pub(super) const LAST_HASHED_SLOT: u32 = 11;
pub(super) const ALTERNATE_DIRECTORY_SLOTS: std::ops::Range<u32> = 0x1000..0x1005;
pub(super) const CMS_SLOT: u32 = 0x1_0000;

pub(super) const DIRECTORY_MAGIC: u32 = 0xfade_0c02;
pub(super) const REQUIREMENTS_MAGIC: u32 = 0xfade_0c01;
pub(super) const CMS_MAGIC: u32 = 0xfade_0b01;
const SIGNATURE_MAGIC: u32 = 0xfade_0cc0;

/// Magic number, length, count.
const HEADER: usize = 12;
/// Slot, offset.
const ENTRY: usize = 8;
/// Magic number, length.
pub(super) const BLOB_HEADER: usize = 8;
/// Signatures have about ten.
const MOST_BLOBS: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(contents in prop::collection::vec((0u32..64, prop::collection::vec(any::<u8>(), 0..40)), 0..10)) {
            let mut blobs: Vec<(u32, Vec<u8>)> = Vec::new();
            for (slot, contents) in contents {
                if blobs.iter().all(|(other, _)| *other != slot) {
                    blobs.push((slot, blob(0x1234_5678, &contents)));
                }
            }
            let mut bytes = write(&blobs);
            bytes.extend_from_slice(&[0; 7]);
            let read = read(&bytes).expect("it is whole");
            let read: Vec<_> = read.iter().map(|blob| (blob.slot, blob.bytes.to_vec())).collect();
            prop_assert_eq!(read, blobs);
        }

        #[test]
        fn nonsense_is_refused_and_never_overrun(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(head) = bytes.first_chunk_mut::<4>() {
                *head = SIGNATURE_MAGIC.to_be_bytes();
            }
            if let Some(length) = bytes.get_mut(4..7) {
                length.fill(0);
            }
            if let Some(count) = bytes.get_mut(8..11) {
                count.fill(0);
            }
            if let Ok(blobs) = read(&bytes) {
                prop_assert!(blobs.iter().all(|blob| blob.bytes.len() >= BLOB_HEADER));
            }
        }
    }

    #[test]
    fn two_blobs_of_one_slot_contradict_each_other() {
        let bytes = write(&[(0, blob(1, b"a")), (0, blob(1, b"b"))]);
        assert!(matches!(read(&bytes), Err(SignatureError::Damaged { .. })));
    }
}
