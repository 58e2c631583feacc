//! Reading single values: each takes the forms known, and notes the others.

use std::fmt;

use chrono::{DateTime, FixedOffset};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::object::{Field, Room, drift_visits, note, too_many};
use super::rows::{Rows, Scalar};
use crate::reports::problem::Problem;
use crate::reports::time;

impl<'de, A: MapAccess<'de>> Field<'_, A> {
    /// Reads a text; a number is taken as its digits, as `bug_type` is written both ways.
    pub(in crate::reports) fn text(self) -> Result<Option<String>, A::Error> {
        let Self {
            key, map, problems, ..
        } = self;
        map.next_value_seed(Text { problems, key })
    }

    /// Reads a whole number that fits `T`; digits in a text count.
    pub(in crate::reports) fn number<T: TryFrom<i128>>(self) -> Result<Option<T>, A::Error> {
        let Self {
            key, map, problems, ..
        } = self;
        let Some(wide) = map.next_value_seed(Number { problems, key })? else {
            return Ok(None);
        };
        let fitting = T::try_from(wide).ok();
        if fitting.is_none() {
            note(problems, key, "a number in range", "a number out of range");
        }
        Ok(fitting)
    }

    /// Reads a date.
    pub(in crate::reports) fn date(self) -> Result<Option<DateTime<FixedOffset>>, A::Error> {
        let Self {
            key, map, problems, ..
        } = self;
        let Some(written) = map.next_value_seed(Text { problems, key })? else {
            return Ok(None);
        };
        let read = time::parse(&written);
        if read.is_none() {
            note(problems, key, "a date", "another text");
        }
        Ok(read)
    }

    /// Reads true or false.
    pub(in crate::reports) fn flag(self) -> Result<bool, A::Error> {
        let Self {
            key, map, problems, ..
        } = self;
        map.next_value_seed(Flag { problems, key })
    }

    /// Reads a number with or without a fraction.
    pub(in crate::reports) fn float(self) -> Result<Option<f64>, A::Error> {
        let Self {
            key, map, problems, ..
        } = self;
        map.next_value_seed(Float { problems, key })
    }

    /// Reads a list of lists of numbers and texts, `[[0, 86034776532], ...]`, and gives each row to
    /// `each`, at most `limit`. Rows are cut behind their fourth entry.
    pub(in crate::reports) fn rows(
        self,
        limit: usize,
        each: impl FnMut(&[Scalar]),
    ) -> Result<(), A::Error> {
        self.map.next_value_seed(Rows {
            problems: self.problems,
            key: self.key,
            limit,
            each,
        })
    }

    /// Reads texts: one, or a list; numbers are taken as their digits.
    pub(in crate::reports) fn texts(self) -> Result<Vec<String>, A::Error> {
        let Self {
            key,
            map,
            problems,
            room,
        } = self;
        map.next_value_seed(Texts {
            problems,
            room,
            key,
        })
    }
}

struct Text<'a> {
    problems: &'a mut Vec<Problem>,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = Option<String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    drift_visits!(Option<String>, "a text", seq map bool null);
}

struct Number<'a> {
    problems: &'a mut Vec<Problem>,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Number<'_> {
    type Value = Option<i128>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Number<'_> {
    type Value = Option<i128>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        note(self.problems, self.key, "a whole number", "a fraction");
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        let read = text.trim().parse().ok();
        if read.is_none() {
            note(self.problems, self.key, "a number", "text");
        }
        Ok(read)
    }

    drift_visits!(Option<i128>, "a number", seq map bool null);
}

struct Flag<'a> {
    problems: &'a mut Vec<Problem>,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Flag<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Flag<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("true or false")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<bool, E> {
        Ok(flag)
    }

    fn visit_u64<E>(self, number: u64) -> Result<bool, E> {
        Ok(number != 0)
    }

    fn visit_i64<E>(self, number: i64) -> Result<bool, E> {
        Ok(number != 0)
    }

    drift_visits!(bool, "true or false", seq map str null);
}

struct Texts<'a> {
    problems: &'a mut Vec<Problem>,
    room: &'a mut Room,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = Vec<String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        loop {
            let seed = Text {
                problems: self.problems,
                key: self.key,
            };
            match list.next_element_seed(seed)? {
                Some(Some(text)) if self.room.take() => texts.push(text),
                Some(Some(_)) => {
                    too_many(self.problems, self.key, texts.len());
                    while list.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(texts);
                }
                Some(None) => {}
                None => return Ok(texts),
            }
        }
    }

    drift_visits!(Vec<String>, "a text or a list of texts", map bool number null);
}

struct Float<'a> {
    problems: &'a mut Vec<Problem>,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Float<'_> {
    type Value = Option<f64>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Float<'_> {
    type Value = Option<f64>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number")
    }

    #[allow(clippy::cast_precision_loss)] // Seconds: beyond 2^53 nobody counts them.
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number as f64))
    }

    #[allow(clippy::cast_precision_loss)] // As above.
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number).filter(|number| number.is_finite()))
    }

    drift_visits!(Option<f64>, "a number", seq map bool str null);
}
