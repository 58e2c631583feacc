//! The main job: a target is launched, what crashes in its tree is found, and the run fails.

mod common;

use common::{Sandbox, old_report, products, python_workload, workload};

const CRASH: &str = "python3 -c 'import ctypes; ctypes.string_at(0)'";

fn python(threads: &str) -> Vec<std::ffi::OsString> {
    vec![
        "python3".into(),
        python_workload().into(),
        "--threads".into(),
        threads.into(),
        "--driver".into(),
        products().join("libagx_rehearsal.so").into(),
    ]
}

#[test]
fn without_the_fix_the_python_workload_crashes_ten_times_of_ten() {
    for round in 0..10 {
        let sandbox = Sandbox::new();
        let run = sandbox.run(&["--no-fix"], &python("8"));
        assert!(
            matches!(run.code(), 139 | 134),
            "round {round}: {}",
            run.stderr()
        );
        let reports = run.reports();
        assert_eq!(reports.len(), 1, "round {round}: {}", run.stderr());
        let report = &reports[0];
        assert_eq!(report["pid"], run.json["pid"]);
        assert_eq!(report["attribution"], "ours");
        let signature = report["diagnosis"]["id"].as_str().expect("a diagnosis");
        assert!(
            signature.starts_with("agx_null") || signature.starts_with("objc_uaf"),
            "{signature}"
        );
        let archived = report["archived"].as_str().expect("archived");
        let original = report["path"].as_str().expect("a path");
        assert_eq!(
            std::fs::read(archived).expect("kept"),
            std::fs::read(original).expect("there")
        );
        assert_eq!(run.reasons(), ["signal", "new_reports"]);
    }
}

#[test]
fn with_the_fix_the_python_workload_ends_well_ten_times_of_ten() {
    for round in 0..10 {
        let sandbox = Sandbox::new();
        let run = sandbox.run(&["--require-fix"], &python("8"));
        assert_eq!(run.code(), 0, "round {round}: {}", run.stderr());
        assert_eq!(run.json["fix"]["armed"], 1);
        assert_eq!(run.json["fix"]["dropped_calls"], 0);
        assert_eq!(run.json["fix"]["missing_hooks"], 0);
    }
}

#[test]
fn one_thread_never_crashes_without_the_fix() {
    for _ in 0..3 {
        Sandbox::new()
            .run(&["--no-fix"], &python("1"))
            .assert_code(0);
    }
}

#[test]
fn a_crash_in_a_grandchild_whose_parent_hides_it_fails_the_run() {
    for options in [&["--no-fix"][..], &[]] {
        let sandbox = Sandbox::new();
        let script = format!("sh -c \"{CRASH}; true\"; exit 0");
        let run = sandbox.run(options, &["sh", "-c", &script]);
        run.assert_code(86);
        assert_eq!(run.reasons(), ["new_reports", "target"]);
        assert_eq!(run.json["ending"]["code"], 0);
        assert_ne!(run.reports()[0]["pid"], run.json["pid"]);
    }
}

#[test]
fn a_report_copied_into_the_folder_counts_unless_the_scope_is_the_tree() {
    let copy = |sandbox: &Sandbox| {
        format!(
            "cp '{}' '{}/Python-copied.ips'",
            old_report().display(),
            sandbox.reports().display()
        )
    };
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[], &["sh", "-c", &copy(&sandbox)]);
    run.assert_code(86).assert_stderr("Python");
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--scope", "tree"], &["sh", "-c", &copy(&sandbox)]);
    run.assert_code(0)
        .assert_stderr("warning")
        .assert_stderr("belongs to no process of the tree");
    assert_eq!(run.reports()[0]["weight"], "out_of_scope");
    assert_eq!(run.reports()[0]["attribution"], "foreign");
}

#[test]
fn a_report_of_the_tree_counts_under_the_scope_tree() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(
        &["--scope", "tree"],
        &["sh", "-c", &format!("{CRASH}; exit 0")],
    );
    run.assert_code(86);
    assert_eq!(run.reports()[0]["attribution"], "ours", "{}", run.json);
}

#[test]
fn a_known_crash_that_happens_again_counts() {
    let sandbox = Sandbox::new();
    let known = sandbox.reports().join("Python-2025-01-01-000000.ips");
    std::fs::copy(old_report(), &known).expect("copied");
    let touch = format!("touch -d '2030-01-01' '{}'", known.display());
    let run = sandbox.run(&[], &["sh", "-c", &touch]);
    run.assert_code(86).assert_stderr("happened again");
    assert_eq!(run.reports()[0]["novelty"], "touched");
}

