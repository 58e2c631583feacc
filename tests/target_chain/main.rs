//! From a command to what it runs on a Mac, whose files are laid out in a folder: what is executed,
//! what becomes of the library, and what would help.

mod mac;
#[path = "../target_images/macho.rs"]
#[allow(dead_code)] // The tests of files make more kinds.
mod macho;
mod passing;
mod python;
#[path = "../target_images/signature.rs"]
#[allow(dead_code)] // As above.
mod signature;
mod verdicts;
