//! macOS, as the host of a target.

use super::image::Processor;
use super::rules::System;

/// Its kernel and loader.
pub const SYSTEM: System = System::MacOs;
/// The processor that the kernel prefers for our children: that of our own slice, since children of
/// a process under Rosetta are translated, too, where they can be (Apple, "About the Rosetta
/// translation environment").
pub const PROCESSOR: Processor = if cfg!(target_arch = "aarch64") {
    Processor::Arm64
} else {
    Processor::X86_64
};
