use super::*;
use crate::reports::Kind;
use crate::reports::fault::Fault;
use crate::reports::model::{
    Exception, Frame, GpuEvent, Image, ImageMessages, Report, Termination, Thread,
};

/// A crash with these frames, innermost first, each as image and symbol.
fn crash(kind: &str, signal: &str, address: Option<u64>, frames: &[(&str, &str)]) -> Report {
    let image = |(name, _): &(&str, &str)| Image {
        name: Some((*name).to_owned()),
        ..Image::default()
    };
    let frame = |(index, (_, symbol)): (usize, &(&str, &str))| Frame {
        symbol: Some((*symbol).to_owned()),
        symbol_location: Some(32),
        image_index: Some(index),
        ..Frame::default()
    };
    let fault = address.map(|address| Fault {
        address,
        pointer_authentication: false,
        stripped: None,
        access: None,
    });
    Report {
        kind: Kind::Crash,
        exception: Some(Exception {
            kind: Some(kind.to_owned()),
            signal: Some(signal.to_owned()),
            fault,
            ..Exception::default()
        }),
        faulting_thread: Some(0),
        threads: vec![Thread {
            triggered: true,
            frames: frames.iter().enumerate().map(frame).collect(),
            ..Thread::default()
        }],
        images: frames.iter().map(image).collect(),
        ..Report::default()
    }
}

fn access(address: u64, frames: &[(&str, &str)]) -> Report {
    crash("EXC_BAD_ACCESS", "SIGSEGV", Some(address), frames)
}

fn abort(frames: &[(&str, &str)]) -> Report {
    crash("EXC_CRASH", "SIGABRT", None, frames)
}

fn id(report: &Report) -> Option<String> {
    diagnose(report).map(|diagnosis| diagnosis.id)
}

#[test]
fn the_race_is_told_by_frame_and_address_on_every_family() {
    for (address, symbol, expected) in [
        (
            0x5c8,
            "-[AGXG16XFamilyComputeContext setComputePipelineState:]",
            "agx_null_pipeline",
        ),
        (
            0x9cc,
            "-[AGXG17GFamilyComputeContext_mtlnext setComputePipelineState:]",
            "agx_null_pipeline",
        ),
        (
            0x5c8,
            "AGX::ComputeContext<AGX::G16::Encoders>::setPipelineCommon(AGX::Pipe*)",
            "agx_null_pipeline",
        ),
        (
            0x184,
            "AGX::SpillInfoGen3<AGX::G16>::allocateUSCSpillBuffer(unsigned int)",
            "agx_null_spill",
        ),
        (
            0x98,
            "AGX::ComputeContext<AGX::G13>::prepareForEnqueue(bool)",
            "agx_null_prepare",
        ),
        (
            0x5f4,
            "-[AGXG14GFamilyComputeContext dispatchThreads:threadsPerThreadgroup:]",
            "agx_null_dispatch",
        ),
        (
            0x3b90,
            "-[AGXG13XFamilyComputeContext setBuffer:offset:atIndex:]",
            "agx_null_buffer",
        ),
        (
            0x1e0,
            "AGX::ResourceGroupUsage<AGX::G16>::bindResource(IOGPU*, bool)",
            "agx_null_resource",
        ),
    ] {
        let report = access(address, &[("AGXMetalG16X", symbol)]);
        let diagnosis = diagnose(&report).unwrap_or_else(|| panic!("{symbol}"));
        assert_eq!(
            (diagnosis.id.as_str(), diagnosis.confidence),
            (expected, Confidence::High),
            "{symbol}"
        );
        let evidence = diagnosis.evidence.join("; ");
        assert!(evidence.contains(symbol) && evidence.contains(&format!("{address:#x}")));
        assert!(diagnosis.counts());
    }
}

#[test]
fn a_fault_that_a_handler_raised_anew_is_told_by_the_frame_behind_the_handler() {
    let driver = (
        "AGXMetalG16X",
        "-[AGXG16XFamilyComputeContext setComputePipelineState:]",
    );
    let on_a_mac = [
        ("libsystem_kernel.dylib", "__pthread_kill"),
        ("libsystem_pthread.dylib", "pthread_kill"),
        ("libsystem_c.dylib", "raise"),
        ("Python", "faulthandler_fatal_error"),
        ("libsystem_platform.dylib", "_sigtramp"),
        driver,
    ];
    let on_linux = [
        ("libc.so.6", "0"),
        ("libc.so.6", "raise"),
        ("libc.so.6", "0"),
        driver,
    ];
    for frames in [&on_a_mac[..], &on_linux] {
        let report = access(0x5c8, frames);
        assert_eq!(id(&report).as_deref(), Some("agx_null_pipeline"));
        // Nobody's fault but of who raised it.
        assert_eq!(
            id(&crash("EXC_CRASH", "SIGABRT", Some(0x5c8), frames)),
            None
        );
    }
    // What is raised elsewhere in the stack is no handler's.
    let deep = [("libc.so.6", "memmove"), driver, ("libc.so.6", "raise")];
    assert_eq!(id(&access(0x5c8, &deep)), None);
}

