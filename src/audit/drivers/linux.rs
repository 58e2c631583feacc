//! Linux: Apple's driver is not here.

use std::path::Path;

/// None.
pub fn extensions() -> Option<&'static Path> {
    None
}
