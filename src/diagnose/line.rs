//! Matching lines of stderr.

use super::glob;
use super::signature::Signature;
use super::signatures;

/// Words one of which stands in every line that a signature matches: most lines are none of ours,
/// and are done with here. A test holds them against the table.
const TELLING: [&str; 7] = [
    "IOGPU",
    "CommandBuffer",
    "ommand encoder",
    "uncommitted encoder",
    "of class MPSGraph",
    "inserted dylib",
    "libagx_fix",
];

/// The signature that a line of stderr matches, the most specific first.
pub fn match_line(line: &str) -> Option<&'static Signature> {
    if !TELLING.iter().any(|word| line.contains(word)) {
        return None;
    }
    signatures::all().find(|signature| has_line(signature, line))
}

/// Whether a text has one of a signature's lines in it.
pub(super) fn has_line(signature: &Signature, text: &str) -> bool {
    signature
        .lines
        .iter()
        .any(|pattern| glob::is_found(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_let_through_to_the_table() {
        for signature in signatures::all() {
            for pattern in signature.lines {
                let line = pattern.replace('*', "…");
                assert!(
                    TELLING.iter().any(|word| line.contains(word)),
                    "no telling word in `{pattern}`"
                );
            }
        }
    }
}
