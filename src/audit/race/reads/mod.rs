//! Code that loads an `_impl` and dereferences it although nothing says that it is not NULL.

mod passed;

use std::cmp::Reverse;
use std::collections::HashMap;

use super::impls::{self, Impls, InImage, ObjectMethod};
use super::state::Surroundings;
use super::trace::{self, NotFollowed, Trace};
use super::value::{Checked, Value};
use crate::audit::arm64::{Instruction, Operation};
use crate::audit::{Code, Function};
use passed::{Finding, Reach, Summaries, What};

/// A dereference that no test stands before, on at least one path from the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntestedRead<'a> {
    /// The function.
    pub function: Function,
    /// The class, where the function is a method of its objects.
    pub class: Option<&'a str>,
    /// The selector of that method.
    pub selector: Option<&'a str>,
    /// Loads `_impl`.
    pub load: u64,
    /// Whether it is that of the method's own object.
    pub of_self: bool,
    /// The calls by which it is passed on to where it is dereferenced, outermost first; none where the
    /// function does it itself.
    pub calls: Vec<u64>,
    /// Dereferences it.
    pub dereference: Instruction,
    /// How far behind what `_impl` points at, in bytes: the fault's address when `_impl` is NULL.
    pub offset: i64,
    /// Whether memory is written.
    pub store: bool,
    /// Whether nothing dereferences it before on some path: only then NULL comes as far as here.
    pub first: bool,
}

/// What was looked at, and found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads<'a> {
    /// In the order of functions and instructions.
    pub untested: Vec<UntestedRead<'a>>,
    /// How many functions were looked at.
    pub functions: usize,
    /// How many of them may load an `_impl`, and were followed.
    pub followed: usize,
    /// The places where they load one.
    pub loads: usize,
    /// Dereferences without a test whose distance is computed, so that no address can be foretold.
    pub computed: usize,
    /// Calls that are given one without a test and were not followed: of other images, to computed
    /// addresses, too deep.
    pub passed_on: usize,
    /// Functions that may load one and could not be followed.
    pub not_followed: Vec<(Function, NotFollowed)>,
}

/// All of an image; nothing is looked at where no class has an `_impl`.
pub fn all<'a>(code: &Code<'a>, impls: &Impls<'a>) -> Reads<'a> {
    let mut reads = Reads::default();
    if impls.is_empty() {
        return reads;
    }
    let mut methods: HashMap<u64, ObjectMethod<'a>> = HashMap::new();
    for method in impls::object_methods(code.objc()) {
        if let Some(start) = method.method.implementation {
            // Linkers let methods with equal code share it; the first is told.
            methods.entry(start).or_insert(method);
        }
    }
    let mut summaries = Summaries::new(code, impls);
    for function in code.functions() {
        reads.functions += 1;
        let method = methods.get(&function.start);
        let own = method.and_then(|method| impls.of_class(method.class_address));
        // A method may load its own object's by a number.
        let around = InImage::new(code, impls, own);
        if own.is_some() || loads_offset(code, &around, function) {
            reads.look_at(&mut summaries, around, method, function);
        }
    }
    reads
}

/// The reads that fault at `address` when `_impl` is NULL, those that NULL can come to before others.
pub fn explains<'r, 'a>(reads: &'r [UntestedRead<'a>], address: u64) -> Vec<&'r UntestedRead<'a>> {
    let mut found: Vec<_> = reads
        .iter()
        .filter(|read| read.offset.cast_unsigned() == address)
        .collect();
    found.sort_by_key(|read| Reverse(read.first));
    found
}

