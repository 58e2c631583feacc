//! An inspection as JSON. Every field may be absent or null in another version; `schema` grows when
//! one changes its meaning.

use serde::Serialize;

use super::inspect::{Answer, facts, part};
use crate::target::JudgedStep;
use crate::target::chain::End;
use crate::target::remedy::Advice;
use crate::target::verdict::{Kind, Verdict};

/// The version of this layout.
pub const SCHEMA: u32 = 1;

/// A verdict as it is serialised.
#[derive(Serialize)]
pub struct Judgement<'a> {
    kind: Kind,
    rule: &'a str,
    because: &'a str,
    file: String,
}

impl<'a> Judgement<'a> {
    /// The same without its remedies, which are told as advice.
    pub fn of(verdict: &'a Verdict) -> Self {
        Self {
            kind: verdict.kind,
            rule: verdict.rule,
            because: &verdict.because,
            file: verdict.file.display().to_string(),
        }
    }
}

#[derive(Serialize)]
struct View<'a> {
    schema: u32,
    agxrun: &'static str,
    library: String,
    verdict: Judgement<'a>,
    chain: Vec<StepView<'a>>,
    ends: &'static str,
    /// Index of the step that `agxrun run` launches, where it is not the first.
    launched: Option<usize>,
    instead_of: Option<Judgement<'a>>,
    /// Facts of the one file, with `--file`.
    facts: Vec<String>,
    advice: &'a [Advice],
}

#[derive(Serialize)]
struct StepView<'a> {
    path: String,
    file: String,
    links: Vec<String>,
    because: &'a str,
    part: &'static str,
    argv: Vec<String>,
    note: Option<&'a str>,
    facts: Vec<String>,
    verdict: Option<Judgement<'a>>,
}

/// The JSON of an answer.
pub fn text(answer: &Answer<'_>) -> serde_json::Result<String> {
    let (chain, ends, direct) = match answer.inspection {
        Some(inspection) => (
            inspection.steps.iter().map(step).collect(),
            ends(&inspection.end),
            inspection.direct.as_ref(),
        ),
        None => (vec![], "program", None),
    };
    serde_json::to_string_pretty(&View {
        schema: SCHEMA,
        agxrun: env!("CARGO_PKG_VERSION"),
        library: answer.library.display().to_string(),
        verdict: Judgement::of(answer.verdict),
        chain,
        ends,
        launched: direct.map(|direct| direct.step),
        instead_of: direct.map(|direct| Judgement::of(&direct.instead_of)),
        facts: answer.file.map(facts).unwrap_or_default(),
        advice: &answer.advice,
    })
}

fn ends(end: &End) -> &'static str {
    match end {
        End::Program => "program",
        End::Unseen(_) => "unseen",
        End::Broken { .. } => "broken",
    }
}

fn step(judged: &JudgedStep) -> StepView<'_> {
    let step = &judged.step;
    StepView {
        path: step.call.program.display().to_string(),
        file: step.file.display().to_string(),
        links: step
            .links
            .iter()
            .map(|link| link.display().to_string())
            .collect(),
        because: &step.call.because,
        part: part(&step.part),
        argv: step
            .call
            .argv
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        note: step.note.as_deref(),
        facts: step.image.as_ref().map(facts).unwrap_or_default(),
        verdict: judged.verdict.as_ref().map(Judgement::of),
    }
}
