//! Instructions of arm64 and arm64e, as far as the analyses ask: where one goes, which addresses it
//! forms, which memory it touches, which registers it needs and changes.
//!
//! Encodings are those of Arm's A-profile instruction set (DDI 0602, 2025-12). What is not decoded is
//! [`Operation::Other`] where its registers are known all the same, and [`Operation::Unknown`] where
//! nothing is: an analysis must stop there or assume anything.

mod bits;
mod decode;
mod effects;
mod memory;
mod operation;
mod registers;
mod text;

pub use operation::{Access, Extend, Offset, Operation, Register, ZERO};
pub use registers::{Effects, Registers};

/// One instruction at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// Where it stands, before the image is slid.
    pub address: u64,
    /// Its four bytes, as a little-endian number.
    pub word: u32,
}

impl Instruction {
    /// The instruction `word` at `address`.
    pub fn new(address: u64, word: u32) -> Self {
        Instruction { address, word }
    }

    /// What it does, as far as it matters here.
    pub fn operation(self) -> Operation {
        decode::operation(self)
    }

    /// Which registers it reads and writes. Of a call only what the instruction itself does, not what
    /// the function does that is called.
    pub fn effects(self) -> Effects {
        effects::of(self.word)
    }

    /// Its disassembly, such as `b.hi 0x2be07c`; targets are addresses of the image.
    pub fn text(self) -> String {
        text::of(self)
    }
}
