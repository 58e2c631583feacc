//! Reading JSON objects field by field into values that already stand somewhere, so that what was
//! read before damage is kept.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::reports::problem::Problem;

/// A structure that takes its fields one by one.
pub(in crate::reports) trait Fields {
    /// Reads the field's value, or passes over it.
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error>;
}

/// How many entries of lists are kept of one report, all its lists together. The largest report
/// seen has some 12,000 frames and images; without a bound, ten million empty frames would take a
/// gigabyte.
const ENTRY_LIMIT: usize = 300_000;

/// How many more entries of lists may be kept.
pub(in crate::reports) struct Room(usize);

impl Room {
    pub(in crate::reports) fn new() -> Self {
        Self(ENTRY_LIMIT)
    }

    /// Takes one entry's room, where there is some.
    pub(in crate::reports) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// A field whose key was read, and whose value is next in the map: it is read once, in one of the
/// forms below, and what has another form is noted under the key.
pub(in crate::reports) struct Field<'a, A> {
    pub(in crate::reports) key: &'a str,
    pub(in crate::reports) map: &'a mut A,
    pub(in crate::reports) problems: &'a mut Vec<Problem>,
    pub(in crate::reports) room: &'a mut Room,
}

impl<'de, A: MapAccess<'de>> Field<'_, A> {
    /// Passes over the value.
    pub(in crate::reports) fn skip(self) -> Result<(), A::Error> {
        self.map.next_value::<IgnoredAny>().map(drop)
    }

    /// Reads an object into what stands already; whether there was one.
    pub(in crate::reports) fn object<T: Fields>(self, into: &mut T) -> Result<bool, A::Error> {
        self.map.next_value_seed(Object {
            into,
            problems: self.problems,
            room: self.room,
            key: self.key,
        })
    }

    /// Reads an object that may be missing; what is none leaves `None`.
    pub(in crate::reports) fn optional<T: Fields + Default>(
        self,
        into: &mut Option<T>,
    ) -> Result<(), A::Error> {
        if !self.object(into.get_or_insert_default())? {
            *into = None;
        }
        Ok(())
    }

    /// Reads a list of objects, behind those that stand already, and no more than `limit`.
    pub(in crate::reports) fn list<T: Fields + Default>(
        self,
        into: &mut Vec<T>,
        limit: usize,
    ) -> Result<(), A::Error> {
        self.map.next_value_seed(List {
            into,
            problems: self.problems,
            room: self.room,
            key: self.key,
            limit,
        })
    }
}

/// Reads the one object that is all of a text.
pub(in crate::reports) fn parse<T: Fields>(
    text: &str,
    into: &mut T,
    problems: &mut Vec<Problem>,
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    Object {
        into,
        problems,
        room: &mut Room::new(),
        key: "",
    }
    .deserialize(&mut json)?;
    json.end()
}

/// Reads the object at the start of a text, and gives the number of bytes behind it.
pub(in crate::reports) fn parse_prefix<T: Fields>(
    text: &str,
    into: &mut T,
    problems: &mut Vec<Problem>,
) -> Result<usize, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    Object {
        into,
        problems,
        room: &mut Room::new(),
        key: "",
    }
    .deserialize(&mut json)?;
    // `end` is an error exactly where something follows; its place is that of the first such byte.
    Ok(json
        .end()
        .err()
        .map_or(0, |error| bytes_from(text, error.line(), error.column())))
}

fn bytes_from(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    text.len().saturating_sub(before + column.saturating_sub(1))
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads one object into `into`; anything else is noted under `key`.
struct Object<'a, T> {
    into: &'a mut T,
    problems: &'a mut Vec<Problem>,
    room: &'a mut Room,
    key: &'a str,
}

impl<'de, T: Fields> DeserializeSeed<'de> for Object<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Fields> Visitor<'de> for Object<'_, T> {
    /// Whether there was an object.
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            self.into.take(Field {
                key: &key,
                map: &mut map,
                problems: self.problems,
                room: self.room,
            })?;
        }
        Ok(true)
    }

    super::object::drift_visits!(bool, "an object", seq bool str number null);
}

