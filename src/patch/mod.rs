//! A copy of the driver whose `destroyImpl` stores NULL before it unlocks.
//!
//! The tail is found by metadata and data flow (`crate::audit`), laid out anew (`layout`), and shown to
//! do what the old one did with the store moved (`proof`). The signature is renewed (`signature`), and
//! the whole copy is read again before anybody gets it (`check`). What is not fully recognised is
//! refused. Nothing here writes the input or installs anything.

mod check;
mod encode;
pub mod file;
mod layout;
mod part;
mod proof;
pub mod published;
mod refusal;
pub mod signature;
mod tail;
mod trace;
pub mod verify;

use crate::audit::arm64::Instruction;
use crate::audit::{Binary, ReadError};
use crate::target::image::Processor;

pub use part::{Line, PatchedMethod, PatchedPart};
pub use proof::Proof;
pub use refusal::{PartRefusal, PatchError, Refusal, Unrecognised};
pub use tail::{Known, Method};

/// What is made of the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Laid out anew, without the published patch's leak.
    Rebuilt,
    /// The published nine edits, for the published build.
    Published,
}

impl Kind {
    /// Its name, in JSON and for people.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Rebuilt => "rebuilt",
            Kind::Published => "published",
        }
    }
}

/// One instruction that is replaced by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// Where it stands, before the image is slid.
    pub address: u64,
    /// What stood there.
    pub old: u32,
    /// What stands there now.
    pub new: u32,
}

impl Edit {
    /// The old instruction.
    pub fn before(&self) -> Instruction {
        Instruction::new(self.address, self.old)
    }

    /// The new one.
    pub fn after(&self) -> Instruction {
        Instruction::new(self.address, self.new)
    }
}

/// A copy that is patched, signed and checked; nothing is written yet.
#[derive(Debug)]
pub struct Patched {
    /// The file.
    pub bytes: Vec<u8>,
    /// What was made of the tails.
    pub kind: Kind,
    /// The parts for arm64 and arm64e.
    pub parts: Vec<PatchedPart>,
    /// The processors of the others, which are as they were.
    pub untouched: Vec<Processor>,
    /// What the published sums say, where the input is a published original.
    pub published: Option<PublishedSum>,
}

/// How the copy, before it was signed again, compares with the published one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedSum {
    /// Which form of the file it is.
    pub form: &'static str,
    /// The published SHA-256.
    pub expected: &'static str,
    /// That of the copy before it was signed again.
    pub found: String,
}

/// Patches the contents of a file in memory: every part for arm64 and arm64e, or none.
pub fn patch(original: &[u8], kind: Kind) -> Result<Patched, PatchError> {
    let mut bytes = original.to_vec();
    let mut plans = Vec::new();
    let mut untouched = Vec::new();
    for found in Binary::parse(original)? {
        let processor = found.processor;
        if !matches!(processor, Processor::Arm64 | Processor::Arm64e) {
            untouched.push(processor);
            continue;
        }
        let refused = |why: PartRefusal| PatchError::Part {
            processor,
            why: Box::new(why),
        };
        let binary = found
            .binary
            .map_err(|error: ReadError| refused(error.into()))?;
        let plan = part::plan(&binary, found.offset, kind).map_err(refused)?;
        plan.apply(&mut bytes)?;
        plans.push(plan);
    }
    if plans.is_empty() {
        return Err(PatchError::OtherProcessors);
    }
    let published = (kind == Kind::Published)
        .then(|| published::sums_of(original))
        .flatten()
        .map(|sums| PublishedSum {
            form: sums.form,
            expected: sums.patched,
            found: published::sum(&bytes),
        });
    let mut parts = Vec::new();
    for plan in plans {
        let processor = plan.processor;
        let part = plan
            .sign(original, &mut bytes)
            .map_err(|why| PatchError::Part {
                processor,
                why: Box::new(why.into()),
            })?;
        parts.push(part);
    }
    check::copy(original, &bytes, &parts)?;
    Ok(Patched {
        bytes,
        kind,
        parts,
        untouched,
        published,
    })
}
