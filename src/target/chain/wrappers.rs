//! Programs that do something and then execute the rest of their arguments.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::target::image::Processor;
use crate::target::rules::System;

/// How a wrapper's own arguments are told from the command's.
#[derive(Debug, Clone, Copy)]
pub struct Wrapper {
    /// Its name; GNU's tools are also found with a `g` before it (Homebrew's coreutils).
    name: &'static str,
    /// Short options that take a value.
    valued: &'static str,
    /// Long options that take one as the next argument.
    valued_long: &'static [&'static str],
    /// Arguments of its own before the command, such as a time or a mask.
    own: usize,
}

/// Those that are in everyday use before a test or a training run, by their manual pages.
const WRAPPERS: &[Wrapper] = &[
    wrapper("nice", "n", &["adjustment"], 0),
    wrapper("nohup", "", &[], 0),
    wrapper("time", "fo", &["format", "output"], 0),
    wrapper("timeout", "ks", &["kill-after", "signal"], 1),
    wrapper("stdbuf", "ioe", &["input", "output", "error"], 0),
    wrapper("caffeinate", "tw", &[], 0),
    wrapper("setsid", "", &[], 0),
    wrapper("ionice", "cnpPu", &["class", "classdata"], 0),
    wrapper("taskset", "", &[], 1),
    wrapper("chrt", "TPD", &[], 1),
    wrapper("taskpolicy", "cdgltsp", &[], 0),
];

const fn wrapper(
    name: &'static str,
    valued: &'static str,
    valued_long: &'static [&'static str],
    own: usize,
) -> Wrapper {
    Wrapper {
        name,
        valued,
        valued_long,
        own,
    }
}

/// The wrapper of this name.
pub fn named(name: &str) -> Option<&'static Wrapper> {
    let plain = name.strip_prefix('g').unwrap_or(name);
    WRAPPERS
        .iter()
        .find(|wrapper| wrapper.name == name || wrapper.name == plain)
}

