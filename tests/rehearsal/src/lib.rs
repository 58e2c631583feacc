//! The rehearsal driver: Objective-C classes with the names of Apple's AGX driver and with its published races.
//!
//! It models what is published and nothing else, and proves nothing about Apple's driver. The classes are registered when the
//! library is loaded, so that a process meets them as late as it meets the driver's bundle.

// A method's symbol is its Objective-C name, spaces and brackets and all. rustc would put such a name on the list of exports, a
// linker version script, which cannot spell it. A generic function is never exported, and keeps its name in the symbol table:
// hence `<const LOCAL: bool>` on every one of them.
#![expect(
    no_mangle_generic_items,
    reason = "the name is wanted for exactly one instance of each function"
)]

mod block;
mod c_api;
mod classes;
mod failure;
mod faults;
mod gpu_fault;
mod impl_pool;
mod kinds_api;
mod observers;
mod queue_thread;
mod recording;
mod runtime;
mod scenario_api;

use std::sync::OnceLock;

static LOADED: OnceLock<Result<(), String>> = OnceLock::new();

/// Registers the classes; called by the loader, once.
extern "C" fn load() {
    let result = runtime::prepare()
        .and_then(|()| classes::register_all().map_err(|error| error.to_string()));
    if let Err(why) = &result {
        eprintln!("agx-rehearsal: the classes could not be registered: {why}");
    }
    LOADED.get_or_init(|| result);
}

/// Whether every class stands.
fn is_loaded() -> bool {
    matches!(LOADED.get(), Some(Ok(())))
}
