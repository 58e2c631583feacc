//! The rehearsal workload.
fn main() {}
