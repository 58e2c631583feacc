//! From a command to what it runs on a Mac, whose files are laid out in a folder: what is executed,
//! what becomes of the library, and what would help.

#[path = "target_images/macho.rs"]
#[allow(dead_code)] // The tests of files make more kinds.
mod macho;
#[path = "target_images/signature.rs"]
#[allow(dead_code)] // As above.
mod signature;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use agxrun::output::inspect::Answer;
use agxrun::target::chain::End;
use agxrun::target::image::Processor;
use agxrun::target::remedy::{Advice, advice};
use agxrun::target::verdict::Kind::{self, Arrives, Fatal, Stripped, Unknown};
use agxrun::target::{FixLibrary, Inspection, Surroundings, inspect};

use macho::{ARM64, ARM64E, Slice, X86_64};
use signature::{DYLD_VARIABLES, NO_LIBRARY_VALIDATION, RUNTIME, Signature};

const PYTHON_3_12: &str =
    "/opt/homebrew/Cellar/python@3.12/3.12.4/Frameworks/Python.framework/Versions/3.12";

/// A Mac with Homebrew's Python, the Command Line Tools, and what the system has.
struct Mac {
    root: tempfile::TempDir,
    library: FixLibrary,
    variables: Vec<(OsString, OsString)>,
    folder: PathBuf,
}

impl Mac {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let library =
            FixLibrary::as_built_for(agxrun::target::rules::System::MacOs, Processor::Arm64);
        let mut mac = Mac {
            root,
            library,
            variables: Vec::new(),
            folder: "/Users/me/project".into(),
        };
        fs::create_dir_all(mac.here("/Users/me/project")).expect("a folder");
        mac.set("PATH", "/opt/homebrew/bin:/usr/bin:/bin");
        mac.set("HOME", "/Users/me");
        for path in [
            "/bin/sh",
            "/bin/bash",
            "/usr/bin/env",
            "/usr/bin/nice",
            "/usr/bin/time",
            "/usr/bin/arch",
            "/usr/bin/caffeinate",
            "/usr/bin/xcrun",
            "/usr/bin/make",
        ] {
            mac.program(path, &of_the_system());
        }
        let stand_in = of_the_system().build();
        let (from, to) = ("/usr/lib/libSystem.B.dylib", "/usr/lib/libxcselect.dylib");
        let at = stand_in
            .windows(from.len())
            .position(|bytes| bytes == from.as_bytes())
            .expect("every program links it");
        let mut bytes = stand_in;
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        mac.file("/usr/bin/python3", &bytes);

        mac.program(
            &format!("{PYTHON_3_12}/bin/python3.12"),
            &Slice::program(ARM64),
        );
        mac.program(
            &format!("{PYTHON_3_12}/Resources/Python.app/Contents/MacOS/Python"),
            &Slice::program(ARM64),
        );
        mac.link(
            "/opt/homebrew/bin/python3",
            &format!("{PYTHON_3_12}/bin/python3.12"),
        );
        mac
    }

    fn here(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn file(&self, path: &str, bytes: &[u8]) {
        let here = self.here(path);
        fs::create_dir_all(here.parent().expect("a folder")).expect("a folder");
        fs::write(&here, bytes).expect("written");
        fs::set_permissions(&here, fs::Permissions::from_mode(0o755)).expect("the mode is set");
    }

    fn program(&self, path: &str, slice: &Slice) {
        self.file(path, &slice.build());
    }

    fn link(&self, path: &str, target: &str) {
        let here = self.here(path);
        fs::create_dir_all(here.parent().expect("a folder")).expect("a folder");
        symlink(target, here).expect("a link");
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.into(), value.into()));
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::of(
            Surroundings::mac(),
            self.root.path().to_owned(),
            self.folder.clone(),
            self.variables.clone(),
        )
    }

    fn inspect(&self, command: &str) -> Inspection {
        inspect(&words(command), None, &self.library, &self.surroundings())
    }

    fn advice(&self, command: &str) -> Vec<Advice> {
        let inspection = self.inspect(command);
        advice(
            &inspection,
            &words(command),
            &self.library,
            &self.surroundings(),
        )
    }

    fn text(&self, command: &str) -> String {
        let inspection = self.inspect(command);
        let answer = Answer {
            inspection: Some(&inspection),
            file: None,
            verdict: &inspection.verdict,
            library: &self.library.path,
            advice: self.advice(command),
        };
        anstream::adapter::strip_str(&answer.text()).to_string()
    }

    #[track_caller]
    fn expect(&self, command: &str, kind: Kind, rule: &str) -> Inspection {
        let inspection = self.inspect(command);
        let verdict = &inspection.verdict;
        assert_eq!(
            (verdict.kind, verdict.rule),
            (kind, rule),
            "{command}: {} in {inspection:#?}",
            verdict.because
        );
        inspection
    }
}

