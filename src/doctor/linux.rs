//! The system that is examined, on Linux.

use crate::target::rules::System;

/// It.
pub const SYSTEM: System = System::Linux;
