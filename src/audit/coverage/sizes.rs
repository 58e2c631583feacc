//! How long functions are, by where the next one begins.

use crate::audit::Binary;

/// Where the functions of an image begin, in order.
pub(super) struct Sizes {
    starts: Vec<u64>,
    /// The ends of sections, in order: no function goes beyond its own.
    ends: Vec<u64>,
}

impl Sizes {
    /// None are known where the image has no list of functions, or none that can be read: the report
    /// says so of the image.
    pub(super) fn of(binary: &Binary<'_>) -> Self {
        let mut starts: Vec<u64> = binary
            .function_starts()
            .map(Iterator::collect)
            .unwrap_or_default();
        starts.sort_unstable();
        let sections = binary.sections().iter();
        let mut ends: Vec<u64> = sections
            .map(|section| section.address.saturating_add(section.size))
            .collect();
        ends.sort_unstable();
        Sizes { starts, ends }
    }

    /// Bytes from `address`, where a function begins, to the next function or the section's end.
    pub(super) fn at(&self, address: u64) -> Option<u64> {
        let at = self.starts.binary_search(&address).ok()?;
        let end = self.ends[self.ends.partition_point(|end| *end <= address)..].first();
        let next = self.starts[at..].iter().find(|start| **start > address);
        let nearest = next.into_iter().chain(end).min()?;
        Some(nearest - address)
    }
}
