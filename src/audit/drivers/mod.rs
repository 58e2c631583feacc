//! Where AGX driver bundles are, and which file of a bundle is its code.

mod bundle;
mod plugin;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod platform;

use std::io;
use std::path::{Path, PathBuf};

pub use bundle::{BundleError, executable};
pub use platform::extensions;
pub use plugin::{ASK_FOR_PLUGINS, plugins};

/// The driver bundles in a folder of extensions, in the order of their names: those whose plug-ins are
/// named, or all where none of those is there.
pub fn bundles(extensions: &Path, plugins: &[String]) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(extensions)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let is_driver = name.is_some_and(|name| {
            name.starts_with("AGXMetal") && name.ends_with(".bundle") && path.is_dir()
        });
        if is_driver {
            all.push(path);
        }
    }
    all.sort();
    let is_named = |path: &&PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        stem.is_some_and(|stem| plugins.iter().any(|plugin| plugin == stem))
    };
    let named: Vec<_> = all.iter().filter(is_named).cloned().collect();
    Ok(if named.is_empty() { all } else { named })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_of_this_machines_plug_in_is_taken_else_all() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [
            "AGXMetalG16X.bundle",
            "AGXMetalG13X.bundle",
            "AGXMetal.kext",
            "Other.bundle",
        ] {
            std::fs::create_dir(folder.path().join(name)).expect("made");
        }
        std::fs::write(folder.path().join("AGXMetalG14X.bundle"), "no folder").expect("written");
        let found = |plugins: &[&str]| -> Vec<String> {
            let plugins: Vec<_> = plugins.iter().map(ToString::to_string).collect();
            let bundles = bundles(folder.path(), &plugins).expect("read");
            let name =
                |path: &PathBuf| path.file_stem().map(|it| it.to_string_lossy().into_owned());
            bundles.iter().filter_map(name).collect()
        };
        assert_eq!(found(&[]), ["AGXMetalG13X", "AGXMetalG16X"]);
        assert_eq!(found(&["AGXMetalG16X"]), ["AGXMetalG16X"]);
        assert_eq!(found(&["AGXMetalG99X"]), ["AGXMetalG13X", "AGXMetalG16X"]);
        bundles(&folder.path().join("missing"), &[]).expect_err("not there");
    }
}
