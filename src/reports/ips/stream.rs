//! Bodies that hold a sample of every thread, read a member at a time: such a body has megabytes,
//! of which a few facts are kept, and no more of it than one process is in memory at once.
//!
//! The text is cut where its brackets say so, and each piece goes to the same readers as a body
//! that is in memory. Damage inside a piece loses that piece alone.

use std::borrow::Cow;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, MapAccess};

use super::object::{Field, Room};
use crate::reports::events::Level;
use crate::reports::problem::Problem;

mod cutter;

use cutter::{Cutter, Stop};

/// The largest piece that is read, in bytes. The largest seen, `kernel_task`, has 200 KB.
const PIECE_LIMIT: usize = 4 * 1024 * 1024;

/// How many problems are noted.
const PROBLEM_LIMIT: usize = 100;

/// What takes the members.
pub(super) trait Members {
    /// Reads the value of a member that lies at `level`.
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        level: Level,
        field: Field<'_, A>,
    ) -> Result<(), A::Error>;
}

/// Reads the object that `input` begins with, which starts `offset` bytes into the file.
pub(super) fn read(
    input: impl Read,
    offset: usize,
    into: &mut impl Members,
    problems: &mut Vec<Problem>,
) -> io::Result<()> {
    let mut reader = Reader {
        cutter: Cutter::new(input, PIECE_LIMIT),
        offset,
        room: Room::new(),
        odd_bytes: false,
        problems,
    };
    match reader.object(into) {
        Ok(()) => {
            let bytes = reader.cutter.rest()?;
            if bytes > 0 {
                reader.note(Problem::TrailingData { bytes });
            }
            Ok(())
        }
        Err(Stop::Io(error)) => Err(error),
        Err(Stop::End) => {
            // To the end of the piece that was cut off.
            reader.cutter.rest()?;
            let line = reader.cutter.line();
            reader.note(Problem::BodyTruncated { line });
            Ok(())
        }
        Err(Stop::Syntax(reason)) => {
            let (line, column) = (reader.cutter.line(), reader.cutter.column());
            reader.note(Problem::BodySyntax {
                line,
                column,
                reason: reason.to_owned(),
            });
            Ok(())
        }
    }
}

struct Reader<'a, R> {
    cutter: Cutter<R>,
    offset: usize,
    room: Room,
    odd_bytes: bool,
    problems: &'a mut Vec<Problem>,
}

impl<R: Read> Reader<'_, R> {
    /// Reads the whole object, and those inside it whose members are read one by one.
    fn object(&mut self, into: &mut impl Members) -> Result<(), Stop> {
        self.cutter.expect(b'{')?;
        let mut levels = vec![Level::Body];
        // Whether a member may follow without a comma.
        let mut first = true;
        while let Some(level) = levels.last().copied() {
            let next = self.cutter.peek()?;
            if next == b'}' {
                self.cutter.expect(b'}')?;
                levels.pop();
                first = false;
                continue;
            }
            if !first {
                self.cutter.expect(b',')?;
            }
            first = false;
            let key = self.key()?;
            self.cutter.expect(b':')?;
            let opens = self.cutter.peek()? == b'{';
            if opens && let Some(inside) = level.inside(&key) {
                self.cutter.expect(b'{')?;
                levels.push(inside);
                first = true;
            } else {
                self.value(level, &key, into)?;
            }
        }
        Ok(())
    }

    fn key(&mut self) -> Result<String, Stop> {
        if self.cutter.peek()? != b'"' {
            return Err(Stop::Syntax("expected a key"));
        }
        let piece = self.cutter.piece()?;
        if !piece.is_whole {
            return Err(Stop::End);
        }
        let text = String::from_utf8_lossy(self.cutter.bytes());
        serde_json::from_str(&text).map_err(|_| Stop::Syntax("expected a key"))
    }

    /// Reads a value; one that the file's end cuts off as far as it goes.
    fn value(&mut self, level: Level, key: &str, into: &mut impl Members) -> Result<(), Stop> {
        let (line, column) = (self.cutter.line(), self.cutter.column());
        let piece = self.cutter.piece()?;
        if piece.is_too_long {
            self.note(Problem::TooLong {
                field: key.to_owned(),
                limit: PIECE_LIMIT,
            });
        } else {
            let bytes = self.cutter.bytes();
            let text = match str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(error) => {
                    let at = self.offset + self.cutter.offset() + error.valid_up_to();
                    if !self.odd_bytes {
                        self.odd_bytes = true;
                        self.problems.push(Problem::NotUtf8 { at });
                    }
                    String::from_utf8_lossy(bytes)
                }
            };
            let mut json = serde_json::Deserializer::from_str(&text);
            let field = Field {
                key,
                map: &mut OneValue(&mut json),
                problems: self.problems,
                room: &mut self.room,
            };
            let outcome = into.member(level, field).and_then(|()| json.end());
            if let Err(error) = outcome
                && piece.is_whole
            {
                let on_first_line = error.line() <= 1;
                self.note(Problem::BodySyntax {
                    line: line + error.line().saturating_sub(1),
                    column: error.column() + if on_first_line { column - 1 } else { 0 },
                    reason: error.to_string(),
                });
            }
        }
        if piece.is_whole {
            Ok(())
        } else {
            Err(Stop::End)
        }
    }

    fn note(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEM_LIMIT {
            self.problems.push(problem);
        }
    }
}

/// A value as the last of a map, whose key is known.
struct OneValue<'a, D>(&'a mut D);

impl<'de, R: serde_json::de::Read<'de>> MapAccess<'de>
    for OneValue<'_, serde_json::Deserializer<R>>
{
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        _: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        seed.deserialize(&mut *self.0)
    }
}
