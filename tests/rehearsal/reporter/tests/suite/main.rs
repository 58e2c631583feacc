//! The library and the writer together, in real processes that crash.
#![cfg(target_os = "linux")]

mod discretion;
mod reports;
mod support;
