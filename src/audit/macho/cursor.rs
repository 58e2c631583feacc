//! Reading a byte stream of the loader's from one end to the other.

use super::super::Why;

/// A position in a stream.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, position: 0 }
    }

    /// Bytes from the stream's start; `None` where the stream has ended before.
    pub(super) fn starting_at(bytes: &'a [u8], position: u64) -> Option<Self> {
        let position = usize::try_from(position).ok()?;
        (position < bytes.len()).then_some(Cursor { bytes, position })
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    /// An unsigned LEB128 number.
    pub(super) fn unsigned(&mut self) -> Result<u64, Why> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte().ok_or(Why::Number)?;
            let part = u64::from(byte & 0x7f);
            if (part << shift) >> shift != part {
                return Err(Why::Number);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Why::Number)
    }

    /// A signed LEB128 number.
    pub(super) fn signed(&mut self) -> Result<i64, Why> {
        let mut value = 0_i64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte().ok_or(Why::Number)?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let unused = 64_u32.saturating_sub(shift + 7);
                return Ok(value << unused >> unused);
            }
        }
        Err(Why::Number)
    }

    /// A text that ends with a zero byte.
    pub(super) fn text(&mut self) -> Result<&'a str, Why> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let start = self.position as u64;
        let end = memchr::memchr(0, rest).ok_or(Why::Endless(start))?;
        self.position += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| Why::NotUtf8(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_and_of_many_bytes() {
        let mut cursor = Cursor::new(&[0x05, 0xe5, 0x8e, 0x26, 0x7f, 0xc0, 0xbb, 0x78]);
        assert_eq!(cursor.unsigned(), Ok(5));
        assert_eq!(cursor.unsigned(), Ok(624_485));
        assert_eq!(cursor.signed(), Ok(-1));
        assert_eq!(cursor.signed(), Ok(-123_456));
        assert_eq!(cursor.unsigned(), Err(Why::Number));
    }

    #[test]
    fn the_largest_number_and_one_that_is_larger() {
        let mut largest = [0xff; 10];
        largest[9] = 0x01;
        assert_eq!(Cursor::new(&largest).unsigned(), Ok(u64::MAX));
        largest[9] = 0x02;
        assert_eq!(Cursor::new(&largest).unsigned(), Err(Why::Number));
        assert_eq!(Cursor::new(&[0xff; 11]).unsigned(), Err(Why::Number));
        assert_eq!(Cursor::new(&[0xff; 11]).signed(), Err(Why::Number));
    }

    #[test]
    fn a_text_without_an_end_is_none() {
        let mut cursor = Cursor::new(b"one\0two");
        assert_eq!(cursor.text(), Ok("one"));
        assert_eq!(cursor.text(), Err(Why::Endless(4)));
    }
}
