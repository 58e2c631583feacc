//! One part of the file: which methods are patched, and how.

use super::layout::{self, Parts};
use super::proof::{self, Proof};
use super::signature::{self, Place, Renewed, SignatureError};
use super::tail::{Method, Tails};
use super::{Edit, Kind, PartRefusal, PatchError, Refusal, Unrecognised, published};
use crate::audit::arm64::Instruction;
use crate::audit::{Binary, Code};
use crate::target::image::Processor;

/// A part with its methods patched.
#[derive(Debug)]
pub struct PatchedPart {
    /// The processor that it is for.
    pub processor: Processor,
    /// Where it begins in the file.
    pub offset: u64,
    /// The build's number.
    pub uuid: Option<[u8; 16]>,
    /// Where its signature is, from its start.
    pub place: Place,
    /// The methods that are patched, the compute context's among them.
    pub methods: Vec<PatchedMethod>,
    /// Those that are left as they were.
    pub unrecognised: Vec<Unrecognised>,
    /// What became of its signature.
    pub signature: Renewed,
}

/// A method that is patched.
#[derive(Debug, Clone)]
pub struct PatchedMethod {
    /// Such as `-[AGXG16XFamilyComputeContext destroyImpl]`.
    pub name: String,
    /// Where it begins.
    pub address: u64,
    /// The instructions from the branch to the epilogue, as they were.
    pub before: Vec<Line>,
    /// The same addresses, as they are now.
    pub after: Vec<Line>,
    /// What changed, in the order of addresses.
    pub edits: Vec<Edit>,
    /// Where in the file each edit is, in the same order.
    pub offsets: Vec<usize>,
    /// What holds of the changed code.
    pub proof: Proof,
    pub(super) parts: Parts,
}

/// An instruction, for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The instruction.
    pub instruction: Instruction,
    /// What it calls, where that has a name, such as `_free`.
    pub calls: Option<String>,
}

/// What is to be done to a part.
#[derive(Debug)]
pub(super) struct Plan {
    pub processor: Processor,
    offset: u64,
    size: usize,
    uuid: Option<[u8; 16]>,
    place: Place,
    methods: Vec<PatchedMethod>,
    unrecognised: Vec<Unrecognised>,
}

/// Finds what is to be done to `binary`, which begins at `offset` of its file.
pub(super) fn plan(binary: &Binary<'_>, offset: u64, kind: Kind) -> Result<Plan, PartRefusal> {
    let place = Place::of(binary)?;
    let objc = binary.objc();
    let code = Code::of(binary, &objc).ok_or(PartRefusal::NoMethod)?;
    let read = [binary.gaps(), &objc.gaps, code.gaps()];
    if let Some(gap) = read.iter().find_map(|gaps| gaps.kept().first()) {
        return Err(PartRefusal::Incomplete(gap.clone()));
    }
    if kind == Kind::Published {
        is_published(binary)?;
    }
    let mut methods: Vec<PatchedMethod> = Vec::new();
    let mut unrecognised: Vec<Unrecognised> = Vec::new();
    let mut compute = Vec::new();
    let tails = Tails::of(&code);
    for (found, destroy) in &tails.methods {
        if found.compute {
            compute.push(found.address);
        }
        // Several classes may share the code, one by inheritance of the other's `_impl`.
        if methods.iter().any(|known| known.address == found.address) {
            continue;
        }
        let patched = tails
            .parts(destroy.as_ref(), kind)
            .and_then(|parts| method(&code, found, parts, kind, offset));
        match patched {
            Ok(method) => methods.push(method),
            Err(why) => unrecognised.push(Unrecognised {
                name: found.name.clone(),
                address: found.address,
                why: why.to_string(),
            }),
        }
    }
    let is_patched = |address: u64| methods.iter().any(|known| known.address == address);
    unrecognised.retain(|left| !is_patched(left.address));
    if tails.methods.is_empty() {
        return Err(PartRefusal::NoMethod);
    }
    if compute.is_empty() {
        return Err(PartRefusal::NoCompute);
    }
    if !compute.into_iter().all(is_patched) {
        return Err(PartRefusal::Unrecognised(unrecognised));
    }
    Ok(Plan {
        processor: binary.processor(),
        offset,
        size: binary.bytes().len(),
        uuid: binary.uuid(),
        place,
        methods,
        unrecognised,
    })
}

