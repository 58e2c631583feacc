//! Reading through bytes that may end anywhere.

use anyhow::{Context as _, Result};

/// The bytes that are still to be read.
pub struct Cursor<'data>(pub &'data [u8]);

impl<'data> Cursor<'data> {
    /// The next byte; `None` at the end.
    pub fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// An unsigned number in LEB128.
    pub fn uleb(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte().context("a number is cut off")?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        anyhow::bail!("a number has more than 64 bits")
    }

    /// A string that ends in NUL.
    pub fn string(&mut self) -> Result<&'data str> {
        let end = self.0.iter().position(|&byte| byte == 0);
        let (string, rest) = self.0.split_at(end.context("a string is cut off")?);
        self.0 = &rest[1..];
        std::str::from_utf8(string).context("a name is not UTF-8")
    }
}

/// A part of `data`.
pub fn part(data: &[u8], offset: usize, size: usize) -> Result<&[u8]> {
    offset
        .checked_add(size)
        .and_then(|end| data.get(offset..end))
        .with_context(|| format!("{size} bytes at {offset} are not in {}", data.len()))
}

/// A big-endian word, as signatures have them.
pub fn big_endian(data: &[u8], offset: usize) -> Result<u32> {
    let bytes = part(data, offset, 4)?;
    Ok(u32::from_be_bytes(bytes.try_into().expect("four bytes")))
}
