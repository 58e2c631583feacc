//! One line of text in a fixed room, so that telling something allocates nothing.

use std::ffi::CStr;
use std::fmt::{self, Write as _};

/// Bytes of a line with its prefix, its end of line, and a NUL.
const ROOM: usize = 512;

/// `agx_fix[pid]: <what>`, cut where the room ends.
#[derive(Clone, Copy)]
pub struct Line {
    /// Ends in a newline and a NUL.
    bytes: [u8; ROOM],
    /// Up to the newline.
    len: usize,
    /// Of the prefix.
    prefix: usize,
}

impl Line {
    /// Nothing.
    pub const EMPTY: Self = Self {
        bytes: [0; ROOM],
        len: 0,
        prefix: 0,
    };

    /// What the process `pid` has to tell.
    pub fn new(pid: u32, what: fmt::Arguments<'_>) -> Self {
        let mut line = Self::EMPTY;
        // Writing to a line never fails, and what a `Display` inside refuses to print is left out.
        let _ = write!(line, "agx_fix[{pid}]: ");
        line.prefix = line.len;
        let _ = line.write_fmt(what);
        line.bytes[line.len] = b'\n';
        line
    }

    /// With prefix and end of line.
    pub fn for_stderr(&self) -> &[u8] {
        &self.bytes[..=self.len]
    }

    /// Without either: a log knows the process. To be printed as it is, up to a NUL that somebody's name may hold.
    pub fn for_log(&mut self) -> &CStr {
        self.bytes[self.len] = 0;
        CStr::from_bytes_until_nul(&self.bytes[self.prefix..]).unwrap_or_default()
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // A newline and a NUL have their place. A log shows nothing of a text that is cut inside a character.
        let take = text.floor_char_boundary(ROOM - 2 - self.len);
        self.bytes[self.len..self.len + take].copy_from_slice(&text.as_bytes()[..take]);
        self.len += take;
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
    fn nothing_to_tell_is_a_prefix() {
        let mut line = Line::new(1, format_args!(""));
        assert_eq!(line.for_stderr(), b"agx_fix[1]: \n");
        assert_eq!(line.for_log(), c"");
    }
}
