//! The one form of date in reports.

use chrono::{DateTime, FixedOffset};

/// Reads `2025-06-27 12:35:35.9371 +0300`. The fraction has none to nine digits: `.00` in header
/// lines, four digits in bodies, three in older text reports.
pub fn parse(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S%.f %z").ok()
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
        ] {
            let time = parse(text).unwrap_or_else(|| panic!("{text} is a date"));
            assert_eq!(time.timestamp_subsec_nanos(), nanoseconds, "{text}");
        }
        assert_eq!(parse("yesterday"), None);
        assert_eq!(parse("2025-13-27 12:35:36 +0300"), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = "2025-06-27 12:35:35.9371 -0430";
        assert_eq!(parse(text).map(|time| format(&time)).as_deref(), Some(text));
    }
}
