//! The driver's race: an encoder's implementation pointer is NULL while another thread uses it.
//! Symbols and offsets are those published with the crash reports of the race; classes carry the
//! chip family's letters, so that patterns leave those open.

use crate::diagnose::signature::{Blame, Rule, Signature};

const NULL_IMPL: &str = "The encoder's implementation was NULL when the driver read from it: \
    another thread ended or destroyed the encoder at that moment.";

const SERIALISE: &str = "Run with the fix library (`agxrun` does so by default), or let only one \
    thread at a time encode and commit.";

const PUBLISHED: &str = "published crash reports of the AGX race, macOS 15 and 26";

const fn null_impl(
    id: &'static str,
    title: &'static str,
    top: &'static [&'static str],
    addresses: &'static [u64],
) -> Signature {
    Signature {
        id,
        title,
        meaning: NULL_IMPL,
        remedy: SERIALISE,
        source: PUBLISHED,
        blame: Blame::Driver,
        report: Some(Rule {
            exceptions: &["EXC_BAD_ACCESS", "SIGSEGV", "SIGBUS"],
            top,
            addresses,
            ..Rule::ANY
        }),
        lines: &[],
    }
}

pub(super) static TABLE: [Signature; 6] = [
    null_impl(
        "agx_null_pipeline",
        "NULL implementation in setComputePipelineState",
        &[
            "-[AGXG*FamilyComputeContext* setComputePipelineState:]",
            "AGX::ComputeContext<*>::setPipelineCommon*",
        ],
        // The second on the G17 family.
        &[0x5c8, 0x9cc],
    ),
    null_impl(
        "agx_null_spill",
        "NULL implementation in allocateUSCSpillBuffer",
        &["AGX::SpillInfo*::allocateUSCSpillBuffer*"],
        &[0x184],
    ),
    null_impl(
        "agx_null_prepare",
        "NULL implementation in prepareForEnqueue",
        &["AGX::ComputeContext<*>::prepareForEnqueue*"],
        &[0x98],
    ),
    null_impl(
        "agx_null_dispatch",
        "NULL implementation in dispatchThreads",
        &["-[AGXG*FamilyComputeContext* dispatchThread*:threadsPerThreadgroup:]"],
        &[0x5f4],
    ),
    null_impl(
        "agx_null_buffer",
        "NULL implementation in setBuffer",
        &["-[AGXG*FamilyComputeContext* setBuffer:offset:*atIndex:]"],
        &[0x3b90],
    ),
    null_impl(
        "agx_null_resource",
        "NULL implementation in bindResource",
        &["AGX::ResourceGroupUsage<*>::bindResource*"],
        &[0x1e0],
    ),
];
