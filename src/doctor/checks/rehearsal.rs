//! Linux: what can be rehearsed here, and what that shows.

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;
use crate::inject::Artifact;

/// The runtime that the rehearsal driver links against.
const RUNTIME: &str = "libobjc.so.4";

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    let mut found = vec![
        Observation::ok(
            "can show: launching, hooks and locks on a real Objective-C runtime, crash reports and the gate, \
             the published races on a driver of our own",
        ),
        Observation::ok(
            "cannot show: anything of Apple's driver, of dyld and its protections, or of ReportCrash",
        ),
    ];
    let missing: Vec<_> = subject
        .rehearsal
        .iter()
        .filter(|(_, is_there)| !is_there)
        .map(|(artifact, _)| *artifact)
        .collect();
    let reports = missing
        .iter()
        .any(|artifact| matches!(artifact, Artifact::ReportHandler | Artifact::ReportWriter));
    if missing.is_empty() {
        found.push(Observation::ok(
            "driver, workload and report writer are there",
        ));
    } else {
        let labels: Vec<_> = missing.iter().map(|artifact| artifact.label()).collect();
        let consequence = if reports {
            "a crash leaves no report here"
        } else {
            "`agxrun rehearse` builds what it lacks, in a clone"
        };
        found.push(Observation::warning(
            format!("not beside agxrun: {}; {consequence}", labels.join(", ")),
            "run `cargo build --workspace` in a clone and use its agxrun",
        ));
    }
    found.push(runtime(host));
    found
}

fn runtime(host: &dyn Host) -> Observation {
    let answer = host.ask("/sbin/ldconfig", &["-p"]);
    match answer.output() {
        Ok(said) if said.contains(RUNTIME) => {
            Observation::ok(format!("GCC's Objective-C runtime ({RUNTIME}) is there"))
        }
        Ok(_) => Observation::warning(
            format!(
                "GCC's Objective-C runtime ({RUNTIME}) is not installed: nothing can be rehearsed"
            ),
            "apt-get install libobjc4",
        ),
        Err(reason) => Observation::warning(
            format!("`ldconfig` {reason}: whether {RUNTIME} is installed is not known"),
            "`agxrun rehearse` shows it",
        ),
    }
}
