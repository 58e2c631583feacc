//! What `agxrun inspect` says before, held against what the kernel does and what the ledgers prove
//! afterwards.

mod common;
#[path = "target_images/macho.rs"]
#[allow(dead_code)] // The tests of files make more kinds.
mod macho;
#[path = "target_images/signature.rs"]
#[allow(dead_code)] // As above.
mod signature;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use common::{Run, Sandbox, programs};

fn script(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.path(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    programs::write(&path, text);
    path
}

fn inspect(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    sandbox
        .agxrun()
        .arg("inspect")
        .args(arguments)
        .output()
        .expect("agxrun starts")
}

/// The JSON, with the exit code that must go with its verdict.
#[track_caller]
fn foreseen(sandbox: &Sandbox, command: &[&str]) -> Value {
    let arguments = [&["--json"], command].concat();
    let output = inspect(sandbox, &arguments);
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let arrives = json["verdict"]["kind"] == "arrives";
    let code = output.status.code();
    assert_eq!(code, Some(if arrives { 0 } else { 88 }), "{json:#}");
    json
}

fn rule(json: &Value) -> &str {
    json["verdict"]["rule"].as_str().expect("a rule")
}

fn files(json: &Value) -> Vec<&str> {
    let steps = json["chain"].as_array().expect("a chain");
    steps
        .iter()
        .map(|step| step["file"].as_str().expect("text"))
        .collect()
}

/// The programs that the run's ledgers tell of, by their files.
fn proven(run: &Run) -> Vec<PathBuf> {
    let processes = run.json["processes"].as_array().expect("a list");
    processes
        .iter()
        .map(|process| process["executable"].as_str().expect("text"))
        .map(|path| Path::new(path).canonicalize().expect("it is there"))
        .collect()
}

/// What is foreseen as the last program is what a ledger tells of.
#[track_caller]
fn agrees(sandbox: &Sandbox, command: &[&str]) {
    let json = foreseen(sandbox, command);
    assert_eq!(rule(&json), "arrives", "{json:#}");
    let run = sandbox.run(&["--require-fix"], command);
    run.assert_code(0);
    let last = files(&json).last().map(PathBuf::from).expect("a program");
    let proven = proven(&run);
    assert!(
        proven.contains(&last),
        "{} is not in {proven:?}",
        last.display()
    );
    assert_eq!(run.json["preflight"]["verdict"]["kind"], "arrives");
}

#[test]
fn ledgers_prove_what_was_foreseen() {
    let sandbox = Sandbox::new();
    let python = real_python();
    let python = python.to_str().expect("text");
    let by_env = script(&sandbox, "by-env", "#!/usr/bin/env true\n");
    let split = script(&sandbox, "split", "#!/usr/bin/env -S A=1 nice -n 1 true\n");
    let direct = script(&sandbox, "direct", &format!("#!{python}\npass\n"));
    std::fs::create_dir(sandbox.path("bin")).expect("a folder");
    symlink(&by_env, sandbox.path("bin/link")).expect("a link");
    let link = sandbox.path("bin/link");
    for path in [&by_env, &split, &direct, &link] {
        agrees(&sandbox, &[path.to_str().expect("text"), "an argument"]);
    }
    for command in [
        &["env", "A=1", "nice", "-n", "2", "true"][..],
        &["timeout", "60", "stdbuf", "-oL", "true"],
        &["nohup", "true"],
        &["env", "--", "env", "-u", "A", "true"],
    ] {
        agrees(&sandbox, command);
    }
}

#[test]
fn a_virtual_environment_and_a_shim_lead_to_the_real_python() {
    let sandbox = Sandbox::new();
    let python = real_python();
    let venv = sandbox.path("venv");
    std::fs::create_dir_all(venv.join("bin")).expect("a folder");
    symlink(&python, venv.join("bin/python")).expect("a link");
    let home = python.parent().expect("a folder").display();
    std::fs::write(venv.join("pyvenv.cfg"), format!("home = {home}\n")).expect("written");
    let in_venv = venv.join("bin/python");
    let in_venv = in_venv.to_str().expect("text");
    agrees(&sandbox, &[in_venv, "-c", "pass"]);
    let json = foreseen(&sandbox, &[in_venv]);
    let note = json["chain"][0]["note"].as_str().expect("a note");
    assert!(note.contains("virtual environment"), "{note}");

    // As pyenv lays them out; its own part, choosing the version, is played by one line.
    let versions = sandbox.path("pyenv/versions/3.99.1/bin");
    std::fs::create_dir_all(&versions).expect("a folder");
    symlink(&python, versions.join("python")).expect("a link");
    std::fs::write(sandbox.path(".python-version"), "3.99\n").expect("written");
    let shim = script(
        &sandbox,
        "pyenv/shims/python",
        &format!(
            "#!/usr/bin/env bash\nset -e\nprogram=\"${{0##*/}}\"\npyenv() {{ shift; \"{}/$@\"; }}\n\
             # exec \"$program\"\npyenv exec \"$program\" \"$@\"\n",
            versions.display()
        ),
    );
    let shim = shim.to_str().expect("text");
    agrees(&sandbox, &[shim, "-c", "pass"]);
    let json = foreseen(&sandbox, &[shim]);
    let because = json["chain"][3]["because"].as_str().expect("a reason");
    assert!(because.contains(".python-version"), "{because}");
}

#[test]
fn env_that_drops_the_library_is_passed_over() {
    let sandbox = Sandbox::new();
    let command = ["env", "-i", "A=1", "sh", "-c", "echo $A-$HOME-$0", "zero"];
    let run = sandbox.run(&["--require-fix", "-v"], &command);
    run.assert_code(0)
        .assert_stderr("launches `/bin/sh` directly");
    assert_eq!(run.stdout(), "1--zero\n");
    let preflight = &run.json["preflight"];
    assert_eq!(preflight["instead_of"]["rule"], "environment");
    assert!(
        preflight["launched"]
            .as_str()
            .expect("text")
            .ends_with("/sh")
    );
    let by_line = script(
        &sandbox,
        "by-line",
        "#!/usr/bin/env -S -u LD_PRELOAD printf %s,\n",
    );
    let by_line = by_line.to_str().expect("text");
    if cfg!(target_os = "linux") {
        let run = sandbox.run(&["--require-fix"], &[by_line, "b c"]);
        assert_eq!(run.assert_code(0).stdout(), format!("{by_line},b c,"));
    }
}

#[test]
fn children_can_tell_that_the_library_was_to_be_inserted() {
    let sandbox = Sandbox::new();
    let name = agxrun::inject::platform::INSERT_VARIABLE;
    let line = format!("test -n \"$AGXRUN_{name}\" && test \"$AGXRUN_{name}\" = \"${name}\"");
    sandbox
        .run(&["--allow-uninjected"], &["sh", "-c", &line])
        .assert_code(0);
    // On Linux the report writer is inserted even then.
    let line = format!("case \"$AGXRUN_{name}\" in *libagx_fix*) exit 1 ;; esac");
    sandbox
        .run(&["--no-fix"], &["sh", "-c", &line])
        .assert_code(0);
}

/// The kernel gives up where it is foreseen to, and hands over the arguments that are foreseen.
#[test]
#[cfg(target_os = "linux")]
fn first_lines_are_read_as_the_kernel_reads_them() {
    let sandbox = Sandbox::new();
    let mut interpreter = "/bin/echo".to_owned();
    for depth in 0..7 {
        let path = script(
            &sandbox,
            &format!("depth-{depth}"),
            &format!("#!{interpreter}\n"),
        );
        interpreter = path.to_str().expect("text").to_owned();
        let ran = std::process::Command::new(&path).output();
        let json = foreseen(&sandbox, &[&interpreter]);
        match ran {
            Ok(_) => assert_eq!(rule(&json), "arrives", "depth {depth}"),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(libc::ELOOP), "depth {depth}");
                assert_eq!(rule(&json), "interpreter-loop", "depth {depth}");
            }
        }
    }
    let itself = script(&sandbox, "itself", "");
    let itself = itself.to_str().expect("text");
    script(&sandbox, "itself", &format!("#!{itself}\n"));
    assert_eq!(rule(&foreseen(&sandbox, &[itself])), "interpreter-loop");

    let long = "a".repeat(300);
    for line in [
        "#! /bin/echo  one two \t",
        "#!\t/bin/echo\t-n x",
        "#!/bin/echo",
        "#!/bin/echo # no comment",
        &format!("#!/bin/echo {long}"),
    ] {
        let path = script(&sandbox, "line", &format!("{line}\n"));
        let path = path.to_str().expect("text");
        let json = foreseen(&sandbox, &[path, "last"]);
        let argv = json["chain"][1]["argv"].as_array().expect("arguments");
        let argv: Vec<&str> = argv
            .iter()
            .map(|word| word.as_str().expect("text"))
            .collect();
        let expected = std::process::Command::new("/bin/echo")
            .args(&argv[1..])
            .output()
            .expect("echo starts");
        let ran = std::process::Command::new(path).arg("last").output();
        assert_eq!(ran.expect("it runs").stdout, expected.stdout, "{line}");
    }
}

