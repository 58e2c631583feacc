//! Bytes into lines, with bounded memory.

/// Longest line delivered whole, in bytes; a longer one comes in pieces of this length.
pub const LINE_LIMIT: usize = 64 * 1024;

/// Splits a stream at `\n` and at `\r`: a progress bar redraws one line for hours, and each redraw is
/// one line here. Empty lines are not delivered.
#[derive(Debug, Default)]
pub struct LineSplitter {
    begun: Vec<u8>,
}

impl LineSplitter {
    /// Takes the next bytes; calls `line` for each line they complete, without its end.
    pub fn feed(&mut self, mut bytes: &[u8], line: &mut dyn FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            self.append(&bytes[..end], line);
            self.finish(line);
            bytes = &bytes[end + 1..];
        }
        self.append(bytes, line);
    }

    /// Delivers a last line that has no end.
    pub fn finish(&mut self, line: &mut dyn FnMut(&[u8])) {
        if !self.begun.is_empty() {
            line(&self.begun);
            self.begun.clear();
        }
    }

    fn append(&mut self, mut bytes: &[u8], line: &mut dyn FnMut(&[u8])) {
        while self.begun.len() + bytes.len() > LINE_LIMIT {
            let (head, tail) = bytes.split_at(LINE_LIMIT - self.begun.len());
            self.begun.extend_from_slice(head);
            self.finish(line);
            bytes = tail;
        }
        self.begun.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut splitter = LineSplitter::default();
        for piece in pieces {
            splitter.feed(piece, &mut |line| found.push(line.to_vec()));
        }
        splitter.finish(&mut |line| found.push(line.to_vec()));
        found
    }

    #[test]
    fn a_progress_bar_is_many_lines() {
        assert_eq!(
            lines(&[b" 1%\r 2%\r\n", b"err", b"or\r\nlast"]),
            [&b" 1%"[..], b" 2%", b"error", b"last"]
        );
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        let long = vec![b'x'; 2 * LINE_LIMIT + 1];
        let lengths: Vec<_> = lines(&[&long, b"\n"]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [LINE_LIMIT, LINE_LIMIT, 1]);
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_does_not_matter(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..400),
            size in 1usize..50,
        ) {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            let expected: Vec<Vec<u8>> = bytes
                .split(|b| matches!(b, b'\n' | b'\r'))
                .filter(|line| !line.is_empty())
                .map(<[u8]>::to_vec)
                .collect();
            prop_assert_eq!(lines(&pieces), expected);
        }
    }
}
