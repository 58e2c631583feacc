//! What a report says about each kind of crash.

use crate::support::{Bench, faulting, plain, symbols};
use serde_json::Value;

const READ: &str = "-[AGXG16XFamilyComputeContext setComputePipelineState:]";

/// Crashes, checks that the death is the one without the reporter, and returns the report's body.
fn report_of(place: &str, kind: &str) -> Value {
    let bench = Bench::new();
    let run = bench.crash(place, kind);
    let without = plain(place, kind);
    assert_eq!(run.status, without.status, "{place} {kind}");
    assert_eq!(
        run.stderr.replace(char::is_numeric, ""),
        without.stderr.replace(char::is_numeric, "")
    );
    let (_, body) = bench.one();
    assert_eq!(body["pid"].as_i64(), run.pids().last().copied());
    body
}

#[test]
fn a_null_read_is_told_whole() {
    let bench = Bench::new();
    let run = bench.crash("main", "read");
    let (header, body) = bench.one();
    let pid = run.pids()[0];

    assert_eq!(header["app_name"], "crasher");
    assert_eq!(header["name"], "crasher");
    assert_eq!(header["bug_type"], "309");
    assert_eq!(header["incident_id"], body["incident"]);
    let incident = body["incident"].as_str().expect("an incident");
    assert_eq!((incident.len(), &incident[14..15]), (36, "4"));
    assert_eq!(incident, incident.to_uppercase());

    assert_eq!(body["pid"], pid);
    assert_eq!(body["procName"], "crasher");
    assert_eq!(
        body["procPath"],
        crate::support::example("crasher")
            .to_str()
            .expect("a plain path")
    );
    assert_eq!(body["parentPid"], std::process::id());
    assert!(
        body["parentProc"]
            .as_str()
            .expect("a name")
            .starts_with("suite-")
    );
    assert!(body["procLaunch"].as_str() <= body["captureTime"].as_str());
    assert!(body["procStartAbsTime"].as_u64() < body["procExitAbsTime"].as_u64());
    assert!(
        body["osVersion"]["train"]
            .as_str()
            .expect("a train")
            .starts_with("Linux ")
    );

    let exception = &body["exception"];
    assert_eq!(exception["type"], "EXC_BAD_ACCESS");
    assert_eq!(exception["signal"], "SIGSEGV");
    assert_eq!(exception["codes"], "0x0000000000000001, 0x00000000000005c8");
    assert_eq!(exception["rawCodes"], serde_json::json!([1, 0x5c8]));
    assert_eq!(
        exception["subtype"],
        "KERN_INVALID_ADDRESS at 0x00000000000005c8"
    );
    assert_eq!(body["termination"]["indicator"], "Segmentation fault: 11");
    assert_eq!(body["termination"]["byPid"], pid);
    assert_eq!(body["notes"], Value::Null, "nothing is missing");

    let thread = faulting(&body);
    assert_eq!(
        (&thread["triggered"], &thread["id"]),
        (&true.into(), &pid.into())
    );
    let frame = &thread["frames"][0];
    assert_eq!(frame["symbol"], READ);
    assert!(frame["symbolLocation"].as_u64().expect("an offset") < 64);
    let image = &body["usedImages"]
        [usize::try_from(frame["imageIndex"].as_u64().expect("one")).expect("small")];
    assert_eq!(
        (&image["name"], &image["source"]),
        (&"crasher".into(), &"P".into())
    );
    assert_eq!(image["uuid"], header["slice_uuid"]);
    assert!(frame["imageOffset"].as_u64() < image["size"].as_u64());
    let names = symbols(thread);
    assert!(
        names.contains(&"crasher::main") && names.contains(&"main"),
        "{names:?}"
    );
    let counter = if cfg!(target_arch = "x86_64") {
        "rip"
    } else {
        "pc"
    };
    let at =
        image["base"].as_u64().expect("a base") + frame["imageOffset"].as_u64().expect("an offset");
    assert_eq!(thread["threadState"][counter]["value"], at);
}

