//! The table. It stands in order from specific to general: the first match is the diagnosis.

mod assertions;
mod driver;
mod gpu;
mod memory;

use super::signature::Signature;

/// Every signature, specific before general.
pub fn all() -> impl Iterator<Item = &'static Signature> {
    driver::TABLE
        .iter()
        .chain(&assertions::TABLE)
        .chain(&memory::TABLE)
        .chain(&gpu::TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_texts_are_there() {
        let mut ids = HashSet::new();
        for signature in all() {
            assert!(ids.insert(signature.id), "`{}` stands twice", signature.id);
            for text in [
                signature.title,
                signature.meaning,
                signature.remedy,
                signature.source,
            ] {
                assert!(!text.is_empty(), "`{}` lacks a text", signature.id);
            }
            let shows = signature.report.is_some() || !signature.lines.is_empty();
            assert!(shows, "`{}` can never match", signature.id);
        }
    }
}
