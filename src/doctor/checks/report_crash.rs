//! Whether crash reports are written at all.

use crate::doctor::command::Answer;
use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;

/// The agent that writes the reports of a user's processes
/// (`/System/Library/LaunchAgents/com.apple.ReportCrash.plist`).
const SERVICE: &str = "com.apple.ReportCrash";

pub(super) fn check(host: &dyn Host, _: &Subject) -> Vec<Observation> {
    let user = host.user();
    let mut found = vec![service(host, user)];
    found.extend(dialog(host));
    found
}

fn service(host: &dyn Host, user: u32) -> Observation {
    let enable = format!(
        "launchctl enable user/{user}/{SERVICE}, then log out and in (or `launchctl load -w \
         /System/Library/LaunchAgents/{SERVICE}.plist`)"
    );
    let disabled = host.ask(
        "/bin/launchctl",
        &["print-disabled", &format!("user/{user}")],
    );
    if disabled.output().is_ok_and(is_disabled) {
        return Observation::error(
            "ReportCrash is disabled: no crash is reported, and a run can see the target's own end only",
            enable,
        );
    }
    // With a session at the screen it is an agent of that, else of the user.
    let domains = [format!("gui/{user}"), format!("user/{user}")];
    let answers: Vec<Answer> = domains
        .iter()
        .map(|domain| host.ask("/bin/launchctl", &["print", &format!("{domain}/{SERVICE}")]))
        .collect();
    if answers.iter().any(|answer| answer.output().is_ok()) {
        return Observation::ok("ReportCrash is loaded");
    }
    // It says so of a service that it does not know; anything else is no answer.
    let known = |answer: &Answer| match answer {
        Answer::Ended { err, out, .. } => {
            err.contains("Could not find service") || out.contains("Could not find service")
        }
        _ => false,
    };
    let unknown = answers.iter().find(|answer| !known(answer));
    match unknown.and_then(|answer| answer.output().err()) {
        None => Observation::error(
            "ReportCrash is not loaded for this user: no crash is reported",
            enable,
        ),
        Some(reason) => Observation::warning(
            format!("`launchctl` {reason}: whether ReportCrash is loaded is not known"),
            format!("`launchctl print gui/{user}/{SERVICE}` shows it"),
        ),
    }
}

/// `"com.apple.ReportCrash" => disabled`, and `=> true` before macOS 13.
fn is_disabled(said: &str) -> bool {
    said.lines()
        .filter_map(|line| line.split_once("=>"))
        .any(|(name, state)| {
            name.trim().trim_matches('"') == SERVICE && matches!(state.trim(), "disabled" | "true")
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
            assert_eq!(is_disabled(&list(state)), expected, "{state}");
        }
        assert!(!is_disabled("\"com.apple.ReportCrash.Root\" => disabled"));
    }
}
