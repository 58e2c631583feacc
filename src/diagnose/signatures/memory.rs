//! Freed objects that are still in use, and other memory faults around Metal.

use crate::diagnose::signature::{Blame, Confidence, Rule, Signature};

/// The runtime's functions that touch an object first.
const RUNTIME: &[&str] = &[
    "objc_msgSend*",
    "objc_retain*",
    "objc_release*",
    "objc_autorelease*",
];

const METAL_IMAGES: &[&str] = &[
    "AGXMetal*",
    "Metal",
    "IOGPU",
    "MetalPerformanceShaders*",
    "MPS*",
    "libtorch*",
    "libmlx*",
];

const FREED: &str = "An object of the driver was used after it had been freed: another thread \
    ended or released the encoder.";

const SERIALISE: &str = "Run with the fix library (`agxrun` does so by default), or let only one \
    thread at a time encode and commit.";

const PUBLISHED: &str = "published crash reports of the AGX race, macOS 15 and 26";

const fn freed(id: &'static str, title: &'static str, rule: Rule) -> Signature {
    Signature {
        id,
        title,
        meaning: FREED,
        remedy: SERIALISE,
        source: PUBLISHED,
        blame: Blame::Driver,
        report: Some(rule),
        lines: &[],
    }
}

pub(super) static TABLE: [Signature; 6] = [
    freed(
        "objc_uaf_pac",
        "use of a freed Metal object (failed pointer authentication)",
        Rule {
            top: RUNTIME,
            images: METAL_IMAGES,
            pointer_authentication: true,
            ..Rule::ANY
        },
    ),
    freed(
        "objc_uaf",
        "use of a freed Metal object",
        Rule {
            exceptions: &["EXC_BAD_ACCESS"],
            top: RUNTIME,
            images: METAL_IMAGES,
            confidence: Confidence::Medium,
            ..Rule::ANY
        },
    ),
    freed(
        "cf_uaf",
        "use of a freed Metal object (CoreFoundation trap)",
        Rule {
            exceptions: &["EXC_BREAKPOINT", "SIGTRAP"],
            top: &["CF_IS_OBJC"],
            images: METAL_IMAGES,
            confidence: Confidence::Medium,
            ..Rule::ANY
        },
    ),
    Signature {
        id: "mlx_custom_kernel_race",
        title: "race in MLX's custom kernels",
        meaning: "Two threads evaluated custom kernels at the same time, and MLX's kernel cache \
            is not made for that.",
        remedy: "Evaluate from one thread at a time; the fix library cannot reach this race.",
        source: "a public report of a multi-threaded MLX crash",
        blame: Blame::Target,
        report: Some(Rule {
            exceptions: &["EXC_BAD_ACCESS"],
            anywhere: &["mlx::core::fast::CustomKernel::eval_gpu*"],
            confidence: Confidence::Medium,
            ..Rule::ANY
        }),
        lines: &[],
    },
    Signature {
        id: "objc_uaf_elsewhere",
        title: "use of a freed Objective-C object, without Metal in the stack",
        meaning: "An object was used after it had been freed. Nothing in the stack ties it to \
            Metal, so it may be a fault of the target itself.",
        remedy: "Run with NSZombieEnabled=YES to learn the object's class.",
        source: "shape of a use after free in the Objective-C runtime",
        blame: Blame::Target,
        report: Some(Rule {
            exceptions: &["EXC_BAD_ACCESS"],
            top: RUNTIME,
            confidence: Confidence::Low,
            ..Rule::ANY
        }),
        lines: &[],
    },
    Signature {
        id: "dyld_termination",
        title: "the loader ended the process",
        meaning: "A library could not be loaded before the program began: one that was inserted, \
            or one of the program's own, which the loader's words then name.",
        remedy: "Install the library that the loader names. Where it names none, run with `--no-fix`: if \
            the program then starts, the inserted library is at fault.",
        source: "namespace DYLD of a termination; `__abort_with_payload` in the stack",
        blame: Blame::Tool,
        report: Some(Rule {
            namespace: Some("DYLD"),
            confidence: Confidence::Medium,
            ..Rule::ANY
        }),
        lines: &[],
    },
];
