//! Whether changed code does what the old code did, with the store of NULL before the unlock.
//!
//! Both versions are followed along both ways from the branch to the epilogue. Their stores and calls
//! must be the same ones in the same order, but for the moved store, and `free` of NULL, which does
//! nothing; what they leave in the registers that outlive calls must be equal.

use super::Refusal;
use super::layout::Parts;
use super::trace::{Event, STACK, Term, Terms, Trace, Untraceable, trace};
use crate::audit::arm64::Instruction;

/// What holds of changed code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Whether `_impl` is freed where the list is full, as it was. Without, it leaks.
    pub frees: bool,
}

/// Holds `after` against `before`: the same addresses, in the changed and in the old code.
pub fn prove(
    parts: &Parts,
    before: &dyn Fn(u64) -> Option<Instruction>,
    after: &dyn Fn(u64) -> Option<Instruction>,
) -> Result<Proof, Refusal> {
    let mut terms = Terms::default();
    let pointer = terms.id(Term::Initial(parts.pointer.into()));
    let zero = terms.id(Term::Constant(0));
    let mut proof = Proof { frees: true };
    for full in [false, true] {
        let mut follow = |code| {
            let (start, end) = (parts.condition.address, parts.epilogue);
            trace(&mut terms, code, start, full, end).map_err(untraceable)
        };
        let (old, new) = (follow(before)?, follow(after)?);
        let free = |argument| Event::Call {
            target: parts.free,
            argument,
        };
        let gives =
            |event: &Event| matches!(event, Event::Store { value, .. } if *value == pointer);
        let frees =
            |event: &Event| matches!(event, Event::Call { target, .. } if *target == parts.free);
        let as_known = if full {
            old.events.contains(&free(pointer)) && !old.events.iter().any(gives)
        } else {
            old.events.iter().any(gives) && !old.events.iter().any(frees)
        };
        if !as_known {
            return Err(Refusal::NotProven(
                "the old code does not either give `_impl` away or free it",
            ));
        }
        let mut expected = moved(parts, &old, zero)?;
        let mut events = new.events.clone();
        if !full && events.last() == Some(&free(zero)) {
            events.pop();
        }
        if full && !events.iter().any(frees) {
            proof.frees = false;
            expected.retain(|event| !frees(event));
        }
        if events != expected {
            return Err(Refusal::NotProven(
                "the changed code's stores and calls are not the old ones with the store moved",
            ));
        }
        same_registers(parts, &old, &new)?;
    }
    Ok(proof)
}

/// The old path's stores and calls as they should become: the last store, of zero, before the unlock.
fn moved(parts: &Parts, old: &Trace, zero: usize) -> Result<Vec<Event>, Refusal> {
    let mut events = old.events.clone();
    let unlocks =
        |event: &Event| matches!(event, Event::Call { target, .. } if *target == parts.unlock);
    let unlock = events.iter().position(unlocks);
    let store = events.pop();
    let (Some(unlock), Some(store)) = (unlock, store) else {
        return Err(Refusal::NotProven("the old code does not unlock"));
    };
    let is_it = matches!(&store, Event::Store { word, value, .. } if *word == parts.store.word && *value == zero);
    if !is_it || unlock >= events.len() || events.iter().filter(|event| unlocks(event)).count() != 1
    {
        return Err(Refusal::NotProven(
            "the old code does not unlock once and then store NULL, last of all",
        ));
    }
    events.insert(unlock, store);
    Ok(events)
}

/// What outlives calls, the pointer's own register aside: nothing behind the tail reads it.
fn same_registers(parts: &Parts, old: &Trace, new: &Trace) -> Result<(), Refusal> {
    let kept = (19..=29).chain([STACK]);
    for register in kept.filter(|register| *register != usize::from(parts.pointer)) {
        if old.registers[register] != new.registers[register] {
            return Err(Refusal::NotProven(
                "the changed code leaves another value in a register",
            ));
        }
    }
    Ok(())
}

fn untraceable(untraceable: Untraceable) -> Refusal {
    Refusal::Unfit {
        address: untraceable.address,
        why: untraceable.why,
    }
}
