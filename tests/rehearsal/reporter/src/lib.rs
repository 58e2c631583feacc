//! The crash handler of the report writer.
