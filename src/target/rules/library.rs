//! What the loader makes of the library itself.

use super::macho::{Running, given, granted, hardened};
use super::{Checked, Culprit, Finding, Host, Library, Program, unreadable};
use crate::target::image::{
    Contents, Elf, FileType, Flags, Image, MachO, Platform, Processor, Signature, Slice,
};
use crate::target::slice;
use crate::target::verdict::{Kind, Remedy};

/// dyld ends the program where it cannot load an inserted library ("terminating because inserted
/// dylib ... could not be loaded", dyld, `dyldMain.cpp`, `prepare`).
pub(super) fn refused_by_dyld(
    running: Running<'_>,
    library: &Library<'_>,
    program: &Program<'_>,
    host: &Host,
) -> Checked {
    let image = readable(library)?;
    let Contents::MachO(slices) = &image.contents else {
        return by_library(
            "library-format",
            Kind::Fatal,
            "the library is not Mach-O: dyld would end the program",
            vec![],
        );
    };
    let Some(slice) = slices
        .iter()
        .find(|slice| slice::loads_into(slice.processor, running.processor))
    else {
        return Err((Culprit::Program, no_slice(running, slices, program, host)));
    };
    let macho = slice
        .contents
        .as_ref()
        .map_err(|reason| (Culprit::Library, unreadable("library-unreadable", reason)))?;
    if macho.file_type != FileType::Library {
        // Bundles cannot be inserted (dyld, `Loader::LoadOptions::canBeDylib`).
        return by_library(
            "library-type",
            Kind::Fatal,
            "the library is of another file type than dylibs: dyld would end the program",
            vec![],
        );
    }
    platforms(running.macho, macho)?;
    let arm = matches!(running.processor, Processor::Arm64 | Processor::Arm64e);
    if arm && macho.signature.is_none() {
        // "Code has to be at least ad-hoc signed", AMFI says.
        return by_library(
            "library-unsigned",
            Kind::Fatal,
            "the library has no signature: dyld would end the program",
            vec![Remedy::SignLibrary],
        );
    }
    validation(running.macho, macho.signature.as_ref())
}

/// "incompatible architecture (have 'arm64', need 'arm64e')": seen with the developer tools and with
/// `/bin/sh` where System Integrity Protection is off, as on hosted CI machines.
fn no_slice(running: Running<'_>, slices: &[Slice], program: &Program<'_>, host: &Host) -> Finding {
    let have: Vec<String> = slices
        .iter()
        .map(|slice| slice.processor.to_string())
        .collect();
    let mut remedies = fitting_slice(slices, program, host);
    remedies.push(Remedy::BuildLibrary(running.processor));
    remedies.push(Remedy::RunWithout);
    Finding {
        rule: "library-slice",
        kind: Kind::Fatal,
        because: format!(
            "it runs as {}, and the library is for {}: dyld would end it",
            running.processor,
            have.join(" and ")
        ),
        remedies,
    }
}

/// Another slice of the program, which the library fits and `arch` can ask for. It cannot tell
/// arm64 from arm64e, so neither helps against the other.
fn fitting_slice(library: &[Slice], program: &Program<'_>, host: &Host) -> Vec<Remedy> {
    let Ok(Image {
        contents: Contents::MachO(slices),
        ..
    }) = program.image
    else {
        return Vec::new();
    };
    slices
        .iter()
        .filter(|slice| {
            slice::chosen(slices, host.processor, Some(slice.processor))
                .is_some_and(|runs| runs.processor == slice.processor)
                && library
                    .iter()
                    .any(|candidate| slice::loads_into(candidate.processor, slice.processor))
        })
        .map(|slice| Remedy::RunSlice(slice.processor))
        .collect()
}

