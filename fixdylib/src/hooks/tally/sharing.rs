//! Which threads use which encoder: a table of fixed size over addresses, without a lock.
//!
//! It is asked before a call takes its lock, so that two threads that want the same encoder at the same time are seen; under
//! the lock there is never more than one. An encoder's life goes from where it was made (or first met) to its end; its
//! memory is used again by others. The thread that made it counts as one of its threads.
//!
//! Two threads that meet an encoder at the same moment, which nobody was seen to make, may each note it for themselves: such
//! an encoder then counts as two.

use crate::sync::{AtomicU32, AtomicU64, Ordering, array, constant, fence};

/// Encoders followed at a time.
pub const ENCODERS: usize = 4096;
/// Threads of one encoder that are told apart.
pub const THREADS: usize = 8;
/// Places searched behind the hash.
const WINDOW: usize = 16;
/// An address that no object has: the place is being taken.
const TAKEN: u64 = u64::MAX;
/// Beside an address: the encoder has ended. No object has this bit in its address. It stands there, and not among the facts,
/// so that one who takes the place of an encoder that ended cannot take that of one that was just made at the same address.
const ENDED: u64 = 1;

/// Bits of [`Record::facts`].
mod fact {
    /// Nobody saw it being made.
    pub const UNMADE: u32 = 1;
    /// Two threads were in calls on it at the same time.
    pub const OVERLAPPED: u32 = 1 << 1;
    /// It had more threads than are told apart.
    pub const CROWDED: u32 = 1 << 2;
}

/// One encoder.
#[repr(align(128))]
struct Record {
    /// The encoder's, with [`ENDED`]; 0 for a place that was never used.
    address: AtomicU64,
    facts: AtomicU32,
    /// Threads that [`Table::arrives`] has told of.
    told: AtomicU32,
    /// Its threads, in the order in which they came; 0 behind the last.
    threads: [AtomicU64; THREADS],
    /// Calls of each that are inside, or on their way in.
    inside: [AtomicU32; THREADS],
}

/// Whether a call came while another thread was in one on the same encoder, or on its way in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// It did not.
    #[default]
    None,
    /// It did, as others on this encoder before.
    Again,
    /// It is the first on this encoder that did.
    First,
}

/// What a call showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The encoder's threads, in all, were so many before and are so many now; more than [`THREADS`] count as one more.
    pub threads: Option<(u32, u32)>,
    /// Whether another thread was at it.
    pub overlap: Overlap,
    /// It is the first that was seen of the encoder.
    pub unmade: bool,
    /// There was no room to follow it.
    pub unfollowed: bool,
}

/// The encoders; `SIZE` is a power of two.
pub struct Table<const SIZE: usize> {
    records: [Record; SIZE],
}

impl Record {
    constant! {
        fn new() -> Self {
            Self {
                address: AtomicU64::new(0),
                facts: AtomicU32::new(0),
                told: AtomicU32::new(0),
                threads: array![AtomicU64::new(0); THREADS],
                inside: array![AtomicU32::new(0); THREADS],
            }
        }
    }

    fn is(&self, facts: u32) -> bool {
        self.facts.load(Ordering::Relaxed) & facts != 0
    }

    /// Whether the encoder has not ended.
    fn is_alive(&self) -> bool {
        self.address.load(Ordering::Acquire) & ENDED == 0
    }

    /// Begins a life in a place whose address is `found`; false if another was faster.
    fn begin(&self, found: u64, encoder: u64, facts: u32) -> bool {
        let taken = self
            .address
            .compare_exchange(found, TAKEN, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok();
        if taken {
            self.clear(facts);
            self.address.store(encoder, Ordering::Release);
        }
        taken
    }

    fn clear(&self, facts: u32) {
        for (thread, inside) in self.threads.iter().zip(&self.inside) {
            thread.store(0, Ordering::Relaxed);
            inside.store(0, Ordering::Relaxed);
        }
        self.told.store(0, Ordering::Relaxed);
        self.facts.store(facts, Ordering::Relaxed);
    }

    /// The place of a thread among the encoder's, which it takes if it has none; `None` if all are taken.
    fn place(&self, thread: u64) -> Option<usize> {
        self.threads.iter().position(|it| {
            let found = it.load(Ordering::Acquire);
            found == thread
                || found == 0
                    && match it.compare_exchange(0, thread, Ordering::AcqRel, Ordering::Acquire) {
                        Ok(_) => true,
                        Err(other) => other == thread,
                    }
        })
    }

    /// Its threads in all.
    fn count(&self) -> u32 {
        if self.is(fact::CROWDED) {
            return THREADS as u32 + 1;
        }
        let known = |it: &&AtomicU64| it.load(Ordering::Acquire) != 0;
        self.threads.iter().take_while(known).count() as u32
    }
}

impl<const SIZE: usize> Table<SIZE> {
    constant! {
        /// Nothing is known.
        pub fn new() -> Self {
            Self { records: array![Record::new(); SIZE] }
        }
    }

