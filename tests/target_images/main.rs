//! What becomes of the library in programs of every kind: files made here, with the structures that
//! the system's tools write, each with the verdict that it must get.

mod damaged;
mod elf;
mod files;
mod linux;
mod long_run;
mod macho;
mod macos;
mod mutated;
mod parsing;
mod real;
mod signature;
mod signed;
mod support;
mod watched;
