//! Every recorded failure is told, by the example that was recorded or by the rehearsal's report.

use std::collections::BTreeSet;

use agxrun::diagnose::{Confidence, Signatures, diagnose, match_line};
use agxrun::reports::Kind;
use agxrun::reports::fault::{Access, Fault};
use agxrun::reports::model::{GpuEvent, ImageMessages, Report, Termination};

use super::{crash, id, read};

/// Lines of stderr as recorded, with what each is: the assertion's name and place, and its sentence.
const LINES: [(&str, &str); 26] = [
    (
        "encoder_already_open",
        "-[AGXG13GFamilyCommandBuffer tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:]:1015: failed assertion `A command encoder is already encoding to this command buffer'",
    ),
    (
        "encoder_already_open",
        "-[AGXG16XFamilyCommandBuffer tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:]:1091: failed assertion `A command encoder is already encoding to this command buffer'",
    ),
    (
        "encoder_already_open",
        "-[AGXG14FamilyCommandBuffer renderCommandEncoderWithDescriptor:]:963: failed assertion 'A command encoder is already encoding to this command buffer'",
    ),
    (
        "encoder_already_open",
        "-[AGXG13XFamilyCommandBuffer renderCommandEncoderWithDescriptor:]:380: failed assertion \u{2018}A command encoder is already encoding to this command buffer\u{2019}",
    ),
    (
        "encoder_already_open",
        "-[AGXG15XFamilyCommandBuffer renderCommandEncoderWithDescriptor:]:967: failed assertion `A command encoder is already encoding to this command buffer'",
    ),
    (
        "double_commit",
        "-[IOGPUMetalCommandBuffer validate]:213: failed assertion `commit an already committed command buffer'",
    ),
    (
        "double_commit",
        "-[IOGPUMetalCommandBuffer validate]:214: failed assertion `commit an already committed command buffer'",
    ),
    (
        "uncommitted_encoder",
        "-[IOGPUMetalCommandBuffer validate]:215: failed assertion `commit command buffer with uncommitted encoder'",
    ),
    (
        "uncommitted_encoder",
        "-[IOGPUMetalCommandBuffer validate]:216: failed assertion `commit command buffer with uncommitted encoder'",
    ),
    (
        "uncommitted_encoder",
        "-[_MTLCommandBuffer commit]:691: failed assertion `commit command buffer with uncommitted encoder'",
    ),
    (
        "handler_after_commit",
        "-[_MTLCommandBuffer addCompletedHandler:]:867: failed assertion `Completed handler provided after commit call'",
    ),
    (
        "handler_after_commit",
        "-[_MTLCommandBuffer addCompletedHandler:]:1011: failed assertion `Completed handler provided after commit call'",
    ),
    (
        "handler_after_commit",
        "-[_MTLCommandBuffer addScheduledHandler:]:801: failed assertion `Scheduled handler provided after commit call'",
    ),
    (
        "set_encoder_after_commit",
        "failed assertion _status < MTLCommandBufferStatusCommitted at line 322 in -[IOGPUMetalCommandBuffer setCurrentCommandEncoder:]",
    ),
    (
        "signal_event_uncommitted",
        "-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]:426: failed assertion `encodeSignalEvent:value: with uncommitted encoder'",
    ),
    (
        "wait_event_uncommitted",
        "-[IOGPUMetalCommandBuffer encodeWaitForEvent:value:timeout:]:488: failed assertion `encodeWaitForEvent:value: with uncommitted encoder'",
    ),
    (
        "encoder_dealloc_unended",
        "-[_MTLCommandEncoder dealloc]:131: failed assertion `Command encoder released without endEncoding'",
    ),
    (
        "weak_ref_mpsgraph",
        "objc[4242]: Cannot form weak reference to instance (0x6000039a1b80) of class MPSGraph. It is possible that this object was over-released, or is in the process of deallocation.",
    ),
    (
        "gpu_hang",
        "Caused GPU Hang Error (00000003:kIOGPUCommandBufferCallbackErrorHang)",
    ),
    (
        "gpu_ignored",
        "Ignored (for causing prior/excessive GPU errors) (00000004:kIOGPUCommandBufferCallbackErrorSubmissionsIgnored)",
    ),
    (
        "gpu_victim",
        "Discarded (victim of GPU error/recovery) (00000005:kIOGPUCommandBufferCallbackErrorInnocentVictim)",
    ),
    (
        "gpu_oom",
        "Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
    ),
    (
        "gpu_invalid_resource",
        "Invalid Resource (00000009:kIOGPUCommandBufferCallbackErrorInvalidResource)",
    ),
    (
        "gpu_page_fault",
        "Caused GPU Address Fault Error (0000000b:kIOGPUCommandBufferCallbackErrorPageFault)",
    ),
    (
        "gpu_interactivity",
        "Impacting Interactivity (0000000e:kIOGPUCommandBufferCallbackErrorImpactingInteractivity)",
    ),
    (
        "gpu_error",
        "an error of tomorrow (000000ff:kIOGPUCommandBufferCallbackErrorOfTomorrow)",
    ),
];

