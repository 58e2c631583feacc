//! `destroyImpl` with the published end, and with ends that are not that one.

use agxrun::audit::Code;
use agxrun::audit::arm64::Instruction;
use agxrun::audit::race::{
    Action, Destroy, Impls, NotRecognised, Patched, StoreOrder, Tail, TailRefusal, destroys,
    recognise,
};
use agxrun::target::image::Processor;

use super::driver::{self, PROCESSORS};
use crate::cross::Tools;

const SOURCE: &str = include_str!("destroy.s");

/// `b.hi` over eight instructions.
const BRANCH: u32 = 0x5400_0108;

/// Calls `look` with the `destroyImpl` of an image for each processor.
fn each(defined: &[&str], look: impl for<'a> Fn(&Code<'a>, &Impls<'a>, &Destroy<'a>)) {
    let Some(tools) = Tools::find() else { return };
    for processor in PROCESSORS {
        let bytes = driver::link(&tools, processor, SOURCE, defined);
        driver::with(&bytes, |code, impls| {
            assert_eq!(code.binary().processor(), processor);
            let found = destroys(code, impls);
            let [destroy] = &found[..] else {
                panic!("{found:?}")
            };
            assert_eq!(destroy.class, Some("Context"));
            assert_eq!(destroy.ivar.owner, Some("Base"));
            look(code, impls, destroy);
        });
    }
}

fn order(defined: &[&str], expected: &StoreOrder) {
    each(defined, |_, _, destroy| {
        assert_eq!(&destroy.order, expected, "{defined:?}");
    });
}

/// The refusal, and the address of the branch that the published end begins with.
fn refused(defined: &[&str], check: impl Fn(&TailRefusal, &Places<'_, '_>)) {
    each(defined, |code, impls, destroy| {
        let refusal = recognise(code, impls, destroy).expect_err("it is not to be touched");
        check(&refusal, &Places { code, destroy });
    });
}

/// Where instructions stand.
struct Places<'t, 'a> {
    code: &'t Code<'a>,
    destroy: &'t Destroy<'a>,
}

impl Places<'_, '_> {
    /// The addresses of all instructions of `destroyImpl` with the word.
    fn all(&self, word: u32) -> Vec<u64> {
        let function = self.destroy.function.expect("it has code");
        let instructions = self.code.instructions(function.addresses());
        instructions
            .filter(|it| it.word == word)
            .map(|it| it.address)
            .collect()
    }

    fn one(&self, word: u32) -> u64 {
        let found = self.all(word);
        assert_eq!(found.len(), 1, "{word:#x}");
        found[0]
    }

    /// Where the function with the symbol begins.
    fn symbol(&self, name: &str) -> u64 {
        let mut functions = self.code.functions();
        let found = functions.find(|it| self.code.name_of(it.start) == Some(name));
        found.expect("it is there").start
    }
}

fn words(instructions: &[Instruction]) -> Vec<u32> {
    instructions.iter().map(|it| it.word).collect()
}

#[test]
fn the_published_end_is_the_race() {
    each(&[], |code, impls, destroy| {
        assert_eq!(destroy.order, StoreOrder::AfterUnlock);
        let at = Places { code, destroy }.one(BRANCH);
        let actions: Vec<(u64, Action)> = destroy
            .steps
            .iter()
            .map(|step| (step.instruction.address.wrapping_sub(at), step.action))
            .collect();
        assert_eq!(
            actions[2..],
            [
                (0x10, Action::Give),
                (0x18, Action::Unlock),
                (0x24, Action::Unlock),
                (0x2c, Action::Free),
                (0x30, Action::Store),
            ]
        );
        assert_eq!([actions[0].1, actions[1].1], [Action::Load, Action::Lock]);
        let mut paths: Vec<(bool, Vec<Action>)> = destroy
            .paths
            .iter()
            .map(|path| {
                let [condition] = path.conditions[..] else {
                    panic!("{path:?}")
                };
                assert_eq!(condition.branch.address, at);
                let actions = path.steps.iter().map(|step| step.action);
                (condition.taken, actions.collect())
            })
            .collect();
        paths.sort_by_key(|(taken, _)| *taken);
        let (given, freed) = (
            [
                Action::Load,
                Action::Lock,
                Action::Give,
                Action::Unlock,
                Action::Store,
            ],
            [
                Action::Load,
                Action::Lock,
                Action::Unlock,
                Action::Free,
                Action::Store,
            ],
        );
        assert_eq!(paths, [(false, given.to_vec()), (true, freed.to_vec())]);
        assert!(!destroy.more_paths);

        let tail = recognise(code, impls, destroy).expect("it is the published one");
        check_tail(&tail, code, at);
        assert_eq!(Some(tail.function), destroy.function);
    });
}

