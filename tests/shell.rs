//! Completions and manual pages: made from the definitions, and accepted by those who read them.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output, Stdio};

use agxrun::cli::Cli;
use clap::CommandFactory;
use common::Sandbox;

fn agxrun(sandbox: &Sandbox, args: &[&str]) -> Output {
    let output = sandbox.agxrun().args(args).output().expect("agxrun starts");
    assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
    output
}

/// What bash offers for the last of the words.
fn offered(sandbox: &Sandbox, words: &[&str]) -> BTreeSet<String> {
    let script = sandbox.path("agxrun.bash");
    fs::write(&script, agxrun(sandbox, &["completions", "bash"]).stdout).expect("written");
    let [.., before, last] = words else {
        panic!("two words at least")
    };
    let asked = format!(
        "set -u; source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _agxrun agxrun '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(" "),
        words.len() - 1,
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &asked])
        .output()
        .expect("bash starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let sandbox = Sandbox::new();
    let set = |words: &[&str]| -> BTreeSet<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    };
    assert_eq!(
        offered(&sandbox, &["agxrun", "check"]),
        set(&["check-crashes"])
    );
    assert_eq!(
        offered(&sandbox, &["agxrun", "monitor", "sta"]),
        set(&["start", "status"])
    );
    assert!(
        offered(&sandbox, &["agxrun", "run", "--t"])
            .is_superset(&set(&["--throttle", "--timeout"]))
    );
    assert_eq!(
        offered(&sandbox, &["agxrun", "run", "--scope", ""]),
        set(&["any", "tree"])
    );
}

#[test]
fn each_shell_has_a_script_that_knows_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = agxrun(&sandbox, &["completions", shell]).stdout;
        let script = String::from_utf8(script).expect("text");
        for command in Cli::command().get_subcommands() {
            assert!(
                script.contains(command.get_name()),
                "{shell}: {}",
                command.get_name()
            );
        }
        // Those that are here read it as well.
        let check: &[&str] = match shell {
            "fish" => &["fish", "--no-execute"],
            "bash" | "zsh" => &[shell, "-n"],
            _ => continue,
        };
        let file = sandbox.path(shell);
        fs::write(&file, &script).expect("written");
        match Command::new(check[0]).args(&check[1..]).arg(&file).output() {
            Ok(output) => assert!(output.status.success(), "{shell}: {output:?}"),
            Err(error) => eprintln!("{shell}: only looked at, not read by it: {error}"),
        }
    }
}

/// A page as it is read: without the escapes of roff.
fn plain(page: &str) -> String {
    page.replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fR", "")
}

#[test]
fn each_command_has_a_page_that_names_its_options() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("share/man/man1");
    agxrun(&sandbox, &["man", folder.to_str().expect("UTF-8")]);
    let mut command = Cli::command();
    command.build();
    for (name, command) in pages(&command) {
        let file = folder.join(format!("{name}.1"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = plain(&text);
        assert!(text.contains(&format!(".TH {name}")), "{name}: {text}");
        for option in command
            .get_arguments()
            .filter(|option| !option.is_hide_set())
        {
            if let Some(long) = option.get_long() {
                assert!(text.contains(&format!("--{long}")), "{name}: --{long}");
            }
        }
        match Command::new("groff")
            .args(["-man", "-ww", "-z", "-Tutf8"])
            .arg(&file)
            .stderr(Stdio::piped())
            .output()
        {
            Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}"),
            Err(error) => eprintln!("{name}: not laid out: no groff: {error}"),
        }
    }
    let first = agxrun(&sandbox, &["man"]).stdout;
    assert_eq!(first, fs::read(folder.join("agxrun.1")).expect("the page"));
}

fn pages(command: &clap::Command) -> Vec<(String, &clap::Command)> {
    let name = command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let below = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help" && !below.is_hide_set())
        .flat_map(pages);
    std::iter::once((name, command)).chain(below).collect()
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("a-file");
    fs::write(&file, "").expect("written");
    let output = sandbox
        .agxrun()
        .arg("man")
        .arg(file.join("man1"))
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(125));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("a-file/man1"), "{said}");
}
