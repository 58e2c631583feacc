//! From a signature to the shape in which its arguments travel, for each processor. Pure: both are tested on both.

pub mod apple_arm64;
pub mod sysv_x86_64;

use agx_ledger::Reason;

use crate::encoding::{Signature, Type};

/// A calling convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// System V on x86-64: Linux, and macOS on Intel.
    SysV,
    /// Apple's on arm64, which packs arguments on the stack.
    AppleArm64,
    /// AAPCS64 as it stands: Linux on arm64.
    Aapcs64,
}

impl Convention {
    /// This system's.
    pub const NATIVE: Self = if cfg!(target_arch = "x86_64") {
        Self::SysV
    } else if cfg!(target_vendor = "apple") {
        Self::AppleArm64
    } else {
        Self::Aapcs64
    };

    /// The shape of a method.
    ///
    /// # Errors
    /// Why it cannot be forwarded.
    pub fn shape(self, signature: &Signature) -> Result<Shape, Reason> {
        let shape = match self {
            Self::SysV => sysv_x86_64::shape(signature)?,
            Self::AppleArm64 => apple_arm64::shape(signature, true)?,
            Self::Aapcs64 => apple_arm64::shape(signature, false)?,
        };
        if shape.stack_words > MOST_STACK_WORDS {
            return Err(Reason::TooMuchStack);
        }
        Ok(shape)
    }

    /// The shape of a method with this type encoding.
    ///
    /// # Errors
    /// Why it cannot be forwarded.
    pub fn classify(self, encoding: &[u8]) -> Result<Shape, Reason> {
        self.shape(&Signature::parse(encoding).ok_or(Reason::Unreadable)?)
    }
}

/// Most eight-byte words of arguments on the stack that a forwarder copies. The dumps have 25 words in all.
pub const MOST_STACK_WORDS: usize = 64;

/// Registers in which a result comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Returns {
    /// Nothing, or the integer registers (x0 and x1; rax and rdx).
    Integers,
    /// The floating registers (v0 to v3; xmm0 and xmm1).
    Floats,
    /// x86-64: one of each (rax and xmm0).
    Mixed,
    /// Through a pointer to so many bytes: in the first integer register, so that the receiver comes second (x86-64), or in
    /// x8 (arm64).
    Memory(u16),
}

/// All that a forwarder has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// How the result comes back.
    pub returns: Returns,
    /// Whether the floating registers carry arguments.
    pub floats: bool,
    /// Eight-byte words of arguments on the stack.
    pub stack_words: usize,
}

/// The shape of a method on this processor.
///
/// # Errors
/// Why it cannot be forwarded.
pub fn classify(encoding: &[u8]) -> Result<Shape, Reason> {
    Convention::NATIVE.classify(encoding)
}

/// Size and alignment of a type in memory, in bytes: the same in both conventions for what is supported.
fn layout(of: &Type) -> Result<(usize, usize), Reason> {
    Ok(match of {
        Type::Void => (0, 1),
        Type::Integer(size) => (*size, *size),
        Type::Float => (4, 4),
        Type::Double | Type::Pointer => (8, 8),
        Type::LongDouble => return Err(Reason::LongDouble),
        Type::WideInteger => return Err(Reason::WideInteger),
        Type::Union => return Err(Reason::Union),
        Type::BitField => return Err(Reason::BitField),
        Type::Vector => return Err(Reason::Vector),
        Type::Unknown => return Err(Reason::Unreadable),
        Type::Array(count, element) => {
            let (size, align) = layout(element)?;
            (size.checked_mul(*count).ok_or(Reason::TooMuchStack)?, align)
        }
        Type::Struct(None) => return Err(Reason::IncompleteStruct),
        Type::Struct(Some(fields)) => {
            let (mut size, mut align) = (0_usize, 1);
            for field in fields {
                let (field_size, field_align) = layout(field)?;
                size = size
                    .next_multiple_of(field_align)
                    .checked_add(field_size)
                    .ok_or(Reason::TooMuchStack)?;
                align = align.max(field_align);
            }
            (size.next_multiple_of(align), align)
        }
    })
}

/// The scalars of a type with their offsets.
fn scalars(of: &Type, at: usize, out: &mut Vec<(usize, Type)>) -> Result<(), Reason> {
    match of {
        Type::Struct(Some(fields)) => {
            let mut offset = at;
            for field in fields {
                let (size, align) = layout(field)?;
                offset = offset.next_multiple_of(align);
                scalars(field, offset, out)?;
                offset += size;
            }
        }
        Type::Array(count, element) => {
            let (size, _) = layout(element)?;
            for index in 0..*count {
                scalars(element, at + index * size, out)?;
            }
        }
        other => {
            layout(other)?;
            out.push((at, other.clone()));
        }
    }
    Ok(())
}

/// Largest argument or result by value that is looked at, in bytes.
const LARGEST: usize = 1024;
