//! The finished copy, read again as anybody would read it.

use std::ops::Range;

use super::proof;
use super::signature::{self, Place};
use super::{PatchError, PatchedPart};
use crate::audit::{Binary, Code};

/// Whether `copy` differs from `original` in the edits and the signatures only, its signatures are
/// right, and the code that is read from it does what it should.
pub(super) fn copy(original: &[u8], copy: &[u8], parts: &[PatchedPart]) -> Result<(), PatchError> {
    let wrong = |what: String| PatchError::Check(what);
    let mut allowed: Vec<Range<usize>> = Vec::new();
    for part in parts {
        allowed.extend(edits_of(part));
        allowed.push(signature_of(part.offset, &part.place));
    }
    if let Some(offset) = unexpected(original, copy, &allowed) {
        return Err(wrong(format!("offset {offset:#x} differs, and should not")));
    }
    let before = Binary::parse(original)?;
    let after = Binary::parse(copy)?;
    for part in parts {
        let binary = |found: &[crate::audit::Part<'_>]| {
            found.iter().position(|found| found.offset == part.offset)
        };
        let (Some(old), Some(new)) = (binary(&before), binary(&after)) else {
            return Err(wrong("a part is not where it was".to_owned()));
        };
        let (Ok(old), Ok(new)) = (&before[old].binary, &after[new].binary) else {
            return Err(wrong("a part cannot be read any more".to_owned()));
        };
        let verified = signature::verify(new.bytes(), &part.place)
            .map_err(|error| wrong(error.to_string()))?;
        if let Some(fault) = verified.fault() {
            return Err(wrong(fault));
        }
        if !verified.is_ad_hoc() {
            return Err(wrong("its signature is not ad hoc".to_owned()));
        }
        let (old_objc, new_objc) = (old.objc(), new.objc());
        let (Some(old), Some(new)) = (Code::of(old, &old_objc), Code::of(new, &new_objc)) else {
            return Err(wrong("a part has another processor".to_owned()));
        };
        for method in &part.methods {
            let again = proof::prove(
                &method.parts,
                &|address| old.instruction_at(address),
                &|address| new.instruction_at(address),
            );
            if again.as_ref() != Ok(&method.proof) {
                return Err(wrong(format!("{} is another code", method.name)));
            }
        }
    }
    Ok(())
}

/// Where in the file a part's edits are.
fn edits_of(part: &PatchedPart) -> impl Iterator<Item = Range<usize>> + '_ {
    let offsets = part.methods.iter().flat_map(|method| &method.offsets);
    offsets.map(|offset| *offset..*offset + 4)
}

/// Where in the file the signature of a part is that begins at `offset`.
pub(super) fn signature_of(offset: u64, place: &Place) -> Range<usize> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    start.saturating_add(place.signature.start)..start.saturating_add(place.signature.end)
}

/// The first offset outside of `allowed` in which two files differ.
pub(super) fn unexpected(one: &[u8], other: &[u8], allowed: &[Range<usize>]) -> Option<usize> {
    if one.len() != other.len() {
        return Some(one.len().min(other.len()));
    }
    let pages = one
        .chunks(PAGE)
        .zip(other.chunks(PAGE))
        .zip((0..).step_by(PAGE));
    pages
        .filter(|((one, other), _)| one != other)
        .find_map(|((one, other), start)| {
            let bytes = one.iter().zip(other).zip(start..);
            let mut differing = bytes.filter(|((one, other), _)| one != other);
            differing
                .find(|(_, offset)| !allowed.iter().any(|range| range.contains(offset)))
                .map(|(_, offset)| offset)
        })
}

const PAGE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_outside_of_what_may_differ_is_found() {
        let one = vec![0; 3 * PAGE + 5];
        let mut other = one.clone();
        other[PAGE - 1] = 1;
        other[3 * PAGE + 4] = 1;
        let allowed = |ranges: &[Range<usize>]| unexpected(&one, &other, ranges);
        let last_word = PAGE - 4..PAGE;
        let last_byte = 3 * PAGE + 4..3 * PAGE + 5;
        assert_eq!(allowed(&[]), Some(PAGE - 1));
        let first = std::slice::from_ref(&last_word);
        assert_eq!(allowed(first), Some(3 * PAGE + 4));
        assert_eq!(allowed(&[last_byte, last_word.clone()]), None);
        assert_eq!(unexpected(&one, &one[..7], &[]), Some(7));
    }
}
