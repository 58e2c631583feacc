//! The race in `destroyImpl` and the addresses of the faults that it foretells, as they are told and
//! kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::code::{Line, Spot};
use crate::audit::Code;
use crate::audit::race::{
    self, Action, Destroy, DestroyStep, Impls, Reads, StoreOrder, UntestedRead,
};

/// What was found of `_impl`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceAudit {
    /// The methods `destroyImpl` of classes with an `_impl`.
    pub destroys: Vec<DestroyAudit>,
    /// How much was looked at for reads.
    pub looked_at: ReadsExtent,
    /// Dereferences of `_impl` that no test stands before, in the order of functions and instructions.
    pub untested_reads: Vec<UntestedReadAudit>,
    /// The addresses at which they fault when `_impl` is NULL, in order.
    pub predicted_faults: Vec<PredictedFault>,
}

/// A method `destroyImpl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestroyAudit {
    /// Its class; none where it cannot be read.
    pub class: Option<String>,
    /// Where it begins; none where its code is not in the image.
    pub address: Option<u64>,
    /// Where `_impl` is in the object, in bytes; none where it cannot be read.
    pub impl_offset: Option<u32>,
    /// When it stores NULL to `_impl`.
    pub order: StoreOrderKind,
    /// Why the order is not known; none where it is.
    pub why: Option<String>,
    /// What it does that matters, in the order of addresses.
    pub steps: Vec<StepAudit>,
    /// The orders in which it does them, by the paths that lead there.
    pub paths: Vec<Vec<StepAudit>>,
    /// Whether there are more paths than were followed.
    pub more_paths: bool,
    /// Why its end is not one that `agxrun patch` rewrites; none where it is.
    pub not_patchable: Option<String>,
}

/// When NULL is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreOrderKind {
    /// After the unlock: the race.
    AfterUnlock,
    /// Before the unlock.
    BeforeUnlock,
    /// After it on some paths and before it on others.
    Mixed,
    /// Without a lock.
    NoLock,
    /// It is not known.
    NotRecognised,
}

/// One thing that matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepAudit {
    /// What.
    pub action: ActionKind,
    /// By which instruction.
    pub instruction: Line,
}

/// What a `destroyImpl` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Loads `_impl`.
    Load,
    /// Takes a lock.
    Lock,
    /// Writes what `_impl` held where others may find it.
    Give,
    /// Gives the lock back.
    Unlock,
    /// Gives the memory back.
    Free,
    /// Stores NULL to `_impl`.
    Store,
}

/// How much was looked at for reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadsExtent {
    /// Functions.
    pub functions: usize,
    /// Those that may load an `_impl`, and were followed.
    pub followed: usize,
    /// Those that may and could not be followed.
    pub not_followed: usize,
    /// Loads of an `_impl`.
    pub loads: usize,
    /// Dereferences without a test whose distance is computed: no address can be foretold of them.
    pub computed: usize,
    /// Calls that are given one without a test and were not followed.
    pub passed_on: usize,
}

/// A dereference that no test stands before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UntestedReadAudit {
    /// The function that loads `_impl`; none where it has no name.
    pub function: Option<String>,
    /// Where that function begins.
    pub function_start: u64,
    /// Bytes of that function.
    pub function_size: u64,
    /// Where it loads `_impl`.
    pub load: u64,
    /// Whether it is that of the method's own object.
    pub of_self: bool,
    /// The calls by which it is passed on to where it is dereferenced, outermost first.
    pub calls: Vec<Spot>,
    /// Where it is dereferenced.
    pub at: Spot,
    /// The dereference.
    pub instruction: Line,
    /// How far behind what `_impl` points at, in bytes: the fault's address when `_impl` is NULL.
    pub offset: i64,
    /// Whether memory is written.
    pub store: bool,
    /// Whether nothing dereferences it before: only then NULL comes as far as here.
    pub first: bool,
}

/// An address at which reads fault when `_impl` is NULL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictedFault {
    /// The address. Of a negative distance it is at the end of memory.
    pub address: u64,
    /// Functions that load `_impl` and of which it is the first dereference on some path, by name or
    /// address.
    pub functions: Vec<String>,
}