#[test]
fn reports_that_were_there_before_do_not_count() {
    let sandbox = Sandbox::new();
    std::fs::copy(old_report(), sandbox.reports().join("Python-old.ips")).expect("copied");
    let run = sandbox.run(&[], &["true"]);
    run.assert_code(0);
    assert!(run.reports().is_empty());
}

#[test]
fn a_report_that_is_moved_to_retired_is_not_new() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.reports().join("Retired")).expect("created");
    std::fs::copy(old_report(), sandbox.reports().join("Python-old.ips")).expect("copied");
    let folder = sandbox.reports();
    let retire = format!("mv '{0}/Python-old.ips' '{0}/Retired/'", folder.display());
    sandbox.run(&[], &["sh", "-c", &retire]).assert_code(0);
}

#[test]
fn a_report_that_grows_while_it_is_read_is_read_whole() {
    let sandbox = Sandbox::new();
    let whole = old_report();
    let file = sandbox.reports().join("Python-growing.ips");
    // Half of it at once; the rest when the target is gone and its reports are being read.
    let script = format!(
        "head -c 3000 '{0}' > '{1}'; (tail -c +3001 '{0}' | {{ sleep 0.3; cat; }} >> '{1}') >/dev/null 2>&1 &",
        whole.display(),
        file.display()
    );
    let run = sandbox.run(&[], &["sh", "-c", &script]);
    run.assert_code(86);
    assert_eq!(
        std::fs::read(&file).expect("there"),
        std::fs::read(&whole).expect("there")
    );
    let report = &run.reports()[0];
    assert_eq!(report["problems"], serde_json::json!([]), "{report}");
    let archived = report["archived"].as_str().expect("archived");
    assert_eq!(
        std::fs::read(archived).expect("kept"),
        std::fs::read(&whole).expect("there")
    );
}

#[test]
fn killed_timed_out_and_unproved_have_their_own_codes() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&[], &["sh", "-c", "kill -9 $$"])
        .assert_code(137);
    let run = sandbox.run(&["--timeout", "0.2"], &["sleep", "60"]);
    run.assert_code(124).assert_stderr("time-out");
    assert_eq!(run.reasons()[0], "timed_out");
    // A library that loads and is not ours leaves no ledger.
    let stranger = products().join("libagx_rehearsal_reporter.so");
    let stranger = stranger.to_str().expect("UTF-8");
    let run = sandbox.run(&["--require-fix", "--dylib", stranger], &["true"]);
    run.assert_code(88).assert_stderr("no ledger shows");
    sandbox
        .run(&["--dylib", stranger], &["true"])
        .assert_code(0)
        .assert_stderr("no ledger shows");
}

#[test]
fn a_target_that_never_loads_the_library_is_refused_or_run_knowingly() {
    // A static program: ld.so never sees LD_PRELOAD.
    let sandbox = Sandbox::new();
    let source = sandbox.path("static.c");
    let program = sandbox.path("static");
    std::fs::write(
        &source,
        "void _start(void) { __asm__ volatile (\"mov $60,%eax; xor %edi,%edi; syscall\"); }",
    )
    .expect("written");
    if cfg!(target_arch = "x86_64") {
        let built = std::process::Command::new("cc")
            .args(["-static", "-nostdlib", "-o"])
            .args([&program, &source])
            .status()
            .expect("cc starts");
        assert!(built.success());
        let knowing = ["--allow-uninjected", "--require-fix"];
        sandbox.run(&knowing, &[&program]).assert_code(88);
        sandbox
            .run(&knowing[..1], &[&program])
            .assert_code(0)
            .assert_stderr("[static]")
            .assert_stderr("no ledger shows");
        sandbox
            .run(&[], &[&program])
            .assert_code(125)
            .assert_stderr("[static]");
        sandbox.run(&["--no-fix"], &[&program]).assert_code(0);
    }
}

#[test]
fn an_orphan_that_crashes_is_found() {
    let sandbox = Sandbox::new();
    let script = format!("({CRASH}) >/dev/null 2>&1 & wait; exit 0");
    sandbox.run(&[], &["sh", "-c", &script]).assert_code(86);
}

#[test]
fn an_interrupted_target_ends_agxrun_by_the_same_signal() {
    // `$?` is 130 either way; only this way does a shell stop the script around it.
    use std::os::unix::process::ExitStatusExt;
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[], &["sh", "-c", "kill -INT $$"]);
    assert_eq!(run.output.status.signal(), Some(2), "{}", run.stderr());
    assert_eq!(run.json["verdict"]["exit_code"], 130);
}

