//! What a published version knows of encoders and command buffers.
//!
//! A pure state machine: it sends no message, and says what the caller is to do. Unlike the default's tables these are
//! hash maps that allocate, as the published ones are.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use agx_ledger::Counter;
use agx_policy::Policy;
use agx_policy::policies::{Commit, Retain, Untracked};

/// Spreads addresses: one multiplication, where the default hasher would cost more than the rest of a call.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, address: u64) {
        let mixed = (self.0 ^ address).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

type Map<V> = HashMap<u64, V, BuildHasherDefault<Spread>>;

/// An encoder that is tracked.
#[derive(Default, Debug)]
struct Encoder {
    /// The command buffer; 0 where unknown.
    buffer: u64,
    /// Retains that are given back at its end.
    retains: u32,
    /// Calls inside it, where they are counted.
    calls: u32,
    /// It has ended, and is still here because calls are inside it or because its retain is leaked.
    ended: bool,
    /// The library ends it, and leaks its retain and this entry.
    leaked: bool,
    /// Threads that have called it, where they matter.
    threads: Vec<usize>,
}

/// What becomes of a work call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is made.
    Run,
    /// It is made; the encoder is retained first.
    RetainAndRun,
    /// The encoder is tracked from now on, without a retain; the call is made.
    RegisterAndRun,
    /// The encoder is tracked from now on and retained; the call is made.
    AdoptAndRun,
    /// The encoder is not tracked; the call is counted, and made.
    CountAndRun,
    /// It is not made.
    Drop(Counter),
}

/// What a factory's result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// An encoder to be retained, if encoders are.
    New,
    /// One that ended and still has its retain.
    Reopened,
    /// One that is open: a factory that called another.
    Known,
}

/// What becomes of an encoder that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is not tracked, or was ended before.
    Nothing,
    /// So many retains are given back now.
    Release(u32),
    /// They are given back by the last call out.
    Defer,
    /// They are never given back.
    Leak,
}

/// The tables.
pub struct Tables {
    encoders: Map<Encoder>,
    /// The open encoders of each command buffer, for versions that look at commits or events.
    open: Map<Vec<u64>>,
    /// Encoders that ended or were destroyed, in versions that drop calls on them; empty in the others.
    over: HashSet<u64, BuildHasherDefault<Spread>>,
}

impl Tables {
    /// Nothing is known.
    pub const fn new() -> Self {
        Self {
            encoders: HashMap::with_hasher(BuildHasherDefault::new()),
            open: HashMap::with_hasher(BuildHasherDefault::new()),
            over: HashSet::with_hasher(BuildHasherDefault::new()),
        }
    }

    /// A work call comes in on `encoder`.
    pub fn admit(&mut self, policy: &Policy, encoder: u64, thread: usize) -> Admission {
        if !self.over.is_empty() && self.over.contains(&encoder) {
            return Admission::Drop(Counter::DroppedEnded);
        }
        let by_thread = policy.retain == Retain::FirstCall;
        if let Some(known) = self.encoders.get_mut(&encoder) {
            if policy.drops_ended && known.ended {
                return Admission::Drop(Counter::DroppedEnded);
            }
            if by_thread && !known.threads.contains(&thread) {
                known.threads.push(thread);
                return Admission::RetainAndRun;
            }
            return Admission::Run;
        }
        let mut new = Encoder::default();
        let admission = match policy.untracked {
            Untracked::Register if by_thread => {
                new.threads.push(thread);
                Admission::AdoptAndRun
            }
            Untracked::Register => Admission::RegisterAndRun,
            Untracked::RetainInside | Untracked::Adopt => Admission::AdoptAndRun,
            Untracked::Run => return Admission::Run,
            Untracked::CountAndRun => return Admission::CountAndRun,
            Untracked::Drop => return Admission::Drop(Counter::DroppedUntracked),
        };
        self.encoders.insert(encoder, new);
        admission
    }

