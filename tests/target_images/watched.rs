//! A file that is watched while it is read, and that can be damaged without being copied.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use agxrun::target::image::ReadAt;

/// A file, seen through damage, with a record of what was read.
pub struct Watched<'a> {
    file: &'a File,
    /// Bytes that read otherwise: place and value.
    pub damage: Vec<(u64, u8)>,
    /// Where it ends, where it was cut.
    pub end: Option<u64>,
    reads: RefCell<Vec<Range<u64>>>,
}

impl<'a> Watched<'a> {
    pub fn new(file: &'a File) -> Self {
        Watched {
            file,
            damage: Vec::new(),
            end: None,
            reads: RefCell::default(),
        }
    }

    /// What was read, in order.
    pub fn reads(&self) -> Vec<Range<u64>> {
        self.reads.borrow().clone()
    }

    /// How many bytes were read, those read twice counted twice. As many were allocated.
    pub fn bytes(&self) -> u64 {
        self.reads
            .borrow()
            .iter()
            .map(|read| read.end - read.start)
            .sum()
    }
}

impl ReadAt for Watched<'_> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset + buffer.len() as u64;
        self.reads.borrow_mut().push(offset..end);
        FileExt::read_exact_at(self.file, buffer, offset)?;
        for (place, value) in &self.damage {
            if (offset..end).contains(place) {
                let index = usize::try_from(place - offset).expect("within the buffer");
                buffer[index] = *value;
            }
        }
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        let size = self.file.metadata()?.len();
        Ok(self.end.map_or(size, |end| end.min(size)))
    }
}
