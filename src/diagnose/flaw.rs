//! What is wrong with a TOML file of a user's, and where.

/// What is wrong with a text, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The key or table that stands there.
    pub(crate) key: String,
    /// What is wrong, and what is allowed.
    pub(crate) reason: String,
}

/// Finds line and key of a place in the text.
pub(crate) fn flaw(text: &str, at: usize, reason: String) -> Flaw {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    // A value may go over several lines: its key stands on the nearest one above that has one.
    let key = text
        .lines()
        .take(line)
        .filter_map(key_of)
        .last()
        .unwrap_or_else(|| "the file".to_owned());
    Flaw { line, key, reason }
}

/// The key of a line `key = value`, or its `[[table]]`.
fn key_of(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with('[') {
        let end = line.find(']')?;
        let table = line.get(..=end)?;
        return (table
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "[]_-.".contains(c)))
        .then(|| format!("`{}`", table.trim_matches(['[', ']'])));
    }
    let (key, _) = line.split_once('=')?;
    let key = key.trim_end();
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (!key.is_empty() && key.chars().all(bare)).then(|| format!("`{key}`"))
}
