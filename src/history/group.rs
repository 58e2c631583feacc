//! Runs put together by what they have in common.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::ops::Range;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::Kind;
use super::row::Row;
use crate::stats::Rate;

/// By what runs can be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The command line.
    Command,
    /// The file that was launched.
    Program,
    /// Where it was launched.
    Directory,
    /// What was injected.
    Fix,
    /// Command buffers allowed in flight.
    Throttle,
    /// What shares one lock.
    LockScope,
    /// The machine.
    Host,
    /// Its system.
    Os,
    /// Its model and processor.
    Hardware,
    /// The version of agxrun.
    Agxrun,
    /// The build of the fix library.
    Library,
    /// The series.
    Series,
    /// The arm of a comparison.
    Arm,
    /// What the run amounts to.
    Kind,
    /// What crashed.
    Crash,
    /// The signal that ended the target.
    Signal,
    /// What agxrun exited with.
    Verdict,
    /// The local day, as `2026-01-02`.
    Day,
    /// The local month, as `2026-01`.
    Month,
}

impl Key {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Command,
        Self::Program,
        Self::Directory,
        Self::Fix,
        Self::Throttle,
        Self::LockScope,
        Self::Host,
        Self::Os,
        Self::Hardware,
        Self::Agxrun,
        Self::Library,
        Self::Series,
        Self::Arm,
        Self::Kind,
        Self::Crash,
        Self::Signal,
        Self::Verdict,
        Self::Day,
        Self::Month,
    ];

    /// Its name, that of the line's field where it is one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Program => "program",
            Self::Directory => "directory",
            Self::Fix => "fix",
            Self::Throttle => "throttle",
            Self::LockScope => "lock_scope",
            Self::Host => "host",
            Self::Os => "os",
            Self::Hardware => "hardware",
            Self::Agxrun => "agxrun",
            Self::Library => "library",
            Self::Series => "series",
            Self::Arm => "arm",
            Self::Kind => "kind",
            Self::Crash => "crash",
            Self::Signal => "signal",
            Self::Verdict => "verdict",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Writes the run's value. `None` where it has none.
    fn write(
        self,
        row: &Row<'_>,
        local: &dyn Fn(DateTime<Utc>) -> NaiveDateTime,
        value: &mut String,
    ) -> Option<()> {
        match self {
            Self::Command => {
                for (at, word) in row.command.iter().enumerate() {
                    if at > 0 {
                        value.push(' ');
                    }
                    value.push_str(&word.0);
                }
            }
            Self::Program => add(value, &row.program),
            Self::Directory => add(value, &row.directory),
            Self::Fix => add(value, &row.fix),
            Self::Throttle => add(value, row.throttle?),
            Self::LockScope => add(value, row.lock_scope.as_ref()?),
            Self::Host => add(value, &row.host),
            Self::Os => add(value, &row.os),
            Self::Hardware => add(value, row.hardware.as_ref()?),
            Self::Agxrun => add(value, &row.agxrun),
            Self::Library => add(value, row.library.as_ref()?),
            Self::Series => add(value, row.series.as_ref()?),
            Self::Arm => add(value, row.arm.as_ref()?),
            Self::Kind => add(value, row.kind),
            Self::Crash => add(value, row.crash.as_ref()?),
            Self::Signal => add(value, row.signal_name.as_ref()?),
            Self::Verdict => add(value, row.verdict),
            Self::Day => add(value, local(row.started).format("%Y-%m-%d")),
            Self::Month => add(value, local(row.started).format("%Y-%m")),
        }
        Some(())
    }
}

fn add(value: &mut String, text: impl fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(value, "{text}");
}

/// A text names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("runs are not grouped by `{0}` (hint: {list})", list = Key::ALL.map(Key::name).join(", "))]
pub struct UnknownKey(pub String);

impl FromStr for Key {
    type Err = UnknownKey;

    /// `lock-scope` is taken for `lock_scope`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().replace('-', "_");
        let mut keys = Self::ALL.into_iter();
        keys.find(|key| key.name() == name)
            .ok_or_else(|| UnknownKey(text.to_owned()))
    }
}

/// What runs amount to together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    kinds: [u64; Kind::ALL.len()],
    /// Of decided runs, in seconds.
    walls: Vec<f64>,
    span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Tally {
    /// Adds a run.
    pub fn add(&mut self, row: &Row<'_>) {
        self.kinds[row.kind as usize] += 1;
        if row.kind.is_decided() {
            self.walls.push(row.wall);
        }
        let (first, last) = self.span.unwrap_or((row.started, row.started));
        self.span = Some((first.min(row.started), last.max(row.started)));
    }

    /// How many runs are of this kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }

    /// How many runs there are.
    pub fn runs(&self) -> u64 {
        self.kinds.iter().sum()
    }

    /// Crashes among the runs that are decided.
    pub fn rate(&self) -> Rate {
        let count = |takes: fn(Kind) -> bool| {
            let kinds = Kind::ALL.into_iter().filter(|kind| takes(*kind));
            let sum: u64 = kinds.map(|kind| self.of(kind)).sum();
            usize::try_from(sum).unwrap_or(usize::MAX)
        };
        Rate {
            crashes: count(Kind::is_crash),
            runs: count(Kind::is_decided),
        }
    }

    /// The median of the decided runs' times, in seconds.
    pub fn median_wall(&self) -> Option<f64> {
        let mut walls = self.walls.clone();
        walls.sort_by(f64::total_cmp);
        let middle = walls.len() / 2;
        let upper = *walls.get(middle)?;
        Some(if walls.len() % 2 == 1 {
            upper
        } else {
            f64::midpoint(walls[middle - 1], upper)
        })
    }

    /// When the first and the last run began.
    pub fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        self.span
    }
}

