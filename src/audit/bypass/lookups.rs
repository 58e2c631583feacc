//! What asks the runtime for the code of a method.

use super::{Lookup, LookupKind};
use crate::audit::{Code, Pointer};

/// Functions of the runtime that give out a method's code, or replace it (`objc/runtime.h`,
/// `objc/message.h`). With the underscore of their symbols.
pub const ASKING_FUNCTIONS: [&str; 12] = [
    "_class_getMethodImplementation",
    "_class_getMethodImplementation_stret",
    "_class_lookupMethod",
    "_class_respondsToMethod",
    "_class_replaceMethod",
    "_imp_getBlock",
    "_method_exchangeImplementations",
    "_method_getImplementation",
    "_method_invoke",
    "_method_setImplementation",
    "_objc_msgLookup",
    "_objc_msgLookupSuper2",
];

/// Methods of `NSObject` that give out a method's code.
pub const ASKING_SELECTORS: [&str; 2] = ["instanceMethodForSelector:", "methodForSelector:"];

/// All of them that the image names, and the places by which code comes to each: stubs and pointers.
pub(super) fn all<'b>(code: &Code<'b>) -> (Vec<Lookup<'b>>, Vec<(u64, usize)>) {
    let mut lookups: Vec<Lookup<'b>> = Vec::new();
    let mut places: Vec<(u64, usize)> = Vec::new();
    let mut number_of = |name: &'b str, kind: LookupKind| {
        let found = lookups
            .iter()
            .position(|lookup| lookup.name == name && lookup.kind == kind);
        found.unwrap_or_else(|| {
            lookups.push(Lookup {
                name,
                kind,
                uses: Vec::new(),
            });
            lookups.len() - 1
        })
    };
    let function = |symbol: &'b str| {
        let asks = ASKING_FUNCTIONS.contains(&symbol);
        asks.then(|| symbol.strip_prefix('_').unwrap_or(symbol))
    };
    for import in code.binary().imports().flatten() {
        if let Some(name) = function(import.name) {
            number_of(name, LookupKind::Function);
        }
    }
    for (address, symbol) in code.stubs() {
        if let Some(name) = function(symbol) {
            places.push((address, number_of(name, LookupKind::Function)));
        }
    }
    for slot in code.binary().pointers() {
        if let Ok(Pointer::Import { import, .. }) = code.binary().pointer_at(slot)
            && let Some(name) = function(import.name)
        {
            places.push((slot, number_of(name, LookupKind::Function)));
        }
    }
    let selector = |selector: Option<&'b str>| selector.filter(|it| ASKING_SELECTORS.contains(it));
    for reference in &code.objc().selector_references {
        if let Some(name) = selector(reference.selector) {
            places.push((reference.address, number_of(name, LookupKind::Selector)));
        }
    }
    for stub in &code.objc().stubs {
        if let Some(name) = selector(stub.selector) {
            places.push((stub.address, number_of(name, LookupKind::Selector)));
        }
    }
    (lookups, places)
}
