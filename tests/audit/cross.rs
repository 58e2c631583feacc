//! Images that LLVM assembles and links, in what layouts its linker makes. Skipped, with a word, where it
//! is not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agxrun::audit::{ClassRef, Layout, Pointer};
use tempfile::TempDir;

use crate::layouts::only;
use crate::llvm;

/// Class and library that the images need.
const LIBRARY: &str = "--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, x86_64-macos ]
install-name: '/usr/lib/libobjc.A.dylib'
exports:
  - targets: [ arm64-macos, x86_64-macos ]
    symbols: [ _objc_msgSend, _class_getMethodImplementation, __objc_empty_cache, dyld_stub_binder ]
    objc-classes: [ NSObject ]
...
";

const ARM64: &str = ".macro return
  ret
.endm
.macro send_bark
  bl \"_objc_msgSend$bark\"
.endm
";

const X86_64: &str = ".macro return
  retq
.endm
.macro send_bark
  callq \"_objc_msgSend$bark\"
.endm
";

/// The assembler, the linker and the reader, where they are installed.
pub struct Tools {
    assembler: PathBuf,
    linker: PathBuf,
    objdump: PathBuf,
    folder: TempDir,
}

impl Tools {
    pub fn find() -> Option<Self> {
        let found = (
            llvm::tool("llvm-mc"),
            llvm::tool("ld64.lld"),
            llvm::objdump()?,
        );
        let (Some(assembler), Some(linker), objdump) = found else {
            println!(
                "skipped: no llvm-mc and ld64.lld of LLVM 19 or later (hint: scripts/macos/toolchain.sh packages)"
            );
            return None;
        };
        Some(Tools {
            assembler,
            linker,
            objdump,
            folder: tempfile::tempdir().expect("a folder"),
        })
    }

    fn link(&self, processor: &str, macros: &str, options: &[&str]) -> PathBuf {
        let source = format!("{macros}{}", include_str!("dog.s"));
        self.link_source(processor, "dog", &source, options)
    }

    /// A library of that name: what `source` assembles to.
    pub fn link_source(
        &self,
        processor: &str,
        name: &str,
        source: &str,
        options: &[&str],
    ) -> PathBuf {
        let path = |end: &str| self.folder.path().join(format!("{name}{end}"));
        fs::write(path(".tbd"), LIBRARY).expect("written");
        fs::write(path(".s"), source).expect("written");
        run(Command::new(&self.assembler)
            .args(["-filetype=obj", "-triple"])
            .arg(format!("{processor}-apple-macos12"))
            .arg(path(".s"))
            .arg("-o")
            .arg(path(".o")));
        run(Command::new(&self.linker)
            .args(["-arch", processor, "-dylib"])
            .args(["-platform_version", "macos", "12.0", "12.0"])
            .args(options)
            .args([path(".tbd"), path(".o")])
            .arg("-o")
            .arg(path(".dylib")));
        path(".dylib")
    }

    /// Links the class, and reads it by both readers.
    fn check(&self, processor: &str, macros: &str, options: &[&str], layout: Layout) {
        let path = self.link(processor, macros, options);
        let bytes = fs::read(&path).expect("linked");
        let binary = only(&bytes);
        let objc = binary.objc();
        let what = format!("{processor} {options:?}");
        assert!(binary.gaps().is_empty(), "{what}: {:?}", binary.gaps());
        assert!(objc.gaps.is_empty(), "{what}: {:?}", objc.gaps);

        let [dog] = &objc.classes[..] else {
            panic!("{what}: {:?}", objc.classes)
        };
        assert_eq!(
            dog.superclass.and_then(|class: ClassRef<'_>| class.name()),
            Some("NSObject")
        );
        assert_eq!(dog.instance_methods[0].layout, layout, "{what}");
        let [ivar] = dog.ivars[..] else {
            panic!("{what}: {:?}", dog.ivars)
        };
        assert_eq!(
            (ivar.name, ivar.types, ivar.offset),
            (Some("_impl"), Some("^v"), Some(8))
        );
        let [stub] = objc.stubs[..] else {
            panic!("{what}: {:?}", objc.stubs)
        };
        assert_eq!(stub.selector, Some("bark"));
        assert_eq!(symbol(&binary, "_OBJC_CLASS_$_Dog"), Some(dog.address));
        assert_eq!(exported(&binary, "_OBJC_CLASS_$_Dog"), Some(dog.address));
        assert_eq!(
            symbol(&binary, "_OBJC_IVAR_$_Dog._impl"),
            ivar.offset_variable
        );
        assert_eq!(
            symbol(&binary, "-[Dog bark]"),
            dog.instance_methods[0].implementation
        );
        let starts: Vec<u64> = binary.function_starts().expect("a list").collect();
        assert!(starts.contains(&dog.class_methods[0].implementation.expect("it has code")));
        let imported = binary.pointers().any(|slot| {
            matches!(binary.pointer_at(slot), Ok(Pointer::Import { import, .. })
                if import.name == "_objc_msgSend"
                    && binary.library_name(import.library) == Some("/usr/lib/libobjc.A.dylib"))
        });
        assert!(imported, "{what}: the stub's function");
        llvm::compare(&self.objdump, &path, &binary);
    }
}

fn symbol(binary: &agxrun::audit::Binary<'_>, name: &str) -> Option<u64> {
    let mut symbols = binary.symbols().expect("it has a table");
    symbols.find(|symbol| symbol.name == Some(name))?.address
}

fn exported(binary: &agxrun::audit::Binary<'_>, name: &str) -> Option<u64> {
    let mut found = None;
    let gaps = binary.exports(|export| {
        if export.name == name
            && let agxrun::audit::ExportKind::Address(address) = export.kind
        {
            found = Some(address);
        }
    });
    assert!(gaps.is_empty(), "{gaps:?}");
    found
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

#[test]
fn linked_for_arm64() {
    let Some(tools) = Tools::find() else { return };
    let check = |options: &[&str], layout| tools.check("arm64", ARM64, options, layout);
    check(
        &["-fixup_chains", "-objc_relative_method_lists"],
        Layout::Relative,
    );
    check(
        &["-fixup_chains", "-no_objc_relative_method_lists"],
        Layout::Absolute,
    );
    check(
        &["-no_fixup_chains", "-objc_relative_method_lists"],
        Layout::Relative,
    );
    check(
        &["-no_fixup_chains", "-no_objc_relative_method_lists"],
        Layout::Absolute,
    );
    check(&["-fixup_chains", "-objc_stubs_small"], Layout::Relative);
}

#[test]
fn linked_for_intel() {
    let Some(tools) = Tools::find() else { return };
    let check = |options: &[&str], layout| tools.check("x86_64", X86_64, options, layout);
    check(
        &["-fixup_chains", "-objc_relative_method_lists"],
        Layout::Relative,
    );
    check(
        &["-no_fixup_chains", "-no_objc_relative_method_lists"],
        Layout::Absolute,
    );
}
