//! What a whole chain amounts to, and what people read of it.

use std::fs;

use agxrun::target::verdict::Kind::{Arrives, Fatal, Stripped, Unknown};

use crate::mac::{Mac, PYTHON_3_12, files, of_the_system};
use crate::macho::{ARM64, ARM64E, Slice};
use crate::signature::{DYLD_VARIABLES, NO_LIBRARY_VALIDATION, RUNTIME, Signature};

#[test]
fn what_is_not_known_of_one_step_is_certain_by_a_later_one() {
    let mac = Mac::new();
    // Outside the protected folders, whether a part of macOS takes the variable is not in its file.
    let part_of_macos = Slice {
        processor: ARM64,
        ..of_the_system()
    };
    mac.program("/opt/homebrew/bin/nohup", &part_of_macos);
    mac.program("/opt/tool", &Slice::program(ARM64));
    mac.expect("nohup /opt/tool", Unknown, "platform-binary");
    mac.expect("nohup nice /opt/tool", Stripped, "sip");
    mac.program("/opt/other", &Slice::program(ARM64E));
    mac.expect("/opt/other", Fatal, "library-slice");
    mac.expect("nohup /opt/other", Unknown, "platform-binary");
}

#[test]
fn people_read_the_chain_and_what_would_help() {
    let mac = Mac::new();
    mac.file("/Users/me/project/train", b"#!/usr/bin/env python3\n");
    insta::assert_snapshot!("passed_over", mac.text("./train"));
    insta::assert_snapshot!("wrapped", mac.text("nice -n 5 python3 train.py"));
    mac.program(
        "/opt/node",
        &Slice::program(ARM64).signed(Signature::developer(RUNTIME)),
    );
    insta::assert_snapshot!("hardened", mac.text("/opt/node a.js"));
    insta::assert_snapshot!("shell", mac.text("sh -c python3"));
}

#[test]
fn a_signed_copy_is_offered_where_the_hardened_runtime_decides() {
    let mac = Mac::new();
    mac.program(
        "/opt/node",
        &Slice::program(ARM64).signed(Signature::developer(RUNTIME)),
    );
    mac.expect("/opt/node a.js", Stripped, "hardened-runtime");
    let advice = mac.advice("/opt/node a.js");
    let signing = advice
        .iter()
        .find(|it| it.commands.len() == 4)
        .expect("it is offered");
    assert!(signing.commands[3].starts_with("codesign --force --sign - "));
    // With what the commands give it, the library gets in.
    let copy = Slice::program(ARM64)
        .signed(Signature::ad_hoc(0).entitled(&[DYLD_VARIABLES, NO_LIBRARY_VALIDATION]));
    mac.program("/opt/node.agxrun", &copy);
    mac.expect("/opt/node.agxrun a.js", Arrives, "arrives");
}

#[test]
fn circles_and_dead_ends_are_unknown() {
    let mac = Mac::new();
    mac.link("/opt/a", "/opt/b");
    mac.link("/opt/b", "/opt/a");
    mac.file("/opt/to-circle", b"#!/opt/a\n");
    mac.expect("/opt/to-circle", Unknown, "link-loop");
    mac.file("/opt/to-nothing", b"#!/opt/nothing\n");
    mac.expect("/opt/to-nothing", Unknown, "not-found");
    mac.file("/opt/to-no-program", b"#!/opt/homebrew/bin/env nothing\n");
    mac.program("/opt/homebrew/bin/env", &Slice::program(ARM64));
    mac.expect("/opt/to-no-program", Unknown, "not-found");
    mac.expect("no-such-program", Unknown, "not-found");
    // A wrapper of wrappers without an end: each is executed, and none is the program.
    let many = format!("{}python3", "env ".repeat(40));
    mac.program("/opt/homebrew/bin/env", &Slice::program(ARM64));
    mac.expect(&many, Unknown, "endless");
    // On a Mac no script interprets another: a shell runs it instead, and that is protected.
    mac.file("/opt/itself", b"#!/opt/itself\n");
    let inspection = mac.expect("/opt/itself", Stripped, "sip");
    assert_eq!(files(&inspection).last(), Some(&"/bin/sh"));
    // A file that is no program, and one that cannot be one.
    mac.file("/opt/empty", b"");
    mac.expect("/opt/empty", Stripped, "sip");
    mac.program("/opt/short", &Slice::program(ARM64));
    let whole = fs::read(mac.here("/opt/short")).expect("it is there");
    mac.file("/opt/short", &whole[..40]);
    mac.expect("/opt/short", Unknown, "unreadable");
}

#[test]
fn a_file_that_changes_is_noticed() {
    let mac = Mac::new();
    let inspection = mac.expect("python3 train.py", Arrives, "arrives");
    inspection
        .still_holds(&mac.surroundings())
        .expect("nobody touched it");
    let program = format!("{PYTHON_3_12}/bin/python3.12");
    fs::rename(mac.here(&program), mac.here("/opt/moved")).expect("moved");
    let changed = inspection
        .still_holds(&mac.surroundings())
        .expect_err("it is gone");
    assert_eq!((changed.kind, changed.rule), (Unknown, "changed"));
    mac.program(&program, &of_the_system());
    let changed = inspection
        .still_holds(&mac.surroundings())
        .expect_err("it is another");
    assert_eq!((changed.kind, changed.rule), (Unknown, "changed"));
}
