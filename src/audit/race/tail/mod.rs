//! The end of a `destroyImpl` with the race, as the published disassembly of AGXMetalG16X 329.2 has it:
//! found by what its instructions do with `_impl`, wherever and in whatever registers it is.
//!
//! ```text
//!         b.hi    P2              ; the free list is full
//!         ...
//!         str     IMPL, [...]     ; give it to the free list
//!         add     x0, ...         ; the lock
//!         bl      unlock
//!         b       S
//! P2:     add     x0, ...         ; the lock
//!         bl      unlock
//!         mov     x0, IMPL
//!         bl      free
//! S:      str     xzr, [SELF, OFFSET]
//!         ...                     ; epilogue
//! ```

mod finder;
mod landings;
mod patched;
mod refusal;

use std::ops::Range;

use super::callee;
use super::control_flow::ControlFlow;
use super::destroy::{self, Action, Destroy, StoreOrder, Studied};
use super::impls::{Impls, InImage};
use super::liveness;
use super::trace;
use crate::audit::arm64::{Instruction, Register, Registers};
use crate::audit::{Code, Function};

use finder::Finder;

pub use landings::Landing;
pub(super) use landings::Landings;
pub use patched::Patched;
pub use refusal::TailRefusal;

/// Such an end. All of it from `path1.start` up to, but without, `epilogue` is known, and entered from
/// nowhere but by `condition_branch` and from path 1's own instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The function that it is of.
    pub function: Function,
    /// Goes to path 2 when the free list is full.
    pub condition_branch: Instruction,
    /// The part of path 1 behind the giving away: lock argument, unlock, branch to the store.
    pub path1: Range<u64>,
    /// Path 2: lock argument, unlock, argument of `free`, `free`.
    pub path2: Range<u64>,
    /// Gives what `_impl` held to the free list, before `path1` and in the same block.
    pub give_away: Instruction,
    /// What sets up the lock for the unlock, on path 1 and on path 2: the same word.
    pub lock_argument: [Instruction; 2],
    /// What both paths call to unlock.
    pub unlock_target: u64,
    /// What path 2 calls to free.
    pub free_target: u64,
    /// Path 2's `mov x0, IMPL`.
    pub free_move: Instruction,
    /// Stores NULL to `_impl`.
    pub store: Instruction,
    /// The address behind the store.
    pub epilogue: u64,
    /// Holds what `_impl` held, on both paths.
    pub impl_register: Register,
    /// The branches into it, from and to: its own two.
    pub branches_into: Vec<(u64, u64)>,
    /// What the epilogue may still read.
    pub live_at_epilogue: Registers,
    /// Whether the epilogue may still read the flags.
    pub flags_live_at_epilogue: bool,
}

/// The tail of a `destroyImpl`, or why it is not one whose instructions can be put into another order.
pub fn recognise<'a>(
    code: &Code<'a>,
    impls: &Impls<'a>,
    destroy: &Destroy<'a>,
) -> Result<Tail, TailRefusal> {
    let function = destroy.function.ok_or(TailRefusal::NoFunction)?;
    if let StoreOrder::NotRecognised(why) = &destroy.order {
        return Err(TailRefusal::NotRecognised(why.clone()));
    }
    let studied = destroy::study(code, impls, destroy.ivar, function)?;
    let around = InImage::new(code, impls, Some(destroy.ivar));
    let store = only_store(code, &studied)?;
    if let Some(at) = studied.trace.flow.computed_branch() {
        return Err(TailRefusal::ComputedBranch { at });
    }
    let mut found = Finder {
        code,
        around,
        function,
        studied,
        store,
    };
    let tail = found.shape()?;
    let into = impls
        .landings(code)
        .into(&(tail.path1.start..tail.epilogue));
    check_landings(&tail, into)?;
    let live = live_at(code, found.flow(), tail.epilogue)?;
    if live.registers.has(tail.impl_register) {
        return Err(TailRefusal::ImplLive {
            register: tail.impl_register,
            epilogue: tail.epilogue,
        });
    }
    if live.flags {
        return Err(TailRefusal::FlagsLive {
            epilogue: tail.epilogue,
        });
    }
    Ok(Tail {
        live_at_epilogue: live.registers,
        flags_live_at_epilogue: live.flags,
        ..tail
    })
}

/// The number of the instruction that stores NULL, where the race is.
fn only_store(code: &Code<'_>, studied: &Studied) -> Result<usize, TailRefusal> {
    let flow = &studied.trace.flow;
    let mut stores = studied
        .steps
        .iter()
        .filter(|step| step.action == Action::Store)
        .map(|step| step.instruction.address);
    match &studied.order {
        StoreOrder::AfterUnlock => {}
        StoreOrder::NotRecognised(why) => return Err(TailRefusal::NotRecognised(why.clone())),
        other => {
            let at: Vec<u64> = stores.collect();
            if let Some(by) = patched::form(code, flow, &at) {
                return Err(TailRefusal::AlreadyPatched { by, stores: at });
            }
            return Err(match other {
                StoreOrder::BeforeUnlock => TailRefusal::NoRace { stores: at },
                StoreOrder::NoLock => TailRefusal::NoLock { stores: at },
                _ => TailRefusal::Mixed { stores: at },
            });
        }
    }
    let first = stores.next().and_then(|address| flow.index_of(address));
    let first = first.ok_or(TailRefusal::NoFunction)?;
    match stores.next() {
        None => Ok(first),
        Some(second) => Err(TailRefusal::SeveralStores {
            first: flow.instructions()[first].address,
            second,
        }),
    }
}

fn check_landings(tail: &Tail, into: &[Landing]) -> Result<(), TailRefusal> {
    for landing in into {
        let (from, to) = match *landing {
            Landing::Branch { from, to } => (from, to),
            Landing::Address { from, to } => return Err(TailRefusal::AddressTaken { from, to }),
            Landing::Pointer { slot, to } => return Err(TailRefusal::PointerInto { slot, to }),
        };
        if !tail.branches_into.contains(&(from, to)) {
            return Err(TailRefusal::OtherBranch { from, to });
        }
    }
    Ok(())
}

/// What is needed from `address` on.
fn live_at(
    code: &Code<'_>,
    flow: &ControlFlow,
    address: u64,
) -> Result<liveness::Live, TailRefusal> {
    let index = flow.index_of(address);
    let index = index.ok_or(TailRefusal::RunsOut { at: address })?;
    Ok(liveness::live_before(flow, index, &|target| {
        taken_by(code, target)
    }))
}

/// What a call to `target` reads besides its parameters.
fn taken_by(code: &Code<'_>, target: u64) -> Registers {
    if let Some(symbol) = code.stub_at(target) {
        return callee::takes(symbol);
    }
    // A stub that sends a selector is no function either.
    if code.sends_a_selector(target) {
        return Registers::NONE;
    }
    let function = code.function_at(target);
    let Some(function) = function.filter(|function| function.start == target) else {
        return Registers::ALL;
    };
    match trace::flow_of(code, function) {
        Ok(flow) => liveness::taken_by_callee(&flow),
        Err(_) => Registers::ALL,
    }
}
