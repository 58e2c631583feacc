//! Who is in flight and who waits for it: the throttle without its waiting.

/// A buffer is looked for at so many places at most.
const WINDOW: usize = 32;

/// One commit that waits, in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// What a commit meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It may go.
    Goes,
    /// It is to wait until its ticket is gone.
    Waits(Ticket),
    /// There is no room to follow it; it goes unfollowed.
    NoRoom,
}

/// What frees the place of a command buffer in flight.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Net {
    /// Its completion is announced. The value of untouched memory.
    Announced,
    /// Nobody announces it: it is asked. The throttle has it retained.
    Ask,
    /// A thread is asking it.
    Asking,
}

/// An address that no object has: a place whose buffer was announced as complete while a thread was asking it. That thread
/// frees the place.
const GONE: u64 = u64::MAX;

/// What a completion leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// The commit that may go for it, if one waits; [`Slots::admit_next`] knows whether there are more.
    pub next: Option<Ticket>,
    /// The throttle has the buffer retained no longer: the retain is to be given back.
    pub let_go: bool,
}

/// Command buffers in flight (at most `BUFFERS`, a power of two, are followed), and the commits that wait (at most `WAITERS`).
pub struct Slots<const BUFFERS: usize, const WAITERS: usize> {
    /// Addresses; 0 where there is none.
    buffers: [u64; BUFFERS],
    /// Of the buffer at the same place.
    nets: [Net; BUFFERS],
    in_flight: u32,
    most: u32,
    /// A buffer was or will be asked: commits that wait look whether there is one.
    asks: bool,
    /// A ring, oldest first, from `first` on.
    waiters: [(Ticket, u64); WAITERS],
    first: usize,
    waiting: usize,
    last_ticket: u64,
}

impl<const BUFFERS: usize, const WAITERS: usize> Slots<BUFFERS, WAITERS> {
    const SHIFT: u32 = {
        assert!(BUFFERS.is_power_of_two() && BUFFERS > 1 && WAITERS > 0);
        u64::BITS - BUFFERS.ilog2()
    };

    /// Nothing in flight.
    pub const fn new() -> Self {
        Self {
            buffers: [0; BUFFERS],
            nets: [Net::Announced; BUFFERS],
            in_flight: 0,
            most: 0,
            asks: false,
            waiters: [(Ticket(0), 0); WAITERS],
            first: 0,
            waiting: 0,
            last_ticket: 0,
        }
    }

    /// Forgets everything, in place.
    pub fn reset(&mut self) {
        self.buffers.fill(0);
        self.nets.fill(Net::Announced);
        self.in_flight = 0;
        self.most = 0;
        self.asks = false;
        self.first = 0;
        self.waiting = 0;
    }

    /// Buffers in flight, as far as they are followed.
    #[allow(dead_code)] // asked by tests; the library tells the most
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The most that were in flight at once.
    pub fn most(&self) -> u32 {
        self.most
    }

    /// A buffer is about to be committed, and at most `limit` are to be in flight.
    ///
    /// A buffer that is in flight already goes: a second commit is the driver's to refuse, and where the address is that of
    /// a new buffer the old one is gone and its completion was never seen.
    pub fn arrive(&mut self, buffer: u64, limit: u32) -> Arrival {
        if self.find(buffer).is_some() {
            return Arrival::Goes;
        }
        if self.in_flight < limit && self.waiting == 0 {
            return if self.add(buffer) {
                Arrival::Goes
            } else {
                Arrival::NoRoom
            };
        }
        if self.waiting == WAITERS {
            return self.let_through(buffer);
        }
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.waiters[(self.first + self.waiting) % WAITERS] = (ticket, buffer);
        self.waiting += 1;
        Arrival::Waits(ticket)
    }

    fn let_through(&mut self, buffer: u64) -> Arrival {
        // In flight all the same, and followed if there is room.
        self.add(buffer);
        Arrival::NoRoom
    }

    /// A buffer is announced as complete.
    ///
    /// A buffer that is not in flight is none of this throttle's: committed before it was switched on, or complete twice.
    pub fn complete(&mut self, buffer: u64, limit: u32) -> Freed {
        let Some(at) = self.find(buffer) else {
            return Freed::default();
        };
        self.in_flight -= 1;
        let let_go = self.nets[at] == Net::Ask;
        if self.nets[at] == Net::Asking {
            self.buffers[at] = GONE;
        } else {
            self.free(at);
        }
        Freed {
            next: self.admit_next(limit),
            let_go,
        }
    }

