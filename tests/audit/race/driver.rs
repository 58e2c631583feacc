//! Images with a driver's classes around methods in assembly.

use std::fs;

use agxrun::audit::Binary;
use agxrun::audit::race::Impls;
use agxrun::audit::{Code, Objc};
use agxrun::target::image::Processor;

use crate::cross::Tools;
use crate::layouts::only;

pub const PROCESSORS: [Processor; 2] = [Processor::Arm64, Processor::Arm64e];

/// The class that has `_impl`, one that inherits it, and one that has none: name, superclass, list of
/// instance variables.
const CLASSES: [(&str, &str, &str); 3] = [
    ("Base", "NSObject", "l_ivars"),
    ("Context", "Base", "0"),
    ("Plain", "NSObject", "0"),
];

const PLAIN: &str = ".macro enter\n.endm\n.macro leave\n  ret\n.endm\n";
/// `pacibsp` and `retab`, which the assembler knows of a later processor only.
const SIGNED: &str =
    ".macro enter\n  .inst 0xd503237f\n.endm\n.macro leave\n  .inst 0xd65f0fff\n.endm\n";

/// The image of `source`, with `defined` as symbols that ask for parts of it. Methods are those functions
/// whose symbols have a method's form.
pub fn link(tools: &Tools, processor: Processor, source: &str, defined: &[&str]) -> Vec<u8> {
    let signed = processor == Processor::Arm64e;
    let mut text = String::from(if signed { SIGNED } else { PLAIN });
    text.extend(defined.iter().map(|symbol| format!(".set {symbol}, 1\n")));
    text += ".section __TEXT,__text,regular,pure_instructions\n";
    text += source;
    for (name, superclass, ivars) in CLASSES {
        text += &class(name, superclass, ivars, source);
    }
    text += include_str!("image.s");
    let options = ["-undefined", "dynamic_lookup", "-fixup_chains"];
    let path = tools.link_source("arm64", "driver", &text, &options);
    let mut bytes = fs::read(path).expect("linked");
    if signed {
        // LLVM's linker makes no images of arm64e: CPU_SUBTYPE_ARM64E, with its version of the ABI.
        bytes[8..12].copy_from_slice(&0x8000_0002_u32.to_le_bytes());
    }
    bytes
}

/// Reads an image, and gives its code to `look`.
pub fn with<R>(bytes: &[u8], look: impl for<'a> FnOnce(&Code<'a>, &Impls<'a>) -> R) -> R {
    let binary: Binary<'_> = only(bytes);
    let objc: Objc<'_> = binary.objc();
    assert!(objc.gaps.is_empty(), "{:?}", objc.gaps);
    let code = Code::of(&binary, &objc).expect("arm64");
    assert!(code.gaps().is_empty(), "{:?}", code.gaps());
    let impls = Impls::of(&objc);
    look(&code, &impls)
}

/// The metadata of a class, whose methods are those that `source` has of it.
fn class(name: &str, superclass: &str, ivars: &str, source: &str) -> String {
    let start = format!("\"-[{name} ");
    let selectors: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix(&start)?.strip_suffix("]\":"))
        .collect();
    let lines = |line: &dyn Fn(usize, &str) -> String| {
        let lines = selectors.iter().enumerate();
        let lines: Vec<String> = lines.map(|(number, it)| line(number, it)).collect();
        lines.join("\n")
    };
    let names = lines(&|number, it| format!("l_{name}_{number}: .asciz \"{it}\""));
    let methods =
        lines(&|number, it| format!(".quad l_{name}_{number}, l_types, \"-[{name} {it}]\""));
    include_str!("class.s")
        .replace("{class}", name)
        .replace("{superclass}", superclass)
        .replace("{ivars}", ivars)
        .replace("{count}", &selectors.len().to_string())
        .replace("{selectors}", &names)
        .replace("{methods}", &methods)
}
