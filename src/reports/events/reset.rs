//! Forced resets: 151, `forceReset-full-*.ips`: somebody held the power button.
//!
//! The text under `string` (`panic(cpu 5 ...): btn_rst`) and `processByPid` were seen in accounts
//! of such files; no whole file is public.

use serde::Serialize;

use super::{Panic, Stackshot};

/// A machine that was reset by force.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ForcedReset {
    /// `string`: the kernel's words, in the form of a panic's.
    pub panic: Option<Panic>,
    /// `processByPid`: what every thread did then.
    pub stackshot: Option<Box<Stackshot>>,
}
