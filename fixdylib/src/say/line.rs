//! One line of text in a fixed room, so that telling something allocates nothing.

use std::ffi::CStr;
use std::fmt::{self, Write as _};

use super::printable::{show, shown_len};

/// Bytes of a line with its prefix, its end of line, and a NUL.
const ROOM: usize = 512;

/// `agx_fix[pid]: <what>`, cut where the room ends, and printable to its end: names and values come from others.
#[derive(Clone, Copy)]
pub struct Line {
    /// Ends in a newline and a NUL.
    bytes: [u8; ROOM],
    /// Up to the newline.
    len: usize,
    /// Of the prefix.
    prefix: usize,
    /// Something found no room: nothing comes after it.
    is_cut: bool,
}

impl Line {
    /// Nothing.
    pub const EMPTY: Self = Self {
        bytes: [0; ROOM],
        len: 0,
        prefix: 0,
        is_cut: false,
    };

    /// What the process `pid` has to tell.
    pub fn new(pid: u32, what: fmt::Arguments<'_>) -> Self {
        let mut line = Self::EMPTY;
        // Writing to a line never fails; what a `Display` inside refuses to print is left out, and the rest with it.
        line.is_cut = write!(line, "agx_fix[{pid}]: ").is_err();
        line.prefix = line.len;
        line.is_cut |= line.write_fmt(what).is_err();
        line.bytes[line.len] = b'\n';
        line
    }

    /// With prefix and end of line.
    pub fn for_stderr(&self) -> &[u8] {
        &self.bytes[..=self.len]
    }

    /// Without either: a log knows the process.
    pub fn for_log(&mut self) -> &CStr {
        self.bytes[self.len] = 0;
        CStr::from_bytes_until_nul(&self.bytes[self.prefix..]).unwrap_or_default() // there is one, set above
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            // A newline and a NUL have their place. A log shows nothing of a text that is cut inside a character.
            self.is_cut |= shown_len(c) > ROOM - 2 - self.len;
            if self.is_cut {
                break;
            }
            show(c, &mut Put(self))?;
        }
        Ok(())
    }
}

/// Writes characters as they are, for which there is room.
struct Put<'a>(&'a mut Line);

impl fmt::Write for Put<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.0.len + text.len();
        self.0.bytes[self.0.len..end].copy_from_slice(text.as_bytes());
        self.0.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stderr_has_a_prefix_and_a_log_has_none() {
        let mut line = Line::new(42, format_args!("{} of {}", 1, 2));
        assert_eq!(line.for_stderr(), b"agx_fix[42]: 1 of 2\n");
        assert_eq!(line.for_log(), c"1 of 2");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        // The prefix is 12 bytes, so that a character of two bytes would lie across the end.
        let mut line = Line::new(1, format_args!("{}", "a".to_owned() + &"é".repeat(ROOM)));
        let bytes = line.for_stderr();
        assert_eq!(bytes.len(), ROOM - 2);
        assert!(bytes.ends_with("é\n".as_bytes()));
        assert_eq!(line.for_log().count_bytes(), ROOM - 3 - 12);
        let mut line = Line::new(1, format_args!("{}", "a".repeat(ROOM)));
        assert_eq!(line.for_stderr().len(), ROOM - 1);
        assert_eq!(line.for_log().count_bytes(), ROOM - 2 - 12);
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        let line = Line::new(1, format_args!("{}", "\u{1b}]0;title\u{7}\n\0"));
        assert_eq!(
            line.for_stderr(),
            b"agx_fix[1]: \\u{1b}]0;title\\u{7}\\n\\u{0}\n"
        );
    }

    #[test]
    fn what_comes_after_the_end_of_the_room_is_left_out() {
        let long = "a".repeat(ROOM - 2 - 12 - 1);
        let line = Line::new(1, format_args!("{long}{}b", '\u{1b}'));
        assert!(line.for_stderr().ends_with(b"aa\n"));
    }

    #[test]
    fn nothing_to_tell_is_a_prefix() {
        let mut line = Line::new(1, format_args!(""));
        assert_eq!(line.for_stderr(), b"agx_fix[1]: \n");
        assert_eq!(line.for_log(), c"");
    }
}