/// Words, registers and distances are those of the published disassembly.
fn check_tail(tail: &Tail, code: &Code<'_>, at: u64) {
    assert_eq!(tail.condition_branch, Instruction::new(at, BRANCH));
    assert_eq!(tail.give_away.address, at + 0x10);
    assert_eq!(tail.give_away.text(), "str x20, [x9, #0x1a68]");
    assert_eq!(tail.path1, at + 0x14..at + 0x20);
    assert_eq!(tail.path2, at + 0x20..at + 0x30);
    assert_eq!(words(&tail.lock_argument), [0x8b15_0320; 2]);
    assert_eq!(tail.lock_argument[0].address, at + 0x14);
    assert_eq!(tail.lock_argument[1].address, at + 0x20);
    assert_eq!(tail.free_move, Instruction::new(at + 0x28, 0xaa14_03e0));
    assert_eq!(tail.store, Instruction::new(at + 0x30, 0xf838_6a7f));
    assert_eq!(tail.epilogue, at + 0x34);
    assert_eq!(tail.impl_register, 20);
    assert_eq!(
        tail.branches_into,
        [(at, at + 0x20), (at + 0x1c, at + 0x30)]
    );
    assert_eq!(
        code.stub_at(tail.unlock_target),
        Some("_os_unfair_lock_unlock")
    );
    assert_eq!(code.stub_at(tail.free_target), Some("_free"));
    assert!(!tail.live_at_epilogue.has(20));
    assert!(tail.live_at_epilogue.has_stack());
    assert!(!tail.flags_live_at_epilogue);
}

#[test]
fn an_offset_that_stands_in_the_instructions() {
    each(&["by_number"], |code, impls, destroy| {
        assert_eq!(destroy.order, StoreOrder::AfterUnlock);
        let tail = recognise(code, impls, destroy).expect("it is the published one");
        assert_eq!(tail.store.text(), "str xzr, [x19, #0x18]");
    });
}

#[test]
fn a_store_before_the_unlock_is_no_race() {
    for defined in ["store_first", "stored_before_lock"] {
        order(&[defined], &StoreOrder::BeforeUnlock);
        refused(&[defined], |refusal, places| {
            let stores = places.all(0xf838_6a7f);
            assert_eq!(refusal, &TailRefusal::NoRace { stores }, "{defined}");
        });
    }
}

#[test]
fn what_was_patched_is_known_again() {
    for (defined, by) in [
        ("cleared", Patched::Cleared),
        ("published_patch", Patched::Published),
    ] {
        order(&[defined], &StoreOrder::BeforeUnlock);
        refused(&[defined], |refusal, places| {
            let stores = places.all(0xf838_6a7f);
            assert_eq!(refusal, &TailRefusal::AlreadyPatched { by, stores });
        });
    }
}

#[test]
fn orders_that_are_neither() {
    order(&["mixed"], &StoreOrder::Mixed);
    refused(&["mixed"], |refusal, places| {
        let stores = places.all(0xf838_6a7f);
        assert_eq!(refusal, &TailRefusal::Mixed { stores });
    });
    order(&["no_lock"], &StoreOrder::NoLock);
    refused(&["no_lock"], |refusal, places| {
        let stores = places.all(0xf838_6a7f);
        assert_eq!(refusal, &TailRefusal::NoLock { stores });
    });
    each(&["stores_other"], |code, impls, destroy| {
        // str x22, [x19, x24]
        let at = Places { code, destroy }.one(0xf838_6a76);
        let why = NotRecognised::OtherStore(at);
        assert_eq!(destroy.order, StoreOrder::NotRecognised(why.clone()));
        let refusal = recognise(code, impls, destroy).expect_err("unknown");
        assert_eq!(refusal, TailRefusal::NotRecognised(why));
    });
}

