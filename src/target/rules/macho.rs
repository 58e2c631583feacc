//! Mach-O programs: whether they run, whether the variable reaches dyld, and what the file does not
//! tell.

use super::{Finding, Host, Program, unreadable};
use crate::target::image::{
    Entitlements, FileType, Flags, Grant, MachO, Platform, Processor, Signature, Slice,
};
use crate::target::slice;
use crate::target::verdict::{Kind, Remedy};

/// The slice that runs, as processor and contents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running<'a> {
    pub(super) processor: Processor,
    pub(super) macho: &'a MachO,
}

/// The slice that the kernel executes, or why it executes none.
pub(super) fn runs<'a>(
    slices: &'a [Slice],
    program: &Program<'_>,
    host: &Host,
) -> Result<Running<'a>, Finding> {
    let Some(chosen) = slice::chosen(slices, host.processor, program.preference) else {
        return Err(no_slice(slices, program, host));
    };
    let macho = chosen
        .contents
        .as_ref()
        .map_err(|reason| unreadable("unreadable", reason))?;
    let running = Running {
        processor: chosen.processor,
        macho,
    };
    match not_a_program(running).or_else(|| unsigned(running)) {
        Some(finding) => Err(finding),
        None => Ok(running),
    }
}

/// macOS 10.15 was the first without 32-bit Intel, 10.7 the first without PowerPC; Intel Macs
/// execute no ARM code.
fn no_slice(slices: &[Slice], program: &Program<'_>, host: &Host) -> Finding {
    let present: Vec<String> = slices
        .iter()
        .map(|slice| slice.processor.to_string())
        .collect();
    let wanted = match program.preference {
        Some(processor) => format!("{processor}, which was asked for"),
        None => format!("this Mac ({})", host.processor),
    };
    Finding {
        rule: "no-slice",
        kind: Kind::Fatal,
        because: format!(
            "it is for {}, and has nothing for {wanted}: it does not run",
            present.join(" and ")
        ),
        remedies: vec![Remedy::AnotherBuild],
    }
}

/// The kernel executes nothing but programs (xnu, `bsd/kern/kern_exec.c`, `exec_mach_imgact`).
fn not_a_program(running: Running<'_>) -> Option<Finding> {
    (running.macho.file_type != FileType::Executable).then(|| Finding {
        rule: "not-executable",
        kind: Kind::Fatal,
        because: "it is a library or an object file, not a program: it does not run".to_owned(),
        remedies: vec![],
    })
}

/// Apple silicon executes no unsigned ARM code; an ad-hoc signature will do (Apple, macOS 11 release
/// notes, "Code Signing"). Intel code needs none, under Rosetta either.
fn unsigned(running: Running<'_>) -> Option<Finding> {
    let arm = matches!(running.processor, Processor::Arm64 | Processor::Arm64e);
    (arm && running.macho.signature.is_none()).then(|| Finding {
        rule: "unsigned",
        kind: Kind::Fatal,
        because: "it has no signature, and the kernel ends unsigned arm64 programs".to_owned(),
        remedies: vec![Remedy::SignCopy],
    })
}

/// What keeps the variable from dyld, or dyld from reading it.
pub(super) fn drops_the_variable(running: Running<'_>) -> Option<Finding> {
    [no_dyld, restrict_section, restrict_flag, hardened_runtime]
        .iter()
        .find_map(|rule| rule(running.macho))
}

