//! What an audit comes to: what was looked at, what was found, and what cannot be seen.

use super::against::Comparison;
use super::model::{Audit, FileAudit, Finding, FindingKind, LookedAt, SCHEMA, Verdict};
use crate::audit::coverage::MethodCoverage;

impl Audit {
    /// The audit of these files, judged by a policy.
    pub fn of(policy: &str, files: Vec<FileAudit>, against: Option<Comparison>) -> Self {
        let mut audit = Audit {
            schema: SCHEMA,
            agxrun: env!("CARGO_PKG_VERSION").to_owned(),
            policy: policy.to_owned(),
            files,
            against,
            verdict: Verdict::default(),
        };
        audit.verdict = verdict(&audit);
        audit
    }

    /// Whether something was found by which the policy's protection has a hole.
    pub fn weakens(&self) -> bool {
        self.verdict.findings.iter().any(|finding| finding.weakens)
    }
}

fn verdict(audit: &Audit) -> Verdict {
    let mut looked_at = LookedAt::default();
    let mut unseen = 0;
    for (.., image) in audit.images() {
        looked_at.images += 1;
        looked_at.classes += image.classes;
        looked_at.driver_classes += image.coverage.classes.len();
        let methods = image
            .coverage
            .classes
            .iter()
            .map(|class| class.methods.len());
        looked_at.methods += methods.sum::<usize>();
        unseen += image.unseen.len();
    }
    let failed_parts = audit.files.iter().flat_map(|file| &file.parts);
    let failed = audit
        .files
        .iter()
        .filter(|file| file.error.is_some())
        .count()
        + failed_parts.filter(|part| part.error.is_some()).count();
    let findings: Vec<Finding> = [uncovered(audit), changed(audit)]
        .into_iter()
        .flatten()
        .collect();
    let text = sentences(audit, looked_at, &findings, unseen, failed);
    Verdict {
        looked_at,
        findings,
        unseen,
        failed,
        text,
    }
}

/// Work that the policy does not hook.
fn uncovered(audit: &Audit) -> Option<Finding> {
    let is_uncovered = |method: &MethodCoverage| method.work && !method.is_hooked_by(&audit.policy);
    let methods = audit
        .images()
        .flat_map(|(.., image)| image.coverage.methods());
    let count = methods.filter(|(_, method)| is_uncovered(method)).count();
    (count > 0).then(|| Finding {
        kind: FindingKind::UncoveredWork,
        weakens: true,
        count,
        text: format!(
            "{} leaves {} alone that {}",
            audit.policy,
            counted(count, "method", "methods"),
            if count == 1 { "is work" } else { "are work" },
        ),
    })
}

fn changed(audit: &Audit) -> Option<Finding> {
    let against = audit.against.as_ref()?;
    let count = against.images.iter().map(super::Changes::count).sum();
    (count > 0).then(|| Finding {
        kind: FindingKind::Changed,
        weakens: false,
        count,
        text: format!(
            "{} against {}",
            counted(count, "change", "changes"),
            against.path
        ),
    })
}

fn sentences(
    audit: &Audit,
    looked_at: LookedAt,
    findings: &[Finding],
    unseen: usize,
    failed: usize,
) -> Vec<String> {
    let mut text = vec![format!(
        "looked at {} with {}, of which {} {} of encoders, command buffers, queues or devices, with {}",
        counted(looked_at.images, "image", "images"),
        counted(looked_at.classes, "class", "classes"),
        looked_at.driver_classes,
        if looked_at.driver_classes == 1 {
            "is"
        } else {
            "are"
        },
        counted(looked_at.methods, "method", "methods"),
    )];
    if looked_at.methods > 0 {
        let covered = audit
            .images()
            .filter_map(|(.., image)| image.coverage.policy(&audit.policy));
        let (hooked, work) = covered.fold((0, 0), |(hooked, work), it| {
            (hooked + it.work_hooked, work + it.work)
        });
        text.push(format!(
            "{} hooks {hooked} of {} that change what is sent to the GPU",
            audit.policy,
            counted(work, "method", "methods"),
        ));
    }
    text.extend(findings.iter().map(|finding| finding.text.clone()));
    if let Some(against) = &audit.against {
        let compared = against.compared();
        if compared == 0 {
            text.push(format!(
                "nothing in {} could be compared with it",
                against.path
            ));
        } else if against.images.iter().all(super::Changes::is_empty) {
            text.push(format!(
                "no change in {} held against {}",
                counted(compared, "image", "images"),
                against.path
            ));
        }
    }
    if unseen > 0 {
        text.push(format!(
            "{} cannot be seen in these files; the images say which",
            counted(unseen, "thing", "things")
        ));
    }
    if failed > 0 {
        text.push(format!(
            "{} could not be read",
            counted(failed, "file or part", "files or parts")
        ));
    }
    text
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}
