//! `agxrun check-crashes --watch`: reports as they appear, until somebody ends it.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Context, Result};

use crate::output::terminal;
use crate::reports::follow::{Event, Follower};
use crate::reports::{Report, ReportFolder};
use crate::run::interrupts::Interrupts;

/// Shows each report that appears in the folders, whole and once, until INT, TERM or HUP comes or `show` says that nobody
/// reads on; then says how many there were. What goes wrong meanwhile is said as it happens.
///
/// # Errors
/// Where signals cannot be caught, there is no folder, or `show` fails.
pub fn watch(
    folders: &[ReportFolder],
    show: &mut dyn FnMut(&Path, &Report) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let interrupts = Interrupts::catch().context("cannot catch signals")?;
    let mut follower = Follower::start(folders).context("cannot watch for reports")?;
    let list: Vec<String> = folders
        .iter()
        .map(|folder| format!("`{}`", folder.path.display()))
        .collect();
    terminal::note(&format!(
        "watching {} for new reports; Ctrl-C ends it",
        list.join(", ")
    ));
    let mut seen = Seen::default();
    loop {
        match follower.next_or(None, Some(interrupts.as_fd())) {
            Event::Report(followed) => {
                if followed.touched {
                    seen.touched += 1;
                    terminal::note("a known report was written again:");
                } else {
                    seen.new += 1;
                }
                if show(&followed.path, &followed.report)?.is_break() {
                    break;
                }
            }
            Event::Unreadable(_, error) => {
                seen.unreadable += 1;
                terminal::warning(&error.to_string());
            }
            Event::Folder(path, change) => {
                terminal::warning(&format!("`{}` {change}", path.display()));
            }
            Event::Called if interrupts.take()?.is_some() => break,
            Event::Called | Event::TimedOut => {}
        }
    }
    terminal::note(&seen.sentence());
    Ok(())
}

/// What came.
#[derive(Debug, Default)]
struct Seen {
    new: usize,
    touched: usize,
    unreadable: usize,
}

impl Seen {
    fn sentence(&self) -> String {
        let plural = if self.new == 1 { "" } else { "s" };
        let mut parts = vec![format!("{} new report{plural}", self.new)];
        for (count, what) in [
            (self.touched, "written again"),
            (self.unreadable, "not readable"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_counted() {
        let seen = |new, touched, unreadable| {
            let seen = Seen {
                new,
                touched,
                unreadable,
            };
            seen.sentence()
        };
        assert_eq!(seen(0, 0, 0), "0 new reports");
        assert_eq!(seen(1, 2, 0), "1 new report, 2 written again");
        assert_eq!(seen(3, 0, 4), "3 new reports, 4 not readable");
    }
}
