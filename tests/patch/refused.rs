//! What is refused, and why: each driver differs from one that is patched in one thing.

use agxrun::audit::Binary;
use agxrun::audit::race::Patched;
use agxrun::patch::signature::SignatureError;
use agxrun::patch::{Kind, PartRefusal, PatchError, patch};
use agxrun::target::image::Processor;

use crate::images::{Shape, Tools};
use crate::signing;

fn refusal(driver: &[u8], kind: Kind) -> PartRefusal {
    match patch(driver, kind) {
        Err(PatchError::Part { why, .. }) => *why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was patched"),
    }
}

/// Why the compute context's method is refused, in words.
fn compute(driver: &[u8]) -> String {
    let PartRefusal::Unrecognised(methods) = refusal(driver, Kind::Rebuilt) else {
        panic!("another reason")
    };
    let mut compute = methods
        .iter()
        .filter(|method| method.name == "-[AGXG16XFamilyComputeContext destroyImpl]");
    compute.next().expect("it is told").why.clone()
}

fn with(tools: &Tools, symbol: &'static [&'static str]) -> Vec<u8> {
    tools.driver(Shape {
        with: symbol,
        ..Shape::default()
    })
}

#[test]
fn tails_that_are_not_the_published_one() {
    let Some(tools) = Tools::find() else { return };
    for (symbol, expected) in [
        (&["SOUND"], "before it unlocks"),
        (&["BRANCH_INSIDE"], "goes to"),
        (&["POINTER_LIVE"], "x20, which would be zero, may be read"),
        (&["FLAGS_LIVE"], "the flags may be read"),
    ] {
        let why = compute(&with(&tools, symbol));
        assert!(why.contains(expected), "{symbol:?}: {why}");
    }
}

#[test]
fn a_blit_context_that_is_not_recognised_is_left_and_told() {
    let Some(tools) = Tools::find() else { return };
    let driver = with(&tools, &["BLIT_SOUND"]);
    let patched = patch(&driver, Kind::Rebuilt).expect("the compute context's is recognised");
    let [part] = &patched.parts[..] else {
        panic!("{:?}", patched.parts)
    };
    assert_eq!(part.methods.len(), 1);
    let [left] = &part.unrecognised[..] else {
        panic!("{:?}", part.unrecognised)
    };
    assert_eq!(left.name, "-[AGXG16XFamilyBlitContext destroyImpl]");
    assert!(left.why.contains("no race"), "{}", left.why);
}

#[test]
fn what_is_patched_already() {
    let Some(tools) = Tools::find() else { return };
    let once = patch(&with(&tools, &[]), Kind::Rebuilt).expect("it is patched");
    let why = compute(&once.bytes);
    assert!(
        why.contains(&format!("patched already, {}", Patched::Cleared)),
        "{why}"
    );

    let published = tools.driver(Shape {
        authenticated: true,
        published: true,
        ..Shape::default()
    });
    let once = patch(&published, Kind::Published).expect("it is patched");
    let why = compute(&once.bytes);
    assert!(
        why.contains(&format!("patched already, {}", Patched::Published)),
        "{why}"
    );
    // The build's number is the same, its instructions are not.
    let again = refusal(&once.bytes, Kind::Published);
    assert!(
        matches!(&again, PartRefusal::NotPublished(why) if why.contains("0x2be05c")),
        "{again}"
    );
}

#[test]
fn another_build_than_the_published_one() {
    let Some(tools) = Tools::find() else { return };
    let refused = refusal(&with(&tools, &[]), Kind::Published);
    assert!(
        matches!(&refused, PartRefusal::NotPublished(why) if why.contains("--published")),
        "{refused}"
    );
    let mut labelled = with(&tools, &[]);
    signing::set_uuid(&mut labelled, agxrun::patch::published::UUID);
    signing::sign_again(&mut labelled);
    let refused = refusal(&labelled, Kind::Published);
    assert!(
        matches!(&refused, PartRefusal::NotPublished(why) if why.contains("instruction")),
        "{refused}"
    );
}