#[test]
fn other_ways_into_the_tail() {
    refused(&["branch_in_function"], |refusal, places| {
        let (from, to) = (places.one(BRANCH) - 12, places.one(BRANCH) + 0x24);
        assert_eq!(refusal, &TailRefusal::OtherBranch { from, to });
    });
    refused(&["branch_to_store"], |refusal, places| {
        let (from, to) = (places.one(BRANCH) - 12, places.one(BRANCH) + 0x30);
        assert_eq!(refusal, &TailRefusal::OtherBranch { from, to });
    });
    refused(&["branch_from_elsewhere"], |refusal, places| {
        let (from, to) = (places.symbol("_elsewhere"), places.one(BRANCH) + 0x28);
        assert_eq!(refusal, &TailRefusal::OtherBranch { from, to });
    });
    refused(&["address_from_elsewhere"], |refusal, places| {
        let (from, to) = (places.symbol("_elsewhere"), places.one(BRANCH) + 0x28);
        assert_eq!(refusal, &TailRefusal::AddressTaken { from, to });
    });
    refused(&["page_from_elsewhere"], |refusal, places| {
        let (from, to) = (places.symbol("_elsewhere") + 4, places.one(BRANCH) + 0x28);
        assert_eq!(refusal, &TailRefusal::AddressTaken { from, to });
    });
    refused(&["pointer_into"], |refusal, places| {
        let TailRefusal::PointerInto { slot, to } = *refusal else {
            panic!("{refusal}")
        };
        assert_eq!(to, places.one(BRANCH) + 0x28);
        let section = places.code.binary().section_at(slot).expect("a section");
        assert!(section.name == "__const", "{}", section.name);
    });
    refused(&["computed_branch"], |refusal, places| {
        // br x9
        let at = places.one(0xd61f_0120);
        assert_eq!(refusal, &TailRefusal::ComputedBranch { at });
    });
}

#[test]
fn what_the_epilogue_still_needs() {
    for defined in ["impl_live", "released_by_register", "outlined"] {
        refused(&[defined], |refusal, places| {
            let epilogue = places.one(BRANCH) + 0x34;
            let expected = TailRefusal::ImplLive {
                register: 20,
                epilogue,
            };
            assert_eq!(refusal, &expected, "{defined}");
        });
    }
    refused(&["flags_live"], |refusal, places| {
        let epilogue = places.one(BRANCH) + 0x34;
        assert_eq!(refusal, &TailRefusal::FlagsLive { epilogue });
    });
    each(&["proper_callee"], |code, impls, destroy| {
        let tail = recognise(code, impls, destroy).expect("x20 is kept for the caller only");
        assert!(!tail.live_at_epilogue.has(20) && tail.live_at_epilogue.has(19));
    });
}

#[test]
fn other_instructions_in_the_tail() {
    refused(&["stores_twice"], |refusal, places| {
        let first = places.one(BRANCH) + 0x30;
        let second = first + 4;
        assert_eq!(refusal, &TailRefusal::SeveralStores { first, second });
    });
    refused(&["unlocks_otherwise"], |refusal, places| {
        let first = places.one(BRANCH) + 0x18;
        let second = places.one(BRANCH) + 0x24;
        assert_eq!(refusal, &TailRefusal::DifferentUnlocks { first, second });
    });
    refused(&["other_argument"], |refusal, places| {
        let at = places.one(BRANCH);
        let expected = TailRefusal::DifferentLockArguments {
            first: Instruction::new(at + 0x14, 0x8b15_0320),
            second: Instruction::new(at + 0x20, 0x8b19_02a0),
        };
        assert_eq!(refusal, &expected);
    });
    refused(&["lock_from_impl"], |refusal, places| {
        let expected = TailRefusal::LockFromImpl {
            argument: Instruction::new(places.one(BRANCH) + 0x14, 0x8b15_0280),
            register: 20,
        };
        assert_eq!(refusal, &expected);
    });
    refused(&["gives_another"], |refusal, _| {
        let text = refusal.to_string();
        assert!(text.contains("to the free list"), "{text}");
    });
}

#[test]
fn the_same_on_arm64e() {
    // `each` goes over both; here that they are different code at all.
    let Some(tools) = Tools::find() else { return };
    let signed = driver::link(&tools, Processor::Arm64e, SOURCE, &[]);
    let plain = driver::link(&tools, Processor::Arm64, SOURCE, &[]);
    let retab = 0xd65f_0fff_u32.to_le_bytes();
    let has = |bytes: &[u8]| bytes.chunks_exact(4).any(|word| word == retab);
    assert!(has(&signed) && !has(&plain));
}
