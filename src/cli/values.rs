//! The values of options: what they are written like, and what is said about those that are not.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::reports::listing::{Since, since};

/// Seconds as `timeout` takes them (`90`, `1.5`), or with units (`5m`, `1h30m`, `200ms`).
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text)
            .ok()
            .or_else(|| fractional_unit(text)),
    };
    // Why each of them refused it is their business: there are three.
    parsed.ok_or_else(|| "expected a time such as 90, 1.5s, 200ms, 5m or 1h30m".to_owned())
}

/// A time in which something can happen.
pub fn parse_limit(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("expected more than 0, such as 10 or 1m".to_owned()),
        limit => Ok(limit),
    }
}

/// A share between 0 and 1, both left out: `1%` or `0.01`.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), 100.0),
        None => (text.trim(), 1.0),
    };
    match number.parse::<f64>().map(|number| number / whole) {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a share above 0 and below 100 %, such as 1% or 0.01".to_owned()),
    }
}

/// Command buffers in flight.
pub fn parse_throttle(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| format!("expected a whole number from 0 (no limit) to {}", u16::MAX))
}

/// `1.5s`, `0.5m`: humantime takes whole numbers only.
fn fractional_unit(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * seconds).ok()
}

/// Hours, with or without a fraction.
pub fn parse_hours(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(hours) if hours.is_finite() && hours >= 0.0 => Ok(hours),
        _ => Err("expected a number of hours such as 24 or 0.5".to_owned()),
    }
}

/// From when on: a moment, or a file that tells one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinceArg {
    /// A moment as written.
    Time(Since),
    /// A snapshot, or a run's record.
    File(PathBuf),
}

/// A time, or else the name of a file that exists: `./2h` for one that is named like a time.
#[allow(clippy::needless_pass_by_value)] // as clap hands it over
pub fn parse_since(text: OsString) -> Result<SinceArg, String> {
    if let Some(since) = text.to_str().and_then(Since::parse) {
        return Ok(SinceArg::Time(since));
    }
    let path = PathBuf::from(text);
    if std::fs::symlink_metadata(&path).is_ok() {
        return Ok(SinceArg::File(path));
    }
    Err(format!(
        "expected {}, or a file: one of `check-crashes --snapshot` or `run --json`",
        since::EXPECTED
    ))
}

/// A name or a pattern of one.
pub fn parse_name(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a name".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// The beginning of a fingerprint.
pub fn parse_prefix(text: &str) -> Result<String, String> {
    let is_prefix =
        (4..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_prefix {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("expected 4 to 16 hexadecimal digits, as --group shows them".to_owned())
    }
}

/// `NAME=VALUE`, of bytes: a value need not be UTF-8.
#[allow(clippy::needless_pass_by_value)] // as clap hands it over
pub fn parse_variable(text: OsString) -> Result<(OsString, OsString), String> {
    let bytes = text.as_bytes();
    match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) if at > 0 => Ok((
            OsStr::from_bytes(&bytes[..at]).to_owned(),
            OsStr::from_bytes(&bytes[at + 1..]).to_owned(),
        )),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_have_units() {
        for (text, seconds) in [
            ("90", 90.0),
            ("1.5", 1.5),
            ("0", 0.0),
            ("200ms", 0.2),
            ("1.5s", 1.5),
            ("5m", 300.0),
            ("1h30m", 5400.0),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs_f64(seconds)),
                "{text}"
            );
        }
        for text in ["", "-1", "nan", "inf", "5 parsecs", "m", "1e400"] {
            parse_duration(text).expect_err(text);
        }
    }

    #[test]
    fn a_limit_leaves_some_time() {
        assert_eq!(parse_limit("50ms"), Ok(Duration::from_millis(50)));
        for text in ["0", "0s", "0.0", "-1", "soon"] {
            parse_limit(text).expect_err(text);
        }
    }

    #[test]
    fn a_share_is_a_part_of_the_whole() {
        for (text, share) in [
            ("1%", 0.01),
            ("0.01", 0.01),
            ("99.9 %", 0.999),
            (" 50% ", 0.5),
        ] {
            let parsed = parse_share(text).expect(text);
            assert!((parsed - share).abs() < 1e-12, "{text}: {parsed}");
        }
        for text in [
            "", "%", "0", "0%", "1", "100%", "5", "-1%", "nan", "inf%", "few",
        ] {
            parse_share(text).expect_err(text);
        }
    }

    #[test]
    fn a_throttle_is_a_small_whole_number() {
        assert_eq!(parse_throttle("0"), Ok(0));
        assert_eq!(parse_throttle("65535"), Ok(u16::MAX));
        for text in ["", "-1", "1.5", "abc", "65536", "99999999999999999999"] {
            parse_throttle(text).expect_err(text);
        }
    }

    #[test]
    fn a_moment_or_a_file() {
        let parsed = |text: &str| parse_since(OsString::from(text));
        assert!(matches!(parsed("2h"), Ok(SinceArg::Time(_))));
        assert_eq!(parsed("/"), Ok(SinceArg::File(PathBuf::from("/"))));
        for text in ["", "soon", "/no/such/file.json", "-1"] {
            parsed(text).expect_err(text);
        }
    }

    #[test]
    fn the_beginning_of_a_fingerprint_is_hexadecimal() {
        assert_eq!(parse_prefix("ABcd1"), Ok("abcd1".to_owned()));
        for text in ["", "abc", "abcg", "00000000000000000", "é0é0"] {
            parse_prefix(text).expect_err(text);
        }
    }

    #[test]
    fn variables_need_a_name() {
        assert_eq!(
            parse_variable("A=b=c".into()),
            Ok(("A".into(), "b=c".into()))
        );
        assert_eq!(parse_variable("A=".into()), Ok(("A".into(), "".into())));
        parse_variable("=b".into()).expect_err("no name");
        parse_variable("A".into()).expect_err("no value");
    }
}