#[test]
fn what_is_left_behind_is_named_and_the_report_writer_is_not() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[], &["sh", "-c", "sleep 5 >/dev/null 2>&1 & echo $!"]);
    run.assert_code(0).assert_stderr("still run");
    let pid: i64 = run.stdout().trim().parse().expect("a pid");
    assert_eq!(run.json["left_behind"], serde_json::json!([pid]));
    let run = sandbox.run(&["--no-fix"], &["sh", "-c", CRASH]);
    assert_eq!(
        run.json["left_behind"],
        serde_json::json!([]),
        "{}",
        run.stderr()
    );
    assert!(!run.stderr().contains("still run"), "{}", run.stderr());
}

#[test]
fn a_tree_whose_ledgers_are_all_closed_is_not_watched_any_longer() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(
        &[],
        &[
            "sh",
            "-c",
            "ls >/dev/null; (ls >/dev/null); python3 -c pass",
        ],
    );
    run.assert_code(0);
    assert_eq!(
        run.json["settled"]["reason"], "all_accounted_for",
        "{}",
        run.json
    );
    assert!(
        run.json["settled"]["seconds"]
            .as_f64()
            .is_some_and(|seconds| seconds < 0.5)
    );
}

#[test]
fn an_agxrun_inside_an_agxrun_keeps_its_ledgers_apart() {
    let sandbox = Sandbox::new();
    let chosen = sandbox.path("ledgers");
    let inner = format!(
        "'{}' -q --reports-dir '{}' --archive '{}' -- true",
        env!("CARGO_BIN_EXE_agxrun"),
        sandbox.reports().display(),
        sandbox.path("archive").display()
    );
    let json = sandbox.path("verdict.json");
    let status = sandbox
        .agxrun()
        .env("AGX_FIX_LEDGER_DIR", &chosen)
        .args(["-q", "--require-fix", "--reports-dir"])
        .arg(sandbox.reports())
        .arg("--json")
        .arg(&json)
        .args(["--", "sh", "-c", &inner])
        .status()
        .expect("agxrun starts");
    assert_eq!(status.code(), Some(0));
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&json).expect("written")).expect("valid JSON");
    let processes = json["processes"].as_array().expect("processes");
    assert!(
        processes
            .iter()
            .all(|process| process["executable"] != "/usr/bin/true"),
        "the inner run's target is the inner run's: {processes:?}"
    );
    // The folder that the user chose keeps the ledgers, each run's in one of its own.
    let runs = std::fs::read_dir(&chosen).expect("made").count();
    assert_eq!(runs, 1);
}

#[test]
fn an_assertion_is_named_from_the_report_and_from_stderr() {
    let sandbox = Sandbox::new();
    let workload = workload();
    let run = sandbox.run(
        &["--no-fix"],
        &[
            workload.as_os_str(),
            "--fault".as_ref(),
            "double-commit".as_ref(),
        ],
    );
    run.assert_code(134)
        .assert_stderr("commit an already committed command buffer");
    assert_eq!(run.reports()[0]["diagnosis"]["id"], "double_commit");
    let lines = run.json["stderr"]["lines"].as_array().expect("lines");
    assert!(
        lines
            .iter()
            .any(|line| line["signature"] == "double_commit"),
        "{lines:?}"
    );
}

#[test]
fn crash_summary_lists_each_incident_once() {
    let sandbox = Sandbox::new();
    for _ in 0..2 {
        sandbox
            .run(&["--no-fix"], &["sh", "-c", &format!("{CRASH}; exit 3")])
            .assert_code(86);
    }
    let summary = std::fs::read(sandbox.path("archive/crash_summary.json")).expect("written");
    let summary: serde_json::Value = serde_json::from_slice(&summary).expect("valid JSON");
    let crashes = summary["crashes"].as_array().expect("a list");
    assert_eq!(crashes.len(), 2);
    assert_eq!(summary["total_files"], 2);
    for crash in crashes {
        assert_eq!(crash["exit_code"], 3);
        assert!(
            crash["command"]
                .as_str()
                .is_some_and(|command| command.starts_with("sh -c"))
        );
        assert_eq!(crash["info"]["exception"], "EXC_BAD_ACCESS (SIGSEGV)");
        assert_eq!(crash["info"]["fault_address"], "0x0");
    }
}

#[test]
fn the_report_of_a_hidden_crash_ends_the_wait_for_it() {
    // The parent has reaped it and said nothing: only the ledger shows that it is gone.
    let sandbox = Sandbox::new();
    let script = format!("{CRASH}; exit 0");
    let run = sandbox.run(&["--settle", "60"], &["sh", "-c", &script]);
    run.assert_code(86);
    assert_eq!(
        run.json["settled"]["reason"], "reports_came",
        "{}",
        run.json
    );
}
