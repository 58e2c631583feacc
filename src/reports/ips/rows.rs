//! Lists of lists of plain values: the form in which samples hold frames and images.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::object::{drift_visits, too_many};
use crate::reports::problem::Problem;

/// How much of a row is kept. Frames have two entries, images three or four.
const ROW_LIMIT: usize = 4;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reports) enum Scalar {
    Number(u64),
    Text(String),
    /// Anything else.
    Other,
}

impl Scalar {
    /// The number, where it is one that fits `T`.
    pub(in crate::reports) fn number<T: TryFrom<u64>>(&self) -> Option<T> {
        match self {
            Self::Number(number) => T::try_from(*number).ok(),
            Self::Text(_) | Self::Other => None,
        }
    }

    /// The text, where it is one.
    pub(in crate::reports) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(_) | Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnyScalar;
        impl<'de> Visitor<'de> for AnyScalar {
            type Value = Scalar;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a number or a text")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        from.deserialize_any(AnyScalar)
    }
}

/// Reads the rows of one list.
pub(super) struct Rows<'a, F> {
    pub(super) problems: &'a mut Vec<Problem>,
    pub(super) key: &'a str,
    pub(super) limit: usize,
    pub(super) each: F,
}

impl<'de, F: FnMut(&[Scalar])> DeserializeSeed<'de> for Rows<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&[Scalar])> Visitor<'de> for Rows<'_, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of lists")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut row = Vec::with_capacity(ROW_LIMIT);
        let mut count = 0;
        loop {
            row.clear();
            let seed = Row {
                problems: self.problems,
                key: self.key,
                values: &mut row,
            };
            if list.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
            if count >= self.limit {
                too_many(self.problems, self.key, count);
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
            count += 1;
            (self.each)(&row);
        }
    }

    drift_visits!((), "a list of lists", map bool str number null);
}

struct Row<'a> {
    problems: &'a mut Vec<Problem>,
    key: &'a str,
    values: &'a mut Vec<Scalar>,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while self.values.len() < ROW_LIMIT {
            match list.next_element()? {
                Some(scalar) => self.values.push(scalar),
                None => return Ok(()),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    drift_visits!((), "a list", map bool str number null);
}
