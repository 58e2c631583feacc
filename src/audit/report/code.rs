//! Places in code, as they are told and kept.

use serde::{Deserialize, Serialize};

use crate::audit::Code;
use crate::audit::arm64::Instruction;

/// A place in code or data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// Its address.
    pub address: u64,
    /// The function that has it, by its name; none in data, and where the function has no name.
    pub function: Option<String>,
    /// Bytes from the function's start; none as before.
    pub into: Option<u64>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Where it stands.
    pub address: u64,
    /// Its disassembly.
    pub text: String,
}

impl Spot {
    pub(super) fn of(code: &Code<'_>, address: u64) -> Self {
        let (function, into) = code.place_of(address).unzip();
        Spot {
            address,
            function: function.map(str::to_owned),
            into,
        }
    }
}

impl Line {
    pub(super) fn of(instruction: Instruction) -> Self {
        Line {
            address: instruction.address,
            text: instruction.text(),
        }
    }
}
