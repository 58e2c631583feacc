//! What a stretch of code does, in terms of what was in the registers before: its stores and calls in
//! their order, and what it leaves in the registers.
//!
//! Equal terms of two traces are equal values, whatever the values are, so that the rebuilt code can be
//! held against the old one.

use std::collections::HashMap;

use crate::audit::arm64::{Instruction, Operation, Register, Registers, ZERO};

/// Which term; of one [`Terms`].
pub type Id = usize;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// What was in a register at first; [`STACK`] and [`FLAGS`] are numbered as registers.
    Initial(usize),
    /// A number.
    Constant(u64),
    /// What an instruction made of other values.
    Result {
        word: u32,
        register: usize,
        inputs: Vec<Id>,
        /// For one that reads memory: how many stores and calls there had been.
        after: Option<usize>,
    },
    /// What a call left in a register that it may change.
    Left { call: usize, register: usize },
}

/// The terms that there are, each once.
#[derive(Debug, Default)]
pub struct Terms {
    ids: HashMap<Term, Id>,
}

impl Terms {
    /// A term's number.
    pub fn id(&mut self, term: Term) -> Id {
        let next = self.ids.len();
        *self.ids.entry(term).or_insert(next)
    }
}

/// Something that others can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A store.
    Store {
        /// The instruction.
        word: u32,
        /// What is stored; of the first register, if two are.
        value: Id,
        /// All that the instruction reads: where it stores, and what.
        inputs: Vec<Id>,
    },
    /// A call of a function with one argument.
    Call {
        /// The function.
        target: u64,
        /// What is in the first register.
        argument: Id,
    },
}

/// What was done on one path.
#[derive(Debug)]
pub struct Trace {
    /// In order.
    pub events: Vec<Event>,
    /// What is in each register at the end, by its number.
    pub registers: Vec<Id>,
}

/// Why a path cannot be traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untraceable {
    /// Where.
    pub address: u64,
    /// Why.
    pub why: &'static str,
}

/// Follows the code from the conditional branch at `start` to `end`, along the one way or the other.
pub fn trace(
    terms: &mut Terms,
    code: &dyn Fn(u64) -> Option<Instruction>,
    start: u64,
    taken: bool,
    end: u64,
) -> Result<Trace, Untraceable> {
    let registers = (0..=FLAGS).map(|number| terms.id(Term::Initial(number)));
    let mut state = State {
        registers: registers.collect(),
        events: Vec::new(),
        terms,
    };
    let mut at = start;
    for step in 0..LONGEST {
        if at == end {
            return Ok(Trace {
                events: state.events,
                registers: state.registers,
            });
        }
        let failed = |why| Untraceable { address: at, why };
        let instruction = code(at).ok_or(failed("no instruction is there"))?;
        at = match instruction.operation() {
            Operation::Conditional { target, .. } | Operation::CompareBranch { target, .. }
                if step == 0 =>
            {
                if taken {
                    target
                } else {
                    at + 4
                }
            }
            Operation::Branch { target } => target,
            operation => {
                state.step(instruction, operation).map_err(failed)?;
                at + 4
            }
        };
    }
    Err(Untraceable {
        address: at,
        why: "the path is longer than a tail is",
    })
}

struct State<'t> {
    registers: Vec<Id>,
    events: Vec<Event>,
    terms: &'t mut Terms,
}

impl State<'_> {
    /// Executes one instruction that goes on to the next.
    fn step(&mut self, instruction: Instruction, operation: Operation) -> Result<(), &'static str> {
        match operation {
            Operation::Call { target } => {
                let argument = self.registers[0];
                self.events.push(Event::Call { target, argument });
                self.clobber();
            }
            Operation::Move {
                destination,
                source,
                wide: true,
            } => {
                let value = self.value(source);
                self.set(destination, value);
            }
            Operation::Address { register, target } => self.constant(register, target),
            Operation::Page { register, page } => self.constant(register, page),
            Operation::Store(access) | Operation::StorePair(access, _) => {
                let value = self.value(access.register);
                let inputs = self.inputs(instruction)?;
                self.events.push(Event::Store {
                    word: instruction.word,
                    value,
                    inputs,
                });
                self.compute(instruction, None)?;
            }
            Operation::Load(_) | Operation::LoadPair(..) => {
                let after = self.events.len();
                self.compute(instruction, Some(after))?;
            }
            Operation::Add { .. }
            | Operation::AddImmediate { .. }
            | Operation::Move { .. }
            | Operation::MoveConstant { .. }
            | Operation::MoveKeep { .. }
            | Operation::Other => self.compute(instruction, None)?,
            Operation::LoadLiteral { .. } | Operation::OtherMemory { .. } => {
                return Err("an access to memory that is not followed");
            }
            _ => return Err("the way goes on where it is not followed"),
        }
        Ok(())
    }

    /// Gives each register that the instruction writes what it makes of those that it reads.
    fn compute(
        &mut self,
        instruction: Instruction,
        after: Option<usize>,
    ) -> Result<(), &'static str> {
        let inputs = self.inputs(instruction)?;
        let effects = instruction.effects();
        for register in numbers(effects.writes, effects.writes_flags) {
            self.registers[register] = self.terms.id(Term::Result {
                word: instruction.word,
                register,
                inputs: inputs.clone(),
                after,
            });
        }
        Ok(())
    }

    fn inputs(&self, instruction: Instruction) -> Result<Vec<Id>, &'static str> {
        let effects = instruction.effects();
        if !effects.known {
            return Err("an instruction that is not known");
        }
        let read = numbers(effects.reads, effects.reads_flags);
        Ok(read.map(|number| self.registers[number]).collect())
    }

    fn constant(&mut self, register: Register, value: u64) {
        let value = self.terms.id(Term::Constant(value));
        self.set(register, value);
    }

    fn value(&mut self, register: Register) -> Id {
        if register == ZERO {
            return self.terms.id(Term::Constant(0));
        }
        self.registers[usize::from(register)]
    }

    fn set(&mut self, register: Register, value: Id) {
        if register != ZERO {
            self.registers[usize::from(register)] = value;
        }
    }

    /// What a called function may change (AAPCS64: `x0` to `x17`; Apple reserves `x18`, which is
    /// as good as changed).
    fn clobber(&mut self) {
        let call = self.events.len();
        for register in (0..=18).chain([30, FLAGS]) {
            self.registers[register] = self.terms.id(Term::Left { call, register });
        }
    }
}

fn numbers(registers: Registers, flags: bool) -> impl Iterator<Item = usize> {
    let stack = registers.has_stack().then_some(STACK);
    let flags = flags.then_some(FLAGS);
    let general = registers.iter().map(usize::from);
    general.chain(stack).chain(flags)
}

/// The stack pointer, among the registers.
pub const STACK: usize = 31;
/// The flags, among the registers.
pub const FLAGS: usize = 32;

/// The published tail has thirteen instructions.
const LONGEST: usize = 64;
