//! `run_test_with_crash_check.sh`, `run_mps_test.sh`, `run_with_fix.sh`.

use crate::common::{products, programs};
use crate::scripts::{CRASH, HIDDEN_CRASH, Said, Scripts};

const CHECKED: &str = "run_test_with_crash_check.sh";
const MPS: &str = "run_mps_test.sh";
const FIXED: &str = "run_with_fix.sh";

/// Succeeds where the fix library is in the process.
const HAS_FIX: &str =
    "import ctypes, sys; sys.exit(not hasattr(ctypes.CDLL(None), 'agx_fix_stats_json'))";

#[test]
fn the_commands_own_code_passes_through() {
    let scripts = Scripts::new();
    for code in [0, 3] {
        let exit = format!("exit {code}");
        Said::of(scripts.command(CHECKED).args(["sh", "-c", &exit])).code(code);
        Said::of(scripts.command(FIXED).args(["sh", "-c", &exit])).code(code);
        let exit = format!("raise SystemExit({code})");
        Said::of(scripts.command(MPS).args(["-c", &exit])).code(code);
    }
}

#[test]
fn a_new_report_fails_a_command_that_returns_0_and_is_archived_by_time_and_name() {
    let scripts = Scripts::new();
    let said = Said::of(scripts.command(CHECKED).args(["sh", "-c", HIDDEN_CRASH])).code(86);
    assert!(said.err().contains("new crash report"), "{}", said.err());
    let archived = scripts.archived();
    let [name] = archived.as_slice() else {
        panic!("{archived:?}");
    };
    let stamp = regex_lite::Regex::new(r"^\d{8}_\d{6}_python").expect("valid");
    assert!(stamp.is_match(name), "{name}");
    assert!(scripts.logs().join("crash_summary.json").is_file());
}

#[test]
fn the_fix_is_there_but_for_run_mps_test_only_when_asked() {
    let scripts = Scripts::new();
    let check = ["python3", "-c", HAS_FIX];
    Said::of(scripts.command(CHECKED).args(check)).code(0);
    Said::of(scripts.command(FIXED).args(check)).code(0);
    Said::of(scripts.command(MPS).args(&check[1..])).code(1);
    let mut with = scripts.command(MPS);
    Said::of(with.args(&check[1..]).env("MPS_USE_AGX_FIX", "1")).code(0);
}

#[test]
fn a_named_library_comes_before_those_that_are_inserted_already() {
    let scripts = Scripts::new();
    let library = scripts.sandbox.path("libmine.so");
    programs::copy(products().join("libagx_fix.so"), &library);
    let script = "printf %s \"$LD_PRELOAD\"";
    let mut command = scripts.command(CHECKED);
    command
        .args(["sh", "-c", script])
        .env("AGX_FIX_DYLIB", &library)
        .env("LD_PRELOAD", "libm.so.6");
    let out = Said::of(&mut command).code(0).out();
    let inserted: Vec<&str> = out.split([':', ' ']).collect();
    assert_eq!(inserted.first().copied(), library.to_str(), "{out}");
    assert_eq!(inserted.last().copied(), Some("libm.so.6"), "{out}");
}

#[test]
fn a_library_that_does_not_exist_ends_it_with_2() {
    for script in [CHECKED, MPS, FIXED] {
        for variable in ["AGX_FIX_DYLIB", "LD_PRELOAD"] {
            let scripts = Scripts::new();
            let mut command = scripts.spoken(script);
            command.arg("true").env(variable, "/nonexistent/lib.so");
            let said = Said::of(&mut command).code(2);
            assert!(said.err().contains("`/nonexistent/lib.so`"), "{script}");
            assert_eq!(said.out(), "", "{script} {variable}");
        }
    }
}

#[test]
fn the_graph_path_is_forced_unless_said_otherwise() {
    let scripts = Scripts::new();
    let shell = ["sh", "-c", "echo $MPS_FORCE_GRAPH_PATH"];
    let python = ["-c", "import os; print(os.environ['MPS_FORCE_GRAPH_PATH'])"];
    for (set, expected) in [(None, "1\n"), (Some("0"), "0\n")] {
        for (script, arguments) in [(CHECKED, &shell[..]), (MPS, &python[..])] {
            let mut command = scripts.command(script);
            command
                .args(arguments)
                .envs(set.map(|value| ("MPS_FORCE_GRAPH_PATH", value)));
            assert_eq!(Said::of(&mut command).code(0).out(), expected);
        }
    }
}

#[test]
fn the_wait_is_6_seconds_at_most_or_what_the_variable_says() {
    let scripts = Scripts::new();
    let settle = |words: &[String], name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    for script in [CHECKED, MPS] {
        let words = Said::of(scripts.spoken(script).arg("x")).code(0).words();
        assert_eq!(settle(&words, "--settle").as_deref(), Some("6"));
        assert_eq!(settle(&words, "--report-wait"), None);
        let mut waiting = scripts.spoken(script);
        waiting.arg("x").env("MPS_TEST_CRASH_WAIT_SECS", "0.5");
        let words = Said::of(&mut waiting).code(0).words();
        assert_eq!(settle(&words, "--settle").as_deref(), Some("0.5"));
        assert_eq!(settle(&words, "--report-wait").as_deref(), Some("0.5"));
        let mut wrong = scripts.command(script);
        wrong.arg("x").env("MPS_TEST_CRASH_WAIT_SECS", "soon");
        Said::of(&mut wrong).code(2);
    }
}

