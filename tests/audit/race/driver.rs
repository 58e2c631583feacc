//! Images with a driver's classes around methods in assembly.

use std::fs;

use agxrun::audit::Binary;
use agxrun::audit::race::Impls;
use agxrun::audit::{Code, Objc};
use agxrun::target::image::Processor;

use crate::cross::Tools;
use crate::layouts::only;

pub const PROCESSORS: [Processor; 2] = [Processor::Arm64, Processor::Arm64e];

/// The class that has `_impl`, one that inherits it, and one that has none.
const CLASSES: [(&str, &str, bool); 3] = [
    ("Base", "NSObject", true),
    ("Context", "Base", false),
    ("Plain", "NSObject", false),
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
    for symbol in defined {
        text += &format!(".set {symbol}, 1\n");
    }
    text += ".section __TEXT,__text,regular,pure_instructions\n";
    text += source;
    text += &metadata(source);
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

fn metadata(source: &str) -> String {
    let mut text = String::new();
    let mut list =
        String::from(".section __DATA,__objc_classlist,regular,no_dead_strip\n.p2align 3\n");
    for (class, superclass, has_impl) in CLASSES {
        text += &class_text(class, superclass, has_impl, source);
        list += &format!(".quad \"_OBJC_CLASS_$_{class}\"\n");
    }
    text + &list
        + ".section __DATA,__objc_imageinfo,regular,no_dead_strip\n.long 0, 64\n\
           .section __TEXT,__objc_methname,cstring_literals\n\
           l_types: .asciz \"v16@0:8\"\nl_pointer: .asciz \"^v\"\nl_impl: .asciz \"_impl\"\n"
}

fn class_text(class: &str, superclass: &str, has_impl: bool, source: &str) -> String {
    let start = format!("\"-[{class} ");
    let selectors: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix(&start)?.strip_suffix("]\":"))
        .collect();
    let mut text = format!(
        ".section __TEXT,__objc_methname,cstring_literals\nl_name_{class}: .asciz \"{class}\"\n"
    );
    for (number, selector) in selectors.iter().enumerate() {
        text += &format!("l_{class}_{number}: .asciz \"{selector}\"\n");
    }
    text += &format!(
        ".section __DATA,__objc_const\n.p2align 3\nl_methods_{class}:\n.long 24\n.long {}\n",
        selectors.len()
    );
    for (number, selector) in selectors.iter().enumerate() {
        text += &format!(".quad l_{class}_{number}, l_types, \"-[{class} {selector}]\"\n");
    }
    if has_impl {
        text += &format!(
            "l_ivars_{class}:\n.long 32\n.long 1\n.quad \"_OBJC_IVAR_$_{class}._impl\", l_impl, l_pointer\n\
             .long 3\n.long 8\n\
             .section __DATA,__objc_ivar\n.p2align 2\n.globl \"_OBJC_IVAR_$_{class}._impl\"\n\
             \"_OBJC_IVAR_$_{class}._impl\": .long 24\n\
             .section __DATA,__objc_const\n.p2align 3\n"
        );
    }
    let ivars = if has_impl {
        format!("l_ivars_{class}")
    } else {
        "0".to_owned()
    };
    text += &format!(
        "l_of_class_{class}:\n.long 0, 8, 32, 0\n.quad 0, l_name_{class}, l_methods_{class}, 0, {ivars}, 0, 0\n\
         l_of_metaclass_{class}:\n.long 1, 40, 40, 0\n.quad 0, l_name_{class}, 0, 0, 0, 0, 0\n\
         .section __DATA,__objc_data\n.p2align 3\n"
    );
    for (prefix, of, isa) in [
        ("OBJC_CLASS", "class", format!("_OBJC_METACLASS_$_{class}")),
        (
            "OBJC_METACLASS",
            "metaclass",
            "_OBJC_METACLASS_$_NSObject".to_owned(),
        ),
    ] {
        text += &format!(
            ".globl \"_{prefix}_$_{class}\"\n\"_{prefix}_$_{class}\":\n\
             .quad \"{isa}\", \"_{prefix}_$_{superclass}\", __objc_empty_cache, 0, l_of_{of}_{class}\n"
        );
    }
    text
}
