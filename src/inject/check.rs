//! Looking at a library before it is injected.
//!
//! On macOS an inserted library that cannot be loaded ends the target; on Linux ld.so says
//! "cannot be preloaded" on stderr and goes on without it. Neither may be a surprise.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use object::elf::{FileHeader32, FileHeader64};
use object::macho::{MachHeader32, MachHeader64};
use object::read::macho::{FatArch, MachOFatFile32, MachOFatFile64};
use object::{Architecture, BinaryFormat, Endianness, FileKind, ObjectKind};

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

/// Checks that `path` is a shared library for this platform and processor. Only its first page is
/// read: the loader will read the rest.
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
    let mut head = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
    let found = describe(&head);
    if found.contains(&NATIVE) {
        return Ok(());
    }
    Err(Unusable::WrongKind {
        path: path.to_owned(),
        found: name(&found),
        wanted: format!(
            "{} {} shared libraries",
            format_name(NATIVE.0),
            architecture_name(NATIVE.1)
        ),
    })
}

/// Headers of every format lie in the first page; a universal file lists its slices there too.
const HEAD: u64 = 4096;

/// Format, processor and kind of an object file, or of one slice of a universal file.
type Slice = (BinaryFormat, Architecture, ObjectKind);

/// What the first page of a file says; nothing where it is no object file, or a damaged one.
fn describe(head: &[u8]) -> Vec<Slice> {
    match FileKind::parse(head) {
        Ok(FileKind::Elf64) => elf::<FileHeader64<Endianness>>(head).into_iter().collect(),
        Ok(FileKind::Elf32) => elf::<FileHeader32<Endianness>>(head).into_iter().collect(),
        Ok(FileKind::MachO64) => mach_o::<MachHeader64<Endianness>>(head)
            .into_iter()
            .collect(),
        Ok(FileKind::MachO32) => mach_o::<MachHeader32<Endianness>>(head)
            .into_iter()
            .collect(),
        Ok(FileKind::MachOFat32) => MachOFatFile32::parse(head)
            .map(|fat| {
                fat.arches()
                    .iter()
                    .map(|slice| dylib_for(slice.architecture()))
                    .collect()
            })
            .unwrap_or_default(),
        Ok(FileKind::MachOFat64) => MachOFatFile64::parse(head)
            .map(|fat| {
                fat.arches()
                    .iter()
                    .map(|slice| dylib_for(slice.architecture()))
                    .collect()
            })
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// A slice's own header lies outside the first page; what kind of file it is, the loader will say.
fn dylib_for(architecture: Architecture) -> Slice {
    (BinaryFormat::MachO, architecture, ObjectKind::Dynamic)
}

fn elf<Header: object::read::elf::FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<Slice> {
    let header = Header::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let architecture = match header.e_machine(endian) {
        object::elf::EM_X86_64 => Architecture::X86_64,
        object::elf::EM_AARCH64 => Architecture::Aarch64,
        object::elf::EM_386 => Architecture::I386,
        object::elf::EM_ARM => Architecture::Arm,
        object::elf::EM_SPARCV9 => Architecture::Sparc64,
        object::elf::EM_RISCV => Architecture::Riscv64,
        object::elf::EM_PPC64 => Architecture::PowerPc64,
        _ => Architecture::Unknown,
    };
    let kind = match header.e_type(endian) {
        object::elf::ET_DYN => ObjectKind::Dynamic,
        object::elf::ET_EXEC => ObjectKind::Executable,
        object::elf::ET_REL => ObjectKind::Relocatable,
        object::elf::ET_CORE => ObjectKind::Core,
        _ => ObjectKind::Unknown,
    };
    Some((BinaryFormat::Elf, architecture, kind))
}

fn mach_o<Header: object::read::macho::MachHeader<Endian = Endianness>>(
    head: &[u8],
) -> Option<Slice> {
    let header = Header::parse(head, 0).ok()?;
    let endian = header.endian().ok()?;
    let architecture = match header.cputype(endian) {
        object::macho::CPU_TYPE_ARM64 => Architecture::Aarch64,
        object::macho::CPU_TYPE_X86_64 => Architecture::X86_64,
        object::macho::CPU_TYPE_X86 => Architecture::I386,
        _ => Architecture::Unknown,
    };
    let kind = match header.filetype(endian) {
        object::macho::MH_DYLIB | object::macho::MH_BUNDLE => ObjectKind::Dynamic,
        object::macho::MH_EXECUTE => ObjectKind::Executable,
        object::macho::MH_OBJECT => ObjectKind::Relocatable,
        object::macho::MH_CORE => ObjectKind::Core,
        _ => ObjectKind::Unknown,
    };
    Some((BinaryFormat::MachO, architecture, kind))
}

/// What was found, as a noun phrase.
fn name(found: &[Slice]) -> String {
    match found {
        [] => "not an object file, or a damaged one".to_owned(),
        [(format, architecture, kind)] => format!(
            "a {} {} {}",
            format_name(*format),
            architecture_name(*architecture),
            kind_name(*kind)
        ),
        many => {
            let names: Vec<_> = many
                .iter()
                .map(|(_, architecture, _)| architecture_name(*architecture))
                .collect();
            format!("a universal Mach-O file for {}", names.join(", "))
        }
    }
}

/// What loads here.
const NATIVE: Slice = (
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
    ObjectKind::Dynamic,
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
