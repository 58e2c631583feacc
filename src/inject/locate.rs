//! Where a piece is looked for, in order, and where it was found.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::platform::cache_folder;
use super::{Artifact, build, embedded};

/// Why a file was taken from where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named by `--dylib`.
    Option,
    /// Named by `AGX_FIX_DYLIB`.
    Environment,
    /// In the folder of the `agxrun` executable.
    BesideExecutable,
    /// In `../lib/agxrun` as seen from the executable.
    LibFolder,
    /// In `../libexec/agxrun` as seen from the executable.
    LibexecFolder,
    /// In the user's cache, built there earlier.
    Cache,
    /// Built just now from the sources.
    Built,
}

impl Origin {
    /// A phrase that follows the path.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Option => "named by --dylib",
            Self::Environment => "named by AGX_FIX_DYLIB",
            Self::BesideExecutable => "beside the agxrun executable",
            Self::LibFolder => "in ../lib/agxrun",
            Self::LibexecFolder => "in ../libexec/agxrun",
            Self::Cache => "built earlier into the cache",
            Self::Built => "built just now from the sources",
        }
    }
}

/// A file and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Absolute path: neither dyld nor ld.so may resolve it against the target's folder.
    pub path: PathBuf,
    /// Where it was found.
    pub origin: Origin,
}

/// The surroundings in which to look; a value, so that the order can be tested.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The running `agxrun`, links resolved.
    pub executable: Option<PathBuf>,
    /// The user's cache folder for this build of `agxrun`.
    pub cache: Option<PathBuf>,
}

impl Surroundings {
    /// As this process sees them.
    pub fn current() -> Self {
        Self {
            executable: std::env::current_exe()
                .ok()
                .and_then(|exe| exe.canonicalize().ok()),
            cache: cache_folder(|name| std::env::var_os(name)).map(|cache| {
                cache.join("agxrun").join(format!(
                    "{}-{}",
                    env!("CARGO_PKG_VERSION"),
                    embedded::DIGEST
                ))
            }),
        }
    }

    /// Every place where `artifact` may stand, first choice first.
    pub fn candidates(&self, artifact: Artifact) -> Vec<(PathBuf, Origin)> {
        let name = artifact.file_name();
        let mut places = Vec::new();
        if let Some(folder) = self.executable.as_deref().and_then(Path::parent) {
            places.push((folder.join(&name), Origin::BesideExecutable));
            // `cargo test` runs helper binaries from `deps/`, one below the products.
            if folder.file_name().is_some_and(|last| last == "deps")
                && let Some(parent) = folder.parent()
            {
                places.push((parent.join(&name), Origin::BesideExecutable));
            }
            if let Some(parent) = folder.parent() {
                places.push((parent.join("lib/agxrun").join(&name), Origin::LibFolder));
                // The wheel's place: `pip install --target` drops a wheel's `data/lib`, since its modules are in `lib` too (seen
                // with pip 23.2 and 26.3).
                places.push((
                    parent.join("libexec/agxrun").join(&name),
                    Origin::LibexecFolder,
                ));
            }
        }
        if let Some(cache) = &self.cache {
            places.push((cache.join(&name), Origin::Cache));
        }
        places
    }

    /// The first candidate that exists.
    pub fn find(&self, artifact: Artifact) -> Option<Located> {
        self.candidates(artifact)
            .into_iter()
            .find(|(path, _)| path.is_file())
            .map(|(path, origin)| Located { path, origin })
    }

    /// The first candidate that exists, else one built into the cache, by this process or by another that has begun.
    pub fn find_or_build(
        &self,
        artifact: Artifact,
        listener: &mut build::Listener<'_>,
    ) -> Result<Located, build::BuildError> {
        if let Some(found) = self.find(artifact) {
            return Ok(found);
        }
        let Some(cache) = &self.cache else {
            return Err(build::BuildError::NoCache { artifact });
        };
        let (path, built) = build::build_unless_there(cache, artifact, listener)?;
        let origin = if built { Origin::Built } else { Origin::Cache };
        Ok(Located { path, origin })
    }
}

/// A library that the user named: made absolute, not searched for.
pub fn named(path: OsString, origin: Origin) -> std::io::Result<Located> {
    Ok(Located {
        path: std::path::absolute(PathBuf::from(path))?,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(root: &Path) -> Surroundings {
        Surroundings {
            executable: Some(root.join("bin/agxrun")),
            cache: Some(root.join("cache")),
        }
    }

    #[test]
    fn the_order_is_executable_then_lib_then_libexec_then_cache() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let name = Artifact::FixLibrary.file_name();
        let here = surroundings(root.path());
        assert_eq!(here.find(Artifact::FixLibrary), None);
        for (folder, origin) in [
            ("cache", Origin::Cache),
            ("libexec/agxrun", Origin::LibexecFolder),
            ("lib/agxrun", Origin::LibFolder),
            ("bin", Origin::BesideExecutable),
        ] {
            let folder = root.path().join(folder);
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join(&name), b"x").expect("a file");
            let found = here
                .find(Artifact::FixLibrary)
                .expect("one candidate exists");
            assert_eq!((found.path, found.origin), (folder.join(&name), origin));
        }
    }

    #[test]
    fn a_named_library_is_made_absolute() {
        let located = named("libagx_fix.so".into(), Origin::Option).expect("a current folder");
        assert!(located.path.is_absolute());
        assert_eq!(located.origin, Origin::Option);
    }
}