/// On a Mac, as `uname` and `agxrun doctor` of stand-ins say it.
fn on_a_mac(scripts: &Scripts, script: &str, metal: &str) -> std::process::Command {
    let folder = scripts.sandbox.path("mac");
    std::fs::create_dir_all(&folder).expect("a folder");
    programs::write(&folder.join("uname"), "#!/bin/sh\necho Darwin\n");
    let doctor = format!(
        "#!/bin/sh\n[ \"$1\" = doctor ] || {{ echo ran; exit; }}\n\
         printf 'ok       system       macOS 15.1\\n%s\\n' '{metal}'\nexit 1\n"
    );
    programs::write(&folder.join("agxrun"), doctor);
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").expect("a PATH")
    );
    let mut command = scripts.command(script);
    command
        .arg("x")
        .env("PATH", path)
        .env("AGXRUN", folder.join("agxrun"));
    command
}

#[test]
fn the_preflight_skips_a_mac_without_metal_and_does_not_call_it_success() {
    let without = "warning  metal        no GPU is seen";
    let with = "ok       metal        Apple M4 Max, 40 cores, Metal 3";
    for script in [CHECKED, MPS] {
        let scripts = Scripts::new();
        let said = Said::of(&mut on_a_mac(&scripts, script, without)).code(77);
        assert!(
            said.err().contains("skipped: no GPU is seen"),
            "{}",
            said.err()
        );
        let mut unasked = on_a_mac(&scripts, script, without);
        unasked.env("MPS_TEST_METAL_PREFLIGHT", "0");
        assert_eq!(Said::of(&mut unasked).code(0).out(), "ran\n");
        let said = Said::of(&mut on_a_mac(&scripts, script, with)).code(0);
        assert_eq!(said.out(), "ran\n");
    }
}

#[test]
fn reports_that_need_not_be_strict_are_told_and_change_nothing() {
    let scripts = Scripts::new();
    let hidden =
        format!("import subprocess, sys; subprocess.run([sys.executable, '-c', {CRASH:?}])");
    // Without the fix it is not known how a child ended, and each attempt is watched for the 6 seconds.
    let once = |strict: &str| {
        let mut command = scripts.command(MPS);
        command
            .env("MPS_TEST_STRICT_CRASH_LOGS", strict)
            .env("MPS_TEST_MAX_RETRIES", "0");
        command
    };
    Said::of(once("1").args(["-c", &hidden])).code(86);
    for (end, code) in [("", 0), ("; sys.exit(4)", 4)] {
        let said = Said::of(once("0").args(["-c", &format!("{hidden}{end}")])).code(code);
        assert!(
            said.err().contains("new crash report") && said.err().contains("warning"),
            "{}",
            said.err()
        );
    }
    // A signal is the command's own end.
    Said::of(once("0").args(["-c", CRASH])).code(139);
}

#[test]
fn a_crash_that_a_retry_hides_is_flaky_and_fails_unless_it_may() {
    let scripts = Scripts::new();
    let crashes = |times: usize| {
        let log = scripts.sandbox.path("attempts");
        std::fs::write(&log, "").expect("written");
        format!(
            "log = open({log:?}, 'a+'); log.seek(0); before = len(log.read()); log.write('x'); log.close()\n\
             if before < {times}: {CRASH}"
        )
    };
    let attempts =
        || std::fs::read_to_string(scripts.sandbox.path("attempts")).map(|log| log.len());
    let said = Said::of(scripts.command(MPS).args(["-c", &crashes(1)])).code(139);
    assert!(said.err().contains("flaky"), "{}", said.err());
    assert_eq!(attempts().expect("counted"), 2);
    let mut allowed = scripts.command(MPS);
    allowed
        .args(["-c", &crashes(2)])
        .env("MPS_TEST_ALLOW_FLAKY", "1");
    Said::of(&mut allowed).code(0);
    assert_eq!(attempts().expect("counted"), 3);
    let mut never = scripts.command(MPS);
    never
        .args(["-c", &crashes(9)])
        .env("MPS_TEST_MAX_RETRIES", "0");
    Said::of(&mut never).code(139);
    assert_eq!(attempts().expect("counted"), 1);
    Said::of(scripts.command(MPS).args(["-c", &crashes(9)])).code(139);
    assert_eq!(attempts().expect("counted"), 4, "3 retries by default");
}

#[test]
fn a_run_without_findings_may_be_silent() {
    let scripts = Scripts::new();
    let said = Said::of(scripts.command(MPS).args(["-c", ""])).code(0);
    assert!(said.err().contains("agxrun: ok"), "{}", said.err());
    let mut silent = scripts.command(MPS);
    silent.args(["-c", ""]).env("MPS_TEST_PRINT_CRASH", "0");
    assert_eq!(Said::of(&mut silent).code(0).err(), "");
}

#[test]
fn wrong_values_and_missing_commands_end_with_2() {
    for script in [CHECKED, MPS, FIXED] {
        let scripts = Scripts::new();
        let said = Said::of(&mut scripts.command(script)).code(2);
        assert!(said.err().contains(script), "the usage is shown");
    }
    for variable in [
        "MPS_USE_AGX_FIX",
        "MPS_TEST_STRICT_CRASH_LOGS",
        "MPS_TEST_PRINT_CRASH",
        "MPS_TEST_METAL_PREFLIGHT",
        "MPS_TEST_ALLOW_FLAKY",
    ] {
        let scripts = Scripts::new();
        let mut wrong = scripts.spoken(MPS);
        wrong.arg("x").env(variable, "yes");
        let said = Said::of(&mut wrong).code(2);
        assert!(
            said.err().contains(&format!("{variable}=yes")),
            "{variable}"
        );
        assert_eq!(said.out(), "");
    }
}
