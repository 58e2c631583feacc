//! A target that somebody replaces between the look at it and its launch. A run is made within this
//! process, so that the moment can be met; nothing else is tested here, since a run installs signal
//! handlers and waits for every child.

mod common;

use std::path::PathBuf;
use std::time::Duration;

use agxrun::inject::Artifact;
use agxrun::inject::build::Stage;
use agxrun::inject::locate::{Located, Origin};
use agxrun::reports::ReportFolder;
use agxrun::run::execute::{Watcher, execute};
use agxrun::run::options::{FixRequest, RunOptions, Scope, Tuning};
use agxrun::run::plan::Plan;
use agxrun::run::record::Notice;
use agxrun::run::settle::Waiting;
use agxrun::target::verdict::Kind;

/// Puts another program into the target's place as soon as the run is planned.
struct Replacing {
    target: PathBuf,
    other: PathBuf,
}

impl Watcher for Replacing {
    fn building(&mut self, _: Artifact, _: Stage<'_>) {}
    fn planned(&mut self, plan: &Plan) {
        let arrival = plan.arrival.as_ref().expect("there is a library");
        assert!(arrival.inspection.verdict.arrives());
        std::fs::rename(&self.other, &self.target).expect("renamed");
    }
    fn waiting(&mut self, _: &Waiting<'_>, _: Duration) {}
    fn settled(&mut self) {}
}

#[test]
fn what_is_read_may_not_be_what_is_launched() {
    let sandbox = common::Sandbox::new();
    let (target, other) = (sandbox.path("target"), sandbox.path("other"));
    common::programs::copy("/bin/true", &target);
    common::programs::write(&other, "#!/bin/sh\nexit 3\n");
    let library = common::products().join(Artifact::FixLibrary.file_name());
    let options = RunOptions {
        command: vec![target.clone().into()],
        fix: FixRequest::Inject {
            policy: None,
            library: Some(Located {
                path: library,
                origin: Origin::Option,
            }),
            tuning: Tuning::default(),
        },
        require_fix: false,
        allow_uninjected: false,
        env: vec![],
        timeout: None,
        grace: Duration::from_secs(1),
        reports_dirs: vec![sandbox.reports()],
        archive: sandbox.path("archive"),
        scope: Scope::Any,
        settle: Duration::ZERO,
        report_wait: Duration::ZERO,
        signatures: agxrun::diagnose::Signatures::builtin_shared(),
        baseline: None,
    };
    let folders = vec![ReportFolder::new(sandbox.reports())];
    let mut watcher = Replacing { target, other };
    let record = execute(options, folders, &mut watcher).expect("it is launched all the same");
    assert_eq!(record.verdict.exit_code, 3, "the other one ran");
    let told = record.notices.iter().find_map(|notice| match notice {
        Notice::Arrival { kind, rule, .. } => Some((*kind, *rule)),
        _ => None,
    });
    assert_eq!(told, Some((Kind::Unknown, "changed")));
}
