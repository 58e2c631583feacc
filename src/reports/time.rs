//! The forms of date in reports.

use chrono::{DateTime, FixedOffset, NaiveDateTime};

/// Reads `2025-06-27 12:35:35.9371 +0300`. The fraction has none to nine digits: `.00` in header
/// lines, four digits in bodies, three in older text reports. The offset may have a colon, as
/// tools write it; `2019-06-13T23:10:03Z` is read, too.
pub fn parse(text: &str) -> Option<DateTime<FixedOffset>> {
    let text = text.trim();
    DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f %z")
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .ok()
}

/// Reads `Sun Aug  6 11:04:15 2017`, the machine's own clock, as older reports of panics and of GPU
/// restarts give it.
pub fn parse_local(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text.trim(), "%a %b %e %H:%M:%S %Y").ok()
}

/// Writes the same form, with four digits.
pub fn format(time: &DateTime<FixedOffset>) -> String {
    format!(
        "{}.{:04} {}",
        time.format("%Y-%m-%d %H:%M:%S"),
        time.timestamp_subsec_micros() / 100,
        time.format("%z")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_precision_is_read() {
        for (text, nanoseconds) in [
            ("2025-06-27 12:35:36.00 +0300", 0),
            ("2025-06-27 12:35:36.9371 +0300", 937_100_000),
            ("2016-03-15 08:36:38.033 +0000", 33_000_000),
            ("2014-07-16 00:25:09 +0000", 0),
            ("2014-07-16 00:25:09 +00:00", 0),
            ("2014-07-16T00:25:09.5Z", 500_000_000),
            ("2014-07-16T02:25:09+02:00", 0),
        ] {
            let time = parse(text).unwrap_or_else(|| panic!("{text} is a date"));
            assert_eq!(time.timestamp_subsec_nanos(), nanoseconds, "{text}");
        }
        assert_eq!(parse("yesterday"), None);
        assert_eq!(parse("2025-13-27 12:35:36 +0300"), None);
    }

    #[test]
    fn a_date_without_an_offset_is_local() {
        let local = parse_local("Sun Aug  6 11:04:15 2017").map(|time| time.to_string());
        assert_eq!(local.as_deref(), Some("2017-08-06 11:04:15"));
        assert_eq!(parse("Sun Aug  6 11:04:15 2017"), None);
    }

    #[test]
    fn offsets_are_kept() {
        for (text, seconds) in [
            ("2025-06-27 12:35:36 +0530", 19_800),
            ("2025-06-27 12:35:36 -0930", -34_200),
            ("2025-06-27 12:35:36 +1245", 45_900),
        ] {
            let offset = parse(text).map(|time| time.offset().local_minus_utc());
            assert_eq!(offset, Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = "2025-06-27 12:35:35.9371 -0430";
        assert_eq!(parse(text).map(|time| format(&time)).as_deref(), Some(text));
    }
}
