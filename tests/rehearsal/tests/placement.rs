//! Where arguments travel, for each convention on any machine.

#[path = "../src/recording/encoding.rs"]
mod encoding;
#[allow(dead_code, reason = "the driver uses the rest")]
#[path = "../src/recording/placement.rs"]
mod placement;
#[allow(dead_code, reason = "the driver uses the rest")]
#[path = "../src/recording/table.rs"]
mod table;

use encoding::Signature;
use placement::Convention::{self, Aapcs64, Apple64, SystemV};
use placement::Place::{Float, Integer, Stack};
use placement::{Place, Plan, plan};
use proptest::prelude::*;
use std::collections::HashSet;

const CONVENTIONS: [Convention; 3] = [SystemV, Aapcs64, Apple64];

fn planned(encoding: &str, convention: Convention) -> Plan {
    plan(&Signature::parse(encoding).expect(encoding), convention)
}

/// The places of the arguments behind receiver and selector.
fn places(encoding: &str, convention: Convention) -> Vec<Place> {
    let plan = planned(encoding, convention);
    let values = plan.arguments.iter().skip(2);
    values
        .flat_map(|value| value.pieces.iter().map(|it| it.place))
        .collect()
}

#[test]
fn system_v() {
    assert_eq!(
        places("v@:@QQQQ", SystemV),
        [Integer(2), Integer(3), Integer(4), Integer(5), Stack(0)]
    );
    assert_eq!(places("v@:{?=QQQ}Q", SystemV), [Stack(0), Integer(2)]);
    // One register is left: the pair goes to the stack whole, and a later word takes the register.
    assert_eq!(
        places("v@:@Q@{_NSRange=QQ}C", SystemV),
        [Integer(2), Integer(3), Integer(4), Stack(0), Integer(5)]
    );
    assert_eq!(
        places("v@:f{?=fffi}d", SystemV),
        [Float(0), Float(1), Integer(2), Float(2)]
    );
    assert_eq!(places("{?=QQQ}@:Q", SystemV), [Integer(3)]);
}

#[test]
fn aapcs64() {
    for convention in [Aapcs64, Apple64] {
        assert_eq!(
            places("v@:{?=QQQ}{?=dddd}Q", convention),
            [
                Integer(2),
                Float(0),
                Float(1),
                Float(2),
                Float(3),
                Integer(3)
            ]
        );
        assert_eq!(places("{?=QQQ}@:Q", convention), [Integer(2)]);
        assert!(planned("v@:{?=QQQ}", convention).arguments[2].by_reference);
        assert!(!planned("{?=dddd}@:", convention).result.by_reference);
    }
    assert_eq!(
        places("v@:@QQQQQIIB", Apple64)[6..],
        [Stack(0), Stack(4), Stack(8)]
    );
    assert_eq!(
        places("v@:@QQQQQIIB", Aapcs64)[6..],
        [Stack(0), Stack(8), Stack(16)]
    );
    // Once a pair did not fit, no later word takes a register.
    assert_eq!(
        places("v@:@@@@@{_NSRange=QQ}Q", Apple64)[5..],
        [Stack(0), Stack(16)]
    );
}

#[test]
fn every_dumped_encoding_can_be_passed() {
    for class in table::read(table::TEXT).expect("the table") {
        for (selector, encoding) in class.methods {
            let encoding = encoding.to_str().expect("text");
            assert!(
                Signature::parse(encoding).is_some(),
                "{:?} {selector:?} {encoding}",
                class.name
            );
        }
    }
}

#[test]
fn what_cannot_be_passed_is_refused() {
    for bad in [
        "",
        "v",
        "v@",
        "vQ:",
        "v@:{",
        "v@:{?=}",
        "v@:v",
        "v@:(?=id)",
        "v@:[3i]",
        "v@:b8",
        "v@:{a=QQ",
        "v@:?",
    ] {
        assert_eq!(Signature::parse(bad), None, "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(encoding in r"[vcCsSiIlLqQfdDtT@:#*^?{}()\[\]b!0-9=]{0,60}") {
        drop(Signature::parse(&encoding));
        drop(Signature::parse(&format!("v@:{encoding}")));
    }

    #[test]
    fn every_byte_has_one_place_and_every_place_one_value(
        types in prop::collection::vec(
            prop::sample::select(vec!["@", "Q", "B", "S", "i", "f", "d", "{?=QQQ}", "{?=ff}", "{?=dddd}", "{?=fi}", "{_NSRange=QQ}"]),
            0..20,
        ),
        result in prop::sample::select(vec!["v", "@", "f", "{?=dd}", "{?=QQQ}"]),
    ) {
        for convention in CONVENTIONS {
            let plan = planned(&format!("{result}@:{}", types.concat()), convention);
            let mut taken = HashSet::new();
            for value in &plan.arguments {
                let size = if value.by_reference { 8 } else { value.size };
                let covered: usize = value.pieces.iter().map(|it| it.size).sum();
                let scalars: usize = value.kind.scalars().iter().map(|it| it.2).sum();
                prop_assert!(covered == size || covered == scalars, "{convention:?} {value:?}");
                for piece in &value.pieces {
                    match piece.place {
                        Stack(at) => for byte in at..at + piece.size {
                            prop_assert!(taken.insert(Stack(byte)));
                            prop_assert!(byte < plan.stack_bytes);
                        },
                        place => prop_assert!(taken.insert(place)),
                    }
                }
            }
        }
    }
}
