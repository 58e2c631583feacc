//! The order of locks where there are many: one for each command queue or command buffer (`AGX_FIX_LOCK_SCOPE`), and one for
//! what the driver shares among them, its pool.
//!
//! A thread that has locks may wait without limit only for one that comes after all of those. A circle of such waits would
//! have to climb for ever, so there is none: of the threads in a deadlock at least one waits with a limit, and goes on.

/// Locks of queues or buffers. Objects that share one only wait for each other more often than they need.
pub const SHARDS: usize = 64;

/// One of the locks. Compared, a domain comes before those that may be waited for while it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Domain(u8);

impl Domain {
    /// The driver's pool: comes after all others, so that it can be waited for whatever is held.
    pub const POOL: Self = Self(64);
    const NONE: Self = Self(u8::MAX);

    /// The lock of the queue or buffer at this address.
    pub fn of(address: u64) -> Self {
        // Objects are multiples of sixteen bytes; the product's upper bits depend on all bits of the address.
        let mixed = (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self((mixed >> 58) as u8)
    }

    /// The domain at this place in a table of `SHARDS + 1` locks; places beyond are the pool's.
    pub fn at(place: usize) -> Self {
        u8::try_from(place).map_or(Self::POOL, |place| Self(place.min(Self::POOL.0)))
    }

    /// Place in a table of `SHARDS + 1` locks.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

const _: () = assert!(SHARDS == 1 << (64 - 58) && Domain::POOL.0 as usize == SHARDS);

/// How a lock may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The thread has it.
    Nested,
    /// Waiting without limit cannot be a deadlock.
    Wait,
    /// Waiting could be one: only with a limit, and then the call goes on without the lock, counted.
    WaitWithLimit,
    /// Not waiting at all: the thread has what every other one needs.
    Try,
}

/// The domains that a thread has, each once, the one that it took last at the end.
#[derive(Debug)]
pub struct Held {
    domains: [Domain; Self::ROOM],
    len: u8,
}

impl Held {
    /// Nested calls on so many different queues or buffers are followed; a thread with more only tries.
    pub const ROOM: usize = 7;

    /// Nothing.
    pub const fn new() -> Self {
        Self {
            domains: [Domain::NONE; Self::ROOM],
            len: 0,
        }
    }

    /// What the thread has.
    pub fn domains(&self) -> &[Domain] {
        self.domains.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// How this thread may take a domain.
    pub fn rule(&self, wanted: Domain) -> Rule {
        let held = self.domains();
        if held.contains(&wanted) {
            Rule::Nested
        } else if held.len() == Self::ROOM || held.contains(&Domain::POOL) {
            Rule::Try
        } else if held.iter().all(|held| *held < wanted) {
            Rule::Wait
        } else {
            Rule::WaitWithLimit
        }
    }

    /// Whether this domain is the one that was added last.
    #[inline]
    pub fn ends_with(&self, domain: Domain) -> bool {
        self.domains().last() == Some(&domain)
    }

    /// The thread has taken a domain that it did not have. False without room: it must be given back at once.
    #[must_use]
    pub fn add(&mut self, domain: Domain) -> bool {
        self.remove(domain);
        let Some(place) = self.domains.get_mut(usize::from(self.len)) else {
            return false;
        };
        *place = domain;
        self.len += 1;
        true
    }

    /// The thread has given a domain back.
    pub fn remove(&mut self, domain: Domain) {
        self.retain(|held| held != domain);
    }

    /// The thread has given all back but these.
    pub fn retain(&mut self, keep: impl Fn(Domain) -> bool) {
        let mut kept = Self::new();
        for domain in self.domains().iter().filter(|it| keep(**it)) {
            kept.domains[usize::from(kept.len)] = *domain;
            kept.len += 1;
        }
        *self = kept;
    }
}

#[cfg(all(test, not(loom)))]
#[path = "order_tests.rs"]
mod tests;
