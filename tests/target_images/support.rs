//! Judging made files.

use std::path::Path;

use agxrun::target::image::{Image, Processor, Unreadable};
use agxrun::target::rules::{Host, Library, Program, System, judge};
use agxrun::target::verdict::{Kind, Verdict};

use crate::elf::{self, Elf};
use crate::macho::{self, ARM64, Slice};
use crate::signature::{RUNTIME, Signature};

/// A Mac with Apple silicon, as it is sold.
pub const MAC: Host = Host {
    system: System::MacOs,
    processor: Processor::Arm64,
    sip: true,
    user: 501,
    group: 20,
};

pub const LINUX: Host = Host {
    system: System::Linux,
    processor: Processor::X86_64,
    sip: false,
    user: 1000,
    group: 1000,
};

/// The library as it is built: both processors, signed ad hoc.
pub fn library() -> Vec<u8> {
    macho::universal(&[
        Slice::library(macho::ARM64).signed(Signature::ad_hoc(0)),
        Slice::library(macho::X86_64).signed(Signature::ad_hoc(0)),
    ])
}

/// A question: what becomes of `library` in `program`?
pub struct Case<'a> {
    pub program: &'a [u8],
    pub path: &'a str,
    pub library: &'a [u8],
    pub host: Host,
    pub preference: Option<Processor>,
}

impl<'a> Case<'a> {
    /// A program in a folder of the user's, on a Mac.
    pub fn on_a_mac(program: &'a [u8], library: &'a [u8]) -> Self {
        Case {
            program,
            path: "/opt/tools/bin/program",
            library,
            host: MAC,
            preference: None,
        }
    }

    pub fn verdict(&self) -> Verdict {
        let program = Image::from_bytes(self.program);
        let library = Image::from_bytes(self.library);
        verdict(self.path, &program, &library, &self.host, self.preference)
    }
}

pub fn verdict(
    path: &str,
    program: &Result<Image, Unreadable>,
    library: &Result<Image, Unreadable>,
    host: &Host,
    preference: Option<Processor>,
) -> Verdict {
    judge(
        &Program {
            path: Path::new(path),
            image: program.as_ref(),
            preference,
        },
        &Library {
            path: Path::new("/opt/agxrun/lib/libagx_fix"),
            image: library.as_ref(),
        },
        host,
    )
}

/// The library on Linux.
pub fn elf_library() -> Vec<u8> {
    Elf {
        is_64_bit: true,
        machine: elf::X86_64,
        kind: 3,
        interpreter: None,
    }
    .build()
}

/// What the program is, its bytes, and what becomes of the library by which rule.
pub type Row = (&'static str, Vec<u8>, Kind, &'static str);

/// Judges each row on a Mac, with the library as it is built.
pub fn check(rows: Vec<Row>) {
    let library = library();
    for (what, program, kind, rule) in rows {
        let verdict = Case::on_a_mac(&program, &library).verdict();
        assert_eq!(
            (verdict.kind, verdict.rule),
            (kind, rule),
            "{what}: {}",
            verdict.because
        );
    }
}

/// A program as a linker makes it.
pub fn arm64() -> Slice {
    Slice::program(ARM64)
}

/// A developer's program, under the hardened runtime.
pub fn hardened(entitlements: &[&str]) -> Vec<u8> {
    arm64()
        .signed(Signature::developer(RUNTIME).entitled(entitlements))
        .build()
}
