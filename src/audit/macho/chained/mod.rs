//! Chained fix-ups (`LC_DYLD_CHAINED_FIXUPS`): every pointer holds its target and the distance to
//! the next one of its page.
//!
//! The chains are walked once, and only the places are kept, one bit for four bytes; what a slot says
//! is read where somebody asks.

mod format;
mod imports;

use super::super::{Gaps, Why};
use super::bits::SlotBits;
use super::space::{Segment, Space, range, u16_in, u32_in, u64_in};

pub(super) use format::{Format, Slot};
pub(super) use imports::Imports;

/// The fix-ups of an image.
#[derive(Debug)]
pub(super) struct Chained<'a> {
    /// The image's first address.
    base: u64,
    /// By segment, as the load commands number them.
    segments: Vec<Option<Chains>>,
    imports: Imports<'a>,
}

/// The chains of one segment.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) format: Format,
    pub(super) slots: SlotBits,
}

impl<'a> Chained<'a> {
    /// Walks the chains that `payload` names, the load command's bytes, which stand at `offset`.
    pub(super) fn read(
        payload: &'a [u8],
        offset: u64,
        base: u64,
        space: &Space<'_>,
        gaps: &mut Gaps,
    ) -> Self {
        let imports = Imports::read(payload).unwrap_or_else(|why| {
            gaps.in_file("the table of imports", offset, why);
            Imports::none()
        });
        let mut found = Chained {
            base,
            segments: Vec::new(),
            imports,
        };
        if let Err(why) = found.read_starts(payload, offset, space, gaps) {
            gaps.in_file("the chained fix-ups", offset, why);
        }
        found
    }

    pub(super) fn base(&self) -> u64 {
        self.base
    }

    pub(super) fn imports(&self) -> &Imports<'a> {
        &self.imports
    }

    /// The chains of the segment with that number.
    pub(super) fn of_segment(&self, index: usize) -> Option<&Chains> {
        self.segments.get(index)?.as_ref()
    }

    fn read_starts(
        &mut self,
        payload: &[u8],
        offset: u64,
        space: &Space<'_>,
        gaps: &mut Gaps,
    ) -> Result<(), Why> {
        let version = u32_in(payload, 0)?;
        if version != 0 {
            return Err(Why::Format(version));
        }
        let starts = u64::from(u32_in(payload, 4)?);
        let count = u64::from(u32_in(payload, starts)?);
        let room = space.segments().len() as u64;
        if count > room {
            gaps.in_file(
                "the list of segments with chains",
                offset + starts,
                Why::TooMany {
                    claimed: count,
                    room,
                },
            );
        }
        for (index, segment) in (0..count).zip(space.segments()) {
            let of_segment = u64::from(u32_in(payload, starts + 4 + index * 4)?);
            let chains = if of_segment == 0 {
                None
            } else {
                let at = starts + of_segment;
                let walk = Walk {
                    segment,
                    base: self.base,
                    space,
                };
                match walk.segment(payload, at, gaps) {
                    Ok(chains) => Some(chains),
                    Err(why) => {
                        gaps.in_file("the chains of a segment", offset + at, why);
                        None
                    }
                }
            };
            self.segments.push(chains);
        }
        Ok(())
    }
}

struct Walk<'s, 'a> {
    segment: &'s Segment,
    base: u64,
    space: &'s Space<'a>,
}

impl Walk<'_, '_> {
    /// Walks the chains that the table at `at` of `payload` begins.
    fn segment(&self, payload: &[u8], at: u64, gaps: &mut Gaps) -> Result<Chains, Why> {
        let page_size = u64::from(u16_in(payload, at + 4)?);
        let last_pointer = u32_in(payload, at + 16)?;
        let format = Format::of_number(u16_in(payload, at + 6)?, last_pointer)?;
        if page_size != 0x1000 && page_size != 0x4000 {
            return Err(Why::Contradiction(
                "a page is neither 4 nor 16 kilobytes long",
            ));
        }
        if self.base.wrapping_add(u64_in(payload, at + 8)?) != self.segment.address {
            return Err(Why::Contradiction(
                "the fix-ups and the load commands place the segment at different addresses",
            ));
        }
        let pages = u64::from(u16_in(payload, at + 20)?);
        let table = Starts {
            // What follows the pages' own entries are further starts, for pages with several.
            entries: range(
                payload,
                at + 22,
                (payload.len() as u64).saturating_sub(at + 22),
            )?,
            pages,
        };
        if table.entries.len() as u64 / 2 < pages {
            return Err(Why::TooMany {
                claimed: pages,
                room: table.entries.len() as u64 / 2,
            });
        }
        let mut chains = Chains {
            format,
            slots: SlotBits::new(self.segment.stored),
        };
        for page in 0..pages {
            let start = page * page_size;
            if start >= self.segment.stored {
                break;
            }
            for within in table.of_page(page, page_size) {
                let walked =
                    within.and_then(|within| self.chain(&mut chains, start, within, page_size));
                if let Err(why) = walked {
                    gaps.at("a page's chain", self.segment.address + start, why);
                    break;
                }
            }
        }
        Ok(chains)
    }

