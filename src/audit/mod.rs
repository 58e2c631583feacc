//! Reading what a Mach-O file says about its own code: the driver's, a framework's, a library's.
//!
//! `macho/` answers questions about one architecture of a file: which bytes stand at an address of
//! the image, which section has it, what the loader will have written into a pointer there. `objc/`
//! reads the Objective-C metadata by way of it, `arm64/` and [`Code`] the instructions. By these,
//! `coverage/` says what each policy reaches of the classes, `bypass/` which ways lead past its hooks,
//! `race/` what `destroyImpl` does; `report/` puts it together, and `drivers/` says where drivers are.
//! [`explain`] holds a crash against it. Nothing is executed and nothing is written; addresses are those before the image is slid.
//!
//! A file is not believed. Whatever it says is checked against what it has, work and memory are
//! bounded by its size, and what cannot be read becomes a [`Gap`] beside what can.

pub mod arm64;
pub mod bypass;
mod code;
pub mod coverage;
pub mod drivers;
pub mod explain;
mod gap;
mod macho;
mod mapped;
mod objc;
pub mod race;
pub mod report;
mod unreadable;

pub use code::{Code, Function};
pub use gap::{Gap, Gaps, Place, Why};
pub use macho::{
    Authentication, Binary, Export, ExportKind, FileType, Import, Key, Library, Name, Part,
    Pointer, Section, Segment, Symbol,
};
pub use mapped::MappedFile;
pub use objc::{
    Category, Class, ClassRef, Ivar, Layout, Method, Objc, Protocol, ProtocolMethods,
    SelectorReference, Stub, Swift,
};
pub use unreadable::ReadError;
