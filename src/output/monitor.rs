//! What `agxrun monitor status` prints.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::terminal::{DIM, OK, STRONG, WARNING, visible};
use crate::monitor::instance::{Found, Holder};
use crate::monitor::status::Status;

/// The answer: what runs, and what it has done or the last one did.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Version of this form.
    pub schema: u32,
    /// Whether a monitor has the archive.
    pub running: bool,
    /// Whether the last one ended without a word: it was killed, or the machine went down.
    pub killed: bool,
    /// The archive.
    pub archive: PathBuf,
    /// Process id of the monitor, or of the one that was killed.
    pub pid: Option<u32>,
    /// Since when it runs, or ran.
    pub started: Option<DateTime<Utc>>,
    /// What it says of itself, or the last one said.
    pub status: Option<Status>,
}

impl Answer {
    /// From a look at the archive and the state folder.
    pub fn of(archive: &Path, found: &Found, status: Option<Status>) -> Self {
        let holder: Option<&Holder> = match found {
            Found::Running(holder) => holder.as_ref(),
            Found::Stale(holder) => Some(holder),
            Found::Nobody => None,
        };
        let running = matches!(found, Found::Running(_));
        // Where the disk was too full for the record, the state folder may have it.
        let known = status.as_ref().filter(|_| running);
        Self {
            schema: 1,
            running,
            killed: matches!(found, Found::Stale(_)),
            archive: archive.to_path_buf(),
            pid: holder
                .map(|holder| holder.pid)
                .or(known.map(|status| status.pid)),
            started: holder
                .map(|holder| holder.started)
                .or(known.map(|status| status.started)),
            status,
        }
    }

    /// For people. `local` shows a time as the reader's clock does.
    pub fn text(&self, local: &dyn Fn(DateTime<Utc>) -> String) -> String {
        let mut lines = vec![self.first_line(local)];
        let path = |path: &Path| visible(&path.display().to_string());
        lines.push(format!("  archive   {}", path(&self.archive)));
        let Some(status) = &self.status else {
            return lines.join("\n");
        };
        for (number, folder) in status.folders.iter().enumerate() {
            let label = if number == 0 { "watches" } else { "" };
            let state = status.unwatched.iter().find(|(known, _)| known == folder);
            let state = state.map_or(String::new(), |(_, reason)| {
                format!("  {WARNING}{}{WARNING:#}", visible(reason))
            });
            lines.push(format!("  {label:<9} {}{state}", path(folder)));
        }
        lines.push(format!("  copied    {}", Self::counts(status)));
        if let Some(last) = &status.last_copy {
            lines.push(format!(
                "  last      {}, {}",
                local(last.time),
                path(&last.path)
            ));
        }
        if let Some(last) = &status.last_error {
            lines.push(format!(
                "  {WARNING}error{WARNING:#}     {}, {}",
                local(last.time),
                visible(&last.text)
            ));
        }
        lines.push(format!("  {DIM}log       {}{DIM:#}", path(&status.log)));
        lines.join("\n")
    }

    fn first_line(&self, local: &dyn Fn(DateTime<Utc>) -> String) -> String {
        let pid = self.pid.map_or(String::new(), |pid| format!(", pid {pid}"));
        let since = self.started.map_or(String::new(), local);
        let ended = self.status.as_ref().and_then(|status| status.ended);
        match (self.running, self.killed) {
            (true, _) => format!("{OK}running{OK:#}{pid}, since {since}"),
            (_, true) => format!(
                "{WARNING}not running{WARNING:#}: the last one{pid}, started {since}, ended without \
                 a word (killed, or the machine went down)"
            ),
            _ => ended.map_or_else(
                || format!("{STRONG}not running{STRONG:#}"),
                |ended| {
                    let ended = local(ended);
                    format!("{STRONG}not running{STRONG:#}: the last one ended {ended}")
                },
            ),
        }
    }

    fn counts(status: &Status) -> String {
        let mut counts = vec![status.copied.to_string()];
        for (count, what) in [
            (status.already, "already there"),
            (status.waiting, "waiting"),
            (status.lost, "lost"),
            (status.unreadable, "not readable"),
        ] {
            if count > 0 {
                counts.push(format!("{count} {what}"));
            }
        }
        counts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::status::{Copied, Failure};

    fn status() -> Status {
        let time = DateTime::UNIX_EPOCH;
        Status {
            pid: 7,
            folders: vec![PathBuf::from("/reports"), PathBuf::from("/more")],
            unwatched: vec![(
                PathBuf::from("/more"),
                "does not exist; waiting for it".into(),
            )],
            archive: PathBuf::from("/archive"),
            log: PathBuf::from("/state/monitor.log"),
            copied: 3,
            waiting: 1,
            last_copy: Some(Copied {
                time,
                path: PathBuf::from("/archive/a.ips"),
            }),
            last_error: Some(Failure {
                time,
                text: "no room\u{1b}".into(),
            }),
            ..Status::default()
        }
    }

    fn text(found: &Found, status: Option<Status>) -> String {
        let answer = Answer::of(Path::new("/archive"), found, status);
        let text = answer.text(&|time| time.to_rfc3339());
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn what_runs_is_told_with_what_it_did() {
        let holder = Holder {
            pid: 7,
            started: DateTime::UNIX_EPOCH,
            state: PathBuf::from("/state"),
        };
        insta::assert_snapshot!(
            "running",
            text(&Found::Running(Some(holder.clone())), Some(status()))
        );
        insta::assert_snapshot!("killed", text(&Found::Stale(holder), None));
        insta::assert_snapshot!("nobody", text(&Found::Nobody, None));
    }
}