#[test]
fn each_fault_has_its_exception() {
    let cases = [
        (
            "write",
            "EXC_BAD_ACCESS",
            "SIGSEGV",
            "crasher::linux::write_somewhere",
        ),
        ("trap", "EXC_BREAKPOINT", "SIGTRAP", "crasher::linux::trap"),
        (
            "illegal",
            "EXC_BAD_INSTRUCTION",
            "SIGILL",
            "crasher::linux::illegal",
        ),
        (
            "bus",
            "EXC_BAD_ACCESS",
            "SIGBUS",
            "crasher::linux::read_past_end_of_file",
        ),
    ];
    for (kind, exception, signal, symbol) in cases {
        let body = report_of("main", kind);
        assert_eq!(body["exception"]["type"], exception, "{kind}");
        assert_eq!(body["exception"]["signal"], signal, "{kind}");
        assert_eq!(symbols(faulting(&body))[0], symbol);
    }
    let address = &report_of("main", "write")["exception"]["rawCodes"][1];
    assert_eq!(*address, 0x1234_5678_9abc_u64);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_division_by_zero_is_arithmetic() {
    let body = report_of("main", "divide");
    assert_eq!(body["exception"]["type"], "EXC_ARITHMETIC");
    assert_eq!(symbols(faulting(&body))[0], "crasher::linux::divide");
}

#[test]
fn an_abort_repeats_the_sentence() {
    let body = report_of("main", "abort");
    assert_eq!(body["exception"]["type"], "EXC_CRASH");
    assert_eq!(body["exception"]["signal"], "SIGABRT");
    assert_eq!(body["exception"]["rawCodes"], serde_json::json!([0, 0]));
    assert_eq!(body["termination"]["byProc"], "crasher");
    let sentence = "-[IOGPUMetalCommandBuffer validate]:214: failed assertion";
    assert_eq!(body["asi"]["crasher"], serde_json::json!([sentence]));
    assert_eq!(
        body["asi"]["libc.so.6"],
        serde_json::json!(["abort() called"])
    );
    let names = symbols(faulting(&body));
    let place = |name| names.iter().position(|symbol| *symbol == name);
    assert!(
        place("abort") < place("-[IOGPUMetalCommandBuffer validate]"),
        "{names:?}"
    );
    assert!(place("abort").is_some(), "{names:?}");
}

#[test]
fn an_abort_under_the_heap_lock_is_reported() {
    let body = report_of("main", "malloc");
    assert_eq!(body["exception"]["signal"], "SIGABRT");
    let sentence = body["asi"]["libc.so.6"][0]
        .as_str()
        .expect("glibc's sentence");
    assert!(sentence.contains("double free"), "{sentence}");
}

#[test]
fn a_call_through_a_bad_pointer_keeps_its_caller() {
    let body = report_of("main", "call");
    let thread = faulting(&body);
    assert_eq!(thread["frames"][0]["imageOffset"], 0x4141_4140);
    assert_eq!(symbols(thread)[1], "crasher::linux::call_nowhere");
    let image = thread["frames"][0]["imageIndex"]
        .as_u64()
        .expect("an index");
    assert_eq!(
        body["usedImages"][usize::try_from(image).expect("small")]["source"],
        "A"
    );
}

#[test]
fn a_sent_signal_names_its_sender() {
    let body = report_of("main", "raise");
    assert_eq!(body["exception"]["type"], "EXC_CRASH");
    assert_eq!(body["exception"]["signal"], "SIGFPE");
    assert_eq!(body["termination"]["byPid"], body["pid"]);
    assert_eq!(body["termination"]["byProc"], "crasher");
    assert_eq!(report_of("main", "system")["exception"]["signal"], "SIGSYS");
}

#[test]
fn the_thread_that_crashed_is_the_faulting_one() {
    let body = report_of("thread", "read");
    assert_eq!(faulting(&body)["name"], "encoder");
    assert_ne!(body["faultingThread"], 0);
    assert_eq!(symbols(faulting(&body))[0], READ);
    assert!(symbols(&body["threads"][0]).contains(&"crasher::main"));
}

#[test]
fn sixty_four_threads_are_all_there() {
    let body = report_of("main", "threads");
    let threads = body["threads"].as_array().expect("threads");
    assert_eq!(threads.len(), 65);
    for index in 0..64 {
        let name = format!("worker-{index}");
        let thread = threads
            .iter()
            .find(|thread| thread["name"] == *name)
            .expect("a worker");
        let names = symbols(thread);
        assert!(
            names
                .iter()
                .any(|name| name.contains("crasher::linux::crowd")),
            "{names:?}"
        );
        assert!(thread["threadState"]["flavor"].is_string());
    }
}

#[test]
fn children_report_for_themselves() {
    for place in ["child", "grandchild"] {
        let bench = Bench::new();
        let run = bench.crash(place, "read");
        assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
        let (_, body) = bench.one();
        let pids = run.pids();
        assert_eq!(body["pid"].as_i64(), pids.last().copied());
        assert_eq!(body["parentPid"], pids[pids.len() - 2]);
        assert_eq!(body["parentProc"], "crasher");
        assert_eq!(symbols(faulting(&body))[0], READ);
    }
}

#[test]
fn a_handler_that_raises_again_does_not_hide_the_fault() {
    let body = report_of("main", "own-handler");
    assert_eq!(
        body["exception"]["subtype"],
        "KERN_INVALID_ADDRESS at 0x00000000000005c8"
    );
    assert!(symbols(faulting(&body)).contains(&READ));
}

#[test]
fn pythons_faulthandler_does_not_hide_the_fault() {
    let bench = Bench::new();
    let code = "import ctypes; ctypes.string_at(0x5c8)";
    let run =
        crate::support::run(
            bench
                .preloaded("python3")
                .args(["-X", "faulthandler", "-c", code]),
        );
    assert!(
        run.stderr
            .contains("Fatal Python error: Segmentation fault"),
        "{}",
        run.stderr
    );
    let (_, body) = bench.one();
    assert_eq!(
        body["exception"]["subtype"],
        "KERN_INVALID_ADDRESS at 0x00000000000005c8"
    );
    assert!(
        symbols(faulting(&body)).contains(&"string_at"),
        "{:?}",
        symbols(faulting(&body))
    );
}

#[test]
fn a_stack_overflow_is_reported_as_the_abort_it_ends_in() {
    let body = report_of("main", "overflow");
    assert_eq!(body["exception"]["signal"], "SIGABRT");
    let names = symbols(faulting(&body));
    assert!(
        names
            .iter()
            .filter(|name| **name == "crasher::linux::recurse")
            .count()
            > 100
    );
    assert!(names.len() <= 512);
}

#[test]
fn a_process_that_may_not_be_read_is_reported_all_the_same() {
    let body = report_of("thread", "undumpable");
    assert_eq!(
        body["exception"]["subtype"],
        "KERN_INVALID_ADDRESS at 0x00000000000005c8"
    );
    let notes = body["notes"].as_array().expect("notes");
    assert!(notes.iter().any(|note| {
        note.as_str()
            .is_some_and(|n| n.starts_with("memory could not be read"))
    }));
    let thread = faulting(&body);
    let counter = if cfg!(target_arch = "x86_64") {
        "rip"
    } else {
        "pc"
    };
    let frame = &thread["frames"][0];
    let index = usize::try_from(frame["imageIndex"].as_u64().expect("an index")).expect("small");
    let base = body["usedImages"][index]["base"].as_u64().expect("a base");
    let offset = frame["imageOffset"].as_u64().expect("an offset");
    assert_eq!(thread["threadState"][counter]["value"], base + offset);
    assert_eq!(body["threads"].as_array().expect("threads").len(), 2);
}

#[test]
fn a_gpu_event_names_the_process_and_the_reason() {
    let bench = Bench::new();
    let status = bench
        .preloaded(env!("CARGO_BIN_EXE_agx-rehearsal-reporter"))
        .env_remove("LD_PRELOAD")
        .args([
            "--gpu-event",
            &std::process::id().to_string(),
            "BIF0 page fault",
        ])
        .status()
        .expect("the writer starts");
    assert!(status.success(), "{}", bench.log());
    let (name, header, body) = bench.wait_for(1).remove(0);
    assert!(name.starts_with("gpuEvent-suite-"), "{name}");
    assert_eq!(header["bug_type"], "284");
    assert_eq!(body["bug_type"], "284");
    assert_eq!(body["analysis"]["restart_reason_desc"], "BIF0 page fault");
    let process = body["process_name"].as_str().expect("a name");
    assert!(
        process.starts_with("suite-") && process.len() <= 16,
        "{process}"
    );
    assert!(
        header["incident_id"]
            .as_str()
            .is_some_and(|it| it.len() == 36)
    );
}

#[test]
fn a_gpu_event_of_nobody_is_no_report() {
    let bench = Bench::new();
    let status = bench
        .preloaded(env!("CARGO_BIN_EXE_agx-rehearsal-reporter"))
        .env_remove("LD_PRELOAD")
        .args(["--gpu-event", "0", "BIF0 page fault"])
        .status()
        .expect("the writer starts");
    assert_eq!(status.code(), Some(1));
    assert!(bench.visible().is_empty());
    assert!(bench.log().contains("process 0 is gone"), "{}", bench.log());
}
