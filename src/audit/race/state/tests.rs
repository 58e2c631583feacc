//! What single instructions make of what is known. Words and texts: LLVM's assembler.

use super::*;
use crate::audit::race::value::Pointer;

/// A method whose `_impl` stands 24 bytes behind its object, and whose offset is in the variable at 0x8000.
struct Around;

impl Surroundings for Around {
    fn impl_at(&self) -> Option<i64> {
        Some(24)
    }

    fn is_own(&self, variable: u64) -> bool {
        variable == 0x8000
    }

    fn is_impl_offset(&self, address: u64) -> bool {
        address == 0x8000
    }

    fn pointer(&self, address: u64) -> Option<u64> {
        (address == 0x9000).then_some(0x8000)
    }
}

/// What is known after the words, and what each did.
fn after(words: &[u32]) -> (Known, Vec<Event>) {
    let mut known = Known::entry(0, Value::Object(0));
    let mut loads = Loads::default();
    let mut events = Vec::new();
    for (address, word) in (0x1000..).step_by(4).zip(words) {
        let instruction = Instruction::new(address, *word);
        events.extend(known.step(instruction, &Around, &mut loads));
    }
    (known, events)
}

fn fresh(loads: u64) -> Pointer {
    Pointer {
        loads,
        offset: 0,
        checked: Checked::No,
        of_self: true,
    }
}

#[test]
fn constants_are_put_together() {
    // mov x8, #0x12340000; movk x8, #0x5678; sub x8, x8, #8; add x9, x8, x8; mov w10, w8
    let words = [
        0xd2a2_4688,
        0xf28a_cf08,
        0xd100_2108,
        0x8b08_0109,
        0x2a08_03ea,
    ];
    let (known, events) = after(&words);
    assert_eq!(known.register(8), Value::Constant(0x1234_5670));
    assert_eq!(known.register(9), Value::Constant(0x2468_ace0));
    assert_eq!(known.register(10), Value::Other);
    assert_eq!(known.register(ZERO), Value::Constant(0));
    assert_eq!(events, []);
}

#[test]
fn a_dereference_is_told_with_its_distance_and_once_as_the_first() {
    // ldr x8, [x0, #24]; add x9, x8, #16; ldr x10, [x9, #8]!; ldr x11, [x9], #8
    let (known, events) = after(&[0xf940_0c08, 0x9100_4109, 0xf840_8d2a, 0xf840_852b]);
    let at = |offset, checked| Pointer {
        offset,
        checked,
        ..fresh(1)
    };
    assert_eq!(
        events,
        [
            Event::Loads(fresh(1)),
            Event::Dereferences {
                pointer: at(24, Checked::No),
                at: Some(24),
                store: false
            },
            Event::Dereferences {
                pointer: at(24, Checked::Dereferenced),
                at: Some(24),
                store: false
            },
        ]
    );
    // Each of the two has moved x9 by eight bytes.
    assert_eq!(
        known.register(9),
        Value::Impl(at(32, Checked::Dereferenced))
    );
    assert_eq!(known.register(8), Value::Impl(at(0, Checked::Dereferenced)));
}

#[test]
fn the_stack_keeps_what_is_put_there() {
    // ldr x8, [x0, #24]; stur x8, [sp, #-16]; ldur x12, [sp, #-16]
    let (known, events) = after(&[0xf940_0c08, 0xf81f_03e8, 0xf85f_03ec]);
    assert_eq!(known.register(12), Value::Impl(fresh(1)));
    assert_eq!(events, [Event::Loads(fresh(1))]);
    // And str x8, [x1], which is not the stack.
    let (_, events) = after(&[0xf940_0c08, 0xf900_0028]);
    assert_eq!(events[1..], [Event::Gives(fresh(1))]);
}

#[test]
fn what_is_stored_to_the_field() {
    // str w2, [x0, #24]; stp xzr, xzr, [x0, #16]
    let (_, events) = after(&[0xb900_1802, 0xa901_7c1f]);
    let sets = |value, whole| Event::Sets {
        value,
        of_self: true,
        whole,
    };
    assert_eq!(
        events,
        [sets(Value::Other, false), sets(Value::Constant(0), true)]
    );
    // stp q0, q1, [x0]; str q0, [x0, #16]: vector registers, whose value is not known
    let (_, events) = after(&[0xad00_0400, 0x3d80_0400]);
    assert_eq!(events, [sets(Value::Other, false); 2]);
    // str q0, [x0, #32]; str x8, [x0, #16]; str d0, [x0, #16]: beside it
    let (_, events) = after(&[0x3d80_0800, 0xf900_0808, 0xfd00_0800]);
    assert_eq!(events, []);
}

#[test]
fn a_call_keeps_x19_to_x29_alone() {
    // mov x20, x0; bl; mov x1, x20
    let (known, _) = after(&[0xaa00_03f4, 0x9400_0000, 0xaa14_03e1]);
    assert_eq!(known.register(0), Value::Other);
    assert_eq!(known.register(1), Value::Object(0));
    assert_eq!(known.register(30), Value::Other);
}

#[test]
fn a_branch_tells_what_it_has_tested() {
    // ldr x8, [x0, #24]; mov x20, x8; cmp x8, #0
    let (known, _) = after(&[0xf940_0c08, 0xaa08_03f4, 0xf100_011f]);
    // b.eq, b.ne, b.ls, b.hi, b.lo over themselves; cbz x20, cbnz x20
    for (word, not_null_when) in [
        (0x5400_0000, Some(When::NotTaken)),
        (0x5400_0001, Some(When::Taken)),
        (0x5400_0009, Some(When::NotTaken)),
        (0x5400_0008, Some(When::Taken)),
        (0x5400_0003, None),
        (0xb400_0014, Some(When::NotTaken)),
        (0xb500_0014, Some(When::Taken)),
    ] {
        for when in [When::Taken, When::NotTaken] {
            let operation = Instruction::new(0x1000, word).operation();
            let tested = known.tested(operation, when);
            let known = tested.map_or(known.clone(), |pointer| known.with_tested(pointer));
            let checked = if not_null_when == Some(when) {
                Checked::Tested
            } else {
                Checked::No
            };
            for register in [8, 20] {
                let expected = Value::Impl(Pointer {
                    checked,
                    ..fresh(1)
                });
                assert_eq!(known.register(register), expected, "{word:#x} {when:?}");
            }
        }
    }
}

#[test]
fn ways_that_meet_know_what_both_know() {
    let (mut one, _) = after(&[0xf940_0c08, 0xf81f_03e8]);
    let (other, _) = after(&[0xf940_0c08]);
    let before = one.clone();
    assert!(!one.meet(&before));
    // The stack is known on one way only.
    assert!(one.meet(&other));
    assert_eq!(one, other);
}
