//! The answer of `patch` for programs. Every field may be absent or null in another version; `schema`
//! grows when one changes its meaning.

use serde::Serialize;

use super::{Answer, CANNOT, Outcome, hex, uuid};
use crate::patch::signature::{CheckedDirectory, SlotState};
use crate::patch::verify::{Against, PartReport, Report};
use crate::patch::{Known, Line, Method, Patched, PatchedMethod, PatchedPart, Unrecognised};

/// The version of this layout.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct View {
    schema: u32,
    agxrun: &'static str,
    input: Option<String>,
    output: Option<String>,
    outcome: &'static str,
    refused: Option<String>,
    patched: Option<PatchedView>,
    verified: Option<VerifiedView>,
    cannot: [&'static str; 3],
}

#[derive(Serialize)]
struct PatchedView {
    kind: &'static str,
    parts: Vec<PartView>,
    untouched: Vec<String>,
    published_sum: Option<SumView>,
}

#[derive(Serialize)]
struct PartView {
    processor: String,
    offset: u64,
    uuid: Option<String>,
    methods: Vec<MethodView>,
    unrecognised: Vec<UnrecognisedView>,
    signature: RenewedView,
}

#[derive(Serialize)]
struct MethodView {
    name: String,
    address: u64,
    leaks: bool,
    before: Vec<LineView>,
    after: Vec<LineView>,
    edits: Vec<EditView>,
}

#[derive(Serialize)]
struct LineView {
    address: u64,
    word: u32,
    text: String,
    calls: Option<String>,
}

#[derive(Serialize)]
struct EditView {
    address: u64,
    offset: usize,
    old: u32,
    new: u32,
}

#[derive(Serialize)]
struct UnrecognisedView {
    name: String,
    address: u64,
    why: String,
}

#[derive(Serialize)]
struct RenewedView {
    identifier: String,
    cdhash: String,
    size: usize,
    room: usize,
    was_certified: bool,
    dropped_slots: Vec<u32>,
}

#[derive(Serialize)]
struct SumView {
    form: &'static str,
    expected: &'static str,
    found: String,
}

#[derive(Serialize)]
struct VerifiedView {
    good: bool,
    parts: Vec<VerifiedPartView>,
    against: Option<AgainstView>,
}

#[derive(Serialize)]
struct VerifiedPartView {
    processor: String,
    unreadable: Option<String>,
    methods: Vec<KnownView>,
    signature: Option<SignatureView>,
}

#[derive(Serialize)]
struct KnownView {
    name: String,
    address: u64,
    state: &'static str,
    why: Option<String>,
}

#[derive(Serialize)]
struct SignatureView {
    identifier: Option<String>,
    ad_hoc: bool,
    certified: bool,
    fault: Option<String>,
    directories: Vec<DirectoryView>,
}

#[derive(Serialize)]
struct DirectoryView {
    hash: &'static str,
    pages: usize,
    wrong_pages: Option<Vec<usize>>,
    slots: Vec<SlotView>,
}

#[derive(Serialize)]
struct SlotView {
    slot: u32,
    state: &'static str,
}

#[derive(Serialize)]
struct AgainstView {
    state: &'static str,
    kind: Option<&'static str>,
    offset: Option<usize>,
    why: Option<String>,
}

pub(super) fn of(answer: &Answer<'_>) -> serde_json::Result<String> {
    let path = |path: Option<&std::path::Path>| path.map(|path| path.display().to_string());
    let (outcome, refused, patched, verified) = match &answer.outcome {
        Outcome::Written(made) => ("written", None, Some(patched(made)), None),
        Outcome::Made(made) => ("not-written", None, Some(patched(made)), None),
        Outcome::Refused(why) => ("refused", Some(why.clone()), None, None),
        Outcome::Verified(report) => ("verified", None, None, Some(verified(report))),
    };
    serde_json::to_string_pretty(&View {
        schema: SCHEMA,
        agxrun: env!("CARGO_PKG_VERSION"),
        input: path(answer.input),
        output: path(answer.output),
        outcome,
        refused,
        patched,
        verified,
        cannot: CANNOT,
    })
}

fn patched(patched: &Patched) -> PatchedView {
    PatchedView {
        kind: patched.kind.name(),
        parts: patched.parts.iter().map(part).collect(),
        untouched: patched.untouched.iter().map(ToString::to_string).collect(),
        published_sum: patched.published.as_ref().map(|sum| SumView {
            form: sum.form,
            expected: sum.expected,
            found: sum.found.clone(),
        }),
    }
}

