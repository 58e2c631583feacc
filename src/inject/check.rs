//! Looking at a library before it is injected.
//!
//! On macOS an inserted library that cannot be loaded ends the target; on Linux ld.so says
//! "cannot be preloaded" on stderr and goes on without it. Neither may be a surprise.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::read::ReadCache;
use object::{Architecture, BinaryFormat, FileKind, Object, ObjectKind};

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
pub fn library(path: &Path) -> Result<(), Unusable> {
    let unreadable = |source| Unusable::Unreadable {
        path: path.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Unusable::NotAFile {
            path: path.to_owned(),
        });
    }
    // Headers are read where they are needed: the file itself may be large.
    let cache = ReadCache::new(File::open(path).map_err(unreadable)?);
    let found = match FileKind::parse(&cache) {
        Ok(FileKind::MachOFat32 | FileKind::MachOFat64) => return universal(path, &cache),
        Ok(_) => match object::File::parse(&cache) {
            Ok(file) => match describe(&file) {
                Ok(()) => return Ok(()),
                Err(found) => found,
            },
            Err(error) => format!("damaged ({error})"),
        },
        Err(_) => "not an object file".to_owned(),
    };
    Err(wrong(path, found))
}

fn describe<'data>(file: &object::File<'data, &'data ReadCache<File>>) -> Result<(), String> {
    let (format, architecture, kind) = (file.format(), file.architecture(), file.kind());
    if format == NATIVE.0 && architecture == NATIVE.1 && kind == ObjectKind::Dynamic {
        return Ok(());
    }
    Err(format!(
        "a {} {} {}",
        format_name(format),
        architecture_name(architecture),
        kind_name(kind)
    ))
}

fn universal(path: &Path, cache: &ReadCache<File>) -> Result<(), Unusable> {
    use object::read::macho::{FatArch, MachOFatFile32, MachOFatFile64};
    let slices: Vec<Architecture> = MachOFatFile32::parse(cache)
        .map(|fat| fat.arches().iter().map(FatArch::architecture).collect())
        .or_else(|_| {
            MachOFatFile64::parse(cache)
                .map(|fat| fat.arches().iter().map(FatArch::architecture).collect())
        })
        .unwrap_or_default();
    if NATIVE.0 == BinaryFormat::MachO && slices.contains(&NATIVE.1) {
        return Ok(());
    }
    let names: Vec<_> = slices.into_iter().map(architecture_name).collect();
    Err(wrong(
        path,
        format!("a universal Mach-O file for {}", names.join(", ")),
    ))
}

fn wrong(path: &Path, found: String) -> Unusable {
    let wanted = format!(
        "{} {} shared libraries",
        format_name(NATIVE.0),
        architecture_name(NATIVE.1)
    );
    Unusable::WrongKind {
        path: path.to_owned(),
        found,
        wanted,
    }
}

const NATIVE: (BinaryFormat, Architecture) = (
    if cfg!(target_vendor = "apple") {
        BinaryFormat::MachO
    } else {
        BinaryFormat::Elf
    },
    if cfg!(target_arch = "aarch64") {
        Architecture::Aarch64
    } else {
        Architecture::X86_64
    },
);

fn format_name(format: BinaryFormat) -> String {
    match format {
        BinaryFormat::MachO => "Mach-O".to_owned(),
        BinaryFormat::Elf => "ELF".to_owned(),
        other => format!("{other:?}"),
    }
}

fn architecture_name(architecture: Architecture) -> String {
    match architecture {
        Architecture::Aarch64 => "arm64".to_owned(),
        Architecture::X86_64 => "x86-64".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Dynamic => "shared library",
        ObjectKind::Executable => "executable",
        ObjectKind::Relocatable => "object file",
        ObjectKind::Core => "core file",
        _ => "file of another kind",
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
        assert!(
            error.to_string().contains("is not an object file"),
            "{error}"
        );
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
            error.to_string().contains("sparc64 shared library"),
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
                error.to_string().contains("Mach-O arm64 shared library"),
                "{error}"
            );
        }
    }
}
