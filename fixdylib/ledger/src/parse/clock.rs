//! From stamps to time.

use std::mem::offset_of;

use super::bytes::Bytes;
use crate::layout;

/// How stamps are turned into time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// One of [`layout::clock_kind`].
    pub kind: u32,
    pub first: (u64, u64),
    pub last: (u64, u64),
}

impl Clock {
    /// `None` if the clocks cannot be related, or the result is not a time.
    pub fn epoch_ns(self, stamp: u64) -> Option<u64> {
        let (ticks, ns) = match self.kind {
            layout::clock_kind::NANOSECONDS => (1, 1),
            layout::clock_kind::TICKS => (
                i128::from(self.last.0) - i128::from(self.first.0),
                i128::from(self.last.1) - i128::from(self.first.1),
            ),
            _ => return None,
        };
        if ticks <= 0 || ns <= 0 {
            return None;
        }
        // From the later reading: what matters most is what happened last, and clocks are set in between.
        let since = i128::from(stamp) - i128::from(self.last.0);
        let since = since.checked_mul(ns)?.div_euclid(ticks);
        u64::try_from(i128::from(self.last.1).checked_add(since)?).ok()
    }
}

pub fn clock_pair(header: Bytes<'_>, at: usize) -> Option<(u64, u64)> {
    let ticks = header.u64(at + offset_of!(layout::ClockPair, ticks))?;
    Some((
        ticks,
        header.u64(at + offset_of!(layout::ClockPair, epoch_ns))?,
    ))
}