/// Reports of the rehearsal, with what each is.
const REHEARSED: [(&str, &str); 19] = [
    ("impl", "agx_null_pipeline"),
    ("setBuffer", "agx_null_buffer"),
    ("dispatch", "agx_null_dispatch"),
    ("prepare", "agx_null_prepare"),
    ("spill", "agx_null_spill"),
    ("bind", "agx_null_resource"),
    ("uaf", "objc_uaf"),
    ("coalesce", "encoder_already_open"),
    ("commit", "uncommitted_encoder"),
    ("double-commit", "double_commit"),
    ("event", "signal_event_uncommitted"),
    ("wait-event", "wait_event_uncommitted"),
    ("handler", "handler_after_commit"),
    ("encode-after-commit", "set_encoder_after_commit"),
    ("unended", "encoder_dealloc_unended"),
    ("page-fault", "gpu_event"),
    ("untracked-v2.4", "objc_uaf"),
    ("unlocked-v2.2", "agx_null_spill"),
    ("event-v2.7", "signal_event_uncommitted"),
];

const ABORT: [(&str, &str); 3] = [
    ("libsystem_kernel.dylib", "__pthread_kill"),
    ("libsystem_pthread.dylib", "pthread_kill"),
    ("libsystem_c.dylib", "abort"),
];

/// An abort below these frames, whose report says only `abort() called`.
fn abort(frames: &[(&str, &str)]) -> Report {
    let mut report = crash("EXC_CRASH", "SIGABRT", &[&ABORT, frames].concat());
    report.asi = vec![ImageMessages {
        image: "libsystem_c.dylib".to_owned(),
        messages: vec!["abort() called".to_owned()],
    }];
    report
}

fn access(address: u64, access: Option<Access>, frames: &[(&str, &str)]) -> Report {
    let mut report = crash("EXC_BAD_ACCESS", "SIGSEGV", frames);
    let exception = report.exception.as_mut().expect("made with one");
    exception.fault = Some(Fault {
        address,
        pointer_authentication: false,
        stripped: None,
        access,
    });
    report
}

fn refused(words: &str) -> Report {
    let mut report = crash("EXC_CRASH", "SIGABRT", &[("dyld", "__abort_with_payload")]);
    report.termination = Some(Termination {
        namespace: Some("DYLD".to_owned()),
        reasons: vec![words.to_owned()],
        ..Termination::default()
    });
    report
}

