//! ELF programs, and what their loader does with `LD_PRELOAD`.

use super::Finding;
use crate::target::image::{Elf, Interpreter};
use crate::target::verdict::{Kind, Remedy};

/// A program that no loader maps libraries into.
pub(super) fn ignores_the_variable(elf: &Elf) -> Option<Finding> {
    if !elf.executable {
        return Some(Finding {
            rule: "not-executable",
            kind: Kind::Fatal,
            because: "it is an object file, not a program: the kernel does not execute it"
                .to_owned(),
            remedies: vec![],
        });
    }
    (elf.interpreter == Interpreter::None).then(|| Finding {
        rule: "static",
        kind: Kind::Stripped,
        because: "it is linked statically: nothing reads `LD_PRELOAD`".to_owned(),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}

/// Loaders other than glibc's, against which the library is linked. musl's takes its own libc for it,
/// and ends the program where a symbol is missing (musl, `ldso/dynlink.c`: "Error relocating", exit
/// code 127).
pub(super) fn untold(elf: &Elf) -> Option<Finding> {
    let Interpreter::Path(path) = &elf.interpreter else {
        return None;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with("ld-linux") || name.starts_with("ld64.so") || name.starts_with("ld.so") {
        return None;
    }
    let (rule, kind, what) = if name.starts_with("ld-musl") {
        (
            "musl",
            Kind::Fatal,
            "musl's, which ends the program where the library needs a symbol of glibc's",
        )
    } else {
        ("loader", Kind::Unknown, "not glibc's")
    };
    Some(Finding {
        rule,
        kind,
        because: format!("its loader `{path}` is {what}"),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}
