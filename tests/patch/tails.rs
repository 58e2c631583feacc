//! Which tails are rebuilt, and into what.

use agxrun::patch::{Kind, PatchedMethod, PatchedPart, patch};

use crate::images::{Shape, Tools};

/// Address from the first one, and text, of each instruction.
fn listing(lines: &[agxrun::patch::Line]) -> Vec<String> {
    let first = lines[0].instruction.address;
    lines
        .iter()
        .map(|line| {
            let instruction = line.instruction;
            let mut text = instruction.text();
            if let Some(target) = instruction.operation().target() {
                let from = text.rfind("0x").expect("it has a target");
                text.truncate(from);
                let within = format!("+{:#x}", target - first);
                text += line.calls.as_ref().unwrap_or(&within);
            }
            format!("{:#04x} {text}", instruction.address - first)
        })
        .collect()
}

fn compute(part: &PatchedPart) -> &PatchedMethod {
    let name = "-[AGXG16XFamilyComputeContext destroyImpl]";
    part.methods
        .iter()
        .find(|method| method.name == name)
        .expect("it is patched")
}

const BEFORE: [&str; 13] = [
    "0x00 b.hi +0x20",
    "0x04 add w10, w8, #0x1",
    "0x08 str w10, [x25, #0x1a60]",
    "0x0c add x9, x25, x8, lsl #3",
    "0x10 str x20, [x9, #0x1a68]",
    "0x14 add x0, x25, x21",
    "0x18 bl _os_unfair_lock_unlock",
    "0x1c b +0x30",
    "0x20 add x0, x25, x21",
    "0x24 bl _os_unfair_lock_unlock",
    "0x28 mov x0, x20",
    "0x2c bl _free",
    "0x30 str xzr, [x19, x24]",
];

const REBUILT: [&str; 8] = [
    "0x14 mov x20, xzr",
    "0x18 str xzr, [x19, x24]",
    "0x1c add x0, x25, x21",
    "0x20 bl _os_unfair_lock_unlock",
    "0x24 mov x0, x20",
    "0x28 bl _free",
    "0x2c nop",
    "0x30 nop",
];

const PUBLISHED: [&str; 8] = [
    "0x14 str xzr, [x19, x24]",
    "0x18 add x0, x25, x21",
    "0x1c bl _os_unfair_lock_unlock",
    "0x20 b +0x34",
    "0x24 str xzr, [x19, x24]",
    "0x28 add x0, x25, x21",
    "0x2c bl _os_unfair_lock_unlock",
    "0x30 nop",
];

#[test]
fn the_published_tail_is_rebuilt() {
    let Some(tools) = Tools::find() else { return };
    for authenticated in [false, true] {
        let driver = tools.driver(Shape {
            authenticated,
            ..Shape::default()
        });
        let patched = patch(&driver, Kind::Rebuilt).unwrap_or_else(|error| panic!("{error}"));
        let [part] = &patched.parts[..] else {
            panic!("{:?}", patched.parts)
        };
        assert_eq!(part.methods.len(), 2, "compute and blit");
        assert!(part.unrecognised.is_empty(), "{:?}", part.unrecognised);
        for method in &part.methods {
            assert_eq!(listing(&method.before), BEFORE);
            let after = listing(&method.after);
            assert_eq!(after[0], "0x00 b.hi +0x18");
            assert_eq!(after[1..5], BEFORE[1..5]);
            assert_eq!(after[5..], REBUILT);
            assert!(method.proof.frees);
        }
    }
}

#[test]
fn code_that_two_classes_share_is_patched_once() {
    let Some(tools) = Tools::find() else { return };
    let driver = tools.driver(Shape {
        with: &["SHARED"],
        ..Shape::default()
    });
    let patched = patch(&driver, Kind::Rebuilt).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(patched.parts[0].methods.len(), 2);
}

#[test]
fn the_published_edits_are_made_to_the_published_build() {
    let Some(tools) = Tools::find() else { return };
    let driver = tools.driver(Shape {
        authenticated: true,
        published: true,
        ..Shape::default()
    });
    let patched = patch(&driver, Kind::Published).unwrap_or_else(|error| panic!("{error}"));
    let [part] = &patched.parts[..] else {
        panic!("{:?}", patched.parts)
    };
    let method = compute(part);
    assert_eq!(method.before[0].instruction.address, 0x2b_e05c);
    assert_eq!(listing(&method.before), BEFORE);
    let after = listing(&method.after);
    assert_eq!(after[0], "0x00 b.hi +0x24");
    assert_eq!(after[1..5], BEFORE[1..5]);
    assert_eq!(after[5..], PUBLISHED);
    assert_eq!(method.edits.len(), 9);
    assert!(!method.proof.frees, "it leaks, as published");
    assert_eq!(
        part.unrecognised.len(),
        1,
        "the blit context's is left alone"
    );
    assert!(patched.published.is_none(), "the sums are of another file");
}
