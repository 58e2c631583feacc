//! The fix library.
