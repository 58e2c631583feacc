//! Recorders: implementations of every dumped method that this driver does not model.
//!
//! A recorder takes any arguments, does nothing, and returns zeros. Sent through [`send::send`], it notes what arrived and returns
//! a value by which a lost register shows. `AGX_REHEARSAL_RECORD=1` gives the modelled methods recorders too, so that every method
//! can be sent; nothing else works in such a process.

mod c_api;
pub mod classes;
mod encoding;
mod machine;
mod placement;
mod send;
mod session;
mod table;
mod values;

use session::Recorder;
use std::ffi::CStr;
use std::sync::OnceLock;

/// A variable that is set to `1` where all methods are to be recorded.
const RECORD_ALL: &str = "AGX_REHEARSAL_RECORD";

static RECORDERS: OnceLock<Vec<Recorder>> = OnceLock::new();

/// The recorder of a slot.
fn recorder(slot: usize) -> Option<&'static Recorder> {
    recorders().get(slot)
}

/// All recorders, by slot.
fn recorders() -> &'static [Recorder] {
    RECORDERS.get().map_or(&[], Vec::as_slice)
}

/// The slot of a method, by the names of its class and its selector.
fn slot_of(class: &CStr, selector: &CStr) -> Option<usize> {
    recorders()
        .iter()
        .position(|it| it.class == class && it.selector == selector)
}
