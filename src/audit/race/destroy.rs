//! In which order a `destroyImpl` gives `_impl` away, unlocks, and stores NULL.

use super::callee::Callee;
use super::control_flow::{ControlFlow, Exit};
use super::impls::{self, ImplIvar, Impls, InImage};
use super::order;
use super::paths::{self, Path};
use super::state::Event;
use super::trace::{self, NotFollowed, Trace};
use super::value::Value;
use crate::audit::arm64::{Instruction, Operation, Register};
use crate::audit::{Code, Function};

/// A method `destroyImpl`, and what it does with `_impl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroy<'a> {
    /// The class that has the method; none where a gap says why.
    pub class: Option<&'a str>,
    /// Where it is; none where a gap of the metadata says why, or where no code has the address.
    pub function: Option<Function>,
    /// The instance variable.
    pub ivar: ImplIvar<'a>,
    /// Its order.
    pub order: StoreOrder,
    /// What it does that matters, in the order of the addresses.
    pub steps: Vec<DestroyStep>,
    /// The orders in which it does them, from the lock to the end, with the branches that lead there.
    pub paths: Vec<Path>,
    /// Whether there are more paths than were followed.
    pub more_paths: bool,
    /// Instructions that nothing reaches but an exception, if at all: they were not followed.
    pub unreached: usize,
}

/// Whether the store of NULL to `_impl` comes before others can have what it points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOrder {
    /// After the unlock on each path: the race.
    AfterUnlock,
    /// Before the unlock on each path: no other thread gets it while `_impl` still points at it.
    BeforeUnlock,
    /// After it on some paths and before it on others.
    Mixed,
    /// No lock is held, or was held before.
    NoLock,
    /// It is not known.
    NotRecognised(NotRecognised),
}

/// Why the order is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecognised {
    /// The metadata names no code for it.
    #[error("its code is not in the image")]
    NoCode,
    /// It could not be followed.
    #[error("its instructions were not followed: {0}")]
    NotFollowed(#[from] NotFollowed),
    /// Something is stored to `_impl`, but not NULL, or not all of it.
    #[error("what it stores to _impl at {0:#x} is not known to be NULL")]
    OtherStore(u64),
    /// No store of NULL to `_impl` was found.
    #[error("it stores no NULL to _impl that could be found")]
    NoStore,
    /// A lock is taken, but no unlock was found.
    #[error("it takes a lock at {0:#x} and calls nothing that is known to unlock")]
    NoUnlock(u64),
    /// An instruction is not known, so that anything may follow.
    #[error("the instruction at {0:#x} is not known")]
    UnknownInstruction(u64),
}

/// One thing that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DestroyStep {
    /// Where.
    pub instruction: Instruction,
    /// What.
    pub action: Action,
}

/// What a `destroyImpl` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Loads `_impl`.
    Load,
    /// Calls what takes a lock.
    Lock,
    /// Writes what `_impl` held to memory, where others may find it.
    Give,
    /// Calls what gives the lock back.
    Unlock,
    /// Gives the memory back that `_impl` points at.
    Free,
    /// Stores NULL to `_impl`.
    Store,
}

/// A `destroyImpl` with everything that was found out about it.
pub(super) struct Studied {
    pub trace: Trace,
    pub steps: Vec<DestroyStep>,
    pub order: StoreOrder,
    /// The register that holds what `_impl` held when it is given away, by that instruction's address.
    pub given: Vec<(u64, Register)>,
}

/// All methods `destroyImpl` of classes that have or inherit an `_impl`.
pub fn all<'a>(code: &Code<'a>, impls: &Impls<'a>) -> Vec<Destroy<'a>> {
    impls::object_methods(code.objc())
        .filter(|found| found.method.selector == Some("destroyImpl"))
        .filter_map(|found| {
            let ivar = impls.of_class(found.class_address)?;
            let function = found
                .method
                .implementation
                .and_then(|address| code.function_at(address));
            let function = function.filter(|it| Some(it.start) == found.method.implementation);
            Some(destroy(code, impls, found.class, ivar, function))
        })
        .collect()
}

fn destroy<'a>(
    code: &Code<'a>,
    impls: &Impls<'a>,
    class: Option<&'a str>,
    ivar: ImplIvar<'a>,
    function: Option<Function>,
) -> Destroy<'a> {
    let mut destroy = Destroy {
        class,
        function,
        ivar,
        order: StoreOrder::NotRecognised(NotRecognised::NoCode),
        steps: Vec::new(),
        paths: Vec::new(),
        more_paths: false,
        unreached: 0,
    };
    let Some(function) = function else {
        return destroy;
    };
    match study(code, impls, ivar, function) {
        Ok(studied) => {
            let (paths, more) = paths::of(&studied.trace.flow, &studied.steps);
            destroy.order = studied.order;
            destroy.steps = studied.steps;
            destroy.paths = paths;
            destroy.more_paths = more;
            destroy.unreached = studied.trace.unreached();
        }
        Err(why) => destroy.order = StoreOrder::NotRecognised(why.into()),
    }
    destroy
}

/// Follows one.
pub(super) fn study<'a>(
    code: &Code<'a>,
    impls: &Impls<'a>,
    ivar: ImplIvar<'a>,
    function: Function,
) -> Result<Studied, NotFollowed> {
    let around = InImage::new(code, impls, Some(ivar));
    let flow = trace::flow_of(code, function)?;
    let mut trace = Trace::of(flow, Value::Object(0), &around)?;
    let mut steps = Vec::new();
    let mut given = Vec::new();
    let mut other_store = None;
    trace.walk(&around, |step| {
        let instruction = step.instruction;
        let mut act = |action| {
            steps.push(DestroyStep {
                instruction,
                action,
            });
        };
        for event in step.events {
            match *event {
                Event::Loads(pointer) if pointer.of_self => act(Action::Load),
                Event::Gives(pointer) if pointer.of_self => {
                    act(Action::Give);
                    given.extend(stored(instruction).map(|it| (instruction.address, it)));
                }
                Event::Sets {
                    value: Value::Constant(0),
                    of_self: true,
                    whole: true,
                } => act(Action::Store),
                Event::Sets { of_self: true, .. } => other_store = Some(instruction.address),
                _ => {}
            }
        }
        let (Operation::Call { target } | Operation::Branch { target }) = instruction.operation()
        else {
            return;
        };
        match Callee::at(code, target) {
            Callee::Lock => act(Action::Lock),
            Callee::Unlock => act(Action::Unlock),
            Callee::Free => {
                if matches!(step.known.register(0), Value::Impl(it) if it.offset == 0 && it.of_self)
                {
                    act(Action::Free);
                }
            }
            Callee::Stops | Callee::Other => {}
        }
    });
    let order = match unknown(&trace.flow) {
        Some(at) => StoreOrder::NotRecognised(NotRecognised::UnknownInstruction(at)),
        None => order::of(&trace.flow, &steps, other_store)?,
    };
    Ok(Studied {
        trace,
        steps,
        order,
        given,
    })
}

/// The register that a store stores, where it is one.
fn stored(instruction: Instruction) -> Option<Register> {
    match instruction.operation() {
        Operation::Store(access) => Some(access.register),
        _ => None,
    }
}

fn unknown(flow: &ControlFlow) -> Option<u64> {
    let blocks = flow.blocks().iter();
    let mut unknown = blocks.filter(|block| block.exit == Some(Exit::Unknown));
    let last = flow.of_block(unknown.next()?).last()?;
    Some(last.address)
}
