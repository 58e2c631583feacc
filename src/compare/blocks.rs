//! The order of the runs: blocks of one run of every arm, each block in an order of its own.
//!
//! Whatever changes while the runs are made (heat, a full disk, somebody's build) meets all arms alike, and no arm always
//! runs after the same other one.

use crate::history::{Kind, RunLine};
use crate::series::{Schedule, Slot};
use crate::stats::random::Random;

/// So many runs of an arm that show nothing, and none that shows something, end the comparison.
const VAIN: u64 = 3;

/// What was seen of an arm's runs so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    decided: u64,
    others: u64,
}

/// Blocks of runs, in an order that a seed gives.
#[derive(Debug, Clone)]
pub struct Blocks {
    arms: usize,
    rounds: u64,
    random: Random,
    /// The arms that are left of the block that has begun, the next one last.
    left: Vec<usize>,
    next: u64,
    seen: Vec<Seen>,
}

impl Blocks {
    /// So many blocks of one run of every arm.
    pub fn new(arms: usize, blocks: u64, seed: u64) -> Self {
        Self {
            arms,
            rounds: blocks,
            random: Random::new(seed),
            left: Vec::new(),
            next: 0,
            seen: vec![Seen::default(); arms],
        }
    }

    /// Runs in all.
    pub fn runs(&self) -> u64 {
        self.rounds.saturating_mul(self.arms as u64)
    }

    /// The first arm of which several runs showed nothing and none showed something: its fix does not get in, or the
    /// command cannot be launched. More of them would only take time.
    pub fn vain(&self) -> Option<usize> {
        let is_vain = |seen: &Seen| seen.decided == 0 && seen.others >= VAIN;
        self.seen.iter().position(is_vain)
    }
}

impl Schedule for Blocks {
    fn next(&mut self) -> Option<Slot> {
        if self.arms == 0 || self.next >= self.runs() || self.vain().is_some() {
            return None;
        }
        if self.left.is_empty() {
            self.left = (0..self.arms).collect();
            self.random.shuffle(&mut self.left);
        }
        let arm = self.left.pop()?;
        let number = self.next;
        self.next += 1;
        Some(Slot {
            number,
            arm,
            block: number / self.arms as u64,
        })
    }

    fn done(&mut self, slot: Slot, line: &RunLine) {
        let Some(seen) = self.seen.get_mut(slot.arm) else {
            return;
        };
        if line.kind.is_decided() {
            seen.decided += 1;
        } else if line.kind != Kind::Interrupted {
            seen.others += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::testing::line;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn order(arms: usize, blocks: u64, seed: u64) -> Vec<Slot> {
        let mut blocks = Blocks::new(arms, blocks, seed);
        std::iter::from_fn(|| blocks.next()).collect()
    }

    #[test]
    fn every_order_of_a_block_comes_and_a_seed_repeats_them() {
        let slots = order(3, 200, 5);
        let orders: BTreeSet<Vec<usize>> = slots
            .chunks(3)
            .map(|block| block.iter().map(|slot| slot.arm).collect())
            .collect();
        assert_eq!(orders.len(), 6);
        assert_eq!(slots, order(3, 200, 5));
        assert_ne!(slots, order(3, 200, 6));
    }

    #[test]
    fn runs_that_show_nothing_end_it_unless_others_of_the_arm_do() {
        let mut blocks = Blocks::new(2, 20, 1);
        let mut made = 0;
        while let Some(slot) = blocks.next() {
            made += 1;
            let kind = if slot.arm == 1 {
                Kind::NotInjected
            } else {
                Kind::Clean
            };
            blocks.done(slot, &line(kind));
        }
        assert_eq!(blocks.vain(), Some(1));
        assert!((5..=6).contains(&made), "{made}");
        let mut mixed = Blocks::new(1, 20, 1);
        for kind in [
            Kind::Crash,
            Kind::Refused,
            Kind::Refused,
            Kind::Refused,
            Kind::Refused,
        ] {
            let slot = mixed.next().expect("a run");
            mixed.done(slot, &line(kind));
        }
        assert_eq!(mixed.vain(), None);
        let mut interrupted = Blocks::new(1, 20, 1);
        let slot = interrupted.next().expect("a run");
        for _ in 0..9 {
            interrupted.done(slot, &line(Kind::Interrupted));
        }
        assert_eq!(interrupted.vain(), None);
    }

    proptest! {
        #[test]
        fn every_block_has_one_run_of_every_arm(arms in 1_usize..7, blocks in 0_u64..30, seed: u64) {
            let slots = order(arms, blocks, seed);
            prop_assert_eq!(slots.len() as u64, blocks * arms as u64);
            for (at, block) in slots.chunks(arms).enumerate() {
                let of_block: BTreeSet<usize> = block.iter().map(|slot| slot.arm).collect();
                prop_assert_eq!(of_block.len(), arms);
                prop_assert!(block.iter().all(|slot| slot.block == at as u64));
            }
            prop_assert!(slots.iter().enumerate().all(|(at, slot)| slot.number == at as u64));
        }
    }
}
