//! A moment as people write it: a date, a time of day, or so long ago.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::archive_stamp;

/// A moment, relative to now or to the machine's time zone where that was left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// A moment with its offset: `2026-11-22T10:30:00+01:00`.
    Instant(DateTime<Utc>),
    /// A local date, with or without a time: `2026-11-22`, `2026-11-22 10:30`.
    Local(NaiveDateTime),
    /// The last time that the local clock showed this: `10:30`.
    Clock(NaiveTime),
    /// So long ago: `2h`, `3d`, `1h30m`.
    Ago(TimeDelta),
    /// The beginning of a local day, so many days ago: `today`, `yesterday`.
    Day(u8),
}

/// What is said of a text that is none of them.
pub const EXPECTED: &str = "a time such as 2h, 3d, 10:30, yesterday, 2026-11-22, 2026-11-22T10:30 or \
     2026-11-22T10:30:00+01:00";

impl Since {
    /// Reads one; `None` where the text is none. Never panics, whatever the text.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "now" => return Some(Self::Ago(TimeDelta::zero())),
            "today" => return Some(Self::Day(0)),
            "yesterday" => return Some(Self::Day(1)),
            _ => {}
        }
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Instant(instant.to_utc()));
        }
        // As reports write it.
        if let Some(instant) = crate::reports::time::parse(text) {
            return Some(Self::Instant(instant.to_utc()));
        }
        if let Some(local) = local(text) {
            return Some(Self::Local(local));
        }
        let clock = ["%H:%M:%S%.f", "%H:%M"];
        if let Some(clock) = first(&clock, |form| NaiveTime::parse_from_str(text, form).ok()) {
            return Some(Self::Clock(clock));
        }
        ago(text).map(Self::Ago)
    }

    /// When that was, for a clock that shows `now` and `wall`, the same moment in local time.
    /// `local` turns local time into UTC. `None` where it lies outside of all time.
    pub fn instant(
        self,
        now: DateTime<Utc>,
        wall: NaiveDateTime,
        local: &dyn Fn(NaiveDateTime) -> DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::Local(time) => Some(local(time)),
            Self::Clock(clock) => {
                let today = wall.date().and_time(clock);
                let last = if today <= wall {
                    today
                } else {
                    wall.date().pred_opt()?.and_time(clock)
                };
                Some(local(last))
            }
            Self::Ago(span) => now.checked_sub_signed(span),
            Self::Day(days) => {
                let day = wall
                    .date()
                    .checked_sub_signed(TimeDelta::days(days.into()))?;
                Some(local(day.and_time(NaiveTime::MIN)))
            }
        }
    }
}

fn local(text: &str) -> Option<NaiveDateTime> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(NaiveTime::MIN));
    }
    let forms = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    first(&forms, |form| {
        NaiveDateTime::parse_from_str(text, form).ok()
    })
    .or_else(|| archive_stamp::parse(text))
}

fn first<T>(forms: &[&str], read: impl Fn(&str) -> Option<T>) -> Option<T> {
    forms.iter().find_map(|form| read(form))
}

/// `2h`, `1h30m`, `1.5d`, `90s`, each with or without `ago` behind it. A number alone is refused:
/// its unit would be a guess.
fn ago(text: &str) -> Option<TimeDelta> {
    let text = text.strip_suffix("ago").map_or(text, str::trim_end);
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    let has_number = text.starts_with(|c: char| c.is_ascii_digit());
    if !has_unit || !has_number {
        return None;
    }
    let span = humantime::parse_duration(text)
        .ok()
        .or_else(|| fraction(text))?;
    TimeDelta::from_std(span).ok()
}

fn fraction(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(at)?;
    let seconds = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.trim_end().parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two hours ahead of UTC.
    fn east(time: NaiveDateTime) -> DateTime<Utc> {
        time.and_utc()
            .checked_sub_signed(TimeDelta::hours(2))
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    fn at(text: &str) -> Option<String> {
        let now: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().expect("a time");
        let wall = now.naive_utc() + TimeDelta::hours(2);
        let instant = Since::parse(text)?.instant(now, wall, &east)?;
        Some(instant.format("%Y-%m-%d %H:%M:%S").to_string())
    }

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("2026-11-22T10:30:00+01:00", "2026-11-22 09:30:00"),
            ("2026-11-22T10:30:00Z", "2026-11-22 10:30:00"),
            ("2026-11-20 10:30:00.5000 +0300", "2026-11-20 07:30:00"),
            ("2026-11-20", "2026-11-19 22:00:00"),
            ("2026-11-20 10:30", "2026-11-20 08:30:00"),
            ("2026-11-20T10:30:15", "2026-11-20 08:30:15"),
            ("20261120_103015", "2026-11-20 08:30:15"),
            ("10:30", "2026-11-22 08:30:00"),
            ("11:00", "2026-11-22 09:00:00"),
            ("11:00:01", "2026-11-21 09:00:01"),
            ("23:59", "2026-11-21 21:59:00"),
            ("2h", "2026-11-22 07:00:00"),
            ("2h ago", "2026-11-22 07:00:00"),
            ("3d", "2026-11-19 09:00:00"),
            ("1h30m", "2026-11-22 07:30:00"),
            ("1.5h", "2026-11-22 07:30:00"),
            ("90s", "2026-11-22 08:58:30"),
            ("1w", "2026-11-15 09:00:00"),
            ("0.5w", "2026-11-18 21:00:00"),
            ("now", "2026-11-22 09:00:00"),
            ("today", "2026-11-21 22:00:00"),
            ("yesterday", "2026-11-20 22:00:00"),
            ("  2h ", "2026-11-22 07:00:00"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2",
            "-2h",
            "h",
            "ago",
            "soon",
            "2026-13-01",
            "2026-11-31",
            "25:00",
            "10:60",
            "2 fortnights",
            "nan h",
            "infs",
            "1e400d",
            "2026",
            "99999999999999999999999y",
            "\u{1b}[2J",
        ] {
            assert_eq!(Since::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,24}") {
            let _ = at(&text);
        }

        #[test]
        fn nor_one_that_is_nearly_a_time(text in "[-+0-9TZ:. hdmsweago_é]{0,26}") {
            let _ = at(&text);
        }

        #[test]
        fn so_long_ago_is_so_long_ago(number in 0_u32..1_000_000, unit in "[smhd]") {
            let seconds = match unit.as_str() { "s" => 1, "m" => 60, "h" => 3600, _ => 86_400 };
            let span = TimeDelta::seconds(i64::from(number) * seconds);
            prop_assert_eq!(Since::parse(&format!("{number}{unit}")), Some(Since::Ago(span)));
        }
    }
}
