//! The report writer.
fn main() {}
