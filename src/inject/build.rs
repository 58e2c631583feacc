//! Building a piece with cargo: the fix library from the sources in `agxrun`, the rehearsal's pieces from the checkout.
//!
//! One process at a time builds into a folder ([`Turn`]). It works in a scratch folder there, and each product appears by
//! rename when it is whole, so that an interrupted build leaves nothing that could be taken for a product; what it left is
//! removed by the next one.

use std::io;
use std::path::{Path, PathBuf};

use super::artifact::Sources;
use super::turn::Turn;
use super::{Artifact, cargo, embedded};

/// The checkout that this `agxrun` was built from; none in one that was built to be given away (`AGXRUN_PORTABLE`).
const CHECKOUT: Option<&str> = option_env!("AGXRUN_CHECKOUT");
/// Hidden, and named for its owner: the folder around it may be one that a user chose.
const SCRATCH: &str = ".agxrun-build";

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
    /// The piece is made in a checkout only, and there is none.
    #[error(
        "the {} was not found: it comes with a checkout of agxrun, and the one that this agxrun was built from is gone \
         (hint: clone agxrun and run ./scripts/quickstart.sh there)", artifact.label()
    )]
    NoCheckout {
        /// What was wanted.
        artifact: Artifact,
    },
    /// There is no cargo.
    #[error(
        "the {} must be built once, and there is no `cargo` on the path (hint: install Rust from https://rustup.rs; or install \
         agxrun from its wheel or release archive, which have the library in them; or name a library with --dylib)", artifact.label()
    )]
    NoCargo {
        /// What was wanted.
        artifact: Artifact,
    },
    /// cargo could not be started.
    #[error("the {} must be built once, and `{}` does not run: {source} (hint: check that Rust is installed whole)", artifact.label(), cargo.display())]
    BadCargo {
        /// What was wanted.
        artifact: Artifact,
        /// The program.
        cargo: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The compiler refused.
    #[error("building the {} failed (hint: {}):\n{}", artifact.label(), cargo::hint(stderr), stderr.trim_end())]
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
        source: io::Error,
    },
}

/// Where a build stands, for the one who waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage<'a> {
    /// Another process builds into the same folder, and this one waits for it.
    Waiting,
    /// cargo is about to be started.
    Begun,
    /// What cargo says it does, such as `Compiling libc v0.2.180`.
    Cargo(&'a str),
}

/// Who is told how a build gets on.
pub type Listener<'a> = dyn FnMut(Artifact, Stage<'_>) + 'a;

/// Builds `artifact` in release form and puts it into `folder`; returns its path.
///
/// The package's other products are put there too, since a rehearsal needs them side by side.
pub fn build_into(
    folder: &Path,
    artifact: Artifact,
    listener: &mut Listener<'_>,
) -> Result<PathBuf, BuildError> {
    let turn = take_turn(folder, artifact, listener)?;
    build_in_turn(folder, artifact, &turn, listener)
}

/// The same, unless another process put it there while this one waited. Second, whether it was built by this one.
pub fn build_unless_there(
    folder: &Path,
    artifact: Artifact,
    listener: &mut Listener<'_>,
) -> Result<(PathBuf, bool), BuildError> {
    let turn = take_turn(folder, artifact, listener)?;
    let path = folder.join(artifact.file_name());
    if path.is_file() {
        return Ok((path, false));
    }
    build_in_turn(folder, artifact, &turn, listener).map(|path| (path, true))
}

fn take_turn(
    folder: &Path,
    artifact: Artifact,
    listener: &mut Listener<'_>,
) -> Result<Turn, BuildError> {
    make_folder(folder)?;
    Turn::take(folder, || listener(artifact, Stage::Waiting)).map_err(write_error(folder))
}

fn build_in_turn(
    folder: &Path,
    artifact: Artifact,
    turn: &Turn,
    listener: &mut Listener<'_>,
) -> Result<PathBuf, BuildError> {
    let program =
        cargo::find(|name| std::env::var_os(name)).ok_or(BuildError::NoCargo { artifact })?;
    let scratch = Scratch::new(folder.join(SCRATCH)).map_err(write_error(folder))?;
    let request = cargo::Request {
        tree: &scratch.sources(artifact)?,
        package: artifact.package(),
        target_dir: &scratch.0.join("target"),
    };
    let stdin = turn.for_child().map_err(write_error(folder))?;
    listener(artifact, Stage::Begun);
    cargo::build(&program, request, stdin, &mut |doing| {
        listener(artifact, Stage::Cargo(doing));
    })
    .map_err(|failure| match failure {
        cargo::Failure::Io(source) => BuildError::BadCargo {
            artifact,
            cargo: program.clone(),
            source,
        },
        cargo::Failure::Refused(stderr) => BuildError::Compiler { artifact, stderr },
    })?;
    for piece in Artifact::ALL {
        if piece.package() == artifact.package() {
            let name = piece.file_name();
            install(&request.products().join(&name), &folder.join(&name))?;
        }
    }
    Ok(folder.join(artifact.file_name()))
}

/// What a build works in; empty at first, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> io::Result<Self> {
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// The workspace to build `artifact` from.
    fn sources(&self, artifact: Artifact) -> Result<PathBuf, BuildError> {
        match artifact.sources() {
            Sources::Embedded => {
                let tree = self.0.join("sources");
                embedded::unpack(&tree).map_err(write_error(&tree))?;
                Ok(tree)
            }
            Sources::Checkout => {
                let tree = CHECKOUT.map(PathBuf::from);
                tree.filter(|tree| tree.join("tests/rehearsal/Cargo.toml").is_file())
                    .ok_or(BuildError::NoCheckout { artifact })
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is in nobody's way: the next build removes it, or says why it cannot.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Copies a file, its folder made where it is missing. It appears by rename: whoever loads it meanwhile gets the old one or
/// the new one, whole.
///
/// A copy and no hard link: the dynamic linkers know a library by its inode, so that two names of one would be one library.
/// Where Linux and its filesystem can, the copy shares its blocks (`copy_file_range`).
pub fn install(from: &Path, to: &Path) -> Result<(), BuildError> {
    let write = write_error(to);
    let folder = to.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let temporary = tempfile::NamedTempFile::new_in(folder).map_err(&write)?;
    std::fs::copy(from, temporary.path()).map_err(&write)?;
    temporary
        .persist(to)
        .map_err(|failed| write(failed.error))?;
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), BuildError> {
    std::fs::create_dir_all(folder).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => BuildError::NotAFolder {
            path: folder.to_owned(),
        },
        _ => write_error(folder)(source),
    })
}

fn write_error(path: &Path) -> impl Fn(io::Error) -> BuildError {
    let path = path.to_owned();
    move |source| BuildError::Write {
        path: path.clone(),
        source,
    }
}
