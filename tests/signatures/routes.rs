//! Whether the driver was entered through the fix library, or past it.

use agxrun::diagnose::{FixFacts, Route, ShownBy};
use agxrun::reports::model::{ImageMessages, Report};

use super::{crash, read};

const FIX: &str = "libagx_fix_v2_8.dylib";
const APP: (&str, &str) = ("app", "main");

fn driver(symbol: &str) -> (&str, &str) {
    ("AGXMetalG16X", symbol)
}

fn facts(report: &Report) -> FixFacts {
    FixFacts::of(report, None)
}

fn name(route: Option<&Route>) -> &'static str {
    match route {
        None => "none",
        Some(Route::WithoutLibrary { .. }) => "without",
        Some(Route::Through { .. }) => "through",
        Some(Route::Past { .. }) => "past",
        Some(Route::OwnWork { .. }) => "own work",
        Some(Route::Unknown { .. }) => "unknown",
        Some(Route::InLibrary { .. }) => "in library",
    }
}

/// The same report with the library among its images.
fn loaded(mut report: Report) -> Report {
    report.images.push(agxrun::reports::model::Image {
        name: Some(FIX.to_owned()),
        ..Default::default()
    });
    report
}

#[test]
fn the_caller_of_the_drivers_method_tells() {
    let method = driver("-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]");
    let inner = driver("AGX::ResourceGroupUsage<AGX::G16>::bindResource(int)");
    let hook = (FIX, "agx_fix::hooks::forward");
    let message = ("libobjc.A.dylib", "objc_msgSend");
    let handler = ("app", "__main_block_invoke");
    let dispatch = ("libdispatch.dylib", "_dispatch_client_callout");
    for (frames, expected) in [
        (vec![method, hook, APP], "through"),
        (vec![inner, method, hook, APP], "through"),
        (vec![message, inner, method, hook, APP], "through"),
        (vec![inner, method, APP], "past"),
        (vec![message, method, APP], "past"),
        // A hooked method of the driver's calls one that is not hooked.
        (
            vec![
                method,
                driver("-[AGXG16XFamilyComputeContext endEncoding]"),
                hook,
                APP,
            ],
            "through",
        ),
        // The frame that failed was entered past the library by one that was entered through it.
        (
            vec![
                method,
                ("libfoo.dylib", "f"),
                driver("-[AGXG16XFamilyCommandBuffer commit]"),
                hook,
                APP,
            ],
            "past",
        ),
        (vec![method], "unknown"),
        (vec![inner, dispatch], "own work"),
        (vec![hook, APP], "in library"),
        // An application's handler that the driver called.
        (
            vec![
                handler,
                driver("-[_MTLCommandBuffer didComplete]"),
                dispatch,
            ],
            "none",
        ),
        (vec![APP], "none"),
        (vec![], "none"),
    ] {
        let report = loaded(crash("EXC_BAD_ACCESS", "SIGSEGV", &frames));
        let facts = facts(&report);
        assert_eq!(name(facts.route.as_ref()), expected, "{frames:?}");
        let library = facts.library.expect("it is among the images");
        assert_eq!(
            (library.name.as_str(), library.policy.as_deref()),
            (FIX, Some("v2.8"))
        );
        assert_eq!(library.shown_by, ShownBy::Images);
    }
    let without = facts(&crash("EXC_BAD_ACCESS", "SIGSEGV", &[method, APP]));
    assert_eq!(
        (name(without.route.as_ref()), without.library),
        ("without", None)
    );
}

#[test]
fn an_assertion_is_the_drivers_frame_below_those_that_raise_it() {
    let stack = [
        ("libsystem_kernel.dylib", "__pthread_kill"),
        ("libsystem_c.dylib", "abort"),
        ("Metal", "MTLReportFailure.cold.1"),
        ("Metal", "MTLReportFailure"),
        ("IOGPU", "-[IOGPUMetalCommandBuffer validate]"),
        ("IOGPU", "-[IOGPUMetalCommandBuffer commit]"),
        driver("-[AGXG16XFamilyCommandBuffer commit]"),
        ("libtorch_cpu.dylib", "at::mps::MPSStream::commit()"),
    ];
    let facts = facts(&loaded(crash("EXC_CRASH", "SIGABRT", &stack)));
    let Some(Route::Past { method, caller }) = facts.route else {
        panic!("{:?}", facts.route)
    };
    assert!(
        method.contains("AGXG16XFamilyCommandBuffer commit"),
        "{method}"
    );
    assert!(caller.contains("MPSStream::commit"), "{caller}");
}

#[test]
fn rehearsed_crashes_tell_their_way() {
    for (file, expected, method) in [
        ("impl", "without", "setComputePipelineState:"),
        (
            "unlocked-v2.2",
            "through",
            "dispatchThreads:threadsPerThreadgroup:",
        ),
        (
            "untracked-v2.4",
            "past",
            "computeCommandEncoderWithDispatchType:substreamCount:",
        ),
        ("event-v2.7", "past", "encodeSignalEvent:value:"),
    ] {
        let facts = facts(&read("rehearsal", &format!("{file}.ips")));
        assert_eq!(name(facts.route.as_ref()), expected, "{file}");
        let route = serde_json::to_value(&facts.route).expect("plain data");
        let named = route["method"].as_str().unwrap_or_default();
        assert!(named.contains(method), "{file}: {route}");
        let words = facts.describe().unwrap_or_default();
        assert_eq!(words.contains(method), file != "impl", "{file}: {words}");
        let is_loaded = facts
            .library
            .is_some_and(|library| library.name == "libagx_fix.so");
        assert_eq!(is_loaded, file != "impl", "{file}");
    }
}

#[test]
fn dylds_words_show_the_library_too() {
    let mut report = crash("EXC_BAD_ACCESS", "SIGSEGV", &[APP]);
    report.asi = vec![ImageMessages {
        image: "dyld".to_owned(),
        messages: vec![
            "dyld4 config: DYLD_INSERT_LIBRARIES=/x/libagx_fix_v2_9.dylib:/y.dylib".to_owned(),
        ],
    }];
    let library = facts(&report).library.expect("dyld names it");
    assert_eq!(library.name, "libagx_fix_v2_9.dylib");
    assert_eq!(
        (library.policy.as_deref(), library.shown_by),
        (Some("v2.9"), ShownBy::Dyld)
    );
}