    fn free(&mut self, at: usize) {
        self.buffers[at] = 0;
        self.nets[at] = Net::Announced;
    }

    /// A buffer that nobody will announce is about to arrive: from here on [`Self::asks`].
    pub fn will_ask(&mut self) {
        self.asks = true;
    }

    /// Whether there are, or may soon be, buffers to be asked.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// A buffer in flight, which the throttle has retained, is to be asked. False if it is not in flight, or asked already:
    /// the retain is one too many.
    pub fn ask(&mut self, buffer: u64) -> bool {
        match self.find(buffer) {
            Some(at) if self.nets[at] == Net::Announced => {
                self.nets[at] = Net::Ask;
                true
            }
            _ => false,
        }
    }

    /// The first buffer from this place on that is to be asked, and that no other thread is asking: its place, and its
    /// address. [`Self::answered`] must follow.
    pub fn next_to_ask(&mut self, from: usize) -> Option<(usize, u64)> {
        let at = (from..BUFFERS).find(|at| self.nets[*at] == Net::Ask)?;
        self.nets[at] = Net::Asking;
        Some((at, self.buffers[at]))
    }

    /// The buffer at this place was asked whether it is complete.
    pub fn answered(&mut self, at: usize, is_complete: bool, limit: u32) -> Freed {
        if self.buffers[at] == GONE {
            self.free(at);
            return Freed {
                next: None,
                let_go: true,
            };
        }
        if !is_complete {
            self.nets[at] = Net::Ask;
            return Freed::default();
        }
        self.in_flight -= 1;
        self.free(at);
        Freed {
            next: self.admit_next(limit),
            let_go: true,
        }
    }

    /// The commit that waits longest, if it may go. To be asked again after each that went: one that there is no room to
    /// follow takes no place.
    pub fn admit_next(&mut self, limit: u32) -> Option<Ticket> {
        if self.in_flight >= limit || self.waiting == 0 {
            return None;
        }
        let (ticket, buffer) = self.waiters[self.first];
        self.first = (self.first + 1) % WAITERS;
        self.waiting -= 1;
        if self.find(buffer).is_none() {
            self.add(buffer);
        }
        Some(ticket)
    }

    /// Whether the commit with this ticket still waits.
    pub fn is_waiting(&self, ticket: Ticket) -> bool {
        self.place(ticket).is_some()
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        (0..self.waiting).find(|place| self.waiters[(self.first + place) % WAITERS].0 == ticket)
    }

    /// A commit waits no longer, and goes. False if it had been admitted meanwhile.
    pub fn give_up(&mut self, ticket: Ticket) -> bool {
        let Some(place) = self.place(ticket) else {
            return false;
        };
        let (_, buffer) = self.waiters[(self.first + place) % WAITERS];
        for place in place..self.waiting - 1 {
            self.waiters[(self.first + place) % WAITERS] =
                self.waiters[(self.first + place + 1) % WAITERS];
        }
        self.waiting -= 1;
        if self.find(buffer).is_none() {
            self.add(buffer);
        }
        true
    }

    fn window(buffer: u64) -> impl Iterator<Item = usize> {
        let home = (buffer >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> Self::SHIFT;
        (0..WINDOW.min(BUFFERS)).map(move |step| (home as usize + step) % BUFFERS)
    }

    fn find(&self, buffer: u64) -> Option<usize> {
        let is_one = !matches!(buffer, 0 | GONE);
        Self::window(buffer).find(|at| is_one && self.buffers[*at] == buffer)
    }

    fn add(&mut self, buffer: u64) -> bool {
        let Some(at) = Self::window(buffer).find(|at| self.buffers[*at] == 0) else {
            return false;
        };
        if matches!(buffer, 0 | GONE) {
            return false;
        }
        self.buffers[at] = buffer;
        self.in_flight += 1;
        self.most = self.most.max(self.in_flight);
        true
    }
}

#[cfg(all(test, not(loom)))]
#[path = "slots_tests.rs"]
mod tests;
