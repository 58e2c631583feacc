//! Drivers that LLVM assembles and links: the published tail, and what is like it and not it. None where LLVM
//! is not installed.
#![allow(dead_code)] // the tests of the schemas use a part of it

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agxrun::audit::Binary;
use agxrun::audit::arm64::{Instruction, Operation};

use crate::signing;

/// What the images import.
const LIBRARIES: &str = "--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ arm64-macos ]
    symbols: [ _free, _os_unfair_lock_lock, _os_unfair_lock_unlock, dyld_stub_binder, __objc_empty_cache ]
    objc-classes: [ NSObject ]
...
";

/// What a driver is like, beyond the published tail.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape {
    /// arm64e: with its instructions, and labelled as it.
    pub authenticated: bool,
    /// Symbols that `driver.s` asks for.
    pub with: &'static [&'static str],
    /// Not signed by the linker.
    pub unsigned: bool,
    /// At the published addresses, with the published build's UUID and the published words.
    pub published: bool,
}

/// Where the published build has the branch, and the stubs.
const BRANCH: u64 = 0x2b_e05c;
const FREE: u64 = 0x6d_46c4;
const UNLOCK: u64 = 0x6d_49e4;

/// The assembler and the linker, and a folder of one test's own.
pub struct Tools {
    assembler: PathBuf,
    linker: PathBuf,
    lipo: PathBuf,
    folder: tempfile::TempDir,
}

impl Tools {
    /// Says so where they are not there.
    pub fn find() -> Option<Self> {
        let tool = |name: &str| {
            let folders = ["22", "21", "20", "19"].iter();
            let mut paths =
                folders.map(|version| PathBuf::from(format!("/usr/lib/llvm-{version}/bin/{name}")));
            paths.find(|path| path.exists())
        };
        let found = (tool("llvm-mc"), tool("ld64.lld"), tool("llvm-lipo"));
        let (Some(assembler), Some(linker), Some(lipo)) = found else {
            println!(
                "skipped: no llvm-mc and ld64.lld of LLVM 19 or later (hint: scripts/macos/toolchain.sh packages)"
            );
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        Some(Tools {
            assembler,
            linker,
            lipo,
            folder,
        })
    }

    /// A driver of this shape.
    pub fn driver(&self, shape: Shape) -> Vec<u8> {
        let first = self.link(shape, 0, [0, 0]);
        if !shape.published {
            return first;
        }
        let parts = Binary::parse(&first).expect("linked");
        let binary = parts[0].binary.as_ref().expect("linked");
        let text = binary
            .sections()
            .iter()
            .find(|section| section.name == "__text")
            .expect("it has code");
        let words = binary
            .bytes_at(text.address, text.size)
            .expect("stored")
            .chunks_exact(4);
        let mut instructions = words.zip((text.address..).step_by(4)).map(|(word, at)| {
            Instruction::new(at, u32::from_le_bytes(word.try_into().expect("four")))
        });
        let branch = instructions
            .find(|it| matches!(it.operation(), Operation::Conditional { .. }))
            .expect("it has a branch");
        let mut driver = self.link(
            shape,
            BRANCH - branch.address,
            [FREE - text.address, UNLOCK - text.address],
        );
        signing::set_uuid(&mut driver, agxrun::patch::published::UUID);
        signing::sign_again(&mut driver);
        driver
    }

    /// A universal file of `slices`.
    pub fn universal(&self, slices: &[&[u8]]) -> Vec<u8> {
        let path = |name: &str| self.folder.path().join(name);
        let mut lipo = Command::new(&self.lipo);
        lipo.args(["-create", "-output"]).arg(path("universal"));
        for (number, slice) in slices.iter().enumerate() {
            let name = path(&format!("slice-{number}"));
            fs::write(&name, slice).expect("written");
            lipo.arg(name);
        }
        run(&mut lipo);
        fs::read(path("universal")).expect("made")
    }

    /// A library for Intel: the slice that nobody touches.
    pub fn intel(&self) -> Vec<u8> {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("intel.s"), ".globl _f\n_f: retq\n").expect("written");
        self.assemble(
            "x86_64-apple-macos12",
            &[],
            &path("intel.s"),
            &path("intel.o"),
        );
        run(Command::new(&self.linker)
            .args([
                "-arch",
                "x86_64",
                "-dylib",
                "-platform_version",
                "macos",
                "12.0",
                "12.0",
                "-adhoc_codesign",
            ])
            .arg(path("intel.o"))
            .arg("-o")
            .arg(path("intel.dylib")));
        fs::read(path("intel.dylib")).expect("made")
    }

    fn link(&self, shape: Shape, start: u64, stubs: [u64; 2]) -> Vec<u8> {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("libraries.tbd"), LIBRARIES).expect("written");
        let (enter, leave) = if shape.authenticated {
            ("pacibsp", "retab")
        } else {
            ("", "ret")
        };
        let source = include_str!("driver.s")
            .replace("PROLOGUE", enter)
            .replace("RETURN", leave);
        fs::write(path("driver.s"), source).expect("written");
        let mut symbols = vec![
            format!("START={start}"),
            format!("FREE={}", stubs[0]),
            format!("UNLOCK={}", stubs[1]),
        ];
        symbols.extend(shape.with.iter().map(|name| format!("{name}=1")));
        let mut objects = vec![path("driver.o")];
        if stubs[0] != 0 {
            symbols.push("STUBS=1".to_owned());
        }
        // Also before the stubs' places are known: a section more moves all others.
        if shape.published {
            let (source, object) = (path("pointers.s"), path("pointers.o"));
            fs::write(&source, include_str!("pointers.s")).expect("written");
            self.assemble("arm64-apple-macos12", &[], &source, &object);
            objects.push(object);
        }
        self.assemble(
            "arm64-apple-macos12",
            &symbols,
            &path("driver.s"),
            &path("driver.o"),
        );
        run(Command::new(&self.linker)
            .args([
                "-arch",
                "arm64",
                "-dylib",
                "-fixup_chains",
                "-platform_version",
                "macos",
                "12.0",
                "12.0",
            ])
            .arg(if shape.unsigned {
                "-no_adhoc_codesign"
            } else {
                "-adhoc_codesign"
            })
            .arg(path("libraries.tbd"))
            .args(objects)
            .args([
                "-install_name",
                "/System/Library/Extensions/AGXMetalG16X.bundle/Contents/MacOS/AGXMetalG16X",
            ])
            .arg("-o")
            .arg(path("driver")));
        let mut driver = fs::read(path("driver")).expect("linked");
        if shape.authenticated {
            signing::label_as_arm64e(&mut driver);
            signing::sign_again(&mut driver);
        }
        driver
    }

    fn assemble(&self, triple: &str, symbols: &[String], source: &Path, object: &Path) {
        let mut command = Command::new(&self.assembler);
        command.args(["-filetype=obj", "-triple", triple]);
        if triple.starts_with("arm64") {
            command.arg("-mattr=+pauth");
        }
        for symbol in symbols {
            command.arg(format!("--defsym={symbol}"));
        }
        run(command.arg(source).arg("-o").arg(object));
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("it can be started");
    assert!(
        output.status.success(),
        "{}: {}",
        Path::new(command.get_program()).display(),
        String::from_utf8_lossy(&output.stderr)
    );
}
