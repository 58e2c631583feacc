//! What a copy is: patched or not, rightly signed or not, and whether it differs from its original in
//! anything else.

use super::signature::{self, Place, SignatureError, Verified};
use super::tail::{Known, Method, Tails};
use super::{Kind, PatchError, check};
use crate::audit::{Binary, Code, ReadError};
use crate::target::image::Processor;

/// What was found of a copy.
#[derive(Debug)]
pub struct Report {
    /// Its parts for arm64 and arm64e.
    pub parts: Vec<PartReport>,
    /// How it compares with what would be made of the original; none where no original was named.
    pub against: Option<Against>,
}

/// What was found of one part.
#[derive(Debug)]
pub struct PartReport {
    /// The processor that it is for.
    pub processor: Processor,
    /// What could be read of it.
    pub found: Result<Found, ReadError>,
}

/// A part that could be read.
#[derive(Debug)]
pub struct Found {
    /// Its `destroyImpl` methods, and what they are.
    pub methods: Vec<(Method, Known)>,
    /// Its signature.
    pub signature: Result<Verified, SignatureError>,
}

/// How a copy compares with its original.
#[derive(Debug)]
pub enum Against {
    /// Outside of the signatures it is, byte for byte, what is made of the original.
    Same(Kind),
    /// It is neither of what could be made of it.
    Differs {
        /// The first offset that differs from what would be made of it.
        offset: usize,
        /// Which of the two it was held against last.
        kind: Kind,
    },
    /// Nothing could be made of the original.
    Refused(PatchError),
}

/// Looks at the contents of a copy and, where there is one, of its original.
pub fn verify(copy: &[u8], original: Option<&[u8]>) -> Result<Report, ReadError> {
    let mut parts = Vec::new();
    let mut signatures = Vec::new();
    for part in Binary::parse(copy)? {
        if let Ok(binary) = &part.binary
            && let Ok(place) = Place::of(binary)
        {
            signatures.push(check::signature_of(part.offset, &place));
        }
        if matches!(part.processor, Processor::Arm64 | Processor::Arm64e) {
            parts.push(PartReport {
                processor: part.processor,
                found: part.binary.map(|binary| look(&binary)),
            });
        }
    }
    let against = original.map(|original| {
        let mut last = None;
        for kind in [Kind::Published, Kind::Rebuilt] {
            last = Some(match super::patch(original, kind) {
                Err(error) => Against::Refused(error),
                Ok(made) => match check::unexpected(&made.bytes, copy, &signatures) {
                    None => return Against::Same(kind),
                    Some(offset) => Against::Differs { offset, kind },
                },
            });
        }
        last.unwrap_or(Against::Refused(PatchError::OtherProcessors))
    });
    Ok(Report { parts, against })
}

fn look(binary: &Binary<'_>) -> Found {
    let objc = binary.objc();
    let methods = Code::of(binary, &objc).map_or_else(Vec::new, |code| {
        let tails = Tails::of(&code);
        let methods = tails.methods.iter();
        methods
            .map(|(method, destroy)| (method.clone(), tails.known(destroy.as_ref())))
            .collect()
    });
    let signature = Place::of(binary).and_then(|place| signature::verify(binary.bytes(), &place));
    Found { methods, signature }
}

impl Report {
    /// Whether all is well: every part is rightly signed and has a patched method, that of the compute
    /// context among them, and, where an original was named, nothing else differs.
    pub fn is_good(&self) -> bool {
        let good = |part: &PartReport| {
            part.found.as_ref().is_ok_and(|found| {
                let methods = found.methods.iter();
                let mut compute = methods.filter(|(method, _)| method.compute).peekable();
                compute.peek().is_some()
                    && compute.all(|(_, known)| matches!(known, Known::Patched(_)))
                    && found
                        .signature
                        .as_ref()
                        .is_ok_and(|signature| signature.fault().is_none())
            })
        };
        !self.parts.is_empty()
            && self.parts.iter().all(good)
            && matches!(self.against, None | Some(Against::Same(_)))
    }
}
