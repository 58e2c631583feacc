//! Building a piece with cargo from the source tree that this `agxrun` was built from.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Artifact;

/// Digest of the library's sources at the time `agxrun` was built; part of the cache's path.
pub const SOURCE_DIGEST: &str = env!("AGXRUN_SOURCE_DIGEST");
/// The platform triple that `agxrun` was built for, and so the library's.
pub const TARGET: &str = env!("AGXRUN_TARGET");
/// The source tree that this `agxrun` was built from.
const SOURCE_TREE: &str = env!("CARGO_MANIFEST_DIR");

/// Why a piece could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Nothing was found and there is no cache folder to build into.
    #[error(
        "the {} was not found, and neither HOME nor a cache folder is set to build it into \
         (hint: name it with --dylib)", artifact.label()
    )]
    NoCache {
        /// What was wanted.
        artifact: Artifact,
    },
    /// The source tree is gone.
    #[error(
        "the {} was not found, and the sources it would be built from are not at `{}` \
         (hint: reinstall agxrun, or name the library with --dylib)", artifact.label(), tree.display()
    )]
    NoSources {
        /// What was wanted.
        artifact: Artifact,
        /// Where the sources were when `agxrun` was built.
        tree: PathBuf,
    },
    /// cargo could not be started.
    #[error(
        "the {} must be built and `cargo` could not be started: {source} \
         (hint: install Rust, or name the library with --dylib)", artifact.label()
    )]
    NoCargo {
        /// What was wanted.
        artifact: Artifact,
        /// Why.
        source: std::io::Error,
    },
    /// The compiler refused.
    #[error("building the {} failed:\n{}", artifact.label(), stderr.trim_end())]
    Compiler {
        /// What was wanted.
        artifact: Artifact,
        /// The compiler's own words.
        stderr: String,
    },
    /// The folder to write into is none.
    #[error("`{}` is not a folder (hint: name another)", path.display())]
    NotAFolder {
        /// What was named.
        path: PathBuf,
    },
    /// The product could not be put in its place.
    #[error("cannot write `{}`: {source} (hint: check the folder and the free space, or name another folder)", path.display())]
    Write {
        /// Where it was to go.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Whether the sources that this `agxrun` was built from are still there.
pub fn source_tree() -> Option<&'static Path> {
    let tree = Path::new(SOURCE_TREE);
    tree.join("fixdylib/Cargo.toml").is_file().then_some(tree)
}

/// Builds `artifact` in release form and puts it into `folder`; returns its path.
///
/// The package's other products are put there too, since a rehearsal needs them side by side.
/// The file appears by rename: a parallel run sees either nothing or a whole library.
pub fn build_into(
    folder: &Path,
    artifact: Artifact,
    progress: &mut dyn FnMut(&str),
) -> Result<PathBuf, BuildError> {
    let tree = source_tree().ok_or_else(|| BuildError::NoSources {
        artifact,
        tree: PathBuf::from(SOURCE_TREE),
    })?;
    // Found out before the compiler has worked for a minute.
    make_folder(folder)?;
    progress(&format!(
        "building the {} from `{}`",
        artifact.label(),
        tree.display()
    ));
    let target_dir = folder.join("build");
    run_cargo(tree, &target_dir, artifact, progress)?;
    let products = target_dir.join(TARGET).join("release");
    let package = artifact.package();
    for piece in PIECES
        .into_iter()
        .filter(|piece| piece.package() == package)
    {
        install(
            &products.join(piece.file_name()),
            &folder.join(piece.file_name()),
        )?;
    }
    // The products are in place; what they were made from is of no use to a run.
    std::fs::remove_dir_all(&target_dir).map_err(|source| BuildError::Write {
        path: target_dir,
        source,
    })?;
    Ok(folder.join(artifact.file_name()))
}

const PIECES: [Artifact; 5] = [
    Artifact::FixLibrary,
    Artifact::ReportHandler,
    Artifact::ReportWriter,
    Artifact::RehearsalDriver,
    Artifact::RehearsalWorkload,
];

fn run_cargo(
    tree: &Path,
    target_dir: &Path,
    artifact: Artifact,
    progress: &mut dyn FnMut(&str),
) -> Result<(), BuildError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let no_cargo = |source| BuildError::NoCargo { artifact, source };
    let mut child = Command::new(cargo)
        .current_dir(tree)
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "--package",
        ])
        .arg(artifact.package())
        .arg("--target-dir")
        .arg(target_dir)
        // What is being launched must not decide how its own tool is compiled.
        .env_remove(super::platform::INSERT_VARIABLE)
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_cargo)?;
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if line.trim_start().starts_with("Compiling") {
                progress(line.trim());
            }
            said.push_str(&line);
            said.push('\n');
        }
    }
    let status = child.wait().map_err(no_cargo)?;
    if status.success() {
        Ok(())
    } else {
        Err(BuildError::Compiler {
            artifact,
            stderr: said,
        })
    }
}

/// Copies a file, its folder made where it is missing. It appears by rename: whoever loads it meanwhile gets the old one or
/// the new one, whole.
///
/// A copy and no hard link: the dynamic linkers know a library by its inode, so that two names of one would be one library.
/// Where Linux and its filesystem can, the copy shares its blocks (`copy_file_range`).
pub fn install(from: &Path, to: &Path) -> Result<(), BuildError> {
    let write = |source| BuildError::Write {
        path: to.to_owned(),
        source,
    };
    let folder = to.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let temporary = tempfile::NamedTempFile::new_in(folder).map_err(write)?;
    std::fs::copy(from, temporary.path()).map_err(write)?;
    temporary
        .persist(to)
        .map_err(|failed| write(failed.error))?;
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), BuildError> {
    std::fs::create_dir_all(folder).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => BuildError::NotAFolder {
            path: folder.to_owned(),
        },
        _ => BuildError::Write {
            path: folder.to_owned(),
            source,
        },
    })
}
