//! System V, x86-64 (psABI 1.0, section 3.2.3): Linux and macOS on Intel.

use agx_ledger::Reason;

use super::{LARGEST, Returns, Shape, layout, scalars};
use crate::encoding::{Signature, Type};

const INTEGER_REGISTERS: usize = 6;
const FLOAT_REGISTERS: usize = 8;

/// What one argument needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Registers of both kinds, all or none.
    Registers {
        integers: usize,
        floats: usize,
        words: usize,
    },
    /// The stack.
    Memory { words: usize },
}

fn class(of: &Type) -> Result<Class, Reason> {
    let (size, _) = layout(of)?;
    if size > LARGEST {
        return Err(Reason::TooMuchStack);
    }
    let words = size.div_ceil(8);
    if size > 16 {
        return Ok(Class::Memory { words });
    }
    let mut parts = Vec::new();
    scalars(of, 0, &mut parts)?;
    // An eightbyte is INTEGER if any scalar in it is.
    let (mut integer, mut occupied) = ([false; 2], [false; 2]);
    for (offset, scalar) in parts {
        occupied[offset / 8] = true;
        integer[offset / 8] |= !matches!(scalar, Type::Float | Type::Double);
    }
    let integers = (0..2).filter(|i| occupied[*i] && integer[*i]).count();
    let floats = (0..2).filter(|i| occupied[*i] && !integer[*i]).count();
    Ok(Class::Registers {
        integers,
        floats,
        words,
    })
}

/// The shape of a method.
///
/// # Errors
/// Why it cannot be forwarded.
pub fn shape(signature: &Signature) -> Result<Shape, Reason> {
    let returns = match class(&signature.result)? {
        Class::Memory { .. } => {
            let (size, _) = layout(&signature.result)?;
            Returns::Memory(u16::try_from(size).map_err(|_| Reason::ReturnKind)?)
        }
        Class::Registers {
            integers: 1,
            floats: 1,
            ..
        } => Returns::Mixed,
        Class::Registers {
            integers: 0,
            floats: 1..,
            ..
        } => Returns::Floats,
        Class::Registers { .. } => Returns::Integers,
    };
    let mut integers = INTEGER_REGISTERS - 2 - usize::from(matches!(returns, Returns::Memory(_)));
    let mut floats = FLOAT_REGISTERS;
    let mut stack_words = 0;
    for argument in &signature.arguments {
        match class(argument)? {
            Class::Registers {
                integers: i,
                floats: f,
                ..
            } if i <= integers && f <= floats => {
                integers -= i;
                floats -= f;
            }
            Class::Registers { words, .. } | Class::Memory { words } => stack_words += words,
        }
    }
    Ok(Shape {
        returns,
        floats: floats < FLOAT_REGISTERS,
        stack_words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(encoding: &str) -> Result<Shape, Reason> {
        shape(&Signature::parse(encoding.as_bytes()).expect(encoding))
    }

    #[allow(clippy::unnecessary_wraps)] // compared with a result
    fn plain(returns: Returns, floats: bool, stack_words: usize) -> Result<Shape, Reason> {
        Ok(Shape {
            returns,
            floats,
            stack_words,
        })
    }

    #[test]
    fn shapes() {
        use Returns::{Floats, Integers, Memory, Mixed};
        for (encoding, returns, floats, words) in [
            ("v@:", Integers, false, 0),
            ("v@:@QQQ", Integers, false, 0),
            ("v@:@QQQQ", Integers, false, 1),
            ("v@:r^@{_NSRange=QQ}", Integers, false, 0),
            ("v@:@Q@{_NSRange=QQ}", Integers, false, 2), // one register left: the pair goes to the stack whole
            ("v@:{?=QQQ}{?=QQQ}", Integers, false, 6),
            ("v@:@QQ{?=QQQ}{?=QQQ}@QQ{?=QQQ}Q", Integers, false, 12),
            ("v@:{?=dddddd}", Integers, false, 6),
            ("v@:@ffQ", Integers, true, 0),
            ("v@:ffff", Integers, true, 0),
            ("v@:ddddddddd", Integers, true, 1),
            ("v@:{?=dd}", Integers, true, 0),
            ("v@:{?=ff}{?=fi}", Integers, true, 0),
            (
                "@@:{EncoderComputeServiceConfig=@@@i@iIBB}",
                Integers,
                false,
                7,
            ),
            ("d@:", Floats, false, 0),
            ("f@:", Floats, false, 0),
            ("{?=dd}@:", Floats, false, 0),
            ("{?=Qd}@:", Mixed, false, 0),
            ("{?=dQ}@:", Mixed, false, 0),
            ("{_NSRange=QQ}@:", Integers, false, 0),
            ("{?=ffff}@:", Floats, false, 0),
            ("{?=QQQ}@:", Memory(24), false, 0),
            ("{?=QQQ}@:@QQQ", Memory(24), false, 1),
        ] {
            assert_eq!(of(encoding), plain(returns, floats, words), "{encoding}");
        }
    }

    #[test]
    fn refusals() {
        for (encoding, reason) in [
            ("v@:D", Reason::LongDouble),
            ("v@:t", Reason::WideInteger),
            ("v@:{?=b8b24I}", Reason::BitField),
            ("v@:(?=id)", Reason::Union),
            ("v@:![16,16f]", Reason::Vector),
            ("v@:{MTLTensorSlice=?}", Reason::IncompleteStruct),
            ("v@:?", Reason::Unreadable),
        ] {
            assert_eq!(of(encoding), Err(reason), "{encoding}");
        }
    }
}
