//! System Integrity Protection: it decides which programs the library gets into.

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;

pub(super) fn check(host: &dyn Host, _: &Subject) -> Vec<Observation> {
    let answer = host.ask("/usr/bin/csrutil", &["status"]);
    let said = match answer.output() {
        Ok(said) => said.trim(),
        Err(reason) => {
            return vec![Observation::warning(
                format!(
                    "`csrutil` {reason}: whether System Integrity Protection is on is not known"
                ),
                "taken to be on; `csrutil status` shows it",
            )];
        }
    };
    let status = said
        .lines()
        .find_map(|line| line.split_once("status:"))
        .map_or(said, |(_, status)| status.trim())
        .trim_end_matches('.');
    vec![match status {
        "enabled" => Observation::ok(
            "System Integrity Protection is on: programs of the system (/usr/bin, /bin, ...) drop the library, others take it",
        ),
        // Seen on hosted CI machines: the shell is arm64e, takes the variable, and is ended by dyld.
        "disabled" => Observation::warning(
            "System Integrity Protection is off: programs of the system are not protected, and since they are arm64e, \
             dyld ends each into which an arm64 library is inserted",
            "put the interpreter itself behind `--` (python3, not a script or sh -c); `agxrun inspect` shows what will run",
        ),
        other => Observation::warning(
            format!("System Integrity Protection is partly on: {other}"),
            "`csrutil status` shows the parts; `agxrun inspect` shows what becomes of a target",
        ),
    }]
}