    /// A factory handed `encoder` out, for `buffer` (0 where unknown).
    pub fn made(&mut self, policy: &Policy, encoder: u64, buffer: u64) -> Made {
        self.over.remove(&encoder);
        let known = self.encoders.get_mut(&encoder);
        if known.as_ref().is_some_and(|it| !it.ended) {
            return Made::Known;
        }
        if policy.commit != Commit::Alone {
            self.open.entry(buffer).or_default().push(encoder);
        }
        if let Some(known) = known {
            known.buffer = buffer;
            (known.ended, known.leaked) = (false, false);
            return Made::Reopened;
        }
        let new = Encoder {
            buffer,
            ..Encoder::default()
        };
        self.encoders.insert(encoder, new);
        Made::New
    }

    /// The encoder was retained; whether for the first time.
    pub fn retained(&mut self, encoder: u64) -> bool {
        self.encoders.get_mut(&encoder).is_some_and(|it| {
            it.retains += 1;
            it.retains == 1
        })
    }

    /// The command buffer of a tracked encoder; 0 where unknown.
    pub fn buffer_of(&self, encoder: u64) -> u64 {
        self.encoders.get(&encoder).map_or(0, |it| it.buffer)
    }

    /// A call is inside the encoder, if it is tracked and retained; whether it is. [`Self::left`] must follow then.
    pub fn entered(&mut self, encoder: u64) -> bool {
        self.encoders
            .get_mut(&encoder)
            .filter(|it| it.retains > 0)
            .map(|it| it.calls += 1)
            .is_some()
    }

    /// A call that was inside the encoder is over. The retains to give back, if it was the last and the encoder has ended.
    pub fn left(&mut self, encoder: u64) -> u32 {
        let Some(known) = self.encoders.get_mut(&encoder) else {
            return 0;
        };
        known.calls = known.calls.saturating_sub(1);
        if known.calls > 0 || !known.ended || known.leaked {
            return 0;
        }
        self.encoders.remove(&encoder).map_or(0, |it| it.retains)
    }

    /// The encoder has ended.
    pub fn ended(&mut self, policy: &Policy, encoder: u64) -> End {
        let Some(known) = self.encoders.get_mut(&encoder) else {
            return End::Nothing;
        };
        if known.leaked {
            return End::Leak;
        }
        if known.ended {
            return End::Nothing;
        }
        known.ended = true;
        let (buffer, calls) = (known.buffer, known.calls);
        self.close(buffer, encoder);
        if policy.drops_ended {
            self.over.insert(encoder);
        }
        if calls > 0 {
            return End::Defer;
        }
        let retains = self.encoders.remove(&encoder).map_or(0, |it| it.retains);
        End::Release(retains)
    }

    /// The encoder is destroyed, whatever is inside it. Its retains.
    pub fn destroyed(&mut self, encoder: u64) -> u32 {
        self.over.remove(&encoder);
        let Some(known) = self.encoders.remove(&encoder) else {
            return 0;
        };
        self.close(known.buffer, encoder);
        known.retains
    }

    /// Calls on the encoder are not made from now on, until it is constructed again.
    pub fn mark_destroyed(&mut self, encoder: u64) {
        self.over.insert(encoder);
    }

    /// The encoder is under construction.
    pub fn constructed(&mut self, encoder: u64) {
        self.over.remove(&encoder);
    }

    /// Whether the command buffer has an open encoder.
    pub fn has_open(&self, buffer: u64) -> bool {
        self.open.contains_key(&buffer)
    }

    /// An open encoder of the command buffer that is to be ended, and is not returned again. Where `leaks`, what it has is
    /// never given back.
    pub fn next_to_end(&mut self, buffer: u64, leaks: bool) -> Option<u64> {
        let encoder = *self.open.get(&buffer)?.last()?;
        self.close(buffer, encoder);
        if leaks && let Some(known) = self.encoders.get_mut(&encoder) {
            (known.ended, known.leaked) = (true, true);
        }
        Some(encoder)
    }

    fn close(&mut self, buffer: u64, encoder: u64) {
        if let Some(open) = self.open.get_mut(&buffer) {
            open.retain(|it| *it != encoder);
            if open.is_empty() {
                self.open.remove(&buffer);
            }
        }
    }
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
