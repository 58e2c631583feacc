//! The system that is examined, on macOS.

use crate::target::rules::System;

/// It.
pub const SYSTEM: System = System::MacOs;
