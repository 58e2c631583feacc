//! The rehearsal driver.
