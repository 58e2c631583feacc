//! The versions of the fix as data: what each does around a call, and which methods it hooks.
//!
//! Both sides read it: the library follows one of the [`policies`], and the launcher prints them. Nothing here touches a
//! runtime, so that a class dump can be asked the same questions as a living class: is this method work ([`rules`]), is
//! it in a version's published list ([`published`]), and can it be forwarded ([`abi`])?

#![forbid(unsafe_code)]

pub mod abi;
pub mod coverage;
pub mod dump;
pub mod encoding;
pub mod hierarchy;
pub mod policies;
pub mod published;
pub mod rules;

pub use policies::{POLICIES, Policy, Refusal, default_policy, find, from_file_name};
