//! Time as a row of bars: which span, how wide a bar, how many crashes in each.

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

/// Bars at most: on a phone each is still four pixels wide.
const BARS: i64 = 72;

/// How much time a bar may stand for, in minutes, and in words.
const WIDTHS: [(i64, &str); 13] = [
    (1, "1 minute"),
    (5, "5 minutes"),
    (15, "15 minutes"),
    (60, "1 hour"),
    (3 * 60, "3 hours"),
    (6 * 60, "6 hours"),
    (12 * 60, "12 hours"),
    (DAY, "1 day"),
    (2 * DAY, "2 days"),
    (7 * DAY, "1 week"),
    (28 * DAY, "4 weeks"),
    (91 * DAY, "13 weeks"),
    (364 * DAY, "52 weeks"),
];

const DAY: i64 = 24 * 60;

/// A row of bars of equal width. Bars begin at whole multiples of their width since 1970-01-01 in the
/// page's time zone, so that a day's bar is that day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// Start of the first bar, seconds since 1970 in the page's time zone.
    start: i64,
    /// Width of a bar in seconds.
    width: i64,
    /// The same in words.
    pub width_in_words: &'static str,
    /// How many bars.
    pub bars: usize,
    zone: FixedOffset,
    /// The end of the time that is shown, within the last bar.
    end: DateTime<Utc>,
}

/// How many crashes fall into each bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// One a bar.
    pub bars: Vec<usize>,
    /// Times before the first bar or after the last.
    pub outside: usize,
}

impl Timeline {
    /// The bars that cover both times, as narrow as the table allows.
    pub fn over(from: DateTime<Utc>, to: DateTime<Utc>, zone: FixedOffset) -> Self {
        let local = |time: DateTime<Utc>| time.timestamp() + i64::from(zone.local_minus_utc());
        let end = to.max(from);
        let (from, to) = (local(from), local(end));
        let span = |width: i64| (from.div_euclid(width), to.div_euclid(width));
        let widths = WIDTHS.iter().map(|(minutes, words)| (minutes * 60, *words));
        let mut best = (1, "", 0, 0);
        for (width, words) in widths {
            let (first, last) = span(width);
            best = (width, words, first, last);
            if last - first < BARS {
                break;
            }
        }
        let (width, width_in_words, first, last) = best;
        // The widest bars may not cover all: the latest of the time is shown then.
        let first = first.max(last - (BARS - 1));
        Self {
            start: first * width,
            width,
            width_in_words,
            bars: usize::try_from(last - first + 1).unwrap_or(1),
            zone,
            end,
        }
    }

