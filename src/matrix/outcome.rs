//! What a run amounts to.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde::Serialize;

use super::plan::Row;
use crate::evidence::{DROPPED, LedgerFile};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All that was asked for was done.
    Ok,
    /// A signal ended it.
    Crash,
    /// It did not end in time.
    Hang,
    /// Encoders were left.
    Leak,
    /// Work was lost or done otherwise, or the library says that it dropped calls.
    Dropped,
    /// The GPU gave command buffers up.
    GpuError,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Crash,
        Self::Hang,
        Self::Leak,
        Self::Dropped,
        Self::GpuError,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::Leak => "leak",
            Self::Dropped => "dropped",
            Self::GpuError => "gpu error",
        }
    }

    /// By the workload's own exit codes; see its `--help`.
    pub fn of_status(status: ExitStatus) -> Result<Self, String> {
        match status.code() {
            Some(0) => Ok(Self::Ok),
            Some(3) => Ok(Self::Dropped),
            Some(4) => Ok(Self::Leak),
            Some(5) => Ok(Self::GpuError),
            Some(6) => Ok(Self::Hang),
            Some(code) => Err(format!("the workload exited {code}")),
            None if status.signal().is_some() => Ok(Self::Crash),
            None => Err(format!("the workload ended with {status}")),
        }
    }

    /// With what the ledgers say: the library was there, followed the row's policy, had hooks, and dropped nothing silently.
    pub fn with_ledgers(self, row: Row, ledgers: &[LedgerFile]) -> Result<Self, String> {
        let Some(policy) = row.policy else {
            return match ledgers {
                [] => Ok(self),
                _ => Err("the fix library was loaded into the control".to_owned()),
            };
        };
        let [file] = ledgers else {
            return Err(format!("{} ledgers instead of 1", ledgers.len()));
        };
        let ledger = &file.ledger;
        if ledger.policy != policy.name {
            return Err(format!(
                "the library followed {} instead of {}",
                ledger.policy, policy.name
            ));
        }
        if !ledger.armed {
            return Err(format!("policy {} hooked nothing", policy.name));
        }
        let dropped = DROPPED
            .iter()
            .any(|counter| ledger.counter(counter.name()).unwrap_or(0) > 0);
        Ok(match self {
            Self::Ok if dropped => Self::Dropped,
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agx_ledger::{Counter, Ledger, builder::Builder};

    fn ledger(build: impl FnOnce(Builder) -> Builder) -> LedgerFile {
        let builder = build(Builder::new(7, 1, 1));
        LedgerFile {
            path: "7-1.ledger".into(),
            ledger: Ledger::parse(&builder.build()).expect("whole"),
        }
    }

    fn row(name: &str) -> Row {
        Row {
            policy: Some(agx_policy::find(name).expect("known")),
            throttle: None,
        }
    }

    #[test]
    fn the_workload_s_exit_codes_are_read() {
        // A wait status has the exit code in its second byte, the signal in its first.
        let of = |raw| Outcome::of_status(ExitStatus::from_raw(raw));
        let exits = [0, 3, 4, 5, 6].map(|code| of(code << 8).expect("known"));
        assert_eq!(
            exits,
            [
                Outcome::Ok,
                Outcome::Dropped,
                Outcome::Leak,
                Outcome::GpuError,
                Outcome::Hang
            ]
        );
        assert_eq!(of(11), Ok(Outcome::Crash));
        assert!(of(2 << 8).is_err());
    }

    #[test]
    fn a_run_without_proof_is_none() {
        let armed = || ledger(Builder::armed);
        let judge = |row, ledgers: &[LedgerFile]| Outcome::Ok.with_ledgers(row, ledgers);
        assert_eq!(judge(row("v3"), &[armed()]), Ok(Outcome::Ok));
        assert!(judge(row("v2.9"), &[armed()]).is_err(), "another policy");
        assert!(judge(row("v3"), &[ledger(|it| it)]).is_err(), "no hooks");
        assert!(judge(row("v3"), &[]).is_err());
        let control = Row {
            policy: None,
            throttle: None,
        };
        assert_eq!(judge(control, &[]), Ok(Outcome::Ok));
        assert!(judge(control, &[armed()]).is_err());
    }

    #[test]
    fn calls_that_the_library_dropped_are_dropped_even_if_nobody_missed_them() {
        let dropped = ledger(|it| it.armed().counter(Counter::DroppedEnded, 1));
        let judge =
            |outcome: Outcome| outcome.with_ledgers(row("v3"), std::slice::from_ref(&dropped));
        assert_eq!(judge(Outcome::Ok), Ok(Outcome::Dropped));
        assert_eq!(judge(Outcome::Crash), Ok(Outcome::Crash));
    }
}
