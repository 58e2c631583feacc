//! The lists in `scripts/macos/imports/`: which symbols of which libraries may be imported.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use object::Architecture;

/// Which symbols may be imported from which library.
#[derive(Debug, Default, Clone)]
pub struct ImportList {
    /// By library and symbol: the architecture it is for, or `None` for all.
    allowed: BTreeMap<(String, String), Option<Architecture>>,
}

impl ImportList {
    /// Adds a list's lines: `[library]`, then a symbol a line, with an architecture's name behind it where only that one has
    /// the symbol; `#` begins a comment.
    pub fn add(&mut self, text: &str) -> Result<()> {
        let mut library = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                let name = name.strip_suffix(']');
                library =
                    Some(name.with_context(|| format!("line {number}: `{line}` has no `]`"))?);
                continue;
            }
            let mut words = line.split_whitespace();
            let symbol = words.next().unwrap_or_default();
            let architecture = words.next().map(architecture).transpose();
            let architecture = architecture.with_context(|| format!("line {number}"))?;
            ensure!(
                words.next().is_none(),
                "line {number}: `{line}` has too many words"
            );
            let library = library.with_context(|| format!("line {number}: no library above"))?;
            let key = (library.to_owned(), symbol.to_owned());
            let before = self.allowed.insert(key, architecture);
            ensure!(
                before.is_none(),
                "line {number}: `{symbol}` is listed twice"
            );
        }
        Ok(())
    }

    /// Whether a slice of this architecture may import the symbol from the library.
    pub fn allows(&self, library: &str, symbol: &str, architecture: Architecture) -> bool {
        self.allowed
            .get(&(library.to_owned(), symbol.to_owned()))
            .is_some_and(|only| only.is_none_or(|only| only == architecture))
    }

    /// Whether anything may be imported from the library.
    pub fn names(&self, library: &str) -> bool {
        self.allowed.keys().any(|(named, _)| named == library)
    }
}

fn architecture(word: &str) -> Result<Architecture> {
    Ok(match word {
        "arm64" => Architecture::Aarch64,
        "x86_64" => Architecture::X86_64,
        _ => bail!("`{word}` is no architecture (hint: arm64 or x86_64)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<ImportList> {
        let mut list = ImportList::default();
        list.add(text)?;
        Ok(list)
    }

    #[test]
    fn a_symbol_is_allowed_from_its_library_on_its_architecture() {
        let list = list("# why\n[/usr/lib/a.dylib]\n_one\n_two x86_64\n\n[/usr/lib/empty.dylib]\n")
            .unwrap();
        let arm = Architecture::Aarch64;
        let intel = Architecture::X86_64;
        assert!(list.allows("/usr/lib/a.dylib", "_one", arm));
        assert!(list.allows("/usr/lib/a.dylib", "_two", intel));
        assert!(!list.allows("/usr/lib/a.dylib", "_two", arm));
        assert!(!list.allows("/usr/lib/b.dylib", "_one", arm));
        assert!(!list.allows("/usr/lib/a.dylib", "_three", arm));
        assert!(list.names("/usr/lib/a.dylib"));
        assert!(!list.names("/usr/lib/empty.dylib"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        for (text, said) in [
            ("_one", "line 1: no library above"),
            ("[/usr/lib/a.dylib", "line 1"),
            ("[a]\n_one ppc", "line 2"),
            ("[a]\n_one arm64 x86_64", "too many words"),
            ("[a]\n_one\n_one arm64", "line 3: `_one` is listed twice"),
        ] {
            let error = format!("{:#}", list(text).unwrap_err());
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
