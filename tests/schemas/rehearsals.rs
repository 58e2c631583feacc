//! What the rehearsal prints.

use super::common::Sandbox;
use super::printed;
use super::schema::Printed;

fn rehearse(options: &[&str]) -> Printed {
    let sandbox = Sandbox::new();
    let mut agxrun = sandbox.agxrun();
    agxrun.args(["rehearse", "--json"]).args(options);
    printed(
        &format!("{options:?}"),
        &agxrun.output().expect("agxrun starts"),
    )
}

pub fn both() -> Vec<Printed> {
    vec![
        rehearse(&["--threads", "4"]),
        // One thread does not crash.
        rehearse(&["--threads", "1"]),
        rehearse(&["--threads", "4", "--fault", "double-commit"]),
    ]
}

pub fn matrices() -> Vec<Printed> {
    let few = ["--matrix", "--runs", "1", "--threads", "4"];
    vec![
        rehearse(
            &[
                &few[..],
                &["--policies", "none,v2.9,v3", "--scenarios", "unseen"],
            ]
            .concat(),
        ),
        rehearse(&[&few[..], &["--policies", "none", "--timeout", "100ms"]].concat()),
    ]
}
