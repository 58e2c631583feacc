//! Ways to a method's code that the runtime does not see, so that no hook does.
//!
//! Whoever calls a method by `objc_msgSend` gets what the runtime's tables say, and a swizzle changes
//! those. Whoever has the address of the code does not: a branch or call to it, an address formed in
//! code, a pointer stored in data, or a pointer asked of the runtime before the swizzle. This looks for
//! all of them in one image. What it cannot see is said in [`LookedAt`] and by whoever prints it: other
//! images, code that is made at run time, addresses that are computed in other ways.

mod direct;
mod follow;
mod lookups;
mod scan;
mod stored;

use std::collections::{BTreeSet, HashMap};

use super::arm64::Instruction;
use super::{Authentication, Code};

pub use direct::DirectMethod;
pub use lookups::{ASKING_FUNCTIONS, ASKING_SELECTORS};

/// What was found in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bypass<'b> {
    /// Ways to the code of a method that was asked about, by address.
    pub references: Vec<Reference>,
    /// What asks the runtime for the code of a method, by its name.
    pub lookups: Vec<Lookup<'b>>,
    /// Functions that are called like methods and that the runtime does not know
    /// (`__attribute__((objc_direct))`), in the symbol table's order.
    pub direct_methods: Vec<DirectMethod<'b>>,
    /// How much was looked at.
    pub looked_at: LookedAt,
}

/// A way to a method's code past the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Of what kind.
    pub kind: ReferenceKind,
    /// Where it stands: of the last instruction, or of the pointer.
    pub address: u64,
    /// The method's code.
    pub target: u64,
    /// Whether it stands in that very code: a recursion, or a loop to its first instruction.
    pub within_target: bool,
    /// Its instructions; none of a pointer.
    pub instructions: Vec<Instruction>,
}

/// Of what kind a way to a method's code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReferenceKind {
    /// `bl`.
    Call,
    /// `b`, and conditional branches.
    Branch,
    /// `adr`, or `adrp` and `add`.
    Address,
    /// A pointer in data, outside of lists of methods.
    Pointer {
        /// How it is signed.
        authentication: Option<Authentication>,
    },
    /// A load of such a pointer: `adrp` and `ldr`, or `ldr` of what is near.
    Load {
        /// Where the pointer stands.
        pointer: u64,
    },
    /// Four bytes that are the distance to it, outside of lists of methods: a table of relative
    /// pointers, or chance.
    Distance,
}

/// Something that asks the runtime for the code of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup<'b> {
    /// The function without its underscore, or the selector.
    pub name: &'b str,
    /// A function that is imported, or a selector that is sent.
    pub kind: LookupKind,
    /// Where code goes to it or loads it, by address; empty where it is imported or named and no code
    /// was seen that uses it.
    pub uses: Vec<Instruction>,
}

/// How the runtime is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LookupKind {
    /// By a function of the runtime.
    Function,
    /// By a method.
    Selector,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LookedAt {
    /// Methods whose code was asked about.
    pub methods: u64,
    /// Functions that are known.
    pub functions: u64,
    /// Instructions.
    pub instructions: u64,
    /// Of them, words that are no instruction known here: data among code, or newer extensions.
    pub undecoded: u64,
    /// Bytes of code that the file does not store, or stores encrypted.
    pub unread: u64,
    /// Pointers that the loader adjusts.
    pub pointers: u64,
    /// Words of data that might be distances.
    pub distances: u64,
    /// Symbols that name a place in code; a stripped image has few.
    pub symbols: u64,
}

/// Looks for ways to the code at `targets`. `progress` is told from time to time how many bytes of code
/// were looked at since it was told last.
pub fn find<'b>(
    code: &Code<'b>,
    targets: &BTreeSet<u64>,
    progress: &mut dyn FnMut(u64),
) -> Bypass<'b> {
    let mut looked_at = LookedAt {
        methods: targets.len() as u64,
        functions: code.function_count() as u64,
        ..LookedAt::default()
    };
    let mut references = stored::pointers(code, targets, &mut looked_at);
    references.extend(stored::distances(code, targets, &mut looked_at));
    let (mut lookups, places) = lookups::all(code);

    let mut wanted: HashMap<u64, Wanted> = HashMap::new();
    wanted.extend(targets.iter().map(|target| (*target, Wanted::Method)));
    for reference in &references {
        if let ReferenceKind::Pointer { .. } = reference.kind {
            wanted.insert(reference.address, Wanted::Pointer(reference.target));
        }
    }
    wanted.extend(
        places
            .into_iter()
            .map(|(place, lookup)| (place, Wanted::Lookup(lookup))),
    );
    scan::scan(
        code,
        &wanted,
        &mut looked_at,
        progress,
        &mut |found| match found.wanted {
            // The stubs of what asks load its pointer themselves.
            Wanted::Lookup(_) if code.is_in_stub(found.last().address) => {}
            Wanted::Lookup(lookup) => lookups[lookup].uses.push(found.last()),
            Wanted::Method | Wanted::Pointer(_) => references.extend(found.into_reference(code)),
        },
    );
    references.sort_by_key(|reference| (reference.address, reference.target));
    references.dedup_by_key(|reference| (reference.address, reference.target));
    let direct_methods = direct::all(code, &mut looked_at);
    Bypass {
        references,
        lookups,
        direct_methods,
        looked_at,
    }
}

/// What an address in code may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The code of a method.
    Method,
    /// A pointer to such code.
    Pointer(u64),
    /// A stub or a pointer that asks the runtime: its number in the list.
    Lookup(usize),
}

/// An address in code that is wanted.
#[derive(Debug)]
struct Found {
    wanted: Wanted,
    /// The address that the instructions form or go to.
    place: u64,
    /// How they do.
    how: How,
    instructions: Vec<Instruction>,
}

/// How instructions come to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Call,
    Branch,
    Form,
    Load,
}

impl Found {
    fn last(&self) -> Instruction {
        // There is one at least: what formed the address.
        self.instructions[self.instructions.len() - 1]
    }

    fn into_reference(self, code: &Code<'_>) -> Option<Reference> {
        let last = self.last();
        let (kind, target) = match (self.wanted, self.how) {
            (Wanted::Method, How::Call) => (ReferenceKind::Call, self.place),
            (Wanted::Method, How::Branch) => (ReferenceKind::Branch, self.place),
            (Wanted::Method, How::Form) => (ReferenceKind::Address, self.place),
            (Wanted::Pointer(target), How::Form | How::Load) => (
                ReferenceKind::Load {
                    pointer: self.place,
                },
                target,
            ),
            // Code read as data, or a call of a pointer's own address.
            (Wanted::Method, How::Load) | (Wanted::Pointer(_) | Wanted::Lookup(_), _) => {
                return None;
            }
        };
        let function = code.function_at(last.address);
        Some(Reference {
            kind,
            address: last.address,
            target,
            within_target: function.is_some_and(|function| function.start == target),
            instructions: self.instructions,
        })
    }
}
