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

#[cfg(test)]
mod tests {
    use super::super::{Edit, encode, layout, published};
    use super::*;
    use proptest::prelude::*;

    const BASE: u64 = 0x2b_e05c;
    const SLOTS: usize = 13;

    /// The published tail; what stands between the branch and the giving away is not published.
    fn old() -> [u32; SLOTS] {
        let mut words = [0; SLOTS];
        words[1] = 0x1100_050a; // add w10, w8, #1
        words[2] = 0xb91a_632a; // str w10, [x25, #0x1a60]
        words[3] = 0x8b08_0f29; // add x9, x25, x8, lsl #3
        words[4] = 0xf90d_3534; // str x20, [x9, #0x1a68]
        for edit in published::EDITS {
            words[index(edit.address)] = edit.old;
        }
        words
    }

    fn index(address: u64) -> usize {
        usize::try_from((address - BASE) / 4).expect("small")
    }

    fn parts() -> Parts {
        let at = |slot: usize| Instruction::new(BASE + 4 * slot as u64, old()[slot]);
        Parts {
            condition: at(0),
            first: at(5).address,
            lock_argument: at(5),
            unlock: published::UNLOCK,
            free_argument: at(10),
            free: published::FREE,
            store: at(12),
            epilogue: published::EPILOGUE,
            pointer: published::POINTER,
        }
    }

    fn read(words: &[u32; SLOTS], address: u64) -> Option<Instruction> {
        let slot = usize::try_from(address.checked_sub(BASE)? / 4).ok()?;
        Some(Instruction::new(address, *words.get(slot)?))
    }

    fn with(edits: &[Edit]) -> [u32; SLOTS] {
        let mut words = old();
        for edit in edits {
            words[index(edit.address)] = edit.new;
        }
        words
    }

    fn rebuilt() -> [u32; SLOTS] {
        let words = old();
        let edits = layout::rebuild(&parts(), &|address| read(&words, address));
        with(&edits.expect("it fits"))
    }

    fn proved(after: &[u32; SLOTS]) -> Result<Proof, Refusal> {
        let before = old();
        prove(&parts(), &|address| read(&before, address), &|address| {
            read(after, address)
        })
    }

    #[test]
    fn the_rebuilt_tail_frees_and_the_published_one_leaks() {
        assert_eq!(proved(&rebuilt()), Ok(Proof { frees: true }));
        let published = with(&published::EDITS);
        assert_eq!(proved(&published), Ok(Proof { frees: false }));
    }

    #[test]
    fn the_old_code_is_not_the_changed_one() {
        assert!(proved(&old()).is_err());
    }

    #[test]
    fn a_change_that_is_left_out_is_noticed() {
        let changed: Vec<usize> = (0..SLOTS)
            .filter(|slot| old()[*slot] != rebuilt()[*slot])
            .collect();
        assert_eq!(changed.len(), 9);
        for slot in changed {
            for word in [old()[slot], encode::NOP] {
                let mut words = rebuilt();
                if words[slot] == word {
                    continue; // the two that are to be `nop`
                }
                words[slot] = word;
                assert_ne!(
                    proved(&words),
                    Ok(Proof { frees: true }),
                    "slot {slot}, {word:#x}"
                );
            }
        }
    }

    #[test]
    fn what_should_not_be_there_is_noticed() {
        for (word, what) in [
            (0xaa1f_03f5, "mov x21, xzr"),
            (0xf838_6a7f, "str xzr, [x19, x24]"),
            (0xf838_6a74, "str x20, [x19, x24]"),
            (0x9100_43ff, "add sp, sp, #16"),
            (0x5400_0040, "b.eq"),
            (0xd61f_0120, "br x9"),
            (0x0000_0000, "udf"),
            (0x9410_598f, "bl elsewhere"),
        ] {
            for slot in [11, 12] {
                let mut words = rebuilt();
                assert_eq!(words[slot], encode::NOP);
                words[slot] = word;
                assert!(proved(&words).is_err(), "slot {slot}, {what}");
            }
        }
    }

    #[test]
    fn the_store_must_be_of_zero_and_to_the_same_place() {
        for word in [0xf838_6a74, 0xf838_6a9f, 0xf837_6a7f, 0xb838_6a7f] {
            let mut words = rebuilt();
            words[6] = word;
            assert!(proved(&words).is_err(), "{word:#x}");
        }
    }

    proptest! {
        #[test]
        fn any_words_are_judged(words in prop::array::uniform13(any::<u32>()), slot in 0..SLOTS) {
            prop_assert!(proved(&words).is_err());
            let mut one = rebuilt();
            one[slot] = words[slot];
            // It ends, and with an answer.
            let _ = proved(&one);
        }
    }
}
