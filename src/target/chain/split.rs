//! `env -S`: one string into arguments.
//!
//! The rules are those of GNU's and FreeBSD's `env` (coreutils, "env invocation", "-S/--split-string
//! syntax"; env(1)); macOS has FreeBSD's.

use std::ffi::{OsStr, OsString};
use std::iter::Peekable;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::slice::Iter;

use crate::target::surroundings::Variables;

/// Splits `text`. `Err` is what `env` complains about.
pub fn split(text: &OsStr, variables: &Variables) -> Result<Vec<OsString>, String> {
    let mut splitter = Splitter {
        rest: text.as_bytes().iter().peekable(),
        variables,
        word: None,
        words: Vec::new(),
    };
    splitter.run()?;
    splitter.finish_word();
    Ok(splitter.words)
}

struct Splitter<'a> {
    rest: Peekable<Iter<'a, u8>>,
    variables: &'a Variables,
    /// The word that is being read; `Some` of an empty one after a pair of quotes.
    word: Option<Vec<u8>>,
    words: Vec<OsString>,
}

impl Splitter<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(byte) = self.rest.next() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.finish_word(),
                b'#' if self.word.is_none() => return Ok(()),
                b'\'' => self.single_quoted()?,
                b'"' => self.double_quoted()?,
                b'$' => self.variable()?,
                b'\\' => match self.escaped()? {
                    Escape::End => return Ok(()),
                    Escape::Space => self.finish_word(),
                    Escape::Byte(byte) => self.push(&[byte]),
                },
                other => self.push(&[*other]),
            }
        }
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) {
        self.word.get_or_insert_default().extend(bytes);
    }

    fn finish_word(&mut self) {
        self.words.extend(self.word.take().map(OsString::from_vec));
    }

    fn single_quoted(&mut self) -> Result<(), String> {
        self.push(b"");
        loop {
            match (self.next("a closing `'`")?, self.rest.peek()) {
                (b'\'', _) => return Ok(()),
                (b'\\', Some(b'\\' | b'\'')) => {
                    let escaped = self.next("a character behind `\\`")?;
                    self.push(&[escaped]);
                }
                (other, _) => self.push(&[other]),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<(), String> {
        self.push(b"");
        loop {
            match self.next("a closing `\"`")? {
                b'"' => return Ok(()),
                b'$' => self.variable()?,
                b'\\' => match self.escaped()? {
                    Escape::End => return Err("`\\c` within quotes".to_owned()),
                    Escape::Space => self.push(b" "),
                    Escape::Byte(byte) => self.push(&[byte]),
                },
                other => self.push(&[other]),
            }
        }
    }

    fn escaped(&mut self) -> Result<Escape, String> {
        Ok(match self.next("a character behind `\\`")? {
            b'c' => Escape::End,
            b'_' => Escape::Space,
            b'f' => Escape::Byte(0x0c),
            b'n' => Escape::Byte(b'\n'),
            b'r' => Escape::Byte(b'\r'),
            b't' => Escape::Byte(b'\t'),
            b'v' => Escape::Byte(0x0b),
            byte @ (b'#' | b'$' | b'"' | b'\'' | b'\\') => Escape::Byte(byte),
            other => return Err(format!("`\\{}` means nothing", char::from(other))),
        })
    }

    /// `${NAME}`; one that is not set is nothing.
    fn variable(&mut self) -> Result<(), String> {
        if self.rest.next() != Some(&b'{') {
            return Err("only `${NAME}` is replaced".to_owned());
        }
        let mut name = Vec::new();
        loop {
            match self.next("a closing `}`")? {
                b'}' => break,
                byte if byte.is_ascii_alphanumeric() || byte == b'_' => name.push(byte),
                _ => return Err("only `${NAME}` is replaced".to_owned()),
            }
        }
        if let Some(value) = self.variables.get(OsStr::from_bytes(&name)) {
            let value = value.as_bytes().to_vec();
            self.push(&value);
        }
        Ok(())
    }

    fn next(&mut self, missing: &str) -> Result<u8, String> {
        self.rest
            .next()
            .copied()
            .ok_or_else(|| format!("{missing} is missing"))
    }
}

enum Escape {
    End,
    Space,
    Byte(u8),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Result<Vec<String>, String> {
        let variables = Variables::from([("HOME".into(), "/Users/me".into())]);
        let words = split(OsStr::new(text), &variables)?;
        Ok(words
            .into_iter()
            .map(|word| word.into_string().expect("text"))
            .collect())
    }

    #[test]
    fn words_quotes_escapes_and_variables() {
        for (text, expected) in [
            (" python3  -u ", vec!["python3", "-u"]),
            ("a 'b c' \"d e\"", vec!["a", "b c", "d e"]),
            (r#"'it\'s' "\_" a\_b"#, vec!["it's", " ", "a", "b"]),
            ("${HOME}/bin/x ${NONE}", vec!["/Users/me/bin/x"]),
            ("a # b", vec!["a"]),
            (r"a\cb", vec!["a"]),
            ("''", vec![""]),
            ("", vec![]),
        ] {
            assert_eq!(words(text).expect(text), expected, "{text}");
        }
        for text in ["'a", "\"a", "$HOME", "${A", r"\q", "a\\", r#""\c""#] {
            words(text).expect_err(text);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            // Either answer will do, as long as there is one.
            let _ = split(OsStr::from_bytes(&bytes), &Variables::new());
        }
    }
}
