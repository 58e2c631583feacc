//! Hooked methods that something else called than the fix library.

use agx_ledger::builder::Builder;
use agx_ledger::layout::{census_flag, state};
use agx_ledger::{Ledger, Reason};
use agxrun::diagnose::{Because, Bypass, Confidence, FixFacts, HooksBy, Ways};
use agxrun::reports::model::{Image, Report};

use super::{crash, read};

const FIX: &str = "libagx_fix_v2_9.dylib";
const CLASS: &str = "AGXG16XFamilyComputeContext";

const METHOD: (&str, &str) = (
    "AGXMetalG16X",
    "-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]",
);
const END: (&str, &str) = ("AGXMetalG16X", "-[AGXG16XFamilyComputeContext endEncoding]");
const HOOK: (&str, &str) = (FIX, "agx_fix::hooks::forward");
const APP: (&str, &str) = ("libtorch_cpu.dylib", "at::native::mps::fill(at::Tensor&)");

/// A crash on this stack, with the library among the images.
fn stack(frames: &[(&str, &str)]) -> Report {
    let mut report = crash("EXC_BAD_ACCESS", "SIGSEGV", frames);
    report.images.push(Image {
        name: Some(FIX.to_owned()),
        ..Default::default()
    });
    report
}

/// The ledger of the process, in which both methods were hooked.
fn ledger(more: impl FnOnce(Builder) -> Builder) -> Ledger {
    let builder = Builder::new(7, 1, 1)
        .armed()
        .method(CLASS, "setBuffer:offset:atIndex:", state::HOOKED, 0)
        .method(CLASS, "endEncoding", state::HOOKED, 0);
    Ledger::parse(&more(builder).build()).expect("a ledger")
}

fn ways(report: &Report, ledger: Option<&Ledger>) -> Ways {
    FixFacts::of(report, ledger).ways.expect("hooks stood")
}

fn judged(ways: &Ways) -> Vec<(usize, Confidence, Because)> {
    let judged = |it: &Bypass| (it.frame, it.confidence, it.because.clone());
    ways.bypasses.iter().map(judged).collect()
}

#[test]
fn a_method_that_the_library_called_is_no_bypass() {
    let report = stack(&[METHOD, HOOK, APP]);
    let seen = ways(&report, Some(&ledger(|it| it)));
    assert_eq!((seen.hooks_by, seen.frames), (HooksBy::Ledger, 1));
    assert_eq!((seen.through, seen.cut, seen.bypasses.len()), (1, 0, 0));
    // The driver sends itself messages, which go through their hooks.
    let nested = stack(&[METHOD, HOOK, END, HOOK, APP]);
    let seen = ways(&nested, Some(&ledger(|it| it)));
    assert_eq!((seen.frames, seen.through), (2, 2));
}

#[test]
fn who_calls_a_hooked_method_itself_is_told_with_how_sure_that_is() {
    let ledger = ledger(|it| it);
    for (frames, expected) in [
        // The published worry: somebody holds the method's code from before.
        (vec![METHOD, APP], (0, Confidence::High, Because::Hooked)),
        // A direct branch within the driver, or a function without a symbol after the method.
        (
            vec![METHOD, END, HOOK, APP],
            (0, Confidence::Medium, Because::SameImage),
        ),
        (
            vec![METHOD, ("AGXMetalG16X", "AGX::flush()"), APP],
            (0, Confidence::Medium, Because::SameImage),
        ),
        // Deeper in the stack than the failure.
        (
            vec![("libobjc.A.dylib", "objc_msgSend"), METHOD, APP],
            (1, Confidence::High, Because::Hooked),
        ),
    ] {
        let seen = ways(&stack(&frames), Some(&ledger));
        assert_eq!(judged(&seen), [expected], "{frames:?}");
    }
    // A caller that is in no image.
    let mut report = stack(&[METHOD, APP]);
    let thread = report.threads.iter_mut().find(|it| it.frames.len() == 2);
    thread.expect("the stack").frames[1].image_index = None;
    let unknown = ways(&report, Some(&ledger));
    assert_eq!(
        judged(&unknown),
        [(0, Confidence::Low, Because::UnknownCaller)]
    );
    assert_eq!(unknown.believed().count(), 0);
}