/// `env -S` itself is asked what it makes of a string.
#[test]
fn strings_are_split_as_env_splits_them() {
    let sandbox = Sandbox::new();
    for text in [
        "a 'b c' \"d e\" f",
        r#"'it\'s' "\_x\t" a\_b \#c"#,
        "${HOME}/x \"${HOME} y\" ${NO_SUCH_VARIABLE}z",
        "a # b",
        r"a b\cc d",
        "'' \"\" x",
    ] {
        let split = format!("-S/usr/bin/printf '[%s]' {text}");
        let mut env = std::process::Command::new("/usr/bin/env");
        let ran = env.arg(&split).env("HOME", sandbox.path("home")).output();
        let ran = ran.expect("env starts");
        assert!(ran.status.success(), "{text}");
        let json = foreseen(&sandbox, &["/usr/bin/env", &split]);
        let argv = json["chain"][1]["argv"].as_array().expect("arguments");
        let words: Vec<&str> = argv[2..]
            .iter()
            .map(|word| word.as_str().expect("text"))
            .collect();
        let printed = format!("[{}]", words.join("]["));
        assert_eq!(String::from_utf8_lossy(&ran.stdout), printed, "{text}");
    }
}

/// A loader of musl's name, which really is glibc's: whether anything was inserted can be seen.
#[test]
#[cfg(target_os = "linux")]
fn a_library_that_would_end_the_target_is_left_out() {
    let sandbox = Sandbox::new();
    let json = foreseen(&sandbox, &["/bin/true"]);
    let fact = json["chain"][0]["facts"][0].as_str().expect("a fact");
    let (_, loader) = fact.split_once("loader ").expect("it is dynamic");
    let musl = sandbox.path("ld-musl-here.so.1");
    symlink(loader, &musl).expect("a link");
    let (source, program) = (sandbox.path("target.c"), sandbox.path("target"));
    let text = "#include <stdlib.h>\nint main(void) { return getenv(\"LD_PRELOAD\") ? 5 : 0; }\n";
    std::fs::write(&source, text).expect("written");
    let built = std::process::Command::new("cc")
        .arg(format!("-Wl,--dynamic-linker={}", musl.display()))
        .arg("-o")
        .args([&program, &source])
        .status()
        .expect("cc starts");
    assert!(built.success());
    let refused = sandbox.run(&[], &[&program]);
    refused.assert_code(125).assert_stderr("[musl]");
    assert!(refused.json.is_null(), "nothing ran");
    let run = sandbox.run(&["--allow-uninjected"], &[&program]);
    run.assert_code(0).assert_stderr("was left out");
    assert_eq!(run.json["preflight"]["verdict"]["kind"], "fatal");
    let demanding = ["--allow-uninjected", "--require-fix"];
    sandbox.run(&demanding, &[&program]).assert_code(88);
}

