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
    let images = counted(looked_at.images, "image", "images");
    let classes = counted(looked_at.classes, "class", "classes");
    let mut text = vec![match looked_at.driver_classes {
        0 => format!(
            "looked at {images} with {classes}, none of encoders, command buffers, queues or devices"
        ),
        ours => format!(
            "looked at {images} with {classes}, of which {ours} {} of encoders, command buffers, queues or devices, with {}",
            is_or_are(ours),
            counted(looked_at.methods, "method", "methods"),
        ),
    }];
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
    text.extend(not_found(audit, findings));
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

/// What was looked for in vain. That none was found is not that there is none.
fn not_found(audit: &Audit, findings: &[Finding]) -> Vec<String> {
    let has = |kind| findings.iter().any(|finding| finding.kind == kind);
    let looked_at = || {
        let images = audit.images();
        images.filter_map(|(.., image)| Some(image.bypass.as_ref()?.looked_at))
    };
    let mut text = Vec::new();
    let places: u64 = looked_at()
        .filter(|it| it.methods > 0)
        .map(|it| it.places())
        .sum();
    if places > 0 && !has(FindingKind::Bypass) {
        text.push(format!(
            "no bypass found in {places} places looked at; what other images do, code that is made at run time, and addresses that are computed in other ways were not looked at"
        ));
    }
    let instructions: u64 = looked_at().map(|it| it.instructions).sum();
    if instructions > 0 && !has(FindingKind::Lookup) {
        text.push(format!(
            "no name by which the runtime is asked for methods' code was found; {instructions} instructions were looked at"
        ));
    }
    text
}