/// Apple's own: arm64e, a part of macOS.
fn of_the_system() -> Slice {
    Slice::program(ARM64E).signed(Signature {
        platform: 14,
        certified: true,
        ..Signature::ad_hoc(0)
    })
}

fn words(command: &str) -> Vec<OsString> {
    command.split(' ').map(OsString::from).collect()
}

fn files(inspection: &Inspection) -> Vec<&str> {
    inspection
        .steps
        .iter()
        .map(|judged| judged.step.file.to_str().expect("text"))
        .collect()
}

/// What is launched: the file and its arguments.
fn launched(inspection: &Inspection) -> Option<(&Path, &[OsString])> {
    let direct = inspection.direct.as_ref()?;
    let call = &inspection.steps[direct.step].step.call;
    Some((&call.program, &call.argv))
}

#[test]
fn a_framework_python_executes_the_program_in_its_application() {
    let mac = Mac::new();
    let inspection = mac.expect("python3 train.py", Arrives, "arrives");
    assert_eq!(
        files(&inspection),
        [
            format!("{PYTHON_3_12}/bin/python3.12"),
            format!("{PYTHON_3_12}/Resources/Python.app/Contents/MacOS/Python"),
        ]
    );
    assert_eq!(
        inspection.steps[0].step.links,
        [Path::new("/opt/homebrew/bin/python3")]
    );
    // Only the application's program has the hardened runtime, as in python.org's builds.
    let inner = format!("{PYTHON_3_12}/Resources/Python.app/Contents/MacOS/Python");
    mac.program(
        &inner,
        &Slice::program(ARM64).signed(Signature::developer(RUNTIME)),
    );
    let inspection = mac.expect("python3 train.py", Stripped, "hardened-runtime");
    assert_eq!(inspection.verdict.file, Path::new(&inner));
}

#[test]
fn a_virtual_environment_leads_to_the_python_that_made_it() {
    let mac = Mac::new();
    mac.link("/Users/me/venv/bin/python", "/opt/homebrew/bin/python3");
    let configuration = "home = /opt/homebrew/opt/python@3.12/bin\n";
    mac.file("/Users/me/venv/pyvenv.cfg", configuration.as_bytes());
    let inspection = mac.expect("/Users/me/venv/bin/python -c pass", Arrives, "arrives");
    assert_eq!(inspection.steps.len(), 2);
    let note = inspection.steps[0].step.note.as_deref();
    assert!(
        note.is_some_and(|note| note.contains("`/Users/me/venv`")),
        "{note:?}"
    );

    // Made with --copies: the copy knows its application only by its environment's file.
    mac.program("/Users/me/copies/bin/python", &Slice::program(ARM64));
    mac.link("/opt/homebrew/opt/python@3.12", PYTHON_3_12);
    mac.file(
        "/Users/me/copies/pyvenv.cfg",
        format!("home = {PYTHON_3_12}/bin\n").as_bytes(),
    );
    let inspection = mac.expect("/Users/me/copies/bin/python", Arrives, "arrives");
    assert_eq!(inspection.steps.len(), 2);

    // What the virtual environment's scripts name in their first line is no shim of the system's.
    mac.file(
        "/Users/me/venv/bin/pytest",
        b"#!/Users/me/venv/bin/python\n",
    );
    let inspection = mac.expect("/Users/me/venv/bin/pytest -x", Arrives, "arrives");
    assert!(inspection.direct.is_none());
    assert_eq!(
        inspection.steps[1].step.call.argv,
        words("/Users/me/venv/bin/python /Users/me/venv/bin/pytest -x")
    );
}

#[test]
fn a_script_of_pip_whose_interpreter_has_a_blank_in_its_path() {
    let mac = Mac::new();
    mac.program("/Users/me/my venv/bin/python", &Slice::program(ARM64));
    mac.file(
        "/Users/me/bin/pytest",
        b"#!/bin/sh\n'''exec' \"/Users/me/my venv/bin/python\" \"$0\" \"$@\"\n' '''\n",
    );
    let inspection = mac.expect("/Users/me/bin/pytest -x", Stripped, "sip");
    assert_eq!(
        files(&inspection).last(),
        Some(&"/Users/me/my venv/bin/python")
    );
    assert_eq!(
        mac.advice("/Users/me/bin/pytest -x")[0].commands,
        ["agxrun -- '/Users/me/my venv/bin/python' /Users/me/bin/pytest -x"]
    );
}

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
    let universal = macho::universal(&[Slice::program(X86_64), Slice::program(ARM64)]);
    mac.file("/opt/tool", &universal);
    let inspection = mac.inspect("arch -x86_64 /opt/tool");
    let step = &inspection.steps[1].step;
    assert_eq!(step.call.preference, Some(Processor::X86_64));
    mac.program("/opt/arm", &Slice::program(ARM64));
    let inspection = mac.inspect("arch -x86_64 /opt/arm");
    let verdict = inspection.steps[1].verdict.as_ref().expect("a program");
    assert_eq!((verdict.kind, verdict.rule), (Fatal, "no-slice"));
}

