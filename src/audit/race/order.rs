//! Whether NULL is stored before the lock is released, over all paths.

use super::control_flow::ControlFlow;
use super::destroy::{Action, DestroyStep, NotRecognised, StoreOrder};
use super::fixpoint::{self, State};
use super::paths;
use super::trace::NotFollowed;

/// The order in which `steps` are done; `other_store` writes to `_impl` what is not known to be NULL.
pub(super) fn of(
    flow: &ControlFlow,
    steps: &[DestroyStep],
    other_store: Option<u64>,
) -> Result<StoreOrder, NotFollowed> {
    let first = |action| {
        let step = steps.iter().find(|step| step.action == action)?;
        Some(step.instruction.address)
    };
    let (locks, unlocks) = (first(Action::Lock), first(Action::Unlock));
    Ok(match (other_store, first(Action::Store), locks, unlocks) {
        (Some(at), ..) => StoreOrder::NotRecognised(NotRecognised::OtherStore(at)),
        (_, None, ..) => StoreOrder::NotRecognised(NotRecognised::NoStore),
        (_, _, None, None) => StoreOrder::NoLock,
        (_, _, Some(at), None) => StoreOrder::NotRecognised(NotRecognised::NoUnlock(at)),
        _ => seen(flow, steps)?.order(),
    })
}

/// In which situations these were come to.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Stores of NULL to `_impl`.
    stores: Situations,
    /// What gives `_impl` away or frees it.
    gifts: Situations,
    /// What takes a lock.
    locks: Situations,
}

impl Seen {
    fn order(self) -> StoreOrder {
        // Where all that gives `_impl` away comes after the store, a lock that was released before the
        // store, or that is taken after it, guards something else.
        let given_after = !self.gifts.is_empty() && !self.gifts.any(|it| !it.stored);
        let locked_after = self.locks.any(|it| it.stored);
        let held = self.stores.any(|it| it.lock == Lock::Held);
        let released = self.stores.any(|it| it.lock == Lock::Released);
        let none = self.stores.any(|it| it.lock == Lock::None);
        let before = held || released && given_after || none && locked_after;
        let after = released && !given_after;
        let unlocked = none && !locked_after;
        match (before, after, unlocked) {
            (true, false, false) => StoreOrder::BeforeUnlock,
            (false, true, false) => StoreOrder::AfterUnlock,
            (false, false, true) => StoreOrder::NoLock,
            (false, false, false) => StoreOrder::NotRecognised(NotRecognised::NoStore),
            _ => StoreOrder::Mixed,
        }
    }
}

/// What has happened on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Situation {
    lock: Lock,
    stored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    None,
    Held,
    Released,
}

const SITUATIONS: [Situation; 6] = {
    const fn of(lock: Lock, stored: bool) -> Situation {
        Situation { lock, stored }
    }
    [
        of(Lock::None, false),
        of(Lock::Held, false),
        of(Lock::Released, false),
        of(Lock::None, true),
        of(Lock::Held, true),
        of(Lock::Released, true),
    ]
};

/// A set of situations: those of the paths to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Situations(u8);

impl Situations {
    const START: Situations = Situations(1);

    fn any(self, asked: impl Fn(Situation) -> bool) -> bool {
        self.iter().any(asked)
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = Situation> {
        let all = SITUATIONS.into_iter().enumerate();
        all.filter(move |(index, _)| self.0 >> index & 1 != 0)
            .map(|(_, situation)| situation)
    }

    fn map(self, change: impl Fn(Situation) -> Situation) -> Self {
        let mut changed = Situations(0);
        for situation in self.iter().map(change) {
            let index = SITUATIONS.iter().position(|it| *it == situation);
            changed.0 |= index.map_or(0, |index| 1 << index);
        }
        changed
    }

    fn and(self, other: Situations) -> Self {
        Situations(self.0 | other.0)
    }

    fn after(self, action: Action) -> Self {
        match action {
            Action::Lock => self.map(|it| Situation {
                lock: Lock::Held,
                ..it
            }),
            Action::Unlock => self.map(|it| Situation {
                lock: Lock::Released,
                ..it
            }),
            Action::Store => self.map(|it| Situation { stored: true, ..it }),
            Action::Load | Action::Give | Action::Free => self,
        }
    }
}

impl State for Situations {
    fn meet(&mut self, other: &Self) -> bool {
        let before = *self;
        *self = self.and(*other);
        *self != before
    }
}

fn seen(flow: &ControlFlow, steps: &[DestroyStep]) -> Result<Seen, NotFollowed> {
    let by_block = paths::by_block(flow, steps);
    let mut seen = Seen::default();
    fixpoint::forward(flow, Situations::START, |number, mut situations, go| {
        for step in &by_block[number] {
            let place = match step.action {
                Action::Store => Some(&mut seen.stores),
                Action::Give | Action::Free => Some(&mut seen.gifts),
                Action::Lock => Some(&mut seen.locks),
                Action::Load | Action::Unlock => None,
            };
            if let Some(place) = place {
                *place = place.and(situations);
            }
            situations = situations.after(step.action);
        }
        for edge in &flow.blocks()[number].successors {
            go(*edge, &situations);
        }
    })?;
    Ok(seen)
}
