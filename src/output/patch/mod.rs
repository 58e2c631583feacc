//! The answer of `patch`: the instructions before and after, what was found of a copy, and, every time,
//! what the patch cannot do.

mod json;
mod text;

use std::fmt::Write;
use std::path::Path;

use crate::patch::Patched;
use crate::patch::verify::Report;

/// What there is to say.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The driver, as it was named.
    pub input: Option<&'a Path>,
    /// The copy, as it was named.
    pub output: Option<&'a Path>,
    /// What came of it.
    pub outcome: Outcome<'a>,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// The copy is written.
    Written(&'a Patched),
    /// It was made and checked, and not written.
    Made(&'a Patched),
    /// There is none, and why.
    Refused(String),
    /// A copy was looked at.
    Verified(&'a Report),
}

impl Answer<'_> {
    /// The screen.
    pub fn text(&self) -> String {
        text::of(self)
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Result<String> {
        json::of(self)
    }
}

/// What the patch cannot do, whoever uses it.
pub const CANNOT: [&str; 3] = [
    "Readers of `_impl` take no lock and test nothing. With NULL stored before the unlock they no longer meet a pointer that is in the free list already; they dereference NULL as before.",
    "Other races of the driver, and crashes that come of them, stay as they are. The fix library still has its purpose.",
    "The copy is signed ad hoc. A system loads it in the original's place only after its protections were lowered, which agxrun does not do: docs/patch.md.",
];

/// A UUID as Apple writes it.
fn uuid(bytes: [u8; 16]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let groups = [&hex[..4], &hex[4..6], &hex[6..8], &hex[8..10], &hex[10..]];
    groups.map(<[String]>::concat).join("-")
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::published;

    #[test]
    fn the_published_builds_number_is_written_as_reports_have_it() {
        assert_eq!(
            uuid(published::UUID),
            "0CE453FF-9F17-321F-BC18-383573A48221"
        );
    }
}