fn part(part: &PatchedPart) -> PartView {
    let signature = &part.signature;
    PartView {
        processor: part.processor.to_string(),
        offset: part.offset,
        uuid: part.uuid.map(uuid),
        methods: part.methods.iter().map(method).collect(),
        unrecognised: part.unrecognised.iter().map(unrecognised).collect(),
        signature: RenewedView {
            identifier: signature.identifier.clone(),
            cdhash: hex(&signature.cdhash),
            size: signature.size,
            room: signature.room,
            was_certified: signature.was_certified,
            dropped_slots: signature.dropped.clone(),
        },
    }
}

fn method(method: &PatchedMethod) -> MethodView {
    let edits = method.edits.iter().zip(&method.offsets);
    MethodView {
        name: method.name.clone(),
        address: method.address,
        leaks: !method.proof.frees,
        before: method.before.iter().map(line).collect(),
        after: method.after.iter().map(line).collect(),
        edits: edits
            .map(|(edit, offset)| EditView {
                address: edit.address,
                offset: *offset,
                old: edit.old,
                new: edit.new,
            })
            .collect(),
    }
}

fn line(line: &Line) -> LineView {
    LineView {
        address: line.instruction.address,
        word: line.instruction.word,
        text: line.instruction.text(),
        calls: line.calls.clone(),
    }
}

fn unrecognised(method: &Unrecognised) -> UnrecognisedView {
    UnrecognisedView {
        name: method.name.clone(),
        address: method.address,
        why: method.why.clone(),
    }
}

fn verified(report: &Report) -> VerifiedView {
    VerifiedView {
        good: report.is_good(),
        parts: report.parts.iter().map(verified_part).collect(),
        against: report.against.as_ref().map(against),
    }
}

fn verified_part(part: &PartReport) -> VerifiedPartView {
    let found = part.found.as_ref().ok();
    VerifiedPartView {
        processor: part.processor.to_string(),
        unreadable: part.found.as_ref().err().map(ToString::to_string),
        methods: found.map_or_else(Vec::new, |found| {
            let methods = found.methods.iter();
            methods
                .map(|(method, state)| known(method, state))
                .collect()
        }),
        signature: found.map(|found| match &found.signature {
            Ok(signature) => SignatureView {
                identifier: Some(signature.identifier.clone()),
                ad_hoc: signature.is_ad_hoc(),
                certified: signature.certified,
                fault: signature.fault(),
                directories: signature.directories.iter().map(directory).collect(),
            },
            Err(error) => SignatureView {
                identifier: None,
                ad_hoc: false,
                certified: false,
                fault: Some(error.to_string()),
                directories: vec![],
            },
        }),
    }
}

fn known(method: &Method, known: &Known) -> KnownView {
    let (state, why) = match known {
        Known::Patched(kind) => (kind.name(), None),
        Known::Race => ("race", None),
        Known::Unrecognised(why) => ("unrecognised", Some(why.clone())),
    };
    KnownView {
        name: method.name.clone(),
        address: method.address,
        state,
        why,
    }
}

fn directory(directory: &CheckedDirectory) -> DirectoryView {
    let slots = directory.slots.iter().map(|checked| SlotView {
        slot: checked.slot,
        state: match checked.state {
            SlotState::Right => "right",
            SlotState::Wrong => "wrong",
            SlotState::Outside => "outside",
            SlotState::Missing => "missing",
            SlotState::Unhashed => "unhashed",
            SlotState::NotComputed => "not-computed",
        },
    });
    DirectoryView {
        hash: directory.hash.name(),
        pages: directory.pages,
        wrong_pages: directory.wrong_pages.clone(),
        slots: slots.collect(),
    }
}

fn against(against: &Against) -> AgainstView {
    let view = |state| AgainstView {
        state,
        kind: None,
        offset: None,
        why: None,
    };
    match against {
        Against::Same(kind) => AgainstView {
            kind: Some(kind.name()),
            ..view("same")
        },
        Against::Differs { offset, kind } => AgainstView {
            kind: Some(kind.name()),
            offset: Some(*offset),
            ..view("differs")
        },
        Against::Refused(why) => AgainstView {
            why: Some(why.to_string()),
            ..view("refused")
        },
    }
}
