//! Crash rates and what they prove.