impl<'a> Reads<'a> {
    fn look_at(
        &mut self,
        summaries: &mut Summaries<'_, 'a>,
        around: InImage<'_, 'a>,
        method: Option<&ObjectMethod<'a>>,
        function: Function,
    ) {
        self.followed += 1;
        let first = match around.own {
            Some(_) => Value::Object(0),
            None => Value::Other,
        };
        let traced = trace::flow_of(summaries.code, function)
            .map_err(NotFollowed::from)
            .and_then(|flow| Trace::of(flow, first, &around));
        let mut trace = match traced {
            Ok(trace) => trace,
            Err(why) => {
                self.not_followed.push((function, why));
                return;
            }
        };
        for finding in &passed::findings(&mut trace, &around) {
            let pointer = finding.pointer;
            let reached = self.reached(summaries, finding);
            let loads: Vec<u64> = trace.loads.addresses(pointer.loads).collect();
            for reach in &reached {
                self.untested.extend(loads.iter().map(|load| UntestedRead {
                    function,
                    class: method.and_then(|method| method.class),
                    selector: method.and_then(|method| method.method.selector),
                    load: *load,
                    of_self: pointer.of_self,
                    calls: reach.calls.clone(),
                    dereference: reach.dereference,
                    offset: pointer.offset.wrapping_add(reach.offset),
                    store: reach.store,
                    first: reach.first && pointer.checked == Checked::No,
                }));
            }
        }
        self.loads += trace.loads.count();
    }

    /// The dereferences that a finding leads to, by their distance from its pointer.
    fn reached(&mut self, summaries: &mut Summaries<'_, 'a>, finding: &Finding) -> Vec<Reach> {
        match finding.what {
            What::Reads { distance, store } => vec![Reach {
                calls: Vec::new(),
                dereference: finding.instruction,
                offset: distance,
                store,
                first: true,
            }],
            What::ReadsSomewhere => {
                self.computed += 1;
                Vec::new()
            }
            What::Passes { register, target } => {
                let Some(reached) = target.and_then(|it| summaries.of(it, register, DEPTH)) else {
                    self.passed_on += 1;
                    return Vec::new();
                };
                self.passed_on += reached.passed_on;
                self.computed += reached.computed;
                let called = |reach: &Reach| reach.called_from(finding.instruction.address);
                reached.reads.iter().map(called).collect()
            }
        }
    }
}

/// Whether an instruction could load the offset of some `_impl`.
fn loads_offset(code: &Code<'_>, around: &InImage<'_, '_>, function: Function) -> bool {
    let variables = around.impls.variables();
    // An offset variable is within a page of the address in a register.
    let mut pages: [Option<u64>; 31] = [None; 31];
    for instruction in code.instructions(function.addresses()) {
        let page_in = |register: u8| pages.get(usize::from(register)).copied().flatten();
        // Most instructions are none of those below: `adr` and `adrp`, or one whose base has a page.
        let base = instruction.word >> 5 & 31;
        let forms_address = instruction.word & 0x1f00_0000 == 0x1000_0000;
        if !forms_address && pages.get(base as usize).is_none_or(Option::is_none) {
            continue;
        }
        let found = match instruction.operation() {
            Operation::Page { register, page } => {
                if let Some(place) = pages.get_mut(usize::from(register)) {
                    *place = Some(page);
                }
                false
            }
            Operation::Address { target, .. } => variables.contains(&target),
            Operation::AddImmediate {
                source,
                immediate,
                subtract: false,
                ..
            } => page_in(source)
                .is_some_and(|page| variables.contains(&page.wrapping_add(immediate))),
            Operation::Load(access) | Operation::LoadPair(access, _) => {
                let page = page_in(access.base).zip(access.offset.constant());
                page.is_some_and(|(page, within)| {
                    let variable = page.wrapping_add_signed(within);
                    variables.contains(&variable)
                        || access.size == 8 && leads_to_variable(around, variable)
                })
            }
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether the pointer at `slot` is one to an offset variable.
fn leads_to_variable(around: &InImage<'_, '_>, slot: u64) -> bool {
    let target = around.pointer(slot);
    target.is_some_and(|target| around.impls.variables().contains(&target))
}

/// How many calls deep an `_impl` is followed that is passed on.
const DEPTH: u32 = 3;
