//! The published faults at their published addresses, in the functions they are published for. Read by a tracer (Linux).

#![cfg(target_os = "linux")]

mod tracer;
mod workload;

use nix::sys::signal::Signal;
use tracer::{Fault, first_fault};
use workload::command;

/// Fault on the command line, address, part of the function's name.
const PUBLISHED: [(&str, u64, &str); 6] = [
    (
        "impl",
        0x5c8,
        "-[AGXG16XFamilyComputeContext setComputePipelineState:]",
    ),
    ("prepare", 0x98, "::prepareForEnqueue(bool)"),
    ("spill", 0x184, "::allocateUSCSpillBuffer("),
    (
        "dispatch",
        0x5f4,
        "-[AGXG16XFamilyComputeContext dispatchThreads:threadsPerThreadgroup:]",
    ),
    (
        "setBuffer",
        0x3b90,
        "-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]",
    ),
    ("bind", 0x1e0, "::bindResource("),
];

fn traced(arguments: &[&str]) -> Option<Fault> {
    first_fault(&mut command(arguments))
}

#[test]
fn null_impl_faults_at_the_published_offset_of_each_method() {
    for (name, address, function) in PUBLISHED {
        let fault = traced(&["--fault", name, "--seconds", "10"])
            .unwrap_or_else(|| panic!("{name}: no crash in ten seconds"));
        assert_eq!(fault.address, address, "{name}: {fault:#x?}");
        assert!(fault.function.contains(function), "{name}: {fault:#x?}");
        assert_eq!(fault.ended_by, Signal::SIGSEGV, "{name}");
    }
}

#[test]
fn use_after_free_faults_on_the_poison_in_the_runtime() {
    let fault = traced(&["--fault", "uaf", "--seconds", "10"]).expect("a crash in ten seconds");
    assert_eq!(fault.address & !0xfff, 0x5a5a_5a5a_5000, "{fault:#x?}");
    assert!(
        ["objc_retain", "objc_release", "objc_msg_lookup"].contains(&&*fault.function),
        "{fault:#x?}"
    );
    assert_eq!(fault.ended_by, Signal::SIGSEGV);
}

#[test]
fn the_tracer_sees_no_fault_where_there_is_none() {
    let fault = traced(&["--threads", "1", "--iterations", "20"]);
    assert!(fault.is_none(), "{fault:#x?}");
}
