//! What an audit comes to: what was looked at, what was found, and what cannot be seen.

use super::against::Comparison;
use super::findings;
use super::model::{Audit, FileAudit, Finding, FindingKind, LookedAt, SCHEMA, Verdict};
use super::words::{counted, is_or_are};

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
        let bypass = image.bypass.as_ref();
        looked_at.places += bypass.map_or(0, |it| it.looked_at.places());
        unseen += image.unseen.len();
    }
    let failed_parts = audit.files.iter().flat_map(|file| &file.parts);
    let failed = audit
        .files
        .iter()
        .filter(|file| file.error.is_some())
        .count()
        + failed_parts.filter(|part| part.error.is_some()).count();
    let findings = findings::all(audit);
    let text = sentences(audit, looked_at, &findings, unseen, failed);
    Verdict {
        looked_at,
        findings,
        unseen,
        failed,
        text,
    }
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
        is_or_are(looked_at.driver_classes),
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
    let found_way = |finding: &Finding| finding.kind == FindingKind::Bypass;
    let asked: u64 = audit
        .images()
        .filter_map(|(.., image)| Some(image.bypass.as_ref()?.looked_at.methods))
        .sum();
    if asked > 0 && !findings.iter().any(found_way) {
        // That none was found is not that there is none.
        text.push(format!(
            "no bypass found in {} places looked at; what other images do, code that is made at run time, and addresses that are computed in other ways were not looked at",
            looked_at.places
        ));
    }
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
