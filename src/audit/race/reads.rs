//! Code that loads an `_impl` and dereferences it although nothing says that it is not NULL.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::impls::{self, ImplIvar, Impls, InImage, ObjectMethod};
use super::state::{Event, Surroundings};
use super::trace::{self, NotFollowed, Trace};
use super::value::{Checked, Value};
use crate::audit::arm64::{Access, Instruction, Offset, Operation};
use crate::audit::{Code, Function};

/// A dereference that no test stands before, on at least one path from the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The loads of an `_impl` in them.
    pub loads: usize,
    /// Dereferences without a test whose distance is computed, so that no address can be foretold.
    pub computed: usize,
    /// Functions that may load one and could not be followed.
    pub not_followed: Vec<(Function, NotFollowed)>,
}

/// All of an image.
pub fn all<'a>(code: &Code<'a>, impls: &Impls<'a>) -> Reads<'a> {
    let mut methods: HashMap<u64, ObjectMethod<'a>> = HashMap::new();
    for method in impls::object_methods(code.objc()) {
        if let Some(start) = method.method.implementation {
            // Linkers let methods with equal code share it; the first is told.
            methods.entry(start).or_insert(method);
        }
    }
    let mut reads = Reads::default();
    for function in code.functions() {
        reads.functions += 1;
        let method = methods.get(&function.start);
        let own = method.and_then(|method| impls.of_class(method.class_address));
        if may_load(code, impls, own, function) {
            reads.look_at(code, impls, own, method, function);
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
        code: &Code<'a>,
        impls: &Impls<'a>,
        own: Option<ImplIvar<'a>>,
        method: Option<&ObjectMethod<'a>>,
        function: Function,
    ) {
        self.followed += 1;
        let around = InImage::new(code, impls, own);
        let first = match own {
            Some(_) => Value::Object(0),
            None => Value::Other,
        };
        let traced = trace::flow_of(code, function)
            .map_err(NotFollowed::from)
            .and_then(|flow| Trace::of(flow, first, &around));
        let mut trace = match traced {
            Ok(trace) => trace,
            Err(why) => {
                self.not_followed.push((function, why));
                return;
            }
        };
        let mut found = Vec::new();
        trace.walk(&around, |step| {
            for event in step.events {
                match *event {
                    Event::Loads(_) => self.loads += 1,
                    Event::Dereferences { pointer, at, store }
                        if pointer.checked != Checked::Tested =>
                    {
                        match at {
                            Some(at) => found.push((step.instruction, pointer, at, store)),
                            None => self.computed += 1,
                        }
                    }
                    _ => {}
                }
            }
        });
        for (dereference, pointer, offset, store) in found {
            for load in trace.loads.addresses(pointer.loads) {
                self.untested.push(UntestedRead {
                    function,
                    class: method.and_then(|method| method.class),
                    selector: method.and_then(|method| method.method.selector),
                    load,
                    of_self: pointer.of_self,
                    dereference,
                    offset,
                    store,
                    first: pointer.checked == Checked::No,
                });
            }
        }
    }
}

/// Whether some instruction could load an `_impl`: at the offset that it has in the method's own object,
/// or with the offset from a variable.
fn may_load<'a>(
    code: &Code<'a>,
    impls: &Impls<'a>,
    own: Option<ImplIvar<'a>>,
    function: Function,
) -> bool {
    let at = InImage::new(code, impls, own).impl_at();
    // An offset variable is within a page, or two, of an address in a register.
    let mut pages: [Option<u64>; 31] = [None; 31];
    let near = |access: Access| match (access.offset, at) {
        (Offset::Immediate(bytes), Some(at)) => bytes == at || bytes + i64::from(access.size) == at,
        (Offset::PreIndex(_) | Offset::PostIndex(_) | Offset::Register { .. }, Some(_)) => true,
        _ => false,
    };
    for instruction in code.instructions(function.addresses()) {
        match instruction.operation() {
            Operation::Page { register, page } => {
                if let Some(place) = pages.get_mut(usize::from(register)) {
                    *place = Some(page);
                }
            }
            Operation::Address { target, .. } if impls.variables().contains(&target) => {
                return true;
            }
            Operation::AddImmediate {
                source,
                immediate,
                subtract: false,
                ..
            } => {
                let page = pages.get(usize::from(source)).copied().flatten();
                if page
                    .is_some_and(|page| impls.variables().contains(&page.wrapping_add(immediate)))
                {
                    return true;
                }
            }
            Operation::Load(access) | Operation::LoadPair(access, _) => {
                let page = pages.get(usize::from(access.base)).copied().flatten();
                if let (Some(page), Some(within)) = (page, access.offset.constant()) {
                    let variable = page.wrapping_add_signed(within);
                    if impls.variables().contains(&variable)
                        || access.size == 8 && leads_to_variable(code, impls, own, variable)
                    {
                        return true;
                    }
                } else if access.size == 8 && near(access) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether the pointer at `slot` is one to an offset variable.
fn leads_to_variable<'a>(
    code: &Code<'a>,
    impls: &Impls<'a>,
    own: Option<ImplIvar<'a>>,
    slot: u64,
) -> bool {
    let around = InImage::new(code, impls, own);
    let target = around.pointer(slot);
    target.is_some_and(|target| impls.variables().contains(&target))
}
