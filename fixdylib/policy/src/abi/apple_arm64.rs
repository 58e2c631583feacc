//! Apple's variant of AAPCS64 ("Writing ARM64 code for Apple platforms"): arguments on the stack are packed at their
//! natural alignment, so that their words are copied as they are.

use agx_ledger::Reason;

use super::{LARGEST, Returns, Shape, layout, scalars};
use crate::encoding::{Signature, Type};

const REGISTERS: usize = 8;

/// What one argument needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// So many floating registers: a scalar, or a homogeneous aggregate of one to four.
    Floats(usize),
    /// So many general registers, all or none.
    Integers(usize),
    /// A pointer to a copy that the caller made.
    Reference,
}

/// One to four members, all `float` or all `double`.
fn homogeneous(of: &Type) -> Result<Option<usize>, Reason> {
    if layout(of)?.0 > 32 {
        return Ok(None);
    }
    let mut parts = Vec::new();
    scalars(of, 0, &mut parts)?;
    let same = |kind: &Type| parts.iter().all(|(_, it)| it == kind);
    Ok(
        ((1..=4).contains(&parts.len()) && (same(&Type::Float) || same(&Type::Double)))
            .then_some(parts.len()),
    )
}

fn class(of: &Type) -> Result<Class, Reason> {
    let (size, _) = layout(of)?;
    if size > LARGEST {
        return Err(Reason::TooMuchStack);
    }
    if let Some(count) = homogeneous(of)? {
        return Ok(Class::Floats(count));
    }
    Ok(if size > 16 {
        Class::Reference
    } else {
        Class::Integers(size.div_ceil(8))
    })
}

/// The shape of a method. Arguments on the stack are `packed` as Apple says, or have words of their own as AAPCS64 says.
///
/// # Errors
/// Why it cannot be forwarded.
pub fn shape(signature: &Signature, packed: bool) -> Result<Shape, Reason> {
    let (size, _) = layout(&signature.result)?;
    let returns = match class(&signature.result)? {
        Class::Floats(_) => Returns::Floats,
        Class::Integers(_) => Returns::Integers,
        Class::Reference => Returns::Memory(u16::try_from(size).map_err(|_| Reason::ReturnKind)?),
    };
    let (mut integers, mut floats) = (REGISTERS - 2, REGISTERS);
    let mut any_floats = false;
    let mut stack = 0_usize; // bytes
    for argument in &signature.arguments {
        let (size, align) = layout(argument)?;
        let spilled = match class(argument)? {
            Class::Floats(count) => {
                any_floats = true;
                let fits = count <= floats;
                floats = if fits { floats - count } else { 0 };
                !fits
            }
            Class::Integers(count) => {
                let fits = count <= integers;
                integers = if fits { integers - count } else { 0 };
                !fits
            }
            Class::Reference if integers > 0 => {
                integers -= 1;
                false
            }
            Class::Reference => {
                stack = stack.next_multiple_of(8) + 8;
                false
            }
        };
        if spilled {
            // A homogeneous aggregate keeps its members' alignment; other aggregates are passed as whole words, also where the
            // rest is packed (clang's AArch64 ABI coerces them to `[n x i64]`, and rustc does the same).
            let plain = !matches!(argument, Type::Struct(_)) || homogeneous(argument)?.is_some();
            stack = if packed && plain {
                stack.next_multiple_of(align) + size
            } else {
                stack.next_multiple_of(8) + size.next_multiple_of(8)
            };
        }
    }
    Ok(Shape {
        returns,
        floats: any_floats,
        stack_words: stack.div_ceil(8),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(encoding: &str) -> Result<Shape, Reason> {
        shape(
            &Signature::parse(encoding.as_bytes()).expect(encoding),
            true,
        )
    }

    #[test]
    fn shapes() {
        use Returns::{Floats, Integers, Memory};
        for (encoding, returns, floats, stack_words) in [
            ("v@:", Integers, false, 0),
            ("v@:@QQQQQ", Integers, false, 0),
            ("v@:@QQQQQQ", Integers, false, 1),
            ("v@:{?=QQQ}{?=QQQ}", Integers, false, 0), // by reference
            ("v@:@QQ{?=QQQ}{?=QQQ}@QQ{?=QQQ}Q", Integers, false, 4),
            ("v@:@QQQQQIIIIB", Integers, false, 3), // packed: four words of four bytes and one byte
            ("v@:@@@@@{_NSRange=QQ}", Integers, false, 2),
            ("v@:@@@@@@{?=III}I", Integers, false, 3), // two words, not twelve bytes
            ("v@:@@@@@@{?=cS}B", Integers, false, 2),
            ("v@:dddddddd{?=fff}f", Integers, true, 2),
            ("v@:{?=dddddd}", Integers, false, 0),
            ("v@:{?=dddd}", Integers, true, 0),
            ("v@:dddddddf{?=ff}", Integers, true, 1),
            ("v@:@ffQ", Integers, true, 0),
            (
                "@@:{EncoderComputeServiceConfig=@@@i@iIBB}",
                Integers,
                false,
                0,
            ),
            ("d@:", Floats, false, 0),
            ("{?=dddd}@:", Floats, false, 0),
            ("{?=Qd}@:", Integers, false, 0),
            ("{?=QQQ}@:", Memory(24), false, 0),
            ("{?=IIIII}@:", Memory(20), false, 0),
            ("{?={?=QQQ}{?=QQQ}}@:", Memory(48), false, 0),
        ] {
            assert_eq!(
                of(encoding),
                Ok(Shape {
                    returns,
                    floats,
                    stack_words
                }),
                "{encoding}"
            );
        }
    }

    #[test]
    fn refusals() {
        for (encoding, reason) in [
            ("v@:{?=b8b24I}", Reason::BitField),
            ("v@:(?=id)", Reason::Union),
            ("v@:D", Reason::LongDouble),
        ] {
            assert_eq!(of(encoding), Err(reason), "{encoding}");
        }
    }
}
