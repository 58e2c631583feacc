//! Where a call's bytes travel: registers and stack, for the conventions this driver is built for. Pure.

use super::encoding::{Signature, Type};

/// A calling convention.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Convention {
    /// System V, x86-64 (psABI 1.0, section 3.2.3).
    SystemV,
    /// AAPCS64 as on Linux: each argument on the stack has words of its own.
    Aapcs64,
    /// Apple's AAPCS64: arguments on the stack stand at their natural alignment.
    Apple64,
}

/// The convention of the system this is built for.
pub const NATIVE: Convention = if cfg!(target_arch = "x86_64") {
    Convention::SystemV
} else if cfg!(target_vendor = "apple") {
    Convention::Apple64
} else {
    Convention::Aapcs64
};

/// Where some bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// An integer register, counted from 0.
    Integer(usize),
    /// A vector register, counted from 0.
    Float(usize),
    /// The stack, so many bytes above its argument area's start.
    Stack(usize),
}

/// Bytes of a value and their place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// First byte within the value.
    pub at: usize,
    /// Number of bytes.
    pub size: usize,
    /// Where they travel.
    pub place: Place,
}

/// How one value travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// Its type.
    pub kind: Type,
    /// Its size, in bytes.
    pub size: usize,
    /// All of it, or the pointer to it.
    pub pieces: Vec<Piece>,
    /// Whether the pieces hold a pointer to a copy that the caller made.
    pub by_reference: bool,
}

/// How a whole message travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Receiver, selector, and the arguments.
    pub arguments: Vec<Value>,
    /// The result; by reference where the caller gives room for it.
    pub result: Value,
    /// Bytes of arguments on the stack.
    pub stack_bytes: usize,
}

/// Where an AAPCS64 caller says where the result goes: x8, kept behind x0 to x7.
const INDIRECT_RESULT: usize = 8;

struct Cursor {
    convention: Convention,
    integers: usize,
    floats: usize,
    stack: usize,
}

impl Cursor {
    fn integer_registers(&self) -> usize {
        if self.convention == Convention::SystemV {
            6
        } else {
            8
        }
    }

    fn integer(&mut self) -> Place {
        self.integers += 1;
        Place::Integer(self.integers - 1)
    }

    fn float(&mut self) -> Place {
        self.floats += 1;
        Place::Float(self.floats - 1)
    }

    fn pushed(&mut self, size: usize, align: usize) -> Vec<Piece> {
        let packed = self.convention == Convention::Apple64;
        self.stack = self.stack.next_multiple_of(if packed { align } else { 8 });
        let place = Place::Stack(self.stack);
        self.stack += if packed {
            size
        } else {
            size.next_multiple_of(8)
        };
        vec![Piece { at: 0, size, place }]
    }

    fn argument(&mut self, kind: &Type) -> Value {
        let (size, align) = kind.layout();
        let (pieces, by_reference) = match self.convention {
            Convention::SystemV => (self.system_v(kind, size), false),
            Convention::Aapcs64 | Convention::Apple64 => self.aapcs(kind, size, align),
        };
        Value {
            kind: kind.clone(),
            size,
            pieces,
            by_reference,
        }
    }

    fn system_v(&mut self, kind: &Type, size: usize) -> Vec<Piece> {
        let words = eightbytes(kind, size);
        let floats = words.iter().filter(|float| **float).count();
        let integers = words.len() - floats;
        if size > 16 || self.integers + integers > 6 || self.floats + floats > 8 {
            return self.pushed(size, 8);
        }
        let place = |(word, float): (usize, &bool)| Piece {
            at: word * 8,
            size: (size - word * 8).min(8),
            place: if *float { self.float() } else { self.integer() },
        };
        words.iter().enumerate().map(place).collect()
    }

    fn aapcs(&mut self, kind: &Type, size: usize, align: usize) -> (Vec<Piece>, bool) {
        if let Some(members) = homogeneous(kind) {
            if self.floats + members.len() > 8 {
                self.floats = 8;
                return (self.pushed(size, align), false);
            }
            let place = |(at, size): (usize, usize)| Piece {
                at,
                size,
                place: self.float(),
            };
            return (members.into_iter().map(place).collect(), false);
        }
        let by_reference = size > 16;
        let (size, align) = match kind {
            _ if by_reference => (8, 8),
            Type::Struct(_) => (size, 8),
            _ => (size, align),
        };
        let words = size.div_ceil(8);
        if self.integers + words > self.integer_registers() {
            self.integers = self.integer_registers();
            let pushed = self.pushed(size, align);
            if matches!(kind, Type::Struct(_)) {
                // Compilers pass it as whole words, also where the rest is packed.
                self.stack = self.stack.next_multiple_of(8);
            }
            return (pushed, by_reference);
        }
        let place = |word: usize| Piece {
            at: word * 8,
            size: (size - word * 8).min(8),
            place: self.integer(),
        };
        ((0..words).map(place).collect(), by_reference)
    }
}

/// Of each eightbyte, whether all its scalars are floating.
fn eightbytes(kind: &Type, size: usize) -> Vec<bool> {
    let mut float = vec![true; size.div_ceil(8)];
    for (at, code, _) in kind.scalars() {
        float[at / 8] &= matches!(code, b'f' | b'd');
    }
    float
}

/// Offset and size of the one to four members of a type that are all `float` or all `double`.
fn homogeneous(kind: &Type) -> Option<Vec<(usize, usize)>> {
    let scalars = kind.scalars();
    let same = |wanted| scalars.iter().all(|(_, code, _)| *code == wanted);
    ((1..=4).contains(&scalars.len()) && (same(b'f') || same(b'd')))
        .then(|| scalars.iter().map(|(at, _, size)| (*at, *size)).collect())
}

/// The plan of a message.
pub fn plan(signature: &Signature, convention: Convention) -> Plan {
    let mut cursor = Cursor {
        convention,
        integers: 0,
        floats: 0,
        stack: 0,
    };
    let (size, _) = signature.result.layout();
    // A result is placed as a first argument would be, with two integer and two or four vector registers to hand.
    let in_memory = size > 16
        && (convention == Convention::SystemV || homogeneous(&signature.result).is_none());
    let pieces = match (in_memory, convention) {
        (true, Convention::SystemV) => vec![Piece {
            at: 0,
            size: 8,
            place: cursor.integer(),
        }],
        (true, _) => vec![Piece {
            at: 0,
            size: 8,
            place: Place::Integer(INDIRECT_RESULT),
        }],
        (false, _) => {
            let mut fresh = Cursor { ..cursor };
            fresh.argument(&signature.result).pieces
        }
    };
    let result = Value {
        kind: signature.result.clone(),
        size,
        pieces,
        by_reference: in_memory,
    };
    let head = [Type::Scalar(b'@', 8), Type::Scalar(b':', 8)];
    let arguments = head
        .iter()
        .chain(&signature.arguments)
        .map(|kind| cursor.argument(kind))
        .collect();
    Plan {
        arguments,
        result,
        stack_bytes: cursor.stack,
    }
}