#[test]
fn another_offset_lowers_the_confidence_and_a_wild_address_refutes() {
    let symbol = "-[AGXG18PFamilyComputeContext setComputePipelineState:]";
    let near = diagnose(&access(0x618, &[("AGXMetalG18P", symbol)])).expect("a diagnosis");
    assert_eq!(
        (near.id.as_str(), near.confidence),
        ("agx_null_pipeline", Confidence::Medium)
    );
    assert_eq!(
        id(&access(0x1234_5678_9abc, &[("AGXMetalG18P", symbol)])),
        None
    );
    let not_on_top = access(0x5c8, &[("libfoo.dylib", "foo"), ("AGXMetalG18P", symbol)]);
    assert_eq!(id(&not_on_top), None);
}

#[test]
fn aborts_are_told_by_their_sentence_first_and_by_their_stack_else() {
    let stack = [
        ("libsystem_kernel.dylib", "__pthread_kill"),
        ("libsystem_c.dylib", "abort"),
        ("Metal", "MTLReportFailure"),
        ("IOGPU", "-[IOGPUMetalCommandBuffer validate]"),
    ];
    let mut report = abort(&stack);
    assert_eq!(id(&report).as_deref(), Some("commit_assertion"));
    let sentence = "-[IOGPUMetalCommandBuffer validate]:214: failed assertion `commit an already \
                    committed command buffer'";
    report.asi = vec![ImageMessages {
        image: "libsystem_c.dylib".to_owned(),
        messages: vec!["abort() called".to_owned(), sentence.to_owned()],
    }];
    assert_eq!(id(&report).as_deref(), Some("double_commit"));
    for (frame, expected) in [
        (
            "-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]",
            "event_assertion",
        ),
        (
            "-[_MTLCommandBuffer addCompletedHandler:]",
            "handler_assertion",
        ),
        (
            "-[AGXG13GFamilyCommandBuffer tryCoalescingPreviousComputeCommandEncoderWithConfig:\
          nextEncoderClass:]",
            "encoder_already_open_stack",
        ),
        ("something_else", "metal_assertion"),
    ] {
        let mut stack = stack;
        stack[3].1 = frame;
        assert_eq!(id(&abort(&stack)).as_deref(), Some(expected), "{frame}");
    }
    assert_eq!(
        id(&abort(&stack[..2])),
        None,
        "a plain abort is no signature"
    );
}

#[test]
fn freed_objects_are_the_drivers_only_with_metal_in_the_stack() {
    let runtime = ("libobjc.A.dylib", "objc_msgSend");
    let driver = ("AGXMetalG16X", "-[AGXG16XFamilyComputeContext endEncoding]");
    let wild = 0x0001_2345_6789;
    assert_eq!(
        id(&access(wild, &[runtime, driver])).as_deref(),
        Some("objc_uaf")
    );
    assert_eq!(
        id(&access(wild, &[runtime, ("app", "main")])).as_deref(),
        Some("objc_uaf_elsewhere")
    );
    let mut signed = access(wild, &[runtime, driver]);
    if let Some(exception) = &mut signed.exception {
        exception.fault = Some(Fault {
            address: wild,
            pointer_authentication: true,
            stripped: Some(0x10),
            access: None,
        });
    }
    assert_eq!(id(&signed).as_deref(), Some("objc_uaf_pac"));
    let trap = [("CoreFoundation", "CF_IS_OBJC"), driver];
    assert_eq!(
        id(&crash("EXC_BREAKPOINT", "SIGTRAP", None, &trap)).as_deref(),
        Some("cf_uaf")
    );
}

#[test]
fn the_loaders_refusal_is_the_tools_own_fault() {
    let mut report = abort(&[("dyld", "__abort_with_payload")]);
    report.termination = Some(Termination {
        namespace: Some("DYLD".to_owned()),
        ..Termination::default()
    });
    let general = diagnose(&report).expect("a diagnosis");
    assert_eq!(
        (general.id.as_str(), general.counts()),
        ("dyld_termination", false)
    );
    if let Some(termination) = &mut report.termination {
        // The loader's sentence about an inserted library goes to stderr; its report holds the end.
        let sentence = "tried: '/x/libagx_fix.dylib' (mach-o file, but is an incompatible \
                        architecture (have 'arm64', need 'arm64e'))";
        termination.reasons = vec![sentence.to_owned()];
    }
    let own = diagnose(&report).expect("a diagnosis");
    assert_eq!((own.id.as_str(), own.counts()), ("fix_not_loadable", false));
    let line = "dyld[12]: terminating because inserted dylib '/x/own.dylib' could not be loaded: \
                tried: '/x/own.dylib' (no such file)";
    let line = match_line(line).expect("a signature");
    assert_eq!(
        (line.id.as_str(), line.counts()),
        ("fix_not_loadable", false)
    );
}