/// Reports as recorded, with what each is.
#[rustfmt::skip]
fn recorded() -> Vec<(&'static str, Report)> {
    const FAILED: (&str, &str) = ("Metal", "MTLReportFailure.cold.2");
    const APP: (&str, &str) = ("libtorch_cpu.dylib", "at::native::mps::f(at::Tensor const&)");
    let driver = |symbol| ("AGXMetalG16X", symbol);
    let iogpu = |symbol| ("IOGPU", symbol);
    let metal = |symbol| ("Metal", symbol);
    let message = ("libobjc.A.dylib", "objc_msgSend");
    let (reads, writes) = (Some(Access::Read), Some(Access::Write));
    let mut signed = access(0x8000_0001_0203_0410, reads, &[message, driver("-[AGXG16XFamilyComputeContext endEncoding]"), APP]);
    if let Some(fault) = signed.exception.as_mut().and_then(|exception| exception.fault.as_mut()) {
        (fault.pointer_authentication, fault.stripped) = (true, Some(0x1_0203_0410));
    }
    let on_26 = |mut report: Report| {
        report.header.os_version = Some("macOS 26.4.1 (25E253)".to_owned());
        report
    };
    let thrown = |mut report: Report, words: &str| {
        report.asi = vec![ImageMessages { image: "CoreFoundation".to_owned(), messages: vec![words.to_owned()] }];
        report
    };
    let said = "-[AGXG13XFamilyCommandBuffer renderCommandEncoderWithDescriptor:]:380: failed assertion `A command encoder is already encoding to this command buffer'";
    vec![
        ("agx_null_pipeline", access(0x5c8, reads, &[driver("-[AGXG16XFamilyComputeContext setComputePipelineState:]"), APP])),
        ("agx_null_pipeline", access(0x9cc, reads, &[("AGXMetalG17G", "-[AGXG17GFamilyComputeContext_mtlnext setComputePipelineState:]"), APP])),
        ("agx_null_pipeline", access(0x5c8, reads, &[driver("AGX::ComputeContext<AGX::G16::Encoders, AGX::G16::Classes>::setPipelineCommon(AGX::Pipeline*)"), APP])),
        ("agx_null_spill", access(0x184, writes, &[driver("AGX::SpillInfoGen3<AGX::G16::Encoders>::allocateUSCSpillBuffer(AGX::Allocator&, unsigned int)"), APP])),
        ("agx_null_prepare", access(0x98, reads, &[driver("AGX::ComputeContext<AGX::G16::Encoders>::prepareForEnqueue(bool)"), APP])),
        ("agx_null_dispatch", access(0x5f4, None, &[driver("-[AGXG16XFamilyComputeContext dispatchThreads:threadsPerThreadgroup:]"), APP])),
        ("agx_null_buffer", access(0x3b90, None, &[driver("-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]"), APP])),
        ("agx_null_resource", access(0x1e0, None, &[driver("AGX::ResourceGroupUsage<AGX::G16::Encoders>::bindResource(IOGPUMetalResource*, bool)"), APP])),
        ("objc_uaf_pac", signed),
        ("objc_uaf", access(0x1_2345_6789, reads, &[("libobjc.A.dylib", "objc_retain"), driver("-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]"), APP])),
        ("objc_uaf", access(0x1_2345_6789, reads, &[("libobjc.A.dylib", "objc_release"), APP])),
        ("objc_uaf_elsewhere", access(0x1_2345_6789, reads, &[message, ("app", "main")])),
        ("cf_uaf", crash("EXC_BREAKPOINT", "SIGTRAP", &[("CoreFoundation", "CF_IS_OBJC"), ("CoreFoundation", "CFRelease"), metal("-[_MTLCommandBuffer dealloc]")])),
        ("commit_assertion", abort(&[FAILED, iogpu("-[IOGPUMetalCommandBuffer validate]"), iogpu("-[IOGPUMetalCommandBuffer commit]"), APP])),
        ("event_assertion", abort(&[FAILED, iogpu("-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]"), APP])),
        ("encoder_already_open_stack", abort(&[FAILED, driver("-[AGXG15XFamilyCommandBuffer tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:]"), APP])),
        ("encoder_already_open", thrown(abort(&[FAILED]), said)),
        ("encoder_already_open", thrown(abort(&[]), "*** Terminating app due to uncaught exception 'NSInternalInconsistencyException', reason: 'A command encoder is already encoding to this command buffer'")),
        ("handler_assertion", abort(&[FAILED, metal("-[_MTLCommandBuffer addCompletedHandler:]"), APP])),
        ("handler_assertion", abort(&[FAILED, metal("-[_MTLCommandBuffer addScheduledHandler:]"), APP])),
        ("handler_with_open_encoder", on_26(abort(&[FAILED, metal("-[_MTLCommandBuffer addCompletedHandler:]"), ("libmlx.dylib", "mlx::core::gpu::eval(mlx::core::array&)")]))),
        ("encoder_after_commit_stack", abort(&[FAILED, iogpu("-[IOGPUMetalCommandBuffer setCurrentCommandEncoder:]"), APP])),
        ("encoder_dealloc_stack", abort(&[FAILED, metal("-[_MTLCommandEncoder dealloc]"), APP])),
        ("metal_assertion", abort(&[FAILED, metal("-[MTLTextureDescriptorInternal validateWithDevice:]"), APP])),
        ("mlx_custom_kernel_race", access(0x8, reads, &[("libmlx.dylib", "mlx::core::fast::CustomKernel::eval_gpu(std::vector<mlx::core::array> const&)"), ("app", "main")])),
        ("dyld_termination", refused("Library not loaded: @rpath/libown.dylib")),
        ("fix_not_loadable", refused("tried: '/x/libagx_fix.dylib' (mach-o file, but is an incompatible architecture)")),
        ("gpu_event", Report { kind: Kind::GpuRestart, gpu: Some(GpuEvent { restart_reason: Some("firmware-detected lockup".to_owned()), signature: None }), ..Report::default() }),
    ]
}

