//! Text of others (a variable's value, a class's name, a path) made fit for a terminal and a log.

use std::fmt::{self, Write as _};

/// Whether a terminal shows this character and does nothing else: no control character (`ESC` begins commands), no other
/// line, nothing that turns the direction of writing (UAX #9) or is not seen at all.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Whether these bytes are plain ASCII, all of it printable.
pub fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Text of which what is not printable is escaped as Rust would: as many whole characters as fit into so many bytes, and an
/// ellipsis if there are more.
pub struct Printable<'a> {
    /// As it came.
    pub text: &'a str,
    /// Bytes at most, the ellipsis aside.
    pub most: usize,
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = self.most;
        for c in self.text.chars() {
            let len = shown_len(c);
            let Some(left) = room.checked_sub(len) else {
                return f.write_char('…');
            };
            room = left;
            show(c, f)?;
        }
        Ok(())
    }
}

/// Bytes of a character as [`show`] writes it.
pub fn shown_len(c: char) -> usize {
    if is_printable(c) {
        c.len_utf8()
    } else {
        c.escape_default().len()
    }
}

/// Writes a character, or its escape.
pub fn show(c: char, to: &mut impl fmt::Write) -> fmt::Result {
    if is_printable(c) {
        to.write_char(c)
    } else {
        c.escape_default().try_for_each(|c| to.write_char(c))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printable(text: &str, most: usize) -> String {
        Printable { text, most }.to_string()
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(printable("v3 é", 99), "v3 é");
        assert_eq!(
            printable("\u{1b}[2J\r\n\u{9b}\u{7f}", 99),
            r"\u{1b}[2J\r\n\u{9b}\u{7f}"
        );
        assert_eq!(printable("a\u{202e}b\u{200b}c", 99), r"a\u{202e}b\u{200b}c");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_escapes() {
        assert_eq!(printable("abc", 3), "abc");
        assert_eq!(printable("abcd", 3), "abc…");
        assert_eq!(printable("aé", 2), "a…");
        assert_eq!(printable("a\u{1b}b", 6), "a…");
        assert_eq!(printable("a\u{1b}b", 7), r"a\u{1b}…");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_printable_and_short(text in "\\PC{0,20}|[\\x00-\\x1f\u{80}-\u{a0}\u{2028}-\u{202e}a-z]{0,40}", most in 0_usize..60) {
            let shown = printable(&text, most);
            prop_assert!(shown.chars().all(is_printable));
            prop_assert!(shown.strip_suffix('…').unwrap_or(&shown).len() <= most);
            prop_assert!(!is_plain(text.as_bytes()) || text.len() > most || shown == text);
        }
    }
}
