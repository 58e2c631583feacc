//! macOS: where the system keeps its extensions.

use std::path::Path;

/// The folder with the driver's bundles, one for each family of chips.
pub fn extensions() -> Option<&'static Path> {
    Some(Path::new("/System/Library/Extensions"))
}
