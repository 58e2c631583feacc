//! Programs of a Mac by load commands, slices, folders, and by library.

use agxrun::target::image::Processor;
use agxrun::target::rules::Host;
use agxrun::target::verdict::Kind::{Arrives, Fatal, Stripped, Unknown};
use agxrun::target::verdict::Remedy;

use crate::macho::{
    ARM64, ARM64E, BUNDLE, CATALYST, I386, IOS, IOS_SIMULATOR, LIBRARY, POWERPC, Slice, X86_64,
    universal,
};
use crate::signature::{DYLD_VARIABLES, RUNTIME, Signature};
use crate::support::{Case, MAC, arm64, check, hardened, library};

#[test]
fn by_load_command() {
    let restricted = |segment, section| {
        Slice {
            restrict: Some((segment, section)),
            ..arm64()
        }
        .build()
    };
    let for_platforms = |platforms: &[u32]| {
        Slice {
            platforms: platforms.to_vec(),
            ..arm64()
        }
        .build()
    };
    let of_type = |file_type| {
        Slice {
            file_type,
            ..arm64()
        }
        .build()
    };
    check(vec![
        (
            "restricted",
            restricted("__RESTRICT", "__restrict"),
            Stripped,
            "restrict-section",
        ),
        (
            "the segment without the section",
            restricted("__RESTRICT", "__other"),
            Arrives,
            "arrives",
        ),
        (
            "the section in another segment",
            restricted("__DATA", "__restrict"),
            Arrives,
            "arrives",
        ),
        (
            "static",
            Slice {
                dyld: false,
                ..arm64()
            }
            .build(),
            Stripped,
            "static",
        ),
        (
            "encrypted",
            Slice {
                encrypted: true,
                ..arm64()
            }
            .build(),
            Unknown,
            "encrypted",
        ),
        ("old", for_platforms(&[]), Arrives, "arrives"),
        (
            "for macOS and Mac Catalyst",
            for_platforms(&[1, CATALYST]),
            Arrives,
            "arrives",
        ),
        (
            "for Mac Catalyst",
            for_platforms(&[CATALYST]),
            Fatal,
            "library-platform",
        ),
        ("for iOS", for_platforms(&[IOS]), Unknown, "platform"),
        (
            "for a simulator",
            for_platforms(&[IOS_SIMULATOR]),
            Unknown,
            "platform",
        ),
        ("a library", of_type(LIBRARY), Fatal, "not-executable"),
        ("a bundle", of_type(BUNDLE), Fatal, "not-executable"),
        ("an object file", of_type(1), Fatal, "not-executable"),
    ]);
}

#[test]
fn by_slice() {
    let unsigned_intel = Slice::program(X86_64).unsigned();
    check(vec![
        (
            "arm64e",
            Slice::program(ARM64E).build(),
            Fatal,
            "library-slice",
        ),
        (
            "x86_64 under Rosetta",
            unsigned_intel.build(),
            Arrives,
            "arrives",
        ),
        ("i386", Slice::program(I386).build(), Fatal, "no-slice"),
        (
            "PowerPC",
            Slice::program(POWERPC).build(),
            Fatal,
            "no-slice",
        ),
        (
            "universal",
            universal(&[unsigned_intel.clone(), arm64()]),
            Arrives,
            "arrives",
        ),
        (
            "universal with arm64e",
            universal(&[unsigned_intel.clone(), arm64(), Slice::program(ARM64E)]),
            Fatal,
            "library-slice",
        ),
        (
            "a protected slice that does not run",
            universal(&[
                Slice::program(X86_64).signed(Signature::developer(RUNTIME)),
                arm64(),
            ]),
            Arrives,
            "arrives",
        ),
        (
            "a protected slice that runs",
            universal(&[
                unsigned_intel,
                arm64().signed(Signature::developer(RUNTIME)),
            ]),
            Stripped,
            "hardened-runtime",
        ),
    ]);
}

