//! Errors of the GPU itself. They reach stderr or the system log, and usually leave no crash
//! report, as the process lives on. The number before the name is `MTLCommandBufferError`'s.

use crate::diagnose::signature::{Blame, Confidence, Rule, Signature};

const fn line(
    id: &'static str,
    title: &'static str,
    meaning: &'static str,
    remedy: &'static str,
    blame: Blame,
    lines: &'static [&'static str],
    source: &'static str,
) -> Signature {
    Signature {
        id,
        title,
        meaning,
        remedy,
        source,
        blame,
        report: None,
        lines,
    }
}

const OTHER_FAULT: &str = "Look for the first error before this one: it names the fault.";

pub(super) static TABLE: [Signature; 9] = [
    line(
        "gpu_victim",
        "a command buffer ended for another's fault",
        "The GPU was reset for the fault of another command buffer, often of another process.",
        "Nothing to do for this process; look for the process whose fault it was.",
        Blame::Elsewhere,
        &["kIOGPUCommandBufferCallbackErrorInnocentVictim"],
        "flutter/flutter#155538",
    ),
    line(
        "gpu_hang",
        "the GPU hung",
        "A command ran for too long, or never ended.",
        "Make single dispatches smaller, and look for endless loops in custom kernels.",
        Blame::Target,
        &[
            "kIOGPUCommandBufferCallbackErrorHang",
            "kIOGPUCommandBufferCallbackErrorTimeout",
        ],
        "public reports of PyTorch MPS",
    ),
    line(
        "gpu_ignored",
        "the GPU ignored submissions",
        "After earlier errors the system refuses this process's work.",
        OTHER_FAULT,
        Blame::Target,
        &["kIOGPUCommandBufferCallbackErrorSubmissionsIgnored"],
        "flutter/flutter#127151, ggml-org/llama.cpp#8886",
    ),
    line(
        "gpu_oom",
        "the GPU ran out of memory",
        "The working set did not fit into the memory that the GPU may use.",
        "Use a smaller batch or model, or raise the limit of wired memory.",
        Blame::Machine,
        &["kIOGPUCommandBufferCallbackErrorOutOfMemory"],
        "ggml-org/llama.cpp#9701",
    ),
    line(
        "gpu_invalid_resource",
        "the GPU used a resource that was freed",
        "A buffer was freed while a command that uses it was still queued.",
        "Keep buffers alive until their command buffer has completed.",
        Blame::Target,
        &["kIOGPUCommandBufferCallbackErrorInvalidResource"],
        "ml-explore/mlx#3461",
    ),
    line(
        "gpu_page_fault",
        "the GPU read or wrote where nothing is mapped",
        "A kernel used an address outside of its buffers.",
        "Check indices in custom kernels; run with MTL_SHADER_VALIDATION=1.",
        Blame::Target,
        &["kIOGPUCommandBufferCallbackErrorPageFault"],
        "flutter/flutter#155538, mousebird-consulting-inc/WhirlyGlobe#1604",
    ),
    line(
        "gpu_interactivity",
        "the GPU's work was ended in favour of the display",
        "A command ran for so long that the display would have stood still.",
        "Make single dispatches smaller.",
        Blame::Machine,
        &["kIOGPUCommandBufferCallbackErrorImpactingInteractivity"],
        "ggml-org/llama.cpp#22214",
    ),
    line(
        "gpu_error",
        "an error of the GPU",
        "A command buffer ended with an error that this table does not know.",
        OTHER_FAULT,
        Blame::Target,
        &["kIOGPUCommandBufferCallbackError"],
        "the form of all errors of this family",
    ),
    Signature {
        id: "gpu_event",
        title: "the GPU raised an error or was restarted",
        meaning: "The system recorded a fault of the GPU; the process it names may live on.",
        remedy: OTHER_FAULT,
        source: "reports of kind 284, 21 and 184",
        blame: Blame::Target,
        report: Some(Rule {
            gpu_event: true,
            confidence: Confidence::Medium,
            ..Rule::ANY
        }),
        lines: &[],
    },
];
