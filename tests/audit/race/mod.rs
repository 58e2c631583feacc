//! The race in `destroyImpl` and untested reads of `_impl`, in images that LLVM makes of assembly.

mod destroy;
mod driver;
mod reads;
mod words;
