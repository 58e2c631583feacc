//! Ways past the hooks, as they are told and kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::code::{Line, Spot};
use crate::audit::bypass::{self, Bypass, LookupKind, Reference, ReferenceKind};
use crate::audit::coverage::Coverage;
use crate::audit::{Authentication, Code};

/// What was found of ways to the code of the methods that a policy hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BypassAudit {
    /// How much was looked at.
    pub looked_at: BypassExtent,
    /// Ways to the code of hooked methods, by address.
    pub references: Vec<ReferenceAudit>,
    /// What asks the runtime for the code of a method.
    pub lookups: Vec<LookupAudit>,
    /// Functions that are called like methods and that the runtime does not know (`objc_direct`).
    pub direct_methods: Vec<DirectMethodAudit>,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BypassExtent {
    /// Hooked methods whose code was asked about.
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

/// A way to a method's code past the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceAudit {
    /// Of what kind.
    pub kind: ReferenceAuditKind,
    /// Where it stands: of the last instruction, or of the pointer.
    pub at: Spot,
    /// The methods whose code it leads to; equal code may be several methods'.
    pub methods: Vec<String>,
    /// Where that code begins.
    pub target: u64,
    /// Whether it stands in that very code: a recursion, or a loop to its first instruction.
    pub within_target: bool,
    /// Where the pointer stands that is loaded; only of a load.
    pub pointer: Option<u64>,
    /// How the pointer is signed; only of one that is.
    pub signed: Option<String>,
    /// Its instructions; none of a pointer.
    pub instructions: Vec<Line>,
}

/// Of what kind a way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceAuditKind {
    /// A call.
    Call,
    /// A branch.
    Branch,
    /// Its address is formed.
    Address,
    /// A pointer in data, outside of lists of methods.
    Pointer,
    /// Such a pointer is loaded.
    Load,
    /// Bytes that are the distance to it: a table of distances, or chance.
    Distance,
}

/// Something that asks the runtime for the code of a method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupAudit {
    /// The function, or the selector.
    pub name: String,
    /// Whether it is a selector that is sent, not a function.
    pub selector: bool,
    /// Where code uses it; none where it is imported or named, and no code was seen that does.
    pub uses: Vec<Spot>,
}

/// A function that is called like a method and that the runtime does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectMethodAudit {
    /// Its symbol.
    pub symbol: String,
    /// Where it begins.
    pub address: u64,
    /// Whether its class is one of encoders or command buffers.
    pub of_hooked_class: bool,
}

impl BypassAudit {
    /// Looks for ways to the code of the methods that `policy` hooks.
    pub fn of(
        code: &Code<'_>,
        coverage: &Coverage,
        policy: &str,
        progress: &mut dyn FnMut(u64),
    ) -> Self {
        let mut targets: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (class, method) in coverage.hooked_by(policy) {
            if let Some(address) = method.address {
                targets.entry(address).or_default().push(method.name(class));
            }
        }
        let addresses: BTreeSet<u64> = targets.keys().copied().collect();
        let found = bypass::find(code, &addresses, progress);
        Self::told(code, coverage, &targets, &found)
    }

    fn told(
        code: &Code<'_>,
        coverage: &Coverage,
        targets: &BTreeMap<u64, Vec<String>>,
        found: &Bypass<'_>,
    ) -> Self {
        let hooked: HashSet<&str> = coverage
            .classes
            .iter()
            .filter(|class| class.kind.takes_work())
            .map(|class| class.name.as_str())
            .collect();
        let looked_at = found.looked_at;
        BypassAudit {
            looked_at: BypassExtent {
                methods: looked_at.methods,
                functions: looked_at.functions,
                instructions: looked_at.instructions,
                undecoded: looked_at.undecoded,
                unread: looked_at.unread,
                pointers: looked_at.pointers,
                distances: looked_at.distances,
                symbols: looked_at.symbols,
            },
            references: found
                .references
                .iter()
                .map(|it| ReferenceAudit::of(code, targets, it))
                .collect(),
            lookups: found
                .lookups
                .iter()
                .map(|lookup| LookupAudit {
                    name: lookup.name.to_owned(),
                    selector: lookup.kind == LookupKind::Selector,
                    uses: lookup
                        .uses
                        .iter()
                        .map(|it| Spot::of(code, it.address))
                        .collect(),
                })
                .collect(),
            direct_methods: found
                .direct_methods
                .iter()
                .map(|method| DirectMethodAudit {
                    symbol: method.symbol.to_owned(),
                    address: method.address,
                    of_hooked_class: hooked.contains(method.class()),
                })
                .collect(),
        }
    }

    /// The ways that lead past a hook: a distance may be chance, and who is in the method has come
    /// through its hook.
    pub fn ways(&self) -> impl Iterator<Item = &ReferenceAudit> {
        self.references.iter().filter(|reference| {
            !reference.within_target && reference.kind != ReferenceAuditKind::Distance
        })
    }

    /// Bytes that may be distances to a hooked method's code, or look so by chance.
    pub fn distances(&self) -> usize {
        let distance = |it: &&ReferenceAudit| it.kind == ReferenceAuditKind::Distance;
        self.references.iter().filter(distance).count()
    }
}

impl BypassExtent {
    /// In how many places a way could have been.
    pub fn places(&self) -> u64 {
        self.instructions + self.pointers + self.distances
    }
}

impl ReferenceAudit {
    fn of(code: &Code<'_>, targets: &BTreeMap<u64, Vec<String>>, found: &Reference) -> Self {
        let (kind, pointer, signed) = match found.kind {
            ReferenceKind::Call => (ReferenceAuditKind::Call, None, None),
            ReferenceKind::Branch => (ReferenceAuditKind::Branch, None, None),
            ReferenceKind::Address => (ReferenceAuditKind::Address, None, None),
            ReferenceKind::Pointer { authentication } => (
                ReferenceAuditKind::Pointer,
                None,
                authentication.map(signed),
            ),
            ReferenceKind::Load { pointer } => (ReferenceAuditKind::Load, Some(pointer), None),
            ReferenceKind::Distance => (ReferenceAuditKind::Distance, None, None),
        };
        ReferenceAudit {
            kind,
            at: Spot::of(code, found.address),
            methods: targets.get(&found.target).cloned().unwrap_or_default(),
            target: found.target,
            within_target: found.within_target,
            pointer,
            signed,
            instructions: found.instructions.iter().map(|it| Line::of(*it)).collect(),
        }
    }
}

fn signed(by: Authentication) -> String {
    let place = if by.by_address {
        ", with its address"
    } else {
        ""
    };
    format!("{:?}, diversity {:#x}{place}", by.key, by.diversity)
}
