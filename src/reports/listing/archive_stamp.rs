//! The time of archiving, with which names in the archive begin: `20261122_103000_Python.ips`.

use std::ffi::OsStr;

use chrono::NaiveDateTime;

const LENGTH: usize = "20261122_103000".len();

/// Reads `20261122_103000`.
pub fn parse(text: &str) -> Option<NaiveDateTime> {
    let digits = text.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'_',
        _ => byte.is_ascii_digit(),
    });
    if text.len() != LENGTH || !digits {
        return None;
    }
    NaiveDateTime::parse_from_str(text, "%Y%m%d_%H%M%S").ok()
}

/// A name of the archive: the local time of archiving, and the name that the report had before.
/// `None` for a name of another form.
pub fn split(name: &OsStr) -> Option<(NaiveDateTime, &str)> {
    let (stamp, rest) = name.to_str()?.split_at_checked(LENGTH)?;
    let original = rest.strip_prefix('_').filter(|rest| !rest.is_empty())?;
    Some((parse(stamp)?, original))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_archive_has_a_time_and_a_name() {
        let (stamp, name) = split(OsStr::new("20261122_103000_Python-2026.ips")).expect("split");
        assert_eq!(stamp.to_string(), "2026-11-22 10:30:00");
        assert_eq!(name, "Python-2026.ips");
        for other in [
            "Python.ips",
            "20261322_103000_a.ips",
            "20261122-103000_a.ips",
            "20261122_103000_",
            "20261122_103000",
            "é0261122_10300_a.ips",
        ] {
            assert_eq!(split(OsStr::new(other)), None, "{other}");
        }
    }
}
