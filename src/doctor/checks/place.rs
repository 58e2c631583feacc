//! A terminal, or which CI.

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;

/// The variable by which each CI system tells that it is there; the general one last.
const SYSTEMS: [(&str, &str); 14] = [
    ("GITHUB_ACTIONS", "GitHub Actions"),
    ("GITLAB_CI", "GitLab CI"),
    ("BUILDKITE", "Buildkite"),
    ("CIRCLECI", "CircleCI"),
    ("CIRRUS_CI", "Cirrus CI"),
    ("TF_BUILD", "Azure Pipelines"),
    ("JENKINS_URL", "Jenkins"),
    ("TEAMCITY_VERSION", "TeamCity"),
    ("BITRISE_IO", "Bitrise"),
    ("TRAVIS", "Travis CI"),
    ("APPVEYOR", "AppVeyor"),
    ("CODEBUILD_BUILD_ID", "AWS CodeBuild"),
    ("CI_XCODE_CLOUD", "Xcode Cloud"),
    ("CI", "a CI system"),
];

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    let ci = SYSTEMS.iter().find(|(variable, _)| {
        host.variable(variable)
            .is_some_and(|value| !matches!(value, "0" | "false"))
    });
    vec![Observation::ok(match (ci, subject.terminal) {
        (Some((variable, name)), _) => format!(
            "{name} ({variable} is set): keep `--json` and the archive as artifacts, `--scope tree` where other jobs crash"
        ),
        (None, true) => "a terminal".to_owned(),
        (None, false) => "neither a terminal nor a CI system that is known".to_owned(),
    })]
}
