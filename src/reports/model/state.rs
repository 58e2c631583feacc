//! The registers of a thread, and the code it was executing.

use serde::Serialize;

/// `threadState`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ThreadState {
    /// `flavor`: `ARM_THREAD_STATE64` or `x86_THREAD_STATE`.
    pub flavor: Option<String>,
    /// The registers, in the report's order. Those of arm64's list `x` are `x0` to `x28`; of
    /// x86_64, `cpu`, `err` and `trap` stand among them.
    pub registers: Vec<Register>,
}

impl ThreadState {
    /// The register of a name, as the report spells it.
    pub fn register(&self, name: &str) -> Option<&Register> {
        self.registers.iter().find(|register| register.name == name)
    }

    /// Its value.
    pub fn value(&self, name: &str) -> Option<u64> {
        self.register(name)?.value
    }
}

/// One register.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Register {
    /// Its name, such as `x0`, `far` or `rip`.
    pub name: String,
    /// `value`.
    pub value: Option<u64>,
    /// `description`: of `esr` and `trap`, what kind of fault it was.
    pub description: Option<String>,
    /// `symbol`: what lies at that address.
    pub symbol: Option<String>,
    /// `symbolLocation`: bytes from the symbol's start.
    pub symbol_location: Option<u64>,
}

/// `instructionStream`: bytes of code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InstructionStream {
    /// `bytes`.
    pub bytes: Vec<u8>,
    /// `offset`: which of them the program counter points to.
    pub offset: Option<usize>,
}
