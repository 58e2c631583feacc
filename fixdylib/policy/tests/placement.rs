//! The shapes against a second account of the conventions: the rehearsal's, which was written apart from this one and says
//! of each byte where it travels. Every encoding of the class dump, and encodings that nobody has seen, in each convention.

#[path = "../../../tests/rehearsal/src/recording/encoding.rs"]
mod encoding;
#[allow(dead_code, reason = "the driver uses the rest")]
#[path = "../../../tests/rehearsal/src/recording/placement.rs"]
mod placement;

use agx_policy::abi::{Convention, MOST_STACK_WORDS, Returns, Shape};
use agx_policy::dump::Dump;
use placement::{Place, Value, plan};
use proptest::prelude::*;

const DUMP: &str = include_str!("../../../tests/rehearsal/data/driver-classes.tsv");

const CONVENTIONS: [(Convention, placement::Convention); 3] = [
    (Convention::SysV, placement::Convention::SystemV),
    (Convention::AppleArm64, placement::Convention::Apple64),
    (Convention::Aapcs64, placement::Convention::Aapcs64),
];

fn uses(value: &Value, kind: fn(&Place) -> bool) -> bool {
    value.pieces.iter().any(|piece| kind(&piece.place))
}

fn is_integer(place: &Place) -> bool {
    matches!(place, Place::Integer(_))
}

fn is_float(place: &Place) -> bool {
    matches!(place, Place::Float(_))
}

/// The shape by the rehearsal's account; `None` for what it does not pass.
fn expected(encoding: &str, convention: placement::Convention) -> Option<Shape> {
    let plan = plan(&encoding::Signature::parse(encoding)?, convention);
    let result = &plan.result;
    let returns = if result.by_reference {
        Returns::Memory(u16::try_from(result.size).expect("a small result"))
    } else {
        match (uses(result, is_integer), uses(result, is_float)) {
            (true, true) => Returns::Mixed,
            (false, true) => Returns::Floats,
            (_, false) => Returns::Integers,
        }
    };
    Some(Shape {
        returns,
        floats: plan.arguments.iter().any(|it| uses(it, is_float)),
        stack_words: plan.stack_bytes.div_ceil(8),
    })
}

#[test]
fn every_encoding_of_the_dump() {
    let dump = Dump::parse(DUMP).expect("the dump");
    let mut compared = 0;
    for method in dump.classes.iter().flat_map(|it| &it.methods) {
        for (ours, theirs) in CONVENTIONS {
            let Some(expected) = expected(method.encoding, theirs) else {
                continue;
            };
            let shape = ours.classify(method.encoding.as_bytes());
            assert_eq!(shape, Ok(expected), "{ours:?} {method:?}");
            compared += 1;
        }
    }
    assert!(compared > 3000, "{compared}");
}

fn scalar() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "c", "C", "B", "s", "S", "i", "I", "q", "Q", "f", "d", "@", "^v", "#",
    ])
    .prop_map(str::to_owned)
}

fn a_type() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 24, 5, |inner| {
        prop::collection::vec(inner, 1..6).prop_map(|fields| format!("{{?={}}}", fields.concat()))
    })
}

proptest! {
    #[test]
    fn encodings_that_nobody_has_seen(
        result in prop_oneof![Just("v".to_owned()), a_type()],
        arguments in prop::collection::vec(a_type(), 0..12),
    ) {
        let encoding = format!("{result}@:{}", arguments.concat());
        for (ours, theirs) in CONVENTIONS {
            let expected = expected(&encoding, theirs).expect("the rehearsal reads it");
            match ours.classify(encoding.as_bytes()) {
                Ok(shape) => prop_assert_eq!(shape, expected, "{:?} {}", ours, &encoding),
                Err(_) => prop_assert!(expected.stack_words > MOST_STACK_WORDS, "{:?} {}", ours, &encoding),
            }
        }
    }
}
