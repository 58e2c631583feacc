//! Inspection of what is built for macOS, on any system: what a file says of itself is read, then judged.
//!
//! - [`read()`] turns a file into one [`Slice`] for each architecture: facts, no opinion. What contradicts itself, such as
//!   a fix-up outside of the file, is an error.
//! - [`judge()`] compares a slice with what its [`Product`] is meant to be, and names each difference.
//! - [`ImportList`] is what may be imported, as `scripts/macos/imports/` lists it.

mod imports;
mod judge;
mod product;
pub mod read;

pub use imports::ImportList;
pub use judge::judge;
pub use product::{Kind, PRODUCTS, Product};
pub use read::{Slice, read};
