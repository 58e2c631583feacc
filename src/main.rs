//! `agxrun`: parse, dispatch, exit.
fn main() {}