#[test]
fn a_gpu_event_is_named_with_its_reason() {
    let gpu = GpuEvent {
        restart_reason: Some("BIF0 page fault".to_owned()),
        signature: None,
    };
    let report = Report {
        kind: Kind::GpuEvent,
        gpu: Some(gpu),
        ..Report::default()
    };
    let diagnosis = diagnose(&report).expect("a diagnosis");
    assert_eq!(diagnosis.id, "gpu_event");
    assert_eq!(diagnosis.evidence, ["GPU event: BIF0 page fault"]);
}

#[test]
fn assertions_on_stderr_are_told_with_any_family_line_number_and_quote() {
    for (line, expected) in [
        (
            "-[AGXG13GFamilyCommandBuffer tryCoalescingPreviousComputeCommandEncoderWithConfig:\
          nextEncoderClass:]:1015: failed assertion `A command encoder is already encoding to \
          this command buffer'",
            "encoder_already_open",
        ),
        (
            "-[AGXG14FamilyCommandBuffer renderCommandEncoderWithDescriptor:]:963: failed assertion \
          'A command encoder is already encoding to this command buffer'",
            "encoder_already_open",
        ),
        (
            "-[IOGPUMetalCommandBuffer validate]:213: failed assertion `commit an already committed \
          command buffer'",
            "double_commit",
        ),
        (
            "-[IOGPUMetalCommandBuffer validate]:215: failed assertion `commit command buffer with \
          uncommitted encoder'",
            "uncommitted_encoder",
        ),
        (
            "-[_MTLCommandBuffer commit]:691: failed assertion `commit command buffer with \
          uncommitted encoder'",
            "uncommitted_encoder",
        ),
        (
            "-[_MTLCommandBuffer addCompletedHandler:]:976: failed assertion `Completed handler \
          provided after commit call'",
            "handler_after_commit",
        ),
        (
            "-[_MTLCommandBuffer addScheduledHandler:]:801: failed assertion `Scheduled handler \
          provided after commit call'",
            "handler_after_commit",
        ),
        (
            "failed assertion _status < MTLCommandBufferStatusCommitted at line 322 in \
          -[IOGPUMetalCommandBuffer setCurrentCommandEncoder:]",
            "set_encoder_after_commit",
        ),
        (
            "-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]:426: failed assertion \
          `encodeSignalEvent:value: with uncommitted encoder'",
            "signal_event_uncommitted",
        ),
        (
            "-[_MTLCommandBuffer encodeWaitForEvent:value:timeout:]:488: failed assertion \
          `encodeWaitForEvent:value: with uncommitted encoder'",
            "wait_event_uncommitted",
        ),
        (
            "-[_MTLCommandEncoder dealloc]:131: failed assertion `Command encoder released without \
          endEncoding'",
            "encoder_dealloc_unended",
        ),
        (
            "objc[123]: Cannot form weak reference to instance (0x6000039a) of class MPSGraph. It is \
          possible",
            "weak_ref_mpsgraph",
        ),
    ] {
        let signature = match_line(line).unwrap_or_else(|| panic!("no signature for: {line}"));
        assert_eq!(signature.id, expected, "{line}");
        assert!(signature.counts(), "{line}");
    }
}

#[test]
fn errors_of_the_gpu_are_told_by_name() {
    for (line, expected) in [
        (
            "Error (00000003:kIOGPUCommandBufferCallbackErrorHang)",
            "gpu_hang",
        ),
        (
            "(00000004:kIOGPUCommandBufferCallbackErrorSubmissionsIgnored)",
            "gpu_ignored",
        ),
        (
            "(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
            "gpu_oom",
        ),
        (
            "(00000009:kIOGPUCommandBufferCallbackErrorInvalidResource)",
            "gpu_invalid_resource",
        ),
        (
            "(0000000b:kIOGPUCommandBufferCallbackErrorPageFault)",
            "gpu_page_fault",
        ),
        (
            "(0000000e:kIOGPUCommandBufferCallbackErrorImpactingInteractivity)",
            "gpu_interactivity",
        ),
        (
            "(000000ff:kIOGPUCommandBufferCallbackErrorOfTomorrow)",
            "gpu_error",
        ),
    ] {
        let signature = match_line(line).unwrap_or_else(|| panic!("no signature for: {line}"));
        assert_eq!(signature.id, expected, "{line}");
        assert!(signature.counts(), "{line}");
    }
    let victim = "(00000005:kIOGPUCommandBufferCallbackErrorInnocentVictim)";
    let victim = match_line(victim).expect("a signature");
    assert_eq!((victim.id.as_str(), victim.counts()), ("gpu_victim", false));
    for line in [
        "",
        "loss 0.1",
        "created a command encoder",
        "Metal device: Apple M4",
    ] {
        assert_eq!(
            match_line(line).map(|signature| signature.id.as_str()),
            None,
            "{line}"
        );
    }
}
