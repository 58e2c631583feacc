//! How long a run of the series waits for the report of its crash.
//!
//! `ReportCrash` writes no more than 25 reports of a name (`ReportCrash(8)`, and the README's `doctor`), and a machine may write none:
//! in a series each crash would then cost the whole wait, half a minute, and show nothing for it.

use std::ffi::OsString;
use std::time::Duration;

use crate::history::{Kind, RunLine};

/// So many crashes in a row without a report are no accident.
const IN_VAIN: u64 = 3;

/// The wait from then on. A report that comes later still is its process's, which no later run takes for its own.
const SHORT: Duration = Duration::from_secs(2);

const OPTION: &str = "--report-wait";

/// What the series has seen of reports so far.
#[derive(Debug, Default)]
pub(super) struct Patience {
    in_vain: u64,
}

impl Patience {
    /// Takes note of a run; how many crashes had no report, where that is the news.
    pub fn told(&mut self, line: &RunLine) -> Option<u64> {
        if !matches!(line.kind, Kind::Crash | Kind::Assertion) {
            return None;
        }
        self.in_vain = if line.reports.is_empty() {
            self.in_vain + 1
        } else {
            0
        };
        (self.in_vain == IN_VAIN).then_some(IN_VAIN)
    }

    /// The option of the next run, unless its user has said how long to wait.
    pub fn option(&self, options: &[OsString]) -> Option<[OsString; 2]> {
        let said = |option: &OsString| {
            let option = option.to_string_lossy();
            option == OPTION || option.starts_with(&format!("{OPTION}="))
        };
        let is_short = self.in_vain >= IN_VAIN && !options.iter().any(said);
        is_short.then(|| [OPTION.into(), format!("{}s", SHORT.as_secs()).into()])
    }

    /// The short wait.
    pub fn short() -> Duration {
        SHORT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{line, report};

    #[test]
    fn three_crashes_without_a_report_shorten_the_wait_and_one_with_a_report_restores_it() {
        let mut patience = Patience::default();
        let bare = line(0, Kind::Crash);
        let mut with = line(1, Kind::Crash);
        with.reports.push(report("I", "ours"));
        let told: Vec<_> = [&bare, &bare, &with, &bare, &line(2, Kind::Clean), &bare]
            .map(|line| patience.told(line))
            .into();
        assert_eq!(told, [None; 6]);
        assert_eq!(patience.option(&[]), None);
        assert_eq!(patience.told(&bare), Some(3));
        assert_eq!(patience.told(&bare), None, "said once");
        let short = Some(["--report-wait".into(), "2s".into()]);
        assert_eq!(patience.option(&["--no-fix".into()]), short);
        assert_eq!(patience.told(&with), None);
        assert_eq!(patience.option(&[]), None);
    }

    #[test]
    fn a_wait_that_the_user_has_chosen_stays() {
        let mut patience = Patience::default();
        for _ in 0..9 {
            patience.told(&line(0, Kind::Assertion));
        }
        assert!(patience.option(&[]).is_some());
        for options in [&["--report-wait", "30s"][..], &["--report-wait=1m"]] {
            let options: Vec<OsString> = options.iter().map(Into::into).collect();
            assert_eq!(patience.option(&options), None);
        }
    }
}
