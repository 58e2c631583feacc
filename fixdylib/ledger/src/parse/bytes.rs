//! Bytes that may be anything, read without a panic.

/// Little-endian numbers of a slice of bytes.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// So many bytes at an offset; `None` behind the end, as below.
    pub fn slice(self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(len)?)
    }

    /// A number at an offset.
    pub fn u32(self, at: usize) -> Option<u32> {
        self.slice(at, 4)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u32::from_le_bytes)
    }

    /// A number at an offset.
    pub fn u64(self, at: usize) -> Option<u64> {
        self.slice(at, 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_le_bytes)
    }

    /// Text up to the first NUL of a fixed field.
    pub fn text(self, at: usize, len: usize) -> Option<String> {
        let bytes = self.slice(at, len)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(len);
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }
}

/// A section as the header describes it, checked against the file.
pub struct Records<'a> {
    pub bytes: &'a [u8],
    pub stride: usize,
    pub used: usize,
}

impl<'a> Records<'a> {
    /// The records in use, as far as they are there.
    pub fn iter(&self) -> impl Iterator<Item = Bytes<'a>> {
        self.bytes
            .chunks_exact(self.stride)
            .take(self.used)
            .map(Bytes)
    }
}