/// Runs by the values of some keys.
#[derive(Debug)]
pub struct Groups {
    keys: Vec<Key>,
    /// By the values as one text, in which each is followed by its length.
    known: HashMap<String, Group>,
    /// Used again for every run: the text, and where in it the values are.
    buffer: String,
    places: Vec<Option<Range<usize>>>,
}

/// Runs with equal values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// A value for each key.
    pub values: Vec<Option<String>>,
    /// What the runs amount to.
    pub tally: Tally,
}

impl Groups {
    /// No groups yet.
    pub fn by(keys: Vec<Key>) -> Self {
        Self {
            keys,
            known: HashMap::new(),
            buffer: String::new(),
            places: Vec::new(),
        }
    }

    /// Adds a run to its group; `local` turns a moment into local time.
    pub fn add(&mut self, row: &Row<'_>, local: &dyn Fn(DateTime<Utc>) -> NaiveDateTime) {
        self.buffer.clear();
        self.places.clear();
        for key in &self.keys {
            let start = self.buffer.len();
            let has_value = key.write(row, local, &mut self.buffer).is_some();
            let place = has_value.then_some(start..self.buffer.len());
            // Writing to a String cannot fail.
            let _ = match &place {
                Some(place) => write!(self.buffer, "\u{1f}{}\u{1f}", place.len()),
                None => write!(self.buffer, "\u{1f}-\u{1f}"),
            };
            self.places.push(place);
        }
        if let Some(group) = self.known.get_mut(self.buffer.as_str()) {
            group.tally.add(row);
            return;
        }
        let places = self.places.iter().cloned();
        let mut group = Group {
            values: places
                .map(|place| place.map(|place| self.buffer[place].to_owned()))
                .collect(),
            tally: Tally::default(),
        };
        group.tally.add(row);
        self.known.insert(self.buffer.clone(), group);
    }

    /// The groups in the order of their values; those without one come last.
    pub fn finish(self) -> Vec<Group> {
        let mut groups: Vec<(Vec<Standing>, Group)> = self
            .known
            .into_values()
            .map(|group| {
                let standings = group.values.iter().map(|value| standing(value.as_deref()));
                (standings.collect(), group)
            })
            .collect();
        groups.sort_by(|(standings, group), (other_standings, other)| {
            let pairs = standings.iter().zip(other_standings);
            let values = group.values.iter().zip(&other.values);
            let mut orders = pairs
                .zip(values)
                .map(|((a, b), (text, other))| compare(*a, *b).then_with(|| text.cmp(other)));
            orders
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        groups.into_iter().map(|(_, group)| group).collect()
    }
}

/// Where a value stands among those of its key: found once, as a sort asks many times.
#[derive(Debug, Clone, Copy)]
enum Standing {
    /// Numbers first, by their value.
    Number(f64),
    /// Then texts, by their letters.
    Text,
    /// Then those that have none.
    None,
}

fn standing(value: Option<&str>) -> Standing {
    match value.map(str::parse) {
        Some(Ok(number)) => Standing::Number(number),
        Some(Err(_)) => Standing::Text,
        None => Standing::None,
    }
}

fn compare(a: Standing, b: Standing) -> Ordering {
    let rank = |standing| match standing {
        Standing::Number(_) => 0,
        Standing::Text => 1,
        Standing::None => 2,
    };
    match (a, b) {
        (Standing::Number(a), Standing::Number(b)) => a.total_cmp(&b),
        _ => rank(a).cmp(&rank(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::line;
    use super::super::rows_from;
    use super::*;

    #[test]
    fn values_have_one_order_whatever_they_are() {
        // By their letters alone, 10 would be before 1a, 1a before 9, and 9, as a number, before 10.
        let series = ["1a", "10", "b", "9", "-1.5"].map(|name| Some(name.to_owned()));
        let mut groups = Groups::by(vec![Key::Series]);
        for series in series.into_iter().chain([None]) {
            let run = super::super::RunLine { series, ..line() };
            let text = serde_json::to_string(&run).expect("serialised");
            rows_from(&mut text.as_bytes(), &mut |row| {
                groups.add(&row.expect("a row").0, &|at| at.naive_utc());
            })
            .expect("read");
        }
        let groups = groups.finish();
        let order: Vec<_> = groups
            .iter()
            .map(|group| group.values[0].as_deref())
            .collect();
        assert_eq!(
            order,
            [
                Some("-1.5"),
                Some("9"),
                Some("10"),
                Some("1a"),
                Some("b"),
                None
            ]
        );
    }
}