impl RaceAudit {
    /// What an image's code does with `_impl`.
    pub fn of(code: &Code<'_>) -> Self {
        let impls = Impls::of(code.objc());
        let destroys = race::destroys(code, &impls);
        let reads = race::untested_reads(code, &impls);
        let untested: Vec<_> = reads
            .untested
            .iter()
            .map(|read| UntestedReadAudit::of(code, read))
            .collect();
        RaceAudit {
            destroys: destroys
                .iter()
                .map(|destroy| DestroyAudit::of(code, &impls, destroy))
                .collect(),
            looked_at: extent(&reads),
            predicted_faults: predicted(&untested),
            untested_reads: untested,
        }
    }

    /// Whether a `destroyImpl` has the race, on some path at least.
    pub fn has_race(&self) -> bool {
        self.destroys.iter().any(DestroyAudit::has_race)
    }
}

fn extent(reads: &Reads<'_>) -> ReadsExtent {
    ReadsExtent {
        functions: reads.functions,
        followed: reads.followed - reads.not_followed.len(),
        not_followed: reads.not_followed.len(),
        loads: reads.loads,
        computed: reads.computed,
        passed_on: reads.passed_on,
    }
}

fn predicted(reads: &[UntestedReadAudit]) -> Vec<PredictedFault> {
    let mut faults: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for read in reads.iter().filter(|read| read.first) {
        faults
            .entry(read.fault_address())
            .or_default()
            .insert(read.name());
    }
    let fault = |(address, functions): (u64, BTreeSet<String>)| PredictedFault {
        address,
        functions: functions.into_iter().collect(),
    };
    faults.into_iter().map(fault).collect()
}

impl DestroyAudit {
    fn of<'a>(code: &Code<'a>, impls: &Impls<'a>, destroy: &Destroy<'a>) -> Self {
        let (order, why) = match &destroy.order {
            StoreOrder::AfterUnlock => (StoreOrderKind::AfterUnlock, None),
            StoreOrder::BeforeUnlock => (StoreOrderKind::BeforeUnlock, None),
            StoreOrder::Mixed => (StoreOrderKind::Mixed, None),
            StoreOrder::NoLock => (StoreOrderKind::NoLock, None),
            StoreOrder::NotRecognised(why) => {
                (StoreOrderKind::NotRecognised, Some(why.to_string()))
            }
        };
        let steps = |steps: &[DestroyStep]| steps.iter().map(StepAudit::of).collect();
        DestroyAudit {
            class: destroy.class.map(str::to_owned),
            address: destroy.function.map(|function| function.start),
            impl_offset: destroy.ivar.offset,
            order,
            why,
            steps: steps(&destroy.steps),
            paths: destroy
                .paths
                .iter()
                .map(|path| steps(&path.steps))
                .collect(),
            more_paths: destroy.more_paths,
            not_patchable: race::recognise(code, impls, destroy)
                .err()
                .map(|refusal| refusal.to_string()),
        }
    }

    /// Whether it has the race, on some path at least.
    pub fn has_race(&self) -> bool {
        matches!(
            self.order,
            StoreOrderKind::AfterUnlock | StoreOrderKind::Mixed
        )
    }
}

impl StepAudit {
    fn of(step: &DestroyStep) -> Self {
        StepAudit {
            action: match step.action {
                Action::Load => ActionKind::Load,
                Action::Lock => ActionKind::Lock,
                Action::Give => ActionKind::Give,
                Action::Unlock => ActionKind::Unlock,
                Action::Free => ActionKind::Free,
                Action::Store => ActionKind::Store,
            },
            instruction: Line::of(step.instruction),
        }
    }
}

impl UntestedReadAudit {
    fn of(code: &Code<'_>, read: &UntestedRead<'_>) -> Self {
        UntestedReadAudit {
            function: code.name_of(read.function.start).map(str::to_owned),
            function_start: read.function.start,
            function_size: read.function.end - read.function.start,
            load: read.load,
            of_self: read.of_self,
            calls: read.calls.iter().map(|at| Spot::of(code, *at)).collect(),
            at: Spot::of(code, read.dereference.address),
            instruction: Line::of(read.dereference),
            offset: read.offset,
            store: read.store,
            first: read.first,
        }
    }

    /// Where it faults when `_impl` is NULL.
    pub fn fault_address(&self) -> u64 {
        self.offset.cast_unsigned()
    }

    /// The name of the function that loads it, or where that begins.
    pub fn name(&self) -> String {
        let unnamed = || format!("the function at {:#x}", self.function_start);
        self.function.clone().unwrap_or_else(unnamed)
    }
}
