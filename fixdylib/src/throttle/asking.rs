//! Command buffers of which nobody announces that they are complete.

use super::{Ordering, Throttle};

/// The way to ask a command buffer. Called with none of the throttle's locks held.
pub trait Ask {
    /// Retains the command buffer at this address, so that it can be asked later; false if it cannot be.
    fn hold(&self, buffer: u64) -> bool;

    /// Whether the command buffer, which is held, is complete.
    fn is_complete(&self, buffer: u64) -> bool;

    /// Gives back what [`Self::hold`] took. The buffer may be gone from here on.
    fn let_go(&self, buffer: u64);
}

/// A buffer that this thread has taken out to ask it, so that no other thread asks it or lets it go meanwhile.
struct Asked<'a, A: Ask, const BUFFERS: usize, const WAITERS: usize, const COUNTS: usize> {
    throttle: &'a Throttle<BUFFERS, WAITERS, COUNTS>,
    ask: &'a A,
    place: usize,
    buffer: u64,
    /// What it answered; false where it threw instead.
    is_complete: bool,
}

impl<A: Ask, const BUFFERS: usize, const WAITERS: usize, const COUNTS: usize> Drop
    for Asked<'_, A, BUFFERS, WAITERS, COUNTS>
{
    fn drop(&mut self) {
        let limit = self.throttle.limit.load(Ordering::Relaxed);
        let freed = self
            .throttle
            .slots
            .with(|slots| slots.answered(self.place, self.is_complete, limit));
        self.throttle.pass_on(freed, self.buffer, limit, self.ask);
    }
}

impl<const BUFFERS: usize, const WAITERS: usize, const COUNTS: usize>
    Throttle<BUFFERS, WAITERS, COUNTS>
{
    /// Asks each buffer that is to be asked, and that no other thread is asking. The places of those that are complete are
    /// free.
    pub(super) fn ask_all(&self, ask: &impl Ask) {
        let mut from = 0;
        while let Some((place, buffer)) = self.slots.with(|slots| slots.next_to_ask(from)) {
            let mut asked = Asked {
                throttle: self,
                ask,
                place,
                buffer,
                is_complete: false,
            };
            asked.is_complete = ask.is_complete(buffer);
            drop(asked);
            from = place + 1;
        }
    }
}

/// Asked nothing: completions are announced.
#[cfg(any(test, loom))]
pub struct Nobody;

#[cfg(any(test, loom))]
impl Ask for Nobody {
    fn hold(&self, _: u64) -> bool {
        unreachable!("completions are announced");
    }

    fn is_complete(&self, _: u64) -> bool {
        unreachable!("completions are announced");
    }

    fn let_go(&self, _: u64) {
        unreachable!("completions are announced");
    }
}