impl Wrapper {
    /// Its usual name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where the command begins in `argv`, whose first element is the wrapper; `None` where there
    /// is none.
    pub fn command_at(&self, argv: &[OsString]) -> Option<usize> {
        let mut own = self.own;
        let mut options = true;
        let mut at = 1;
        while let Some(argument) = argv.get(at) {
            let bytes = argument.as_bytes();
            if options && bytes == b"--" {
                options = false;
            } else if options && bytes.starts_with(b"--") {
                at += usize::from(self.takes_next_long(&bytes[2..]));
            } else if options && bytes.len() > 1 && bytes[0] == b'-' {
                at += usize::from(self.takes_next(&bytes[1..]));
            } else if own > 0 {
                own -= 1;
            } else {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    fn takes_next_long(&self, option: &[u8]) -> bool {
        self.valued_long
            .iter()
            .any(|name| name.as_bytes() == option)
    }

    /// Whether the value of the last option in a cluster is the next argument.
    fn takes_next(&self, letters: &[u8]) -> bool {
        let valued = |letter: &u8| self.valued.as_bytes().contains(letter);
        letters.iter().position(valued) == Some(letters.len() - 1)
    }
}

/// A call of macOS's `arch`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arch {
    /// The slice that it asks for.
    pub processor: Option<Processor>,
    /// The variables that it sets.
    pub set: Vec<(OsString, OsString)>,
    /// Where the command begins.
    pub command_at: usize,
}

/// Reads a call of `arch` (arch(1) of macOS); `None` where it runs nothing. Linux has a program of
/// that name which only prints.
pub fn arch(name: &str, argv: &[OsString], system: System) -> Option<Arch> {
    if name != "arch" || system != System::MacOs {
        return None;
    }
    let mut call = Arch::default();
    let mut at = 1;
    loop {
        let argument = argv.get(at)?.to_str();
        match argument {
            Some("-arch") => {
                at += 1;
                call.prefer(argv.get(at)?.to_str()?);
            }
            Some("-e") => {
                at += 1;
                let assignment = argv.get(at)?.to_str()?;
                let (name, value) = assignment.split_once('=')?;
                call.set.push((name.into(), value.into()));
            }
            Some("-d") => at += 1,
            Some("-c") => {}
            Some(option) if option.starts_with('-') => call.prefer(&option[1..]),
            _ => {
                call.command_at = at;
                return Some(call);
            }
        }
        at += 1;
    }
}

impl Arch {
    /// The first that is named is tried first.
    fn prefer(&mut self, name: &str) {
        let processor = match name {
            "arm64" => Processor::Arm64,
            "arm64e" => Processor::Arm64e,
            "x86_64" | "64" => Processor::X86_64,
            "x86_64h" => Processor::X86_64h,
            "i386" | "32" => Processor::I386,
            _ => return,
        };
        self.processor.get_or_insert(processor);
    }
}

/// Programs that start others by rules of their own, and what that means; nobody can tell from
/// their arguments what will run.
pub fn starts_others(name: &str) -> Option<&'static str> {
    let beside = "starts others by rules of its own";
    let elsewhere = "has others started outside of its own process tree";
    let as_another = "starts others for another user";
    Some(match name {
        "make" | "gmake" | "ninja" | "cmake" | "ctest" | "just" | "task" | "bazel" | "cargo"
        | "swift" | "xcodebuild" | "npm" | "npx" | "pnpm" | "yarn" | "bunx" | "uv" | "uvx"
        | "pipx" | "poetry" | "pdm" | "hatch" | "rye" | "pipenv" | "conda" | "mamba"
        | "micromamba" | "tox" | "nox" | "mise" | "xargs" | "parallel" | "find" | "watch"
        | "script" | "expect" | "pyenv" | "asdf" => beside,
        "docker" | "podman" | "ssh" | "open" | "osascript" | "launchctl" | "tmux" | "screen" => {
            elsewhere
        }
        "sudo" | "su" | "doas" | "login" => as_another,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &str) -> Vec<OsString> {
        words.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_is_found_behind_the_wrappers_own_arguments() {
        for (words, expected) in [
            ("nice python3 -n 5", Some("python3")),
            ("nice -n 5 python3", Some("python3")),
            ("nice -n5 python3", Some("python3")),
            ("nice -10 python3", Some("python3")),
            ("nice --adjustment 5 python3", Some("python3")),
            ("nice --adjustment=5 python3", Some("python3")),
            ("timeout -k 5 -s INT 10 python3", Some("python3")),
            ("gtimeout 10 python3", Some("python3")),
            ("timeout 10", None),
            ("stdbuf -oL -eL python3", Some("python3")),
            ("stdbuf -o L python3", Some("python3")),
            ("caffeinate -disu -t 60 python3", Some("python3")),
            ("time -lp python3", Some("python3")),
            ("nohup -- python3", Some("python3")),
            ("nice", None),
        ] {
            let argv = argv(words);
            let wrapper = named(argv[0].to_str().expect("text")).expect(words);
            let found = wrapper.command_at(&argv).map(|at| argv[at].clone());
            assert_eq!(found, expected.map(OsString::from), "{words}");
        }
        assert!(named("python3").is_none() && named("g").is_none());
    }

    #[test]
    fn arch_asks_for_a_slice() {
        let read = |words: &str, system| arch("arch", &argv(words), system);
        let call = read("arch -arm64 -e A=1 python3 -x86_64", System::MacOs).expect("a call");
        assert_eq!(
            (call.processor, call.command_at),
            (Some(Processor::Arm64), 4)
        );
        assert_eq!(call.set, [("A".into(), "1".into())]);
        let call = read("arch -arch x86_64 ls", System::MacOs).expect("a call");
        assert_eq!(call.processor, Some(Processor::X86_64));
        assert_eq!(read("arch", System::MacOs), None);
        assert_eq!(read("arch -arm64 ls", System::Linux), None);
    }
}
