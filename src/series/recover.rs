//! Runs that had ended when an earlier `agxrun` was killed, before it had put them into the state file: the history has them, as
//! each run appends itself.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use super::Arm;
use crate::history::{self, Kind, RunLine};

/// The runs of the series `id` that are in the history and not among those `known`, by the number of their slot.
///
/// One that was interrupted or not launched is made again. A line that cannot be read is none of ours: a run's line is written whole or not at all.
pub(super) fn missing(
    history: &Path,
    id: &str,
    arms: &[Arm],
    known: &HashSet<u64>,
) -> io::Result<BTreeMap<u64, RunLine>> {
    let mut found = BTreeMap::new();
    let read = history::read(history, &mut |line| {
        if let Ok(line) = line
            && let Some(slot) = number(&line, id, arms)
            && !known.contains(&slot)
        {
            found.insert(slot, line);
        }
    });
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(found),
        other => other.map(|()| found),
    }
}

fn number(line: &RunLine, id: &str, arms: &[Arm]) -> Option<u64> {
    let ours =
        line.series.as_deref() == Some(id) && line.kind != Kind::Interrupted && line.pid.is_some();
    let arm = line.arm.as_deref()?;
    (ours && arms.iter().any(|it| it.name == arm)).then_some(line.slot)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::line;

    #[test]
    fn runs_of_the_series_that_ended_and_are_not_known_are_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("runs.jsonl");
        let arms = [Arm {
            name: "stress".to_owned(),
            options: vec![],
            command: vec!["true".into()],
        }];
        let find = || missing(&path, "s", &arms, &HashSet::from([0])).expect("read");
        assert!(find().is_empty(), "no history, no runs");
        let mut lines = vec![
            line(0, Kind::Clean),
            line(1, Kind::Crash),
            line(2, Kind::Interrupted),
        ];
        let mut others = [3, 4, 5].map(|slot| line(slot, Kind::Refused));
        others[0].series = Some("another".to_owned());
        others[1].arm = Some("another".to_owned());
        others[2].pid = None;
        lines.extend(others);
        let text: String = lines
            .iter()
            .map(|line| serde_json::to_string(line).expect("JSON") + "\n")
            .collect();
        std::fs::write(&path, text + "{\"half\": ").expect("written");
        let found = find();
        assert_eq!(found.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!(found[&1].kind, Kind::Crash);
    }
}
