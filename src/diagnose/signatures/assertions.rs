//! Assertions of Metal, as they stand on stderr and sometimes in a report's own information.
//! Line numbers and quotes change between releases; patterns leave both open.

use crate::diagnose::signature::{Blame, Confidence, Rule, Signature};

const ORDER: &str = "Give every thread its own command buffer, end each encoder before the commit, \
    and run with the fix library.";

/// An assertion told by its sentence.
const fn said(
    id: &'static str,
    title: &'static str,
    meaning: &'static str,
    lines: &'static [&'static str],
    source: &'static str,
) -> Signature {
    Signature {
        id,
        title,
        meaning,
        remedy: ORDER,
        source,
        blame: Blame::Driver,
        report: Some(Rule {
            said: true,
            ..Rule::ANY
        }),
        lines,
    }
}

/// An assertion told by its stack: most reports say only `abort() called`.
const fn stack(
    id: &'static str,
    title: &'static str,
    meaning: &'static str,
    anywhere: &'static [&'static str],
    confidence: Confidence,
) -> Signature {
    Signature {
        id,
        title,
        meaning,
        remedy: ORDER,
        source: "crash reports of the assertion",
        blame: Blame::Driver,
        report: Some(Rule {
            exceptions: &["SIGABRT", "EXC_CRASH"],
            anywhere,
            confidence,
            ..Rule::ANY
        }),
        lines: &[],
    }
}

pub(super) static TABLE: [Signature; 17] = [
    Signature {
        id: "fix_not_loadable",
        title: "the injected library could not be loaded",
        meaning: "The loader ended the process before its first instruction, because the library \
            that was to be inserted could not be loaded. This is no crash of the target.",
        remedy: "Check the library's path, architecture and signature, or run with `--no-fix`.",
        source: "dyld's source and the sentence it prints",
        blame: Blame::Tool,
        report: Some(Rule {
            namespace: Some("DYLD"),
            said: true,
            ..Rule::ANY
        }),
        // The second stands in the report, where the loader tells what it tried.
        lines: &["inserted dylib *could not be loaded", "tried: '*libagx_fix"],
    },
    said(
        "encoder_already_open",
        "a second encoder on a command buffer whose first is open",
        "Two threads encoded to one command buffer at the same time.",
        &[
            "AGX*CommandBuffer *failed assertion *A command encoder is already encoding to this \
           command buffer",
        ],
        "EricLBuehler/mistral.rs#393, huggingface/candle#2637, ddnet/ddnet#4446",
    ),
    said(
        "double_commit",
        "a command buffer committed twice",
        "The same command buffer was committed a second time, as happens when two threads share one.",
        &[
            "IOGPUMetalCommandBuffer validate]*failed assertion *commit an already committed command \
           buffer",
        ],
        "public reports of PyTorch MPS",
    ),
    said(
        "uncommitted_encoder",
        "a command buffer committed with an open encoder",
        "One thread committed the command buffer while another was still encoding to it.",
        &["failed assertion *commit command buffer with uncommitted encoder"],
        "public reports of PyTorch MPS",
    ),
    said(
        "handler_after_commit",
        "a handler added after the commit",
        "One thread committed the command buffer before another had added its handler.",
        &["CommandBuffer add*Handler:]*failed assertion *andler provided after commit call"],
        "pytorch/pytorch#100285, water-rs/waterui#308",
    ),
    said(
        "set_encoder_after_commit",
        "an encoder opened after the commit",
        "One thread committed the command buffer before another opened its encoder.",
        &[
            "_status < MTLCommandBufferStatusCommitted*-[IOGPUMetalCommandBuffer \
           setCurrentCommandEncoder:]",
        ],
        "public reports of PyTorch MPS and MLX",
    ),
    said(
        "signal_event_uncommitted",
        "an event signalled with an open encoder",
        "One thread signalled an event on the command buffer while another was still encoding.",
        &[
            "CommandBuffer encodeSignalEvent:value:]*with uncommitted encoder",
            "failed assertion *encodeSignalEvent:value: with uncommitted encoder*CommandBuffer",
        ],
        "public reports of PyTorch MPS",
    ),
    said(
        "wait_event_uncommitted",
        "an event awaited with an open encoder",
        "One thread encoded a wait on the command buffer while another was still encoding.",
        &["CommandBuffer encodeWaitForEvent:value:*with uncommitted encoder"],
        "KhronosGroup/MoltenVK#2078",
    ),
    said(
        "encoder_dealloc_unended",
        "an encoder released without endEncoding",
        "The last owner let go of an encoder that was still open.",
        &["Command encoder released without endEncoding"],
        "gfx-rs/wgpu#2077",
    ),
    said(
        "weak_ref_mpsgraph",
        "a weak reference to an MPSGraph that is being destroyed",
        "One thread destroyed a graph while another was about to use it.",
        &["Cannot form weak reference to instance *of class MPSGraph"],
        "public reports of PyTorch MPS",
    ),
    stack(
        "encoder_already_open_stack",
        "a second encoder on a command buffer whose first is open",
        "Two threads encoded to one command buffer at the same time.",
        &["-[AGXG*Family*CommandBuffer* \
           tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:]"],
        Confidence::High,
    ),
    stack(
        "event_assertion",
        "an event encoded on a command buffer with an open encoder",
        "One thread signalled or awaited an event while another was still encoding.",
        &[
            "-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]",
            "-[IOGPUMetalCommandBuffer encodeWaitForEvent:value:*]",
        ],
        Confidence::High,
    ),
    stack(
        "commit_assertion",
        "a command buffer committed twice or with an open encoder",
        "Threads shared a command buffer: one committed it while another used it. Which of both \
         it was stands on stderr.",
        &["-[IOGPUMetalCommandBuffer validate]"],
        Confidence::High,
    ),
    stack(
        "handler_assertion",
        "a handler added at the wrong moment",
        "A handler was added after the commit, or while an encoder was open, by another thread.",
        &[
            "-[_MTLCommandBuffer addCompletedHandler:]",
            "-[_MTLCommandBuffer addScheduledHandler:]",
        ],
        Confidence::High,
    ),
    stack(
        "encoder_after_commit_stack",
        "an encoder opened after the commit",
        "One thread committed the command buffer before another opened its encoder.",
        &["-[IOGPUMetalCommandBuffer setCurrentCommandEncoder:]"],
        Confidence::High,
    ),
    stack(
        "encoder_dealloc_stack",
        "an encoder released without endEncoding",
        "The last owner let go of an encoder that was still open.",
        &["-[_MTLCommandEncoder dealloc]"],
        Confidence::High,
    ),
    stack(
        "metal_assertion",
        "an assertion of Metal",
        "Metal ended the process because of a wrong use; the sentence stands on stderr.",
        &["MTLReportFailure*"],
        Confidence::Medium,
    ),
];
