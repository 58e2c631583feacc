//! The family whose names the driver's classes bear: `AGXG16X`, or the one that `AGX_REHEARSAL_FAMILY` asks for. A second copy of the
//! driver, loaded under another family's name, is a second driver.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

const VARIABLE: &str = "AGX_REHEARSAL_FAMILY";
const OWN: &str = "AGXG16X";

static OTHER: OnceLock<Option<String>> = OnceLock::new();

/// The other family's name, where one is asked for and can be part of a class's name.
fn other() -> Option<&'static str> {
    let read = || {
        let name = std::env::var(VARIABLE).ok().filter(|it| it != OWN)?;
        let fits = name.starts_with("AGX") && name.bytes().all(|it| it.is_ascii_alphanumeric());
        if !fits {
            eprintln!(
                "agx-rehearsal: {VARIABLE}={name:?} is no family's name (like AGXG14X); it is {OWN}"
            );
        }
        fits.then_some(name)
    };
    OTHER.get_or_init(read).as_deref()
}

/// A class's name in the family. The few names of another family live as long as the process.
pub fn name_of(name: &'static CStr) -> &'static CStr {
    let (Some(family), Ok(text)) = (other(), name.to_str()) else {
        return name;
    };
    match text
        .strip_prefix(OWN)
        .map(|rest| CString::new(family.to_owned() + rest))
    {
        Some(Ok(renamed)) => Box::leak(renamed.into_boxed_c_str()),
        _ => name,
    }
}

/// Whether a class is one that families share, and this is not the first of them.
pub fn shares(name: &'static CStr) -> bool {
    other().is_some() && name_of(name) == name
}
