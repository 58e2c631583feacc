//! Why no copy is made.

use std::fmt::Write;

use super::signature::SignatureError;
use crate::audit::race::TailRefusal;
use crate::audit::{Gap, ReadError};
use crate::target::image::Processor;

/// Why nothing is patched.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// No part of it is for the processors on which the driver runs.
    #[error("it has no code for arm64 or arm64e")]
    OtherProcessors,
    /// One part of it is refused, and so is the whole: the loader could choose that part.
    #[error("its {processor} part is refused: {why}")]
    Part {
        /// Which part.
        processor: Processor,
        /// Why.
        why: Box<PartRefusal>,
    },
    /// The copy is not what it was to be. Nothing is written.
    #[error("the copy was read again, and is not what it should be: {0}")]
    Check(String),
}

/// Why a part of the file is refused.
#[derive(Debug, thiserror::Error)]
pub enum PartRefusal {
    /// It is damaged.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// Something that the analysis needs could not be read.
    #[error("{0} could not be read, so that not everything was looked at")]
    Incomplete(Gap),
    /// No class has the method.
    #[error("no class of it has a method `destroyImpl`: it is no driver of a known family")]
    NoMethod,
    /// The compute context's method is none of those.
    #[error("no class for compute has a method `destroyImpl`: it is no driver of a known family")]
    NoCompute,
    /// Methods that are not recognised, of which the compute context's is one or which are all.
    #[error("{}", unrecognised(.0))]
    Unrecognised(Vec<Unrecognised>),
    /// Another build than the published one.
    #[error("{0}")]
    NotPublished(String),
    /// The signature cannot be renewed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// A method that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecognised {
    /// Such as `-[AGXG16XFamilyComputeContext destroyImpl]`.
    pub name: String,
    /// Where it begins.
    pub address: u64,
    /// Why, in words.
    pub why: String,
}

fn unrecognised(methods: &[Unrecognised]) -> String {
    let mut text = String::new();
    for method in methods {
        if !text.is_empty() {
            text.push_str("; ");
        }
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{} at {:#x}: {}",
            method.name, method.address, method.why
        );
    }
    text
}

/// Why one method cannot be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An instruction does not fit.
    #[error("at {address:#x}: {why}")]
    Unfit {
        /// Where it stands.
        address: u64,
        /// Why.
        why: &'static str,
    },
    /// A branch cannot reach its target.
    #[error("a branch at {address:#x} cannot reach {target:#x}")]
    OutOfReach {
        /// Where it would stand.
        address: u64,
        /// Where it should go.
        target: u64,
    },
    /// The changed code could not be shown to do what it should.
    #[error("{0}")]
    NotProven(&'static str),
    /// Its class has no `_impl`.
    #[error("its class has no instance variable `_impl`")]
    NoImpl,
    /// The tail is not the known one.
    #[error(transparent)]
    Tail(#[from] TailRefusal),
    /// The published edits are for another method.
    #[error("the published edits leave it as it is")]
    LeftByPublished,
}