/// dyld loads into a process only what was built for its platform (dyld,
/// `MachOFile::loadableIntoProcess`). Old images name none, and pass for macOS's.
fn platforms(program: &MachO, library: &MachO) -> Checked {
    let fits = |platform: Platform| {
        library.platforms.contains(&platform)
            || (platform == Platform::MacOs && library.platforms.is_empty())
    };
    let is_for = |platform| program.platforms.contains(&platform);
    let needed = if program.platforms.is_empty() || is_for(Platform::MacOs) {
        Platform::MacOs
    } else if is_for(Platform::MacCatalyst) {
        Platform::MacCatalyst
    } else {
        // Another system's program: what becomes of it is told by the rule `platform`.
        return Ok(());
    };
    if fits(needed) {
        return Ok(());
    }
    by_library(
        "library-platform",
        Kind::Fatal,
        &format!("the library is not built for {needed}: dyld would end the program"),
        vec![Remedy::RunWithout],
    )
}

/// Library validation lets in what the same team signed, or Apple (Apple, "Disable Library
/// Validation Entitlement"); the hardened runtime turns it on.
///
/// Where it is on, AMFI lets dyld go on without a library that cannot be inserted
/// (`AMFI_DYLD_OUTPUT_ALLOW_FAILED_LIBRARY_INSERTION`, decided by `cs_require_lv`; seen on macOS 14
/// with `codesign --options library`). The verdict assumes the worse, so that nobody inserts into
/// such a program and hopes.
fn validation(program: &MachO, library: Option<&Signature>) -> Checked {
    let Some(signature) = &program.signature else {
        return Ok(());
    };
    let by_flag = signature.flags.has(Flags(
        Flags::LIBRARY_VALIDATION.0 | Flags::FORCED_LIBRARY_VALIDATION.0,
    ));
    let by_runtime =
        hardened(program).is_some_and(|signature| !given(granted(signature).no_library_validation));
    if !by_flag && !by_runtime {
        return Ok(());
    }
    let same_team = library.is_some_and(|library| {
        library.certified && library.team.is_some() && library.team == signature.team
    });
    if same_team {
        return Ok(());
    }
    let why = if by_flag {
        "its signature has the flag `library-validation`"
    } else {
        "it has the hardened runtime without the entitlement \
         `com.apple.security.cs.disable-library-validation`"
    };
    Err((
        Culprit::Program,
        Finding {
            rule: "library-validation",
            kind: Kind::Fatal,
            because: format!(
                "{why}, and the library is not signed by its team: dyld refuses the library"
            ),
            remedies: vec![Remedy::AnotherBuild, Remedy::SignCopy, Remedy::RunWithout],
        },
    ))
}

/// ld.so leaves out what it cannot preload, says so on stderr, and goes on ("cannot be preloaded
/// (wrong ELF class): ignored", glibc, `elf/rtld.c`).
pub(super) fn refused_by_ld_so(program: &Elf, library: &Library<'_>) -> Checked {
    let image = readable(library)?;
    let Contents::Elf(elf) = &image.contents else {
        return by_library(
            "library-format",
            Kind::Stripped,
            "the library is not ELF: ld.so leaves it out",
            vec![],
        );
    };
    if elf.processor == program.processor && elf.is_64_bit == program.is_64_bit {
        return Ok(());
    }
    let name = |elf: &Elf| {
        let bits = if elf.is_64_bit { 64 } else { 32 };
        format!("{} ({bits} bits)", elf.processor)
    };
    Err((
        Culprit::Program,
        Finding {
            rule: "library-slice",
            kind: Kind::Stripped,
            because: format!(
                "it is for {}, and the library for {}: ld.so leaves the library out",
                name(program),
                name(elf)
            ),
            remedies: vec![
                Remedy::AnotherBuild,
                Remedy::BuildLibrary(program.processor),
                Remedy::RunWithout,
            ],
        },
    ))
}

fn readable<'a>(library: &Library<'a>) -> Result<&'a Image, (Culprit, Finding)> {
    library
        .image
        .map_err(|reason| (Culprit::Library, unreadable("library-unreadable", reason)))
}

fn by_library(rule: &'static str, kind: Kind, because: &str, remedies: Vec<Remedy>) -> Checked {
    Err((
        Culprit::Library,
        Finding {
            rule,
            kind,
            because: because.to_owned(),
            remedies,
        },
    ))
}