/// Reads a list of objects, each into a fresh `T`; a list longer than `limit` is cut, with a note.
struct List<'a, T> {
    into: &'a mut Vec<T>,
    problems: &'a mut Vec<Problem>,
    room: &'a mut Room,
    key: &'a str,
    limit: usize,
}

impl<'de, T: Fields + Default> DeserializeSeed<'de> for List<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Fields + Default> Visitor<'de> for List<'_, T> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            if self.into.len() >= self.limit || !self.room.take() {
                if list.next_element::<IgnoredAny>()?.is_some() {
                    too_many(self.problems, self.key, self.into.len());
                    while list.next_element::<IgnoredAny>()?.is_some() {}
                }
                return Ok(());
            }
            // Pushed first: an entry cut off in the middle keeps what was read of it. One of an
            // odd form stays as an empty entry, as frames point into lists by index.
            self.into.push(T::default());
            let Some(into) = self.into.last_mut() else {
                return Ok(());
            };
            let seed = Object {
                into,
                problems: self.problems,
                room: self.room,
                key: self.key,
            };
            match list.next_element_seed(seed) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.into.pop();
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    super::object::drift_visits!((), "a list of objects", map bool str number null);
}

/// Visits of the forms that were not expected: noted under the seed's key, and passed over.
/// A `null` is how some writers say "nothing", and is not worth a note.
macro_rules! drift_visits {
    ($value:ty, $expected:literal, $($form:ident)*) => {
        $(crate::reports::ips::object::drift_visits!(@ $form $value, $expected);)*
    };
    (@ seq $value:ty, $expected:literal) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$value, A::Error> {
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            crate::reports::ips::object::note(self.problems, self.key, $expected, "a list");
            Ok(<$value>::default())
        }
    };
    (@ map $value:ty, $expected:literal) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$value, A::Error> {
            use serde::de::IgnoredAny;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            crate::reports::ips::object::note(self.problems, self.key, $expected, "an object");
            Ok(<$value>::default())
        }
    };
    (@ bool $value:ty, $expected:literal) => {
        fn visit_bool<E>(self, found: bool) -> Result<$value, E> {
            let found = if found { "true" } else { "false" };
            crate::reports::ips::object::note(self.problems, self.key, $expected, found);
            Ok(<$value>::default())
        }
    };
    (@ str $value:ty, $expected:literal) => {
        fn visit_str<E>(self, _: &str) -> Result<$value, E> {
            crate::reports::ips::object::note(self.problems, self.key, $expected, "text");
            Ok(<$value>::default())
        }
    };
    (@ number $value:ty, $expected:literal) => {
        fn visit_u64<E>(self, _: u64) -> Result<$value, E> {
            crate::reports::ips::object::note(self.problems, self.key, $expected, "a number");
            Ok(<$value>::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<$value, E> {
            crate::reports::ips::object::note(self.problems, self.key, $expected, "a number");
            Ok(<$value>::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<$value, E> {
            crate::reports::ips::object::note(self.problems, self.key, $expected, "a number");
            Ok(<$value>::default())
        }
    };
    (@ null $value:ty, $expected:literal) => {
        fn visit_unit<E>(self) -> Result<$value, E> {
            Ok(<$value>::default())
        }
    };
}
pub(in crate::reports) use drift_visits;

/// How many notes of drifted fields are kept: a file of garbage must not fill the memory.
const DRIFT_LIMIT: usize = 100;

/// Notes that a list was cut off behind `limit` entries.
pub(in crate::reports) fn too_many(problems: &mut Vec<Problem>, list: &str, limit: usize) {
    if problems.len() < DRIFT_LIMIT {
        let list = list.to_owned();
        problems.push(Problem::TooMany { list, limit });
    }
}

pub(in crate::reports) fn note(
    problems: &mut Vec<Problem>,
    field: &str,
    expected: &'static str,
    found: &'static str,
) {
    if problems.len() < DRIFT_LIMIT {
        let field = field.to_owned();
        problems.push(Problem::Drifted {
            field,
            expected,
            found: found.to_owned(),
        });
    }
}
