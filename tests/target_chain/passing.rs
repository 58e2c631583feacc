//! What stands before a program: `env`, wrappers, shells.

use std::path::Path;

use agxrun::target::chain::End;
use agxrun::target::image::Processor;
use agxrun::target::verdict::Kind::{Arrives, Fatal, Stripped, Unknown};

use crate::mac::{Mac, files, launched, words};
use crate::macho::{ARM64, Slice, X86_64, universal};

#[test]
fn env_in_a_first_line_is_passed_over() {
    let mac = Mac::new();
    mac.file("/Users/me/project/train", b"#!/usr/bin/env python3\n");
    let inspection = mac.expect("./train --epochs 1", Arrives, "arrives");
    let (program, argv) = launched(&inspection).expect("`env` is passed over");
    assert_eq!(program, Path::new("/opt/homebrew/bin/python3"));
    assert_eq!(argv, words("python3 ./train --epochs 1"));
    let direct = inspection.direct.expect("just seen");
    assert_eq!(direct.instead_of.rule, "sip");
    assert_eq!(direct.instead_of.file, Path::new("/usr/bin/env"));

    // The kernel splits the line, and `env -S` need not.
    mac.file(
        "/Users/me/project/split",
        b"#!/usr/bin/env -S A=1 python3 -u # quietly\n",
    );
    let inspection = mac.expect("./split", Arrives, "arrives");
    let (_, argv) = launched(&inspection).expect("`env` is passed over");
    assert_eq!(argv, words("python3 -u ./split"));
    let direct = inspection.direct.expect("just seen");
    assert_eq!(direct.changes[0].set, [("A".into(), "1".into())]);

    // From the command line, and twice.
    let inspection = mac.expect(
        "env -i PATH=/opt/homebrew/bin:/usr/bin env B=2 python3",
        Arrives,
        "arrives",
    );
    let direct = inspection.direct.expect("both are passed over");
    assert_eq!(direct.step, 2);
    assert!(direct.changes[0].clear);
    assert_eq!(direct.changes[1].set, [("B".into(), "2".into())]);

    // What it cannot do for `env` it does not do.
    mac.expect("env -C /tmp python3", Stripped, "sip");
    // And where the interpreter itself is protected, passing over helps nothing.
    mac.file("/Users/me/project/shell", b"#!/usr/bin/env bash\n");
    let inspection = mac.expect("./shell", Stripped, "sip");
    assert!(inspection.direct.is_none());
}

#[test]
fn shells_cannot_be_seen_into() {
    let mac = Mac::new();
    let inspection = mac.expect("sh -c python3", Stripped, "sip");
    assert!(matches!(inspection.end, End::Unseen(_)));
    mac.program("/opt/homebrew/bin/zsh", &Slice::program(ARM64));
    for command in ["zsh -lc python3", "zsh script", "zsh"] {
        mac.expect(command, Unknown, "unseen");
    }
    // Its own name says that it starts others, whatever interprets it.
    mac.file("/opt/homebrew/bin/poetry", b"#!/opt/homebrew/bin/python3\n");
    mac.expect("poetry run python", Unknown, "unseen");
    mac.expect("make test", Stripped, "sip");
}

#[test]
fn wrappers_of_the_system_are_put_before_agxrun() {
    let mac = Mac::new();
    let inspection = mac.expect("nice -n 5 python3 train.py", Stripped, "sip");
    assert_eq!(inspection.verdict.file, Path::new("/usr/bin/nice"));
    assert_eq!(
        mac.advice("nice -n 5 python3 train.py")[0].commands,
        ["nice -n 5 agxrun -- python3 train.py"]
    );
    mac.program("/opt/homebrew/bin/tool", &Slice::program(ARM64));
    for (command, first) in [
        ("nice -n 5 tool a", "nice -n 5 agxrun -- tool a"),
        ("time -l tool a", "time -l agxrun -- tool a"),
        (
            "caffeinate -dt 60 tool a",
            "caffeinate -dt 60 agxrun -- tool a",
        ),
        ("arch -arm64 tool a", "agxrun -- /opt/homebrew/bin/tool a"),
        (
            "arch -arm64 env tool a",
            "agxrun -- /opt/homebrew/bin/tool a",
        ),
    ] {
        mac.expect(command, Stripped, "sip");
        assert_eq!(mac.advice(command)[0].commands, [first], "{command}");
    }
    // Homebrew's coreutils are protected by nothing.
    mac.program("/opt/homebrew/bin/gtimeout", &Slice::program(ARM64));
    let inspection = mac.expect("gtimeout 5 tool", Arrives, "arrives");
    assert_eq!(files(&inspection).len(), 2);
}

#[test]
fn arch_asks_for_a_slice() {
    let mac = Mac::new();
    let universal = universal(&[Slice::program(X86_64), Slice::program(ARM64)]);
    mac.file("/opt/tool", &universal);
    let inspection = mac.inspect("arch -x86_64 /opt/tool");
    let step = &inspection.steps[1].step;
    assert_eq!(step.call.preference, Some(Processor::X86_64));
    mac.program("/opt/arm", &Slice::program(ARM64));
    let inspection = mac.inspect("arch -x86_64 /opt/arm");
    let verdict = inspection.steps[1].verdict.as_ref().expect("a program");
    assert_eq!((verdict.kind, verdict.rule), (Fatal, "no-slice"));
}
