//! Whether crash reports are written at all.

use crate::doctor::command::Answer;
use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;

/// The job of launchd that writes the reports of this user's processes.
struct Job {
    label: &'static str,
    /// Where launchd may have it.
    domains: Vec<String>,
    /// Where launchd notes that it is disabled.
    noted: String,
    enable: String,
}

impl Job {
    /// Root's processes are a daemon's, everybody else's an agent's
    /// (`/System/Library/LaunchDaemons/com.apple.ReportCrash.Root.plist`, `LaunchAgents/com.apple.ReportCrash.plist`).
    fn of(user: u32) -> Self {
        if user == 0 {
            let label = "com.apple.ReportCrash.Root";
            return Self {
                label,
                domains: vec!["system".to_owned()],
                noted: "system".to_owned(),
                enable: format!(
                    "launchctl load -w /System/Library/LaunchDaemons/{label}.plist, as root"
                ),
            };
        }
        let label = "com.apple.ReportCrash";
        Self {
            label,
            // With a session at the screen it is an agent of that, else of the user.
            domains: vec![format!("gui/{user}"), format!("user/{user}")],
            noted: format!("user/{user}"),
            enable: format!("launchctl load -w /System/Library/LaunchAgents/{label}.plist"),
        }
    }
}

pub(super) fn check(host: &dyn Host, _: &Subject) -> Vec<Observation> {
    let mut found = vec![service(host, &Job::of(host.user()))];
    found.extend(dialog(host));
    found
}

fn service(host: &dyn Host, job: &Job) -> Observation {
    let disabled = host.ask("/bin/launchctl", &["print-disabled", &job.noted]);
    if disabled
        .output()
        .is_ok_and(|said| is_disabled(job.label, said))
    {
        return Observation::error(
            "ReportCrash is disabled: no crash is reported, and a run can see the target's own end only",
            job.enable.as_str(),
        );
    }
    let answers: Vec<Answer> = job
        .domains
        .iter()
        .map(|domain| {
            let service = format!("{domain}/{}", job.label);
            host.ask("/bin/launchctl", &["print", &service])
        })
        .collect();
    if answers.iter().any(|answer| answer.output().is_ok()) {
        return Observation::ok("ReportCrash is loaded");
    }
    // Of a domain that is not there, as without a session at the screen, it says something else.
    let is_unknown = |answer: &&Answer| match answer {
        Answer::Ended { err, out, .. } => {
            err.contains("Could not find service") || out.contains("Could not find service")
        }
        _ => false,
    };
    let other = answers.iter().find(|answer| !is_unknown(answer));
    match other.and_then(|answer| answer.output().err()) {
        None => Observation::error(
            "ReportCrash is not loaded for this user: no crash is reported",
            job.enable.as_str(),
        ),
        Some(reason) => Observation::warning(
            format!("`launchctl` {reason}: whether ReportCrash is loaded is not known"),
            format!(
                "`launchctl print {}/{}` shows it",
                job.domains[0], job.label
            ),
        ),
    }
}

/// `"com.apple.ReportCrash" => disabled`, and `=> true` before macOS 13.
fn is_disabled(label: &str, said: &str) -> bool {
    said.lines()
        .filter_map(|line| line.split_once("=>"))
        .any(|(name, state)| {
            name.trim().trim_matches('"') == label && matches!(state.trim(), "disabled" | "true")
        })
}

/// `none` and `server` show no window. A window that nobody closes holds up nothing of the report,
/// but on a machine without a person they pile up.
fn dialog(host: &dyn Host) -> Option<Observation> {
    let answer = host.ask(
        "/usr/bin/defaults",
        &["read", "com.apple.CrashReporter", "DialogType"],
    );
    // Not set is the ordinary state, and told by an exit status of 1.
    let kind = answer.output().ok()?.trim();
    let shows = !matches!(kind, "none" | "server");
    (shows && host.variable("CI").is_some()).then(|| {
        Observation::warning(
            format!("crashes open a window here (DialogType {kind}), and this is CI"),
            "defaults write com.apple.CrashReporter DialogType none",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_list_are_read() {
        let list = |state: &str| {
            format!(
                "disabled services = {{\n\t\"com.apple.ReportCrash\" => {state}\n\t\"com.apple.other\" => disabled\n}}\n"
            )
        };
        for (state, expected) in [
            ("disabled", true),
            ("true", true),
            ("enabled", false),
            ("false", false),
        ] {
            assert_eq!(
                is_disabled("com.apple.ReportCrash", &list(state)),
                expected,
                "{state}"
            );
        }
        assert!(!is_disabled(
            "com.apple.ReportCrash",
            "\"com.apple.ReportCrash.Root\" => disabled"
        ));
    }
}
