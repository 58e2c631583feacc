//! What functions do with an `_impl` that they are given and do not test.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::audit::Code;
use crate::audit::arm64::{Instruction, Operation, Register};
use crate::audit::race::impls::{Impls, InImage};
use crate::audit::race::state::{Event, Surroundings};
use crate::audit::race::trace::{self, Trace};
use crate::audit::race::value::{Checked, Pointer, Value};

/// Something that a function does with a pointer that it has not tested.
pub(super) struct Finding {
    pub instruction: Instruction,
    pub pointer: Pointer,
    pub what: What,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Dereferences it, so many bytes behind the pointer.
    Reads { distance: i64, store: bool },
    /// Dereferences it at a distance that is computed.
    ReadsSomewhere,
    /// Calls a function with it in a register; none where the address is computed.
    Passes {
        register: Register,
        target: Option<u64>,
    },
}

/// All that a function does with such pointers.
pub(super) fn findings(trace: &mut Trace, around: &impl Surroundings) -> Vec<Finding> {
    let mut found = Vec::new();
    let leaves: HashSet<u64> = trace.flow.tail_calls().collect();
    trace.walk(around, |step| {
        let instruction = step.instruction;
        for event in step.events {
            if let Event::Dereferences { pointer, at, store } = *event
                && pointer.checked != Checked::Tested
            {
                let what = at.map_or(What::ReadsSomewhere, |at| What::Reads {
                    distance: at.wrapping_sub(pointer.offset),
                    store,
                });
                found.push(Finding {
                    instruction,
                    pointer,
                    what,
                });
            }
        }
        let target = match instruction.operation() {
            Operation::Call { target } => Some(target),
            Operation::IndirectCall { .. } => None,
            operation if leaves.contains(&instruction.address) => operation.target(),
            _ => return,
        };
        for register in PARAMETERS {
            if let Value::Impl(pointer) = step.known.register(register)
                && pointer.checked != Checked::Tested
            {
                found.push(Finding {
                    instruction,
                    pointer,
                    what: What::Passes { register, target },
                });
            }
        }
    });
    found
}

/// A dereference of a parameter.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// The calls that lead to it, outermost first.
    pub calls: Vec<u64>,
    pub dereference: Instruction,
    /// Bytes behind the parameter.
    pub offset: i64,
    pub store: bool,
    /// Whether nothing dereferences it before on some path.
    pub first: bool,
}

impl Reach {
    /// As it is reached by way of the call at `address`.
    pub(super) fn called_from(&self, address: u64) -> Reach {
        let mut calls = vec![address];
        calls.extend(&self.calls);
        Reach {
            calls,
            ..self.clone()
        }
    }
}

/// What a function does with one of its parameters.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub reads: Vec<Reach>,
    /// Dereferences at computed distances.
    pub computed: usize,
    /// Calls that are given it and were not followed.
    pub passed_on: usize,
}

/// The functions that were asked so far.
pub(super) struct Summaries<'c, 'a> {
    pub code: &'c Code<'a>,
    impls: &'c Impls<'a>,
    /// By the function's start, the parameter's register, and how many calls are followed from there.
    known: HashMap<(u64, Register, u32), Option<Rc<Summary>>>,
}

impl<'c, 'a> Summaries<'c, 'a> {
    pub(super) fn new(code: &'c Code<'a>, impls: &'c Impls<'a>) -> Self {
        Summaries {
            code,
            impls,
            known: HashMap::new(),
        }
    }

    /// What the function that begins at `target` does with the parameter in `register`, and those that it
    /// calls, `depth` of them deep. None where it is not followed.
    pub(super) fn of(
        &mut self,
        target: u64,
        register: Register,
        depth: u32,
    ) -> Option<Rc<Summary>> {
        let key = (target, register, depth);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        if depth == 0 || self.known.len() >= MOST_SUMMARIES {
            return None;
        }
        let summary = self.look_at(target, register, depth).map(Rc::new);
        self.known.insert(key, summary.clone());
        summary
    }

    fn look_at(&mut self, target: u64, register: Register, depth: u32) -> Option<Summary> {
        if self.code.stub_at(target).is_some() {
            return None;
        }
        let function = self.code.function_at(target)?;
        if function.start != target {
            return None;
        }
        let around = InImage::new(self.code, self.impls, None);
        let flow = trace::flow_of(self.code, function).ok()?;
        let mut trace = Trace::with_impl(flow, register, &around).ok()?;
        let mut summary = Summary::default();
        for finding in findings(&mut trace, &around) {
            // The parameter is the first of the loads.
            if finding.pointer.loads & 1 != 0 {
                self.add(&mut summary, &finding, depth);
            }
        }
        Some(summary)
    }

    fn add(&mut self, summary: &mut Summary, finding: &Finding, depth: u32) {
        let pointer = finding.pointer;
        let first = pointer.checked == Checked::No;
        match finding.what {
            What::Reads { distance, store } => summary.push(Reach {
                calls: Vec::new(),
                dereference: finding.instruction,
                offset: pointer.offset.wrapping_add(distance),
                store,
                first,
            }),
            What::ReadsSomewhere => summary.computed += 1,
            What::Passes { register, target } => {
                let inner = target.and_then(|target| self.of(target, register, depth - 1));
                let Some(inner) = inner else {
                    summary.passed_on += 1;
                    return;
                };
                summary.computed = summary.computed.saturating_add(inner.computed);
                summary.passed_on = summary.passed_on.saturating_add(inner.passed_on);
                for reach in &inner.reads {
                    let called = reach.called_from(finding.instruction.address);
                    summary.push(Reach {
                        offset: pointer.offset.wrapping_add(called.offset),
                        first: first && called.first,
                        ..called
                    });
                }
            }
        }
    }
}

impl Summary {
    /// One way to a dereference is told; others to the same are not.
    fn push(&mut self, reach: Reach) {
        let same = |known: &Reach| {
            known.dereference == reach.dereference
                && known.offset == reach.offset
                && known.first == reach.first
        };
        if self.reads.iter().any(same) {
            return;
        }
        if self.reads.len() < MOST_READS {
            self.reads.push(reach);
        } else {
            self.passed_on += 1;
        }
    }
}

/// x0 to x7.
const PARAMETERS: std::ops::Range<Register> = 0..8;

/// As many functions are asked; past it, what is passed on is only counted.
const MOST_SUMMARIES: usize = 20_000;

/// As many dereferences of one parameter are told.
const MOST_READS: usize = 256;