#[test]
fn without_a_ledger_the_names_are_judged_and_that_is_said() {
    let seen = ways(&stack(&[METHOD, APP]), None);
    assert_eq!(seen.hooks_by, HooksBy::Policy);
    assert_eq!(judged(&seen), [(0, Confidence::Medium, Because::ByName)]);
    let inside = ways(&stack(&[METHOD, END, HOOK, APP]), None);
    assert_eq!(judged(&inside), [(0, Confidence::Low, Because::ByName)]);
    // v2.9 does not hook it: no hook was passed by.
    let unhooked = (
        "AGXMetalG16X",
        "-[AGXG16XFamilyComputeContext setSubstream:]",
    );
    let seen = ways(&stack(&[unhooked, APP]), None);
    assert_eq!((seen.frames, seen.bypasses.len()), (0, 0));
}

#[test]
fn what_is_no_call_of_a_hooked_method_is_none() {
    let ledger = ledger(|it| {
        it.method(
            CLASS,
            "setVector:",
            state::UNHOOKED,
            Reason::Vector.number(),
        )
    });
    for frames in [
        vec![
            ("AGXMetalG16X", "-[AGXG16XFamilyComputeContext setVector:]"),
            APP,
        ],
        vec![
            (
                "AGXMetalG16X",
                "__44-[AGXG16XFamilyComputeContext endEncoding]_block_invoke",
            ),
            APP,
        ],
        vec![("AGXMetalG16X", "-[AGXG16XFamilyDevice endEncoding]"), APP],
        vec![APP],
        vec![],
    ] {
        let seen = ways(&stack(&frames), Some(&ledger));
        assert_eq!((seen.frames, seen.bypasses.len()), (0, 0), "{frames:?}");
    }
    let mut inlined = stack(&[METHOD, APP]);
    inlined.threads[0].frames[0].inline = true;
    assert_eq!(ways(&inlined, Some(&ledger)).frames, 0);
    let cut = ways(&stack(&[METHOD]), Some(&ledger));
    assert_eq!((cut.frames, cut.cut, cut.bypasses.len()), (1, 1, 0));
    // Nothing stood that could be passed by.
    let unarmed = Ledger::parse(&Builder::new(7, 1, 1).build()).expect("a ledger");
    assert_eq!(
        FixFacts::of(&stack(&[METHOD, APP]), Some(&unarmed)).ways,
        None
    );
    assert_eq!(
        FixFacts::of(&crash("EXC_BAD_ACCESS", "SIGSEGV", &[METHOD, APP]), None).ways,
        None
    );
}

#[test]
fn a_hook_that_was_replaced_explains_its_bypass() {
    let ledger = ledger(|it| it.found(census_flag::REPLACED, "libother.dylib"));
    let facts = FixFacts::of(&stack(&[END, APP]), Some(&ledger));
    let image = Some("libother.dylib".to_owned());
    let seen = facts.ways.as_ref().expect("hooks stood");
    assert_eq!(
        judged(seen),
        [(0, Confidence::High, Because::Replaced { image })]
    );
    let told: Vec<_> = facts.bypasses().collect();
    let [sentence] = &told[..] else {
        panic!("{told:?}")
    };
    for part in [
        "frame 0 of thread 0",
        "endEncoding]",
        "called by libtorch_cpu.dylib",
        "high confidence",
        "libother.dylib took the hook's place",
    ] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
}

#[test]
fn every_thread_is_looked_at() {
    let mut report = stack(&[METHOD, HOOK, APP]);
    let other = stack(&[END, APP]);
    let offset = report.images.len();
    let mut thread = other.threads[0].clone();
    thread.triggered = false;
    for frame in &mut thread.frames {
        frame.image_index = frame.image_index.map(|index| index + offset);
    }
    report.images.extend(other.images);
    report.threads.push(thread);
    let seen = ways(&report, Some(&ledger(|it| it)));
    assert_eq!((seen.frames, seen.through), (2, 1));
    assert_eq!((seen.bypasses[0].thread, seen.bypasses[0].frame), (1, 0));
}

/// Real stacks, in which the versions hooked some methods and not others: what they hooked was called by the library.
#[test]
fn reports_with_a_published_library_are_looked_through() {
    for (file, policy) in [
        ("unlocked-v2.2", "v2.2"),
        ("untracked-v2.4", "v2.4"),
        ("event-v2.7", "v2.7"),
    ] {
        let report = read("rehearsal", &format!("{file}.ips"));
        let by_name = Ways::of(&report, None, Some(policy)).expect("hooks stood");
        assert_eq!(by_name.hooks_by, HooksBy::Policy);
        let believed: Vec<_> = by_name.believed().map(|it| &it.method).collect();
        assert!(believed.is_empty(), "{file}: {believed:?}");
        assert_eq!(by_name.frames > 0, file == "unlocked-v2.2", "{file}");
        assert_eq!(by_name.frames, by_name.through + by_name.cut, "{file}");
    }
}