/// Whether it is the published build, by its number and the words that are replaced.
fn is_published(binary: &Binary<'_>) -> Result<(), PartRefusal> {
    if binary.uuid() != Some(published::UUID) {
        return Err(PartRefusal::NotPublished(
            "the published edits are for the build with the UUID 0CE453FF-9F17-321F-BC18-383573A48221, which this is not (hint: without --published, the tail is found and laid out anew)"
                .to_owned(),
        ));
    }
    for edit in &published::EDITS {
        let found = binary.u32_at(edit.address);
        if found.as_ref() != Ok(&edit.old) {
            return Err(PartRefusal::NotPublished(format!(
                "it has the published build's UUID, but not its instruction at {:#x}",
                edit.address
            )));
        }
    }
    Ok(())
}

/// The changes to one method, shown to be right.
fn method(
    code: &Code<'_>,
    found: &Method,
    parts: Parts,
    kind: Kind,
    origin: u64,
) -> Result<PatchedMethod, Refusal> {
    let before = |address| code.instruction_at(address);
    let edits = match kind {
        Kind::Rebuilt => layout::rebuild(&parts, &before)?,
        Kind::Published => published::EDITS.to_vec(),
    };
    let after = |address| {
        let edit = edits.iter().find(|edit| edit.address == address);
        edit.map(Edit::after).or_else(|| before(address))
    };
    let proof = proof::prove(&parts, &before, &after)?;
    if kind == Kind::Rebuilt && !proof.frees {
        return Err(Refusal::NotProven(
            "the changed code would not free `_impl`",
        ));
    }
    let offsets = edits.iter().map(|edit| {
        let within = code.binary().offset_of(edit.address).ok();
        within
            .and_then(|within| usize::try_from(origin + within).ok())
            .ok_or(Refusal::Unfit {
                address: edit.address,
                why: "the file does not store it",
            })
    });
    let offsets = offsets.collect::<Result<_, _>>()?;
    let range = (parts.condition.address..parts.epilogue).step_by(4);
    let lines = |at: &dyn Fn(u64) -> Option<Instruction>| {
        let line = |instruction: Instruction| Line {
            instruction,
            calls: instruction
                .operation()
                .target()
                .and_then(|target| code.name_of(target))
                .map(str::to_owned),
        };
        range.clone().filter_map(at).map(line).collect()
    };
    Ok(PatchedMethod {
        name: found.name.clone(),
        address: found.address,
        before: lines(&before),
        after: lines(&after),
        edits: edits.clone(),
        offsets,
        proof,
        parts,
    })
}

impl Plan {
    /// Replaces the instructions in `bytes`, the whole file.
    pub fn apply(&self, bytes: &mut [u8]) -> Result<(), PatchError> {
        let edits = self
            .methods
            .iter()
            .flat_map(|method| method.edits.iter().zip(&method.offsets));
        for (edit, offset) in edits {
            let place = bytes
                .get_mut(*offset..)
                .and_then(<[u8]>::first_chunk_mut)
                .filter(|place| **place == edit.old.to_le_bytes());
            let place: &mut [u8; 4] = place.ok_or_else(|| {
                PatchError::Check(format!(
                    "offset {offset:#x} does not have the instruction of {:#x}",
                    edit.address
                ))
            })?;
            *place = edit.new.to_le_bytes();
        }
        Ok(())
    }

    /// Renews the signature in `bytes`, the whole file; `original` is the file as it was.
    pub fn sign(self, original: &[u8], bytes: &mut [u8]) -> Result<PatchedPart, SignatureError> {
        let short = || SignatureError::damaged("its place", "the file is shorter");
        let start = usize::try_from(self.offset).map_err(|_| short())?;
        let range = start..start.saturating_add(self.size);
        let signature = signature::renew(
            original.get(range.clone()).ok_or_else(short)?,
            bytes.get_mut(range).ok_or_else(short)?,
            &self.place,
        )?;
        Ok(PatchedPart {
            processor: self.processor,
            offset: self.offset,
            uuid: self.uuid,
            place: self.place,
            methods: self.methods,
            unrecognised: self.unrecognised,
            signature,
        })
    }
}