/// Without `LC_LOAD_DYLINKER` the kernel starts the program itself.
fn no_dyld(macho: &MachO) -> Option<Finding> {
    (!macho.asks_for_dyld).then(|| Finding {
        rule: "static",
        kind: Kind::Stripped,
        because: "it does not ask for dyld: nothing reads `DYLD_` variables".to_owned(),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}

/// dyld tells AMFI, which then allows no variables (dyld, `DyldProcessConfig.cpp`, `getAMFI`).
fn restrict_section(macho: &MachO) -> Option<Finding> {
    macho.restrict_section.then(|| Finding {
        rule: "restrict-section",
        kind: Kind::Stripped,
        because: "it has a section `__RESTRICT,__restrict`: dyld drops `DYLD_` variables"
            .to_owned(),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}

/// `CS_RESTRICT`: "tell dyld to treat restricted" (xnu, `osfmk/kern/cs_blobs.h`).
fn restrict_flag(macho: &MachO) -> Option<Finding> {
    let signature = macho.signature.as_ref()?;
    signature.flags.has(Flags::RESTRICT).then(|| Finding {
        rule: "restrict-flag",
        kind: Kind::Stripped,
        because: "its signature has the flag `restrict`: dyld drops `DYLD_` variables".to_owned(),
        remedies: vec![Remedy::SignCopy, Remedy::RunWithout],
    })
}

/// The hardened runtime needs an entitlement for the variables (Apple, "Allow DYLD environment
/// variables entitlement"). With `get-task-allow` alone it is not known: see [`untold`].
fn hardened_runtime(macho: &MachO) -> Option<Finding> {
    let signature = hardened(macho)?;
    let entitlements = match &signature.entitlements {
        Ok(entitlements) => entitlements,
        Err(reason) => return Some(unreadable("entitlements-unreadable", reason)),
    };
    if given(entitlements.dyld_variables) || given(entitlements.get_task_allow) {
        return None;
    }
    Some(Finding {
        rule: "hardened-runtime",
        kind: Kind::Stripped,
        because: "it has the hardened runtime without the entitlement \
                  `com.apple.security.cs.allow-dyld-environment-variables`: the kernel drops \
                  `DYLD_` variables"
            .to_owned(),
        remedies: vec![Remedy::AnotherBuild, Remedy::SignCopy, Remedy::RunWithout],
    })
}

/// What lets nothing be said, one way or the other.
pub(super) fn untold(running: Running<'_>) -> Option<Finding> {
    [
        debuggable,
        part_of_macos,
        sandboxed,
        encrypted,
        another_platform,
    ]
    .iter()
    .find_map(|rule| rule(running.macho))
}

/// AMFI weighs `get-task-allow` when it decides about variables (its log names it: `gta`, beside
/// `aev`, in `macos_dyld_policy_collect_state`), but how is not published.
fn debuggable(macho: &MachO) -> Option<Finding> {
    let entitlements = granted(hardened(macho)?);
    (!given(entitlements.dyld_variables)).then(|| Finding {
        rule: "get-task-allow",
        kind: Kind::Unknown,
        because: "it has the hardened runtime, and of the entitlements only `get-task-allow`; \
                  whether that lets `DYLD_` variables through is not documented"
            .to_owned(),
        remedies: vec![Remedy::SignCopy, Remedy::RunWithout],
    })
}

/// Apple's own programs outside the protected folders: those of the developer tools take the
/// variables, others do not, and the kernel's list of them (the trust cache) is not in the file.
fn part_of_macos(macho: &MachO) -> Option<Finding> {
    let signature = macho.signature.as_ref()?;
    (signature.platform != 0).then(|| Finding {
        rule: "platform-binary",
        kind: Kind::Unknown,
        because: format!(
            "Apple signed it as a part of macOS (`{}`, platform identifier {}); whether the \
             kernel protects it here is not in the file",
            signature.identifier, signature.platform
        ),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}

/// The sandbox keeps a program from most files; a library that dyld may not open ends it ("file
/// system sandbox blocked open()").
fn sandboxed(macho: &MachO) -> Option<Finding> {
    let entitlements = macho.signature.as_ref()?.entitlements.as_ref();
    entitlements
        .is_ok_and(|entitlements| given(entitlements.sandbox))
        .then(|| Finding {
            rule: "sandbox",
            kind: Kind::Unknown,
            because: "it runs in the App Sandbox, which may keep it from the library".to_owned(),
            remedies: vec![Remedy::SignCopy, Remedy::RunWithout],
        })
}

/// AMFI has rules of its own for encrypted programs (`AMFI_DYLD_INPUT_PROC_IS_ENCRYPTED`).
fn encrypted(macho: &MachO) -> Option<Finding> {
    macho.encrypted.then(|| Finding {
        rule: "encrypted",
        kind: Kind::Unknown,
        because: "it is encrypted, as programs of the App Store are".to_owned(),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}

/// Programs for a simulator, for iOS or for DriverKit are started by other means than `execve`, with
/// another dyld.
fn another_platform(macho: &MachO) -> Option<Finding> {
    let of_a_mac = |platform: &Platform| !matches!(platform, Platform::Other(_));
    let platform = macho.platforms.first()?;
    (!macho.platforms.iter().any(of_a_mac)).then(|| Finding {
        rule: "platform",
        kind: Kind::Unknown,
        because: format!("it is built for {platform}, not for macOS"),
        remedies: vec![Remedy::AnotherBuild],
    })
}

/// The signature, where it has the hardened runtime.
pub(super) fn hardened(macho: &MachO) -> Option<&Signature> {
    macho
        .signature
        .as_ref()
        .filter(|signature| signature.flags.has(Flags::HARDENED_RUNTIME))
}

/// The entitlements; none where they are unreadable, which [`hardened_runtime`] has told before.
pub(super) fn granted(signature: &Signature) -> Entitlements {
    match &signature.entitlements {
        Ok(entitlements) => *entitlements,
        Err(_) => Entitlements::default(),
    }
}

pub(super) fn given(grant: Grant) -> bool {
    grant == Grant::Given
}
