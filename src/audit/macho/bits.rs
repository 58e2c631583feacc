//! Which slots of a segment the loader adjusts.

/// One bit for every four bytes of a range: the smallest distance of two pointers in any format.
#[derive(Debug, Default)]
pub(super) struct SlotBits {
    words: Vec<u64>,
}

/// The distance of two slots.
pub(super) const SLOT: u64 = 4;

impl SlotBits {
    /// For a range of `size` bytes.
    pub(super) fn new(size: u64) -> Self {
        let words = size.div_ceil(SLOT * 64);
        SlotBits {
            words: vec![0; usize::try_from(words).unwrap_or(0)],
        }
    }

    /// Marks the slot at `offset` bytes of the range. `false` where it was marked before, does not lie
    /// within the range, or is no multiple of a slot.
    pub(super) fn mark(&mut self, offset: u64) -> bool {
        let Some((word, bit)) = place(offset) else {
            return false;
        };
        match self.words.get_mut(word) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }

    pub(super) fn has(&self, offset: u64) -> bool {
        place(offset)
            .and_then(|(word, bit)| Some(self.words.get(word)? & bit != 0))
            .unwrap_or(false)
    }

    /// The offsets of the marked slots, in order.
    pub(super) fn marked(&self) -> impl Iterator<Item = u64> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    (index as u64 * 64 + u64::from(bit)) * SLOT
                })
            })
        })
    }
}

fn place(offset: u64) -> Option<(usize, u64)> {
    if !offset.is_multiple_of(SLOT) {
        return None;
    }
    let slot = offset / SLOT;
    Some((usize::try_from(slot / 64).ok()?, 1 << (slot % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_marked_once_and_only_within_the_range() {
        let mut bits = SlotBits::new(1024);
        assert!(bits.mark(0) && bits.mark(1020) && bits.mark(256));
        assert!(!bits.mark(256), "it was marked before");
        assert!(!bits.mark(1024), "past the end");
        assert!(!bits.mark(258), "between two slots");
        assert!(bits.has(1020) && !bits.has(4) && !bits.has(1 << 40));
        assert_eq!(bits.marked().collect::<Vec<_>>(), [0, 256, 1020]);
    }
}