#[test]
fn every_line_of_stderr_is_told() {
    for (expected, line) in LINES {
        let found = match_line(line).map(|signature| signature.id.as_str());
        assert_eq!(found, Some(expected), "{line}");
    }
    for line in [
        "",
        "loss: 0.12",
        "a command encoder was made",
        "GPU: Apple M4 Max",
        "committed",
    ] {
        assert!(match_line(line).is_none(), "{line}");
    }
}

#[test]
fn every_recorded_report_is_told() {
    for (expected, report) in recorded() {
        assert_eq!(
            id(&report).as_deref(),
            Some(expected),
            "{:#?}",
            report.threads
        );
    }
}

#[test]
fn every_rehearsed_report_is_told() {
    for (file, expected) in REHEARSED {
        let report = read("rehearsal", &format!("{file}.ips"));
        assert_eq!(id(&report).as_deref(), Some(expected), "{file}");
    }
}

#[test]
fn no_signature_is_without_an_example() {
    let shown: BTreeSet<&str> = LINES
        .iter()
        .map(|(id, _)| *id)
        .chain(REHEARSED.iter().map(|(_, id)| *id))
        .collect();
    let recorded = recorded();
    let shown: BTreeSet<&str> = shown
        .into_iter()
        .chain(recorded.iter().map(|(id, _)| *id))
        .collect();
    let known: BTreeSet<&str> = Signatures::builtin()
        .iter()
        .map(|entry| entry.id.as_str())
        .collect();
    assert_eq!(shown, known);
}

#[test]
fn an_access_of_another_kind_lowers_the_confidence() {
    let frame = [(
        "AGXMetalG16X",
        "AGX::SpillInfoGen3<AGX::G16>::allocateUSCSpillBuffer(int)",
    )];
    for (of, expected) in [
        (Some(Access::Write), Confidence::High),
        (None, Confidence::High),
        (Some(Access::Read), Confidence::Medium),
    ] {
        let diagnosis = diagnose(&access(0x184, of, &frame)).expect("a diagnosis");
        assert_eq!(diagnosis.confidence, expected, "{of:?}");
    }
}

#[test]
fn an_innocent_victim_never_counts_against_the_target() {
    let victim = Signatures::builtin()
        .get("gpu_victim")
        .expect("it stands in the table");
    assert!(!victim.counts());
    // Beside a fault of one's own, the victim's line is not taken for it.
    let own = "(0000000b:kIOGPUCommandBufferCallbackErrorPageFault)";
    assert!(match_line(own).is_some_and(agxrun::diagnose::Signature::counts));
}
