//! Programs of Linux, one row a kind.

use agxrun::target::verdict::Kind::{Arrives, Fatal, Stripped, Unknown};

use crate::elf::{AARCH64, Elf, I386, X86_64};
use crate::macho::{ARM64, Slice};
use crate::support::{Case, LINUX, elf_library};

const GLIBC: &str = "/lib64/ld-linux-x86-64.so.2";

#[test]
fn by_kind() {
    let library = elf_library();
    let dynamic = Elf::program(X86_64, GLIBC);
    let nix = "/nix/store/0123-glibc-2.40/lib/ld-linux-x86-64.so.2";
    for (what, program, kind, rule) in [
        ("dynamic", dynamic.build(), Arrives, "arrives"),
        (
            "not position-independent",
            Elf { kind: 2, ..dynamic }.build(),
            Arrives,
            "arrives",
        ),
        (
            "glibc elsewhere",
            Elf::program(X86_64, nix).build(),
            Arrives,
            "arrives",
        ),
        (
            "static",
            Elf {
                interpreter: None,
                ..dynamic
            }
            .build(),
            Stripped,
            "static",
        ),
        (
            "for 32 bits",
            Elf::program(I386, "/lib/ld-linux.so.2").build(),
            Stripped,
            "library-slice",
        ),
        (
            "for another processor",
            Elf::program(AARCH64, "/lib/ld-linux-aarch64.so.1").build(),
            Stripped,
            "library-slice",
        ),
        (
            "for musl",
            Elf::program(X86_64, "/lib/ld-musl-x86_64.so.1").build(),
            Fatal,
            "musl",
        ),
        (
            "for another libc",
            Elf::program(X86_64, "/system/bin/linker64").build(),
            Unknown,
            "loader",
        ),
        (
            "an object file",
            Elf { kind: 1, ..dynamic }.build(),
            Fatal,
            "not-executable",
        ),
        (
            "Mach-O",
            Slice::program(ARM64).build(),
            Fatal,
            "foreign-format",
        ),
        ("a script", b"#!/bin/sh\n".to_vec(), Unknown, "script"),
        ("text", b"hello".to_vec(), Unknown, "no-program"),
        ("empty", Vec::new(), Unknown, "no-program"),
    ] {
        let case = Case {
            host: LINUX,
            ..Case::on_a_mac(&program, &library)
        };
        let verdict = case.verdict();
        assert_eq!(
            (verdict.kind, verdict.rule),
            (kind, rule),
            "{what}: {}",
            verdict.because
        );
    }
}

#[test]
fn elf_does_not_run_on_a_mac() {
    let program = Elf::program(X86_64, GLIBC).build();
    let library = crate::support::library();
    let verdict = Case::on_a_mac(&program, &library).verdict();
    assert_eq!((verdict.kind, verdict.rule), (Fatal, "foreign-format"));
}