#[test]
fn images_without_a_signature_or_with_a_wrong_one() {
    let Some(tools) = Tools::find() else { return };
    let unsigned = tools.driver(Shape {
        unsigned: true,
        ..Shape::default()
    });
    let refused = refusal(&unsigned, Kind::Rebuilt);
    assert!(
        matches!(refused, PartRefusal::Signature(SignatureError::Unsigned)),
        "{refused}"
    );

    let mut changed = with(&tools, &[]);
    let data = changed.len() / 2;
    changed[data] ^= 1;
    let refused = refusal(&changed, Kind::Rebuilt);
    assert!(
        matches!(refused, PartRefusal::Signature(SignatureError::Broken(_))),
        "{refused}"
    );
}

#[test]
fn a_universal_file_with_one_part_that_is_refused() {
    let Some(tools) = Tools::find() else { return };
    let sound = with(&tools, &["SOUND"]);
    let authenticated = tools.driver(Shape {
        authenticated: true,
        ..Shape::default()
    });
    let both = tools.universal(&[&sound, &authenticated]);
    let error = patch(&both, Kind::Rebuilt).expect_err("one part is refused");
    let PatchError::Part { processor, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(processor, Processor::Arm64);
    let error = patch(&tools.intel(), Kind::Rebuilt).expect_err("there is nothing for arm64");
    assert!(matches!(error, PatchError::OtherProcessors), "{error}");
}

#[test]
fn damage_anywhere_is_refused_or_harmless() {
    let Some(tools) = Tools::find() else { return };
    let driver = with(&tools, &[]);
    let signature = signing::signature(&driver);
    // Load commands, code, metadata, and the signature's own fields; every 61st byte is everywhere in a while.
    let places = (0..0x1000)
        .chain(signature.clone())
        .step_by(61)
        .chain(0..48);
    for at in places {
        for change in [0xff, 0x80, 1] {
            let mut damaged = driver.clone();
            damaged[at] ^= change;
            if let Ok(patched) = patch(&damaged, Kind::Rebuilt) {
                let parts = Binary::parse(&patched.bytes).expect("it is whole");
                assert!(parts[0].binary.is_ok(), "offset {at:#x}");
            }
        }
    }
    for length in (0..driver.len()).step_by(997) {
        assert!(
            patch(&driver[..length], Kind::Rebuilt).is_err(),
            "{length} bytes"
        );
    }
}

/// The same driver with one text in place of another of the same length, signed again.
fn renamed(driver: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut driver = driver.to_vec();
    let end = signing::signature(&driver).start;
    let mut count = 0;
    for at in 0..end - from.len() {
        // A whole text: the symbols that have it in them stay.
        if &driver[at..at + from.len()] == from.as_bytes()
            && !driver[at - 1].is_ascii_graphic()
            && driver[at + from.len()] == 0
        {
            driver[at..at + to.len()].copy_from_slice(to.as_bytes());
            count += 1;
        }
    }
    assert_eq!(count, 1, "{from}");
    signing::sign_again(&mut driver);
    driver
}

#[test]
fn drivers_of_an_unknown_family() {
    let Some(tools) = Tools::find() else { return };
    let driver = with(&tools, &[]);
    let other = renamed(&driver, "destroyImpl", "destroyImpx");
    let refused = refusal(&other, Kind::Rebuilt);
    assert!(matches!(refused, PartRefusal::NoMethod), "{refused}");
    let other = renamed(
        &driver,
        "AGXG16XFamilyComputeContext",
        "AGXG16XFamilyCompoteContext",
    );
    let refused = refusal(&other, Kind::Rebuilt);
    assert!(matches!(refused, PartRefusal::NoCompute), "{refused}");
    // Without an instance variable of that name there is nothing to store.
    let other = renamed(&driver, "_impl", "_impx");
    let why = compute(&other);
    assert!(why.contains("no instance variable"), "{why}");
}

#[test]
fn a_driver_of_which_something_cannot_be_read() {
    let Some(tools) = Tools::find() else { return };
    let mut driver = with(&tools, &[]);
    let list = {
        let parts = Binary::parse(&driver).expect("linked");
        let binary = parts[0].binary.as_ref().expect("linked");
        let mut sections = binary.sections().iter();
        let list = sections.find(|section| section.name == "__objc_classlist");
        let offset = binary.offset_of(list.expect("it has classes").address);
        usize::try_from(offset.expect("stored")).expect("small")
    };
    driver[list..list + 8].fill(0xff);
    signing::sign_again(&mut driver);
    let refused = refusal(&driver, Kind::Rebuilt);
    assert!(matches!(refused, PartRefusal::Incomplete(_)), "{refused}");
}
