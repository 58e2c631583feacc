//! What is injected, where it is found or built, and the environment that carries it in.
//!
//! [`locate`] says where a piece stands, [`build`] makes it when it stands nowhere (the library from the sources in
//! [`embedded`]), [`check`] looks at the file before anything is launched with it (on macOS a library
//! that cannot be loaded ends the target), and [`environment`] is the pure computation of the
//! target's variables.

pub mod artifact;
pub mod build;
pub mod cargo;
pub mod check;
pub mod embedded;
pub mod environment;
pub mod locate;
pub mod turn;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
pub mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
pub mod platform;

pub use artifact::Artifact;
