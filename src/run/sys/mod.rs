//! The system calls that neither the standard library nor `nix` offers in safe form: fork and exec,
//! signal handlers with their origin, wait statuses, and the little that differs by platform.
//!
//! This is the only folder below `run` where unsafe code is allowed.
#![allow(unsafe_code)]

pub(super) mod background;
pub(super) mod detach;
pub(super) mod die;
pub(super) mod exec;
pub(super) mod handed;
pub(super) mod helper;
pub(super) mod inherited;
pub(super) mod machine;
pub(super) mod packet;
pub(super) mod resize;
pub(super) mod signals;
pub(super) mod wait;
pub(super) mod window;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
pub(super) mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
pub(super) mod os;