    /// How many of these times fall into each bar.
    pub fn counts<'a>(&self, times: impl IntoIterator<Item = &'a DateTime<Utc>>) -> Counts {
        let mut counts = Counts {
            bars: vec![0; self.bars],
            outside: 0,
        };
        for time in times {
            let local = time.timestamp() + i64::from(self.zone.local_minus_utc());
            let bar = usize::try_from((local - self.start).div_euclid(self.width)).ok();
            match bar.and_then(|bar| counts.bars.get_mut(bar)) {
                Some(count) => *count += 1,
                None => counts.outside += 1,
            }
        }
        counts
    }

    /// When a bar starts; the end of the last is the start of the one behind it.
    pub fn start(&self, bar: usize) -> DateTime<FixedOffset> {
        let local = i64::try_from(bar)
            .ok()
            .and_then(|bar| bar.checked_mul(self.width))
            .and_then(|offset| offset.checked_add(self.start))
            .unwrap_or(self.start);
        DateTime::from_timestamp(local - i64::from(self.zone.local_minus_utc()), 0)
            .unwrap_or_default()
            .with_timezone(&self.zone)
    }

    /// A bar's time in words: its day, and the hours where it is shorter than a day.
    pub fn label(&self, bar: usize) -> String {
        let start = self.start(bar);
        let day = start.format("%Y-%m-%d");
        match self.width.cmp(&(DAY * 60)) {
            Ordering::Less => {
                let end = self.start(bar + 1);
                format!("{day} {} to {}", start.format("%H:%M"), end.format("%H:%M"))
            }
            Ordering::Equal => day.to_string(),
            Ordering::Greater => {
                let last = self.start(bar + 1) - TimeDelta::days(1);
                format!("{day} to {}", last.format("%Y-%m-%d"))
            }
        }
    }

    /// The labels of the axis' two ends.
    pub fn ends(&self) -> (String, String) {
        let form = if self.width < DAY * 60 {
            "%Y-%m-%d %H:%M"
        } else {
            "%Y-%m-%d"
        };
        (
            self.start(0).format(form).to_string(),
            self.end.with_timezone(&self.zone).format(form).to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("valid").to_utc()
    }

    fn zone(hours: i32) -> FixedOffset {
        FixedOffset::east_opt(hours * 3600).expect("valid")
    }

    #[test]
    fn a_days_bar_is_that_day_where_the_page_is_made() {
        let line = Timeline::over(
            at("2026-01-01T10:00:00Z"),
            at("2026-02-20T10:00:00Z"),
            zone(2),
        );
        assert_eq!((line.width_in_words, line.bars), ("1 day", 51));
        assert_eq!(line.label(0), "2026-01-01");
        // 23:30 in UTC is the next day two hours east of it.
        let counts = line.counts(&[at("2026-01-01T21:59:59Z"), at("2026-01-01T23:30:00Z")]);
        assert_eq!(counts.bars[..3], [1, 1, 0]);
        assert_eq!(line.ends(), ("2026-01-01".into(), "2026-02-20".into()));
    }

    #[test]
    fn bars_are_as_narrow_as_fits() {
        for (to, words) in [
            ("2026-01-01T00:30:00Z", "1 minute"),
            ("2026-01-01T20:00:00Z", "1 hour"),
            ("2026-01-05T00:00:00Z", "3 hours"),
            ("2026-12-01T00:00:00Z", "1 week"),
            ("2036-12-01T00:00:00Z", "13 weeks"),
        ] {
            let line = Timeline::over(at("2026-01-01T00:00:00Z"), at(to), zone(0));
            assert_eq!(line.width_in_words, words, "{to}");
        }
        let hour = Timeline::over(
            at("2026-01-01T00:10:00Z"),
            at("2026-01-01T20:00:00Z"),
            zone(0),
        );
        assert_eq!(hour.label(1), "2026-01-01 01:00 to 02:00");
    }

    #[test]
    fn more_time_than_bars_leaves_out_the_oldest_and_counts_it() {
        let line = Timeline::over(
            at("1900-01-01T00:00:00Z"),
            at("2026-01-01T00:00:00Z"),
            zone(0),
        );
        assert_eq!(line.bars, 72);
        let counts = line.counts(&[at("1900-01-01T00:00:00Z"), at("2025-12-31T00:00:00Z")]);
        assert_eq!((counts.outside, counts.bars.iter().sum::<usize>()), (1, 1));
    }

    proptest! {
        #[test]
        fn every_time_is_counted_once(
            from in -60_000_000_000_i64..60_000_000_000,
            to in -60_000_000_000_i64..60_000_000_000,
            hours in -12_i32..=14,
            times in proptest::collection::vec(-60_000_000_000_i64..60_000_000_000, 0..20),
        ) {
            let time = |seconds| DateTime::from_timestamp(seconds, 0).expect("in range");
            let line = Timeline::over(time(from), time(to), zone(hours));
            prop_assert!((1..=72).contains(&line.bars));
            let times: Vec<_> = times.into_iter().map(time).collect();
            let counts = line.counts(&times);
            prop_assert_eq!(counts.bars.iter().sum::<usize>() + counts.outside, times.len());
            let within = line.counts(&[time(to.max(from))]);
            prop_assert_eq!(within.outside, 0);
            for bar in 0..line.bars {
                prop_assert!(!line.label(bar).is_empty());
            }
        }
    }
}