#[test]
fn the_systems_python_stands_in_for_the_developer_tools() {
    let mac = Mac::new();
    mac.program(
        "/Library/Developer/CommandLineTools/usr/bin/python3",
        &of_the_system(),
    );
    for command in ["/usr/bin/python3 a.py", "xcrun --sdk macosx python3 a.py"] {
        let inspection = mac.expect(command, Stripped, "sip");
        assert_eq!(
            files(&inspection)[1],
            "/Library/Developer/CommandLineTools/usr/bin/python3"
        );
    }
    // Homebrew's is offered instead.
    let advice = mac.advice("/usr/bin/python3 a.py");
    assert_eq!(
        advice[0].commands,
        ["agxrun -- /opt/homebrew/bin/python3 a.py"],
        "{advice:?}"
    );
    let last = advice.last().expect("some");
    assert_eq!(
        last.commands,
        ["agxrun --allow-uninjected -- /usr/bin/python3 a.py"]
    );
}

const PYENV_SHIM: &str = "#!/usr/bin/env bash\nset -e\nprogram=\"${0##*/}\"\n\
    export PYENV_ROOT=\"/Users/me/.pyenv\"\nexec \"/opt/homebrew/bin/pyenv\" exec \"$program\" \"$@\"\n";

#[test]
fn pyenvs_shim_is_followed_to_the_version_that_it_chooses() {
    let mut mac = Mac::new();
    mac.set(
        "PATH",
        "/Users/me/.pyenv/shims:/opt/homebrew/bin:/usr/bin:/bin",
    );
    mac.file("/Users/me/.pyenv/shims/python", PYENV_SHIM.as_bytes());
    let program = |version: &str| format!("/Users/me/.pyenv/versions/{version}/bin/python");
    for version in ["3.9.1", "3.12.2", "3.12.10"] {
        mac.program(&program(version), &Slice::program(ARM64));
    }
    let last = |mac: &Mac| {
        files(&mac.inspect("python train.py"))
            .last()
            .map(ToString::to_string)
    };
    mac.file("/Users/me/.pyenv/version", b"3.9.1\n");
    assert_eq!(last(&mac), Some(program("3.9.1")));
    // The nearest file beats the global one, and a prefix stands for its highest version.
    mac.file("/Users/me/.python-version", b"# ours\n3.12\n");
    assert_eq!(last(&mac), Some(program("3.12.10")));
    // `env` and the system's bash drop the library on the way, so the program itself is offered.
    let inspection = mac.expect("python train.py", Stripped, "sip");
    assert_eq!(inspection.steps.len(), 4);
    assert_eq!(
        mac.advice("python train.py")[0].commands,
        [format!("agxrun -- {} train.py", program("3.12.10"))]
    );
    // The variable beats all files; a version that is not there leads nowhere.
    mac.set("PYENV_VERSION", "3.7.0");
    let inspection = mac.inspect("python train.py");
    assert!(
        matches!(&inspection.end, End::Unseen(why) if why.contains("PYENV_VERSION")),
        "{:?}",
        inspection.end
    );
}

#[test]
fn asdfs_shim_is_followed_to_the_version_that_it_chooses() {
    let mut mac = Mac::new();
    mac.set(
        "PATH",
        "/Users/me/.asdf/shims:/opt/homebrew/bin:/usr/bin:/bin",
    );
    mac.program("/opt/homebrew/bin/bash", &Slice::program(ARM64));
    mac.file(
        "/Users/me/.asdf/shims/python",
        b"#!/usr/bin/env bash\n# asdf-plugin: python 3.12.1\nexec asdf exec \"python\" \"$@\"\n",
    );
    let program = "/Users/me/.asdf/installs/python/3.12.1/bin/python";
    mac.program(program, &Slice::program(ARM64));
    mac.file(
        "/Users/me/project/.tool-versions",
        b"nodejs 20\npython 3.12.1\n",
    );
    // Homebrew's bash keeps the variable, and `env` is passed over.
    let inspection = mac.expect("python train.py", Arrives, "arrives");
    assert_eq!(files(&inspection).last(), Some(&program));
    let (launched, _) = launched(&inspection).expect("`env` is passed over");
    assert_eq!(launched, Path::new("/opt/homebrew/bin/bash"));
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
