//! Linux, as the host of a target.

use super::image::Processor;
use super::rules::System;

/// Its kernel and loader.
pub const SYSTEM: System = System::Linux;
/// The processor that this program is built for, which is the machine's.
pub const PROCESSOR: Processor = if cfg!(target_arch = "aarch64") {
    Processor::Arm64
} else {
    Processor::X86_64
};
