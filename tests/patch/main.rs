//! `agxrun patch`: drivers made here, patched, and read again by code that knows nothing of the patcher.

mod images;
mod signing;
mod tails;
