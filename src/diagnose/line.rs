//! Matching lines of stderr.

use aho_corasick::{AhoCorasick, MatchKind};

use super::signature::Signature;

/// What finds the lines that may match: nearly all are none of ours, and one pass over their bytes
/// is all they cost.
#[derive(Debug)]
pub(super) struct Lines {
    /// Finds one piece of each pattern, its longest without a star; `None`: there are no patterns.
    telling: Option<AhoCorasick>,
}

impl Lines {
    pub(super) fn of(entries: &[Signature]) -> Self {
        let pieces = entries
            .iter()
            .flat_map(Signature::line_patterns)
            .map(|pattern| pattern.literal().to_owned());
        let mut pieces: Vec<String> = pieces.collect();
        pieces.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        // A piece that holds another is found with that one.
        let mut shortest: Vec<String> = Vec::new();
        for piece in pieces {
            if !shortest.iter().any(|short| piece.contains(short.as_str())) {
                shortest.push(piece);
            }
        }
        let telling = (!shortest.is_empty()).then(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(&shortest)
                // It fails past 2³¹ states, and a file of signatures has at most 2²⁰ bytes.
                .expect("the patterns are few and short")
        });
        Self { telling }
    }

    /// The first entry that has a pattern in the line.
    pub(super) fn find<'a>(&self, entries: &'a [Signature], line: &str) -> Option<&'a Signature> {
        self.telling
            .as_ref()
            .filter(|telling| telling.is_match(line))?;
        entries
            .iter()
            .find(|entry| entry.line_patterns().any(|pattern| pattern.is_in(line)))
    }
}
