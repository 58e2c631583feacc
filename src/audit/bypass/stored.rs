//! Addresses of methods' code that stand in data.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::{LookedAt, Reference, ReferenceKind};
use crate::audit::code::{methods, ranges};
use crate::audit::{Binary, Code, Objc, Pointer, Section};

/// The fields of all lists of methods, which are the runtime's own.
fn slots(objc: &Objc<'_>) -> HashSet<u64> {
    methods(objc).map(|(_, _, method)| method.slot).collect()
}

/// Pointers to `targets` outside of lists of methods.
pub(super) fn pointers(
    code: &Code<'_>,
    targets: &BTreeSet<u64>,
    looked_at: &mut LookedAt,
) -> Vec<Reference> {
    let slots = slots(code.objc());
    let mut found = Vec::new();
    for slot in code.binary().pointers() {
        looked_at.pointers += 1;
        // One that cannot be read is one of the image's gaps already.
        if let Ok(Pointer::Address {
            address,
            authentication,
        }) = code.binary().pointer_at(slot)
            && targets.contains(&address)
            && !slots.contains(&slot)
        {
            found.push(Reference {
                kind: ReferenceKind::Pointer { authentication },
                address: slot,
                target: address,
                within_target: false,
                instructions: Vec::new(),
            });
        }
    }
    found
}

/// Words of constant data that are the distance to one of `targets`, outside of lists of methods.
pub(super) fn distances(
    code: &Code<'_>,
    targets: &BTreeSet<u64>,
    looked_at: &mut LookedAt,
) -> Vec<Reference> {
    if targets.is_empty() {
        return Vec::new();
    }
    let slots = slots(code.objc());
    let mut found = Vec::new();
    for range in ranges(code.binary(), may_have_distances) {
        for (at, distance) in words(code.binary(), &range) {
            looked_at.distances += 1;
            let target = at.wrapping_add_signed(i64::from(distance));
            if distance != 0 && targets.contains(&target) && !slots.contains(&at) {
                found.push(Reference {
                    kind: ReferenceKind::Distance,
                    address: at,
                    target,
                    within_target: false,
                    instructions: Vec::new(),
                });
            }
        }
    }
    found
}

/// Constants, where compilers put tables of distances. The lists of the linker's and the runtime's own
/// sections have a meaning that is known.
fn may_have_distances(section: &Section) -> bool {
    section.name == "__const" || section.name == "__rodata" || section.name == "__data"
}

/// The words that the file stores for aligned addresses.
fn words<'b>(
    binary: &Binary<'b>,
    addresses: &Range<u64>,
) -> impl Iterator<Item = (u64, i32)> + use<'b> {
    let first = addresses.start;
    // What the file does not have of a section is one of the image's gaps.
    let rest = binary.rest_at(first).unwrap_or_default();
    let size = usize::try_from(addresses.end - first).unwrap_or(usize::MAX);
    let words = rest[..rest.len().min(size)].chunks_exact(4);
    (0u64..).zip(words).map(move |(number, bytes)| {
        let word = bytes.first_chunk().map_or(0, |it| i32::from_le_bytes(*it));
        (first + number * 4, word)
    })
}
