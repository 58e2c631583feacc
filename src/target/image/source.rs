//! Reading parts of a file that nobody vouches for.
//!
//! Every length and offset comes out of the file itself, so each read is checked against the file's
//! length and against a limit of its own before anything is allocated.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Unreadable;

/// Bytes that can be read at a position: a file, or a file's contents in memory.
pub trait ReadAt {
    /// Fills `buffer` from `offset`, or fails; a short read is an error.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// How many bytes there are.
    fn size(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for &[u8] {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..))
            .and_then(|rest| rest.get(..buffer.len()))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

/// A range of a file: the whole of it, one slice of a universal file, or a signature within a
/// slice. Offsets are relative to the range, and nothing outside it can be read.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    size: u64,
}

impl<'a> Window<'a> {
    /// The whole of `source`.
    pub(super) fn whole(source: &'a dyn ReadAt) -> Result<Self, Unreadable> {
        let size = source.size().map_err(|source| Unreadable::Io {
            operation: "measure the file",
            source,
        })?;
        Ok(Window {
            source,
            start: 0,
            size,
        })
    }

    /// How many bytes the range has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The range of `size` bytes from `offset`, which must lie within this one.
    pub(super) fn part(
        &self,
        offset: u64,
        size: u64,
        what: &'static str,
    ) -> Result<Self, Unreadable> {
        self.check(offset, size, what)?;
        Ok(Window {
            source: self.source,
            start: self.start + offset,
            size,
        })
    }

    /// Reads `size` bytes from `offset`. `limit` is what an honest file never exceeds there.
    pub(super) fn read(
        &self,
        offset: u64,
        size: u64,
        limit: usize,
        what: &'static str,
    ) -> Result<Vec<u8>, Unreadable> {
        let wanted = usize::try_from(size)
            .ok()
            .filter(|wanted| *wanted <= limit)
            .ok_or(Unreadable::TooLarge { what, size, limit })?;
        self.check(offset, size, what)?;
        let mut bytes = vec![0; wanted];
        self.source
            .read_exact_at(&mut bytes, self.start + offset)
            .map_err(|source| Unreadable::Read { what, source })?;
        Ok(bytes)
    }

    /// Reads at most `limit` bytes from `offset`: fewer where the range ends before.
    pub(super) fn read_up_to(
        &self,
        offset: u64,
        limit: usize,
        what: &'static str,
    ) -> Result<Vec<u8>, Unreadable> {
        let rest = self.size.saturating_sub(offset);
        self.read(offset, rest.min(limit as u64), limit, what)
    }

    fn check(&self, offset: u64, size: u64, what: &'static str) -> Result<(), Unreadable> {
        match offset.checked_add(size) {
            Some(end) if end <= self.size => Ok(()),
            _ => Err(Unreadable::Truncated {
                what,
                offset,
                size,
                available: self.size,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &[u8] = b"0123456789";

    #[test]
    fn a_part_reads_relative_to_its_start_and_not_past_its_end() {
        let whole = Window::whole(&DIGITS).expect("it has a length");
        let part = whole.part(2, 4, "a part").expect("it lies within");
        assert_eq!(part.read(1, 2, 16, "two bytes").expect("within"), b"34");
        assert!(matches!(
            part.read(3, 2, 16, "two bytes"),
            Err(Unreadable::Truncated { available: 4, .. })
        ));
        assert!(matches!(
            part.part(u64::MAX, 2, "a part"),
            Err(Unreadable::Truncated { .. })
        ));
    }

    #[test]
    fn a_size_past_the_limit_is_refused_before_it_is_allocated() {
        let whole = Window::whole(&DIGITS).expect("it has a length");
        assert!(matches!(
            whole.read(0, u64::MAX, 16, "everything"),
            Err(Unreadable::TooLarge { limit: 16, .. })
        ));
    }
}