#[test]
fn what_cannot_be_seen_or_found_is_not_said_to_arrive() {
    let sandbox = Sandbox::new();
    for command in [&["sh", "-c", "true"][..], &["make"], &["bash"]] {
        if which::which(command[0]).is_ok() {
            assert_eq!(rule(&foreseen(&sandbox, command)), "unseen");
        }
    }
    let circle = sandbox.path("circle");
    symlink(&circle, &circle).expect("a link");
    let line = format!("#!{}\n", circle.display());
    let to_circle = script(&sandbox, "to-circle", &line);
    let json = foreseen(&sandbox, &[to_circle.to_str().expect("text")]);
    assert_eq!(rule(&json), "link-loop");
    // It is warned about, and left to the kernel.
    let run = sandbox.run(&[], &[&to_circle]);
    run.assert_code(126);
    let plain = sandbox.path("plain");
    std::fs::write(&plain, "x").expect("written");
    for (command, code) in [
        (&["no-such-program"][..], 127),
        (&["./plain"], 126),
        (&["./home"], 126),
        (&[], 2),
        (&["--file", "x", "y"], 2),
        (&["--dylib", "/no/such/library", "true"], 125),
    ] {
        let output = inspect(&sandbox, command);
        assert_eq!(output.status.code(), Some(code), "{command:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn one_file_of_any_system_is_judged_as_that_system_would() {
    let sandbox = Sandbox::new();
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(sandbox.path(name), bytes).expect("written");
        let output = inspect(&sandbox, &["--json", "--file", name]);
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), rule(&json).to_owned(), json)
    };
    let program = macho::Slice::program(macho::ARM64);
    let (code, rule, json) = file("mac", &program.build());
    assert_eq!((code, rule.as_str()), (Some(0), "arrives"), "{json:#}");
    let facts = json["facts"][0].as_str().expect("a fact");
    assert!(
        facts.starts_with("Mach-O, arm64, program, for macOS"),
        "{facts}"
    );
    let hardened = signature::Signature::developer(signature::RUNTIME);
    let (code, rule, json) = file("hardened", &program.clone().signed(hardened).build());
    assert_eq!(
        (code, rule.as_str()),
        (Some(88), "hardened-runtime"),
        "{json:#}"
    );
    let arm64e = macho::Slice::program(macho::ARM64E).build();
    assert_eq!(file("arm64e", &arm64e).1, "library-slice");
    assert_eq!(file("text", b"hello").1, "no-program");
    assert_eq!(file("short", &program.build()[..50]).1, "unreadable");
    let missing = inspect(&sandbox, &["--file", "missing"]);
    assert_eq!(missing.status.code(), Some(88));
    let text = inspect(&sandbox, &["--file", "hardened"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    for part in ["hardened runtime", "stripped:", "codesign --force --sign -"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

/// A Python that is no shim and no script.
fn real_python() -> PathBuf {
    let output = std::process::Command::new("python3")
        .args([
            "-c",
            "import os, sys; print(os.path.realpath(sys.executable))",
        ])
        .output()
        .expect("python3 starts");
    let path = String::from_utf8(output.stdout).expect("text");
    PathBuf::from(path.trim_end())
}
