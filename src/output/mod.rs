//! Terminal and JSON output.