    /// Marks the slots of a chain that begins `within` the page at `page`. Every step goes forward and
    /// none leaves the page, so that it ends.
    fn chain(
        &self,
        chains: &mut Chains,
        page: u64,
        within: u64,
        page_size: u64,
    ) -> Result<(), Why> {
        let mut within = within;
        loop {
            if within + chains.format.width() > page_size {
                return Err(Why::LeavesPage);
            }
            let address = self.segment.address + page + within;
            let raw = raw_at(self.space, address, chains.format)?;
            if !chains.slots.mark(page + within) {
                return Err(Why::Twice);
            }
            match chains.format.next(raw) {
                0 => return Ok(()),
                distance => within += distance,
            }
        }
    }
}

/// What stands in a slot.
pub(super) fn raw_at(space: &Space<'_>, address: u64, format: Format) -> Result<u64, Why> {
    match format.width() {
        4 => space.u32_at(address).map(u64::from),
        _ => space.u64_at(address),
    }
}

/// Where the chains of each page begin.
struct Starts<'a> {
    entries: &'a [u8],
    pages: u64,
}

impl Starts<'_> {
    /// The starts within a page, of which 32-bit images may have several.
    fn of_page(&self, page: u64, page_size: u64) -> impl Iterator<Item = Result<u64, Why>> {
        let first = u16_in(self.entries, page * 2);
        let mut overflow = None;
        let mut single = None;
        match first {
            Ok(START_NONE) => {}
            Ok(start) if start & START_MULTI != 0 => {
                overflow = Some(u64::from(start & !START_MULTI));
            }
            other => single = Some(other.map(u64::from)),
        }
        // A page has no more starts than slots.
        let mut left = page_size / super::bits::SLOT;
        std::iter::from_fn(move || {
            if let Some(single) = single.take() {
                return Some(single);
            }
            let index = overflow.take()?;
            if left == 0 || index < self.pages {
                return Some(Err(Why::Twice));
            }
            left -= 1;
            let entry = u16_in(self.entries, index * 2);
            if let Ok(entry) = entry
                && entry & START_LAST == 0
            {
                overflow = Some(index + 1);
            }
            Some(entry.map(|entry| u64::from(entry & !START_LAST)))
        })
    }
}

const START_NONE: u16 = 0xffff;
const START_MULTI: u16 = 0x8000;
const START_LAST: u16 = 0x8000;

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(entries: &[u16], pages: u64, page: u64) -> Vec<Result<u64, Why>> {
        let bytes: Vec<u8> = entries
            .iter()
            .flat_map(|entry| entry.to_le_bytes())
            .collect();
        let table = Starts {
            entries: &bytes,
            pages,
        };
        table.of_page(page, 0x1000).collect()
    }

    #[test]
    fn a_page_has_no_chain_one_or_several() {
        let table = [
            START_NONE,
            0x10,
            START_MULTI | 3,
            0x20,
            0x30,
            START_LAST | 0x40,
        ];
        assert_eq!(starts(&table, 3, 0), []);
        assert_eq!(starts(&table, 3, 1), [Ok(0x10)]);
        assert_eq!(starts(&table, 3, 2), [Ok(0x20), Ok(0x30), Ok(0x40)]);
    }

    #[test]
    fn starts_without_a_last_one_end_with_the_table() {
        let found = starts(&[START_MULTI | 1, 0x20], 1, 0);
        assert!(
            matches!(found[..], [Ok(0x20), Err(Why::Truncated { .. })]),
            "{found:?}"
        );
        // A page's own entry is no further start.
        assert_eq!(starts(&[START_MULTI], 1, 0), [Err(Why::Twice)]);
    }
}