    fn window(&self, encoder: u64) -> impl Iterator<Item = &Record> {
        // Objects are multiples of sixteen bytes; the product's upper bits depend on all bits of the address.
        let home = ((encoder >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize;
        (0..WINDOW.min(SIZE)).map(move |step| &self.records[(home + step) & (SIZE - 1)])
    }

    fn find(&self, encoder: u64) -> Option<&Record> {
        self.window(encoder)
            .find(|it| it.address.load(Ordering::Acquire) & !ENDED == encoder)
    }

    /// Begins the life of an encoder: in the place that it had before, else in a free one, else in that of one that ended.
    fn begin(&self, encoder: u64, facts: u32) -> Option<&Record> {
        let is_own = |word: u64| word & !ENDED == encoder;
        let is_free = |word: u64| word == 0;
        let is_over = |word: u64| word & ENDED != 0 && word != TAKEN;
        let orders: [&dyn Fn(u64) -> bool; 3] = [&is_own, &is_free, &is_over];
        orders.into_iter().find_map(|is_for| {
            self.window(encoder).find(|it| {
                let word = it.address.load(Ordering::Acquire);
                is_for(word) && it.begin(word, encoder, facts)
            })
        })
    }

    /// An initialiser of an encoder is entered.
    pub fn constructed(&self, encoder: u64, thread: u64) {
        let is_under_construction = |it: &&Record| {
            it.is_alive()
                && it.told.load(Ordering::Relaxed) == 0
                && it.threads[0].load(Ordering::Acquire) == thread
        };
        // A superclass's initialiser comes inside that of its class.
        let known = self.find(encoder).filter(is_under_construction);
        if let Some(it) = known.or_else(|| self.begin(encoder, 0)) {
            it.place(thread);
        }
    }

    /// A factory has handed an encoder out; true if [`Self::arrives`] said before that nobody made it.
    pub fn handed_out(&self, encoder: u64, thread: u64) -> bool {
        let known = self.find(encoder).filter(|it| it.is_alive());
        if let Some(it) = known {
            it.place(thread);
            return it.facts.fetch_and(!fact::UNMADE, Ordering::AcqRel) & fact::UNMADE != 0;
        }
        self.constructed(encoder, thread);
        false
    }

    /// A thread's call wants to enter an encoder. [`Self::leaves`] must follow.
    ///
    /// A call that comes after the encoder's end is none of its life: the driver makes such, on threads of its own.
    pub fn arrives(&self, encoder: u64, thread: u64) -> Seen {
        let mut seen = Seen::default();
        let record = self.find(encoder).or_else(|| {
            seen.unmade = true;
            self.begin(encoder, fact::UNMADE)
        });
        match record {
            Some(record) => Self::enters(record, thread, seen),
            None => Seen {
                unfollowed: true,
                ..Seen::default()
            },
        }
    }

    /// As [`Self::arrives`], for a call that ends an encoder. It begins no life: the driver ends those again that have ended, when
    /// another may have their place.
    pub fn arrives_to_end(&self, encoder: u64, thread: u64) -> Seen {
        self.find(encoder).map_or_else(Seen::default, |record| {
            Self::enters(record, thread, Seen::default())
        })
    }

    fn enters(record: &Record, thread: u64, mut seen: Seen) -> Seen {
        if !record.is_alive() {
            return seen;
        }
        let place = record.place(thread);
        if place.is_none() {
            record.facts.fetch_or(fact::CROWDED, Ordering::AcqRel);
        }
        let now = record.count();
        let before = record.told.fetch_max(now, Ordering::AcqRel);
        seen.threads = (now > before).then_some((before, now));
        if let Some(place) = place {
            // Each thread says that it comes before it looks for others, so that of two one sees the other.
            record.inside[place].fetch_add(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
        let mut inside = record.inside.iter().enumerate();
        if inside.any(|(other, it)| Some(other) != place && it.load(Ordering::Relaxed) != 0) {
            let before = record.facts.fetch_or(fact::OVERLAPPED, Ordering::AcqRel);
            seen.overlap = if before & fact::OVERLAPPED == 0 {
                Overlap::First
            } else {
                Overlap::Again
            };
        }
        seen
    }

    /// A thread's call has left the encoder, or was not made.
    pub fn leaves(&self, encoder: u64, thread: u64) {
        let Some(record) = self.find(encoder) else {
            return;
        };
        let place = record
            .threads
            .iter()
            .position(|it| it.load(Ordering::Acquire) == thread);
        if let Some(place) = place {
            let lower = |it: u32| it.checked_sub(1);
            // Not below 0: the encoder may have been made anew while the call was inside.
            let (Ok(_) | Err(_)) =
                record.inside[place].fetch_update(Ordering::AcqRel, Ordering::Relaxed, lower);
        }
    }

    /// The encoder has ended.
    pub fn ended(&self, encoder: u64) {
        if let Some(record) = self.find(encoder) {
            // Ended already, or another's by now.
            let (Ok(_) | Err(_)) = record.address.compare_exchange(
                encoder,
                encoder | ENDED,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
    }

    /// In the child of a `fork`: what was followed is the parent's. Async-signal-safe.
    pub fn reset_after_fork(&self) {
        for record in &self.records {
            // Memory that was not used stays untouched.
            if record.address.load(Ordering::Relaxed) != 0 {
                record.clear(0);
                record.address.store(0, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
#[path = "sharing_tests.rs"]
mod tests;
