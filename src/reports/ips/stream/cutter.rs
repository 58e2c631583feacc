//! Cuts JSON text from a reader into pieces by its brackets and quotes, and keeps one at a time.

use std::io::{self, Read};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// Why the cutting ended.
#[derive(Debug)]
pub(super) enum Stop {
    Io(io::Error),
    /// The text ends too early.
    End,
    /// It is no JSON here.
    Syntax(&'static str),
}

/// What was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// The text did not end before the piece did.
    pub(super) is_whole: bool,
    /// It was longer than is kept: there are no bytes of it.
    pub(super) is_too_long: bool,
}

pub(super) struct Cutter<R> {
    input: R,
    limit: usize,
    buffer: Vec<u8>,
    /// Where in the buffer the place is; what lies before may go.
    at: usize,
    /// Length of the piece that was cut last, and lies at the place until one moves on.
    taken: usize,
    /// Bytes of the text that lay before the buffer.
    before: usize,
    line: usize,
    line_start: usize,
}

impl<R: Read> Cutter<R> {
    /// Cuts what `input` gives into pieces of at most `limit` bytes.
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            limit,
            buffer: Vec::new(),
            at: 0,
            taken: 0,
            before: 0,
            line: 1,
            line_start: 0,
        }
    }

    /// Line of the place, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Column of the place in bytes, from 1.
    pub(super) fn column(&self) -> usize {
        self.offset() - self.line_start + 1
    }

    /// Bytes before the place.
    pub(super) fn offset(&self) -> usize {
        self.before + self.at
    }

    /// The piece that was cut last.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer
            .get(self.at..self.at + self.taken)
            .unwrap_or_default()
    }

    /// Moves on to what is no space, and gives it.
    pub(super) fn peek(&mut self) -> Result<u8, Stop> {
        self.move_on(self.taken);
        self.taken = 0;
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let found = rest.iter().position(|byte| !is_space(*byte));
            let spaces = found.unwrap_or(rest.len());
            let byte = rest.get(spaces).copied();
            self.move_on(spaces);
            if let Some(byte) = byte {
                return Ok(byte);
            }
            if !self.fill().map_err(Stop::Io)? {
                return Err(Stop::End);
            }
        }
    }

    /// Passes over one byte, which must be `wanted`.
    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        if self.peek()? != wanted {
            return Err(Stop::Syntax(match wanted {
                b'{' => "expected an object",
                b':' => "expected `:` behind a key",
                _ => "expected `,` or `}`",
            }));
        }
        self.taken = 1;
        Ok(())
    }

    /// Cuts the value at the place.
    pub(super) fn piece(&mut self) -> Result<Piece, Stop> {
        self.peek()?;
        let mut scan = Scan::default();
        let mut length = 0;
        let mut is_too_long = false;
        loop {
            let rest = self.buffer.get(self.at + length..).unwrap_or_default();
            let (read, is_whole) = scan.run(rest);
            length += read;
            if length > self.limit {
                is_too_long = true;
            }
            if is_too_long {
                self.move_on(length);
                length = 0;
            }
            if is_whole || !self.fill().map_err(Stop::Io)? {
                self.taken = length;
                return Ok(Piece {
                    is_whole,
                    is_too_long,
                });
            }
        }
    }

    /// How many bytes there are from the next that is no space to the end.
    pub(super) fn rest(&mut self) -> io::Result<usize> {
        match self.peek() {
            Ok(_) => {}
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::End | Stop::Syntax(_)) => return Ok(0),
        }
        let start = self.offset();
        loop {
            let length = self.buffer.len() - self.at;
            self.move_on(length);
            if !self.fill()? {
                return Ok(self.offset() - start);
            }
        }
    }

    // The compiler makes vectors of the count: a crate for one line does no better.
    #[allow(clippy::naive_bytecount)]
    fn move_on(&mut self, length: usize) {
        let passed = self
            .buffer
            .get(self.at..self.at + length)
            .unwrap_or_default();
        if let Some(last) = passed.iter().rposition(|byte| *byte == b'\n') {
            self.line += passed.iter().filter(|byte| **byte == b'\n').count();
            self.line_start = self.before + self.at + last + 1;
        }
        self.at += length;
    }

    /// Reads on; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        // What was passed makes room, so that the buffer holds one piece and one chunk.
        self.buffer.drain(..self.at);
        self.before += self.at;
        self.at = 0;
        let end = self.buffer.len();
        self.buffer.resize(end + CHUNK, 0);
        let room = self.buffer.get_mut(end..).unwrap_or_default();
        let read = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = read.as_ref().copied().unwrap_or(0);
        self.buffer.truncate(end + count);
        read.map(|count| count > 0)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// How far a value goes, over several reads.
#[derive(Default)]
struct Scan {
    began: bool,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Scan {
    /// How many of the bytes belong to the value, and whether it ends with them.
    fn run(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().copied().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_text = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' if self.depth > 0 || !self.began => self.in_text = true,
                b'{' | b'[' if self.depth > 0 || !self.began => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                b'}' | b']' | b',' | b'{' | b'[' | b'"' if self.depth == 0 => return (at, true),
                _ if self.depth == 0 && is_space(byte) => return (at, true),
                _ => {}
            }
            self.began = true;
        }
        (bytes.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes a few at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len());
            let (now, later) = self.0.split_at(count);
            into[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    #[test]
    fn values_are_cut_where_they_end_however_they_arrive() {
        let text = br#"  "a\"}" {"x": "]}\\", "y": [{}]} [1,[2]]  -12.5e3 true,"#;
        let expected: [&[u8]; 5] = [
            br#""a\"}""#,
            br#"{"x": "]}\\", "y": [{}]}"#,
            b"[1,[2]]",
            b"-12.5e3",
            b"true",
        ];
        for step in [1, 2, 3, 7, 1000] {
            let mut cutter = Cutter::new(Slow(text, step), 1000);
            for wanted in expected {
                let piece = cutter.piece().expect("a piece");
                assert!(piece.is_whole && !piece.is_too_long);
                assert_eq!(cutter.bytes(), wanted, "{step} at a time");
            }
            assert_eq!(cutter.peek().ok(), Some(b','));
        }
    }

    #[test]
    fn a_long_value_is_passed_over_in_bounded_room() {
        let mut text = b"[".to_vec();
        text.extend(vec![b' '; 1 << 20]);
        text.extend(b"]\n7 ");
        let mut cutter = Cutter::new(&text[..], 1000);
        let piece = cutter.piece().expect("a piece");
        assert!(piece.is_whole && piece.is_too_long);
        assert!(cutter.bytes().is_empty() && cutter.buffer.capacity() < 4 * CHUNK);
        assert_eq!(cutter.piece().map(|piece| piece.is_whole).ok(), Some(true));
        assert_eq!(
            (cutter.bytes(), cutter.line(), cutter.column()),
            (&b"7"[..], 2, 1)
        );
    }

    #[test]
    fn a_cut_off_value_is_given_as_far_as_it_goes() {
        let mut cutter = Cutter::new(&b"{\"a\": 1, \"b"[..], 1000);
        let piece = cutter.piece().expect("a piece");
        assert!(!piece.is_whole);
        assert_eq!(cutter.bytes(), b"{\"a\": 1, \"b");
    }
}