#[test]
fn the_slice_that_is_asked_for_is_the_one_that_is_judged() {
    let program = universal(&[
        Slice::program(X86_64).signed(Signature::developer(RUNTIME)),
        arm64(),
    ]);
    let library = library();
    for (preference, kind) in [
        (None, Arrives),
        (Some(Processor::Arm64), Arrives),
        (Some(Processor::X86_64), Stripped),
        (Some(Processor::I386), Fatal),
    ] {
        let case = Case {
            preference,
            ..Case::on_a_mac(&program, &library)
        };
        assert_eq!(case.verdict().kind, kind, "{preference:?}");
    }
}

#[test]
fn by_folder_and_system_integrity_protection() {
    let library = library();
    let program = arm64().build();
    let arm64e = Slice::program(ARM64E).build();
    let off = Host { sip: false, ..MAC };
    for (path, program, host, kind, rule) in [
        ("/usr/bin/perl", &program, MAC, Stripped, "sip"),
        ("/usr/local/bin/perl", &program, MAC, Arrives, "arrives"),
        ("/usr/bin/perl", &program, off, Arrives, "arrives"),
        ("/bin/sh", &arm64e, MAC, Stripped, "sip"),
        // As on hosted CI machines.
        ("/bin/sh", &arm64e, off, Fatal, "library-slice"),
        ("/bin/sh", &Vec::new(), MAC, Stripped, "sip"),
    ] {
        let case = Case {
            path,
            host,
            ..Case::on_a_mac(program, &library)
        };
        let verdict = case.verdict();
        assert_eq!((verdict.kind, verdict.rule), (kind, rule), "{path}");
        assert_eq!(verdict.file.to_str(), Some(path));
    }
}

#[test]
fn by_library() {
    let lone = |slice: Slice| slice.build();
    let developer = || Slice::library(ARM64).signed(Signature::developer(0));
    let other_team = Signature {
        team: Some("ZZZZZ99999"),
        ..Signature::developer(0)
    };
    let validating = hardened(&[DYLD_VARIABLES]);
    let plain = arm64().build();
    for (what, program, library, kind, rule) in [
        (
            "unsigned",
            &plain,
            lone(Slice::library(ARM64).unsigned()),
            Fatal,
            "library-unsigned",
        ),
        (
            "for another processor",
            &plain,
            lone(Slice::library(X86_64)),
            Fatal,
            "library-slice",
        ),
        (
            "for arm64e",
            &plain,
            lone(Slice::library(ARM64E)),
            Fatal,
            "library-slice",
        ),
        (
            "a bundle",
            &plain,
            lone(Slice {
                file_type: BUNDLE,
                ..Slice::library(ARM64)
            }),
            Fatal,
            "library-type",
        ),
        (
            "for iOS",
            &plain,
            lone(Slice {
                platforms: vec![IOS],
                ..Slice::library(ARM64)
            }),
            Fatal,
            "library-platform",
        ),
        (
            "not Mach-O",
            &plain,
            b"libagx_fix".to_vec(),
            Fatal,
            "library-format",
        ),
        (
            "cut short",
            &plain,
            lone(Slice::library(ARM64))[..100].to_vec(),
            Unknown,
            "library-unreadable",
        ),
        (
            "signed by the program's team",
            &validating,
            lone(developer()),
            Arrives,
            "arrives",
        ),
        (
            "signed by another team",
            &validating,
            lone(Slice::library(ARM64).signed(other_team)),
            Fatal,
            "library-validation",
        ),
        (
            "claims the team, without a certificate",
            &validating,
            lone(Slice::library(ARM64).signed(Signature {
                certified: false,
                ..Signature::developer(0)
            })),
            Fatal,
            "library-validation",
        ),
    ] {
        let verdict = Case::on_a_mac(program, &library).verdict();
        assert_eq!((verdict.kind, verdict.rule), (kind, rule), "{what}");
    }
}

#[test]
fn a_slice_that_the_library_fits_is_offered() {
    let program = universal(&[Slice::program(X86_64).unsigned(), arm64()]);
    let library = Slice::library(X86_64).build();
    let verdict = Case::on_a_mac(&program, &library).verdict();
    assert_eq!(verdict.rule, "library-slice");
    assert_eq!(
        verdict.remedies.first(),
        Some(&Remedy::RunSlice(Processor::X86_64))
    );
    assert!(verdict.because.contains("runs as arm64"), "{verdict:?}");
}
