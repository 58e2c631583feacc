//! The Objective-C metadata of an image: what its classes say of themselves.
//!
//! Layouts are those of the runtime's own headers (objc4 951, `objc-runtime-new.h`), whose names the
//! comments use.

mod category;
mod class;
mod ivar;
mod method;
mod model;
mod protocol;
mod reader;
mod selector;

use super::Gaps;
use super::macho::Binary;
use reader::Reader;

pub use model::{
    Category, Class, ClassRef, Ivar, Layout, Method, Objc, Protocol, ProtocolMethods,
    SelectorReference, Stub, Swift,
};

/// Reads all of it.
pub(super) fn read<'a>(binary: &Binary<'a>) -> Objc<'a> {
    let mut reader = Reader::new(binary);
    let classes = class::list(&mut reader);
    let categories = category::list(&mut reader);
    let protocols = protocol::list(&mut reader);
    let selector_references = selector::references(&mut reader);
    let stubs = selector::stubs(&mut reader);
    Objc {
        classes,
        categories,
        protocols,
        selector_references,
        stubs,
        gaps: reader.into_gaps(),
    }
}
