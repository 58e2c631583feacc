//! Looking at a library before it is injected.
//!
//! On macOS an inserted library that cannot be loaded ends the target; on Linux ld.so says
//! "cannot be preloaded" on stderr and goes on without it. Neither may be a surprise.

use std::path::{Path, PathBuf};

use crate::target::image::{Contents, Elf, FileType, Image, Processor, Slice, Unreadable};
use crate::target::platform;
use crate::target::rules::System;

/// Why a file cannot be injected here.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file is missing or unreadable.
    #[error("cannot read the library `{}`: {source} (hint: check the path given to --dylib or AGX_FIX_DYLIB)", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a file at all.
    #[error("the library `{}` is not a regular file", path.display())]
    NotAFile {
        /// Which path.
        path: PathBuf,
    },
    /// Not a shared library of this platform.
    #[error("`{}` is {found}, but this system loads {wanted} (hint: `agxrun fix build` makes one)", path.display())]
    WrongKind {
        /// Which file.
        path: PathBuf,
        /// What it is.
        found: String,
        /// What would load.
        wanted: String,
    },
}

/// Checks that `path` is a shared library for this platform and processor.
///
/// # Errors
/// Why it is not, see [`Unusable`].
pub fn library(path: &Path) -> Result<(), Unusable> {
    let wrong = |found| Unusable::WrongKind {
        path: path.to_owned(),
        found,
        wanted: match platform::SYSTEM {
            System::MacOs => format!("Mach-O libraries for {}", platform::PROCESSOR),
            System::Linux => format!("ELF shared libraries for {}", platform::PROCESSOR),
        },
    };
    match Image::read(path) {
        Ok(image) if is_native(&image.contents) => Ok(()),
        Ok(image) => Err(wrong(name(&image.contents))),
        Err(Unreadable::NotAFile) => Err(Unusable::NotAFile {
            path: path.to_owned(),
        }),
        Err(Unreadable::Io { source, .. } | Unreadable::Read { source, .. }) => {
            Err(Unusable::Unreadable {
                path: path.to_owned(),
                source,
            })
        }
        Err(damage) => Err(wrong(format!("an image that cannot be read ({damage})"))),
    }
}

/// Whether the loader of this machine maps it into a program of this processor. Position-independent executables look like
/// shared objects: of them the loader itself must complain.
fn is_native(contents: &Contents) -> bool {
    match contents {
        Contents::MachO(slices) if platform::SYSTEM == System::MacOs => {
            slices.iter().any(|slice| {
                slice.processor == platform::PROCESSOR
                    && file_type(slice) == Some(FileType::Library)
            })
        }
        Contents::Elf(elf) if platform::SYSTEM == System::Linux => {
            elf.processor == platform::PROCESSOR && elf.is_64_bit && elf.shared
        }
        _ => false,
    }
}

fn file_type(slice: &Slice) -> Option<FileType> {
    slice.contents.as_ref().ok().map(|image| image.file_type)
}

/// What was found, as a noun phrase.
fn name(contents: &Contents) -> String {
    match contents {
        Contents::MachO(slices) => match &slices[..] {
            [slice] => mach_o_name(slice),
            slices => {
                let processors: Vec<_> = slices.iter().map(|it| it.processor.to_string()).collect();
                format!("a universal Mach-O file for {}", processors.join(", "))
            }
        },
        Contents::Elf(Elf {
            processor, shared, ..
        }) => format!("an ELF {} for {processor}", elf_name(*shared)),
        Contents::Script => "a script".to_owned(),
        Contents::Other => "not an object file".to_owned(),
    }
}

fn elf_name(shared: bool) -> &'static str {
    if shared {
        "shared library"
    } else {
        "file of another kind than a shared library"
    }
}

fn mach_o_name(slice: &Slice) -> String {
    let processor: Processor = slice.processor;
    match &slice.contents {
        Ok(image) => {
            let kind = match image.file_type {
                FileType::Executable => "program",
                FileType::Library => "library",
                FileType::Bundle => "bundle, which is never inserted,",
                FileType::Other(_) => "file of another kind",
            };
            format!("a Mach-O {kind} for {processor}")
        }
        Err(damage) => format!("a damaged Mach-O file for {processor} ({damage})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = library(Path::new("/no/such/libagx_fix.so")).expect_err("it is missing");
        assert!(
            error.to_string().contains("`/no/such/libagx_fix.so`"),
            "{error}"
        );
    }

    #[test]
    fn text_is_no_library() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "#!/bin/sh\n").expect("written");
        let error = library(file.path()).expect_err("a script cannot be loaded");
        assert!(error.to_string().contains("is a script"), "{error}");
    }

    #[test]
    fn a_library_of_another_processor_is_named() {
        // An ELF header for a big-endian 64-bit SPARC shared library: nothing else is looked at.
        let mut elf = vec![0_u8; 64];
        elf[..7].copy_from_slice(b"\x7fELF\x02\x02\x01");
        elf[16..20].copy_from_slice(&[0, 3, 0, 43]);
        elf[20..24].copy_from_slice(&[0, 0, 0, 1]);
        elf[52..54].copy_from_slice(&[0, 64]);
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), elf).expect("written");
        let error = library(file.path()).expect_err("another processor's library");
        assert!(
            error
                .to_string()
                .contains("an ELF shared library for processor 43"),
            "{error}"
        );
    }

    #[test]
    fn a_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(
            library(folder.path()),
            Err(Unusable::NotAFile { .. })
        ));
    }

    #[test]
    fn an_executable_is_not_a_shared_library_of_another_platform() {
        // Position-independent executables are ELF type DYN as well, so only other formats differ.
        let mut macho = vec![0_u8; 32];
        macho[..4].copy_from_slice(&0xfeed_facf_u32.to_le_bytes());
        macho[4..8].copy_from_slice(&0x0100_000c_u32.to_le_bytes());
        macho[12..16].copy_from_slice(&6_u32.to_le_bytes());
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), macho).expect("written");
        let outcome = library(file.path());
        if cfg!(all(target_vendor = "apple", target_arch = "aarch64")) {
            outcome.expect("an arm64 dylib loads on an arm64 Mac");
        } else {
            let error = outcome.expect_err("a Mach-O library does not load here");
            assert!(
                error.to_string().contains("a Mach-O library for arm64"),
                "{error}"
            );
        }
    }
}
