//! Choosing a policy, setting the library up, and what is told about it.

mod common;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Output;

use agx_ledger::builder::Builder;
use agx_ledger::layout::{exit_route, flag};
use agx_ledger::{Counter, file_name};
use common::{Run, Sandbox, in_repository, products, python_workload, workload};
use serde_json::{Value, json};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A run whose target leaves this ledger, as a process with the library would.
fn run_with_ledger(options: &[&str], build: impl FnOnce(Builder) -> Builder) -> Run {
    let sandbox = Sandbox::new();
    let (pid, load_ns) = (77, 7);
    let ledger = sandbox.path("made.ledger");
    let builder = build(Builder::new(pid, 1, load_ns)).exited(8, exit_route::ATEXIT, 0);
    std::fs::write(&ledger, builder.build()).expect("written");
    let name = file_name(pid, load_ns);
    let copy = format!("cp '{}' \"$AGX_FIX_LEDGER_DIR/{}\"", ledger.display(), name);
    sandbox.run(options, &["sh", "-c", &copy])
}

#[test]
fn every_policy_can_be_asked_for_and_is_the_one_that_runs() {
    let sandbox = Sandbox::new();
    let target = [
        workload().into_os_string(),
        "--fault".into(),
        "none".into(),
        "--threads".into(),
        "1".into(),
        "--iterations".into(),
        "3".into(),
    ];
    for policy in &agx_policy::POLICIES {
        let run = sandbox.run(&["--fix", policy.name], &target);
        let fix = &run.json["fix"];
        assert_eq!(fix["requested_policy"], policy.name, "{}", run.stderr());
        assert_eq!(fix["policy"], policy.name);
        assert_eq!(run.json["processes"][0]["policy"], policy.name);
        assert_eq!(fix["armed"], 1, "{}: {}", policy.name, run.stderr());
        let is_compared = run.stderr().contains("is here to be compared with");
        assert_eq!(is_compared, policy.name != "v3", "{}", run.stderr());
        assert!(run.stderr().contains(policy.known_failure));
        assert!(!run.stderr().contains("and not"), "{}", run.stderr());
    }
}

#[test]
fn a_library_s_file_name_decides_where_nobody_else_does() {
    let sandbox = Sandbox::new();
    let out = sandbox.path("all");
    let output = sandbox
        .agxrun()
        .args(["fix", "build", "--all"])
        .arg(&out)
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let library = out.join("libagx_fix_v2_8.so");
    let library = library.to_str().expect("UTF-8");
    let asked = |options: &[&str]| {
        let options = [&["--dylib", library][..], options].concat();
        let run = sandbox.run(&options, &["true"]);
        (
            run.json["fix"]["policy"].clone(),
            run.json["processes"][0]["policy"].clone(),
            run.json["fix"]["policy_by"].clone(),
        )
    };
    assert_eq!(
        asked(&[]),
        (
            json!("v2.8"),
            json!("v2.8"),
            json!("by the library's file name")
        )
    );
    assert_eq!(
        asked(&["--env", "AGX_FIX_VERSION=v2.3"]),
        (
            json!("v2.3"),
            json!("v2.3"),
            json!("named by AGX_FIX_VERSION")
        )
    );
    assert_eq!(
        asked(&["--fix", "3"]),
        (json!("v3"), json!("v3"), json!("asked for with --fix"))
    );
}

#[test]
fn another_policy_than_the_one_asked_for_is_told() {
    let sandbox = Sandbox::new();
    let target = ["sh", "-c", "AGX_FIX_VERSION=v2.9 python3 -c pass; exit 0"];
    let run = sandbox.run(&["--fix", "v3"], &target);
    run.assert_code(0)
        .assert_stderr("followed policy v2.9 and not v3");
    sandbox
        .run(&["--fix", "v3", "--require-fix"], &target)
        .assert_code(88);
}

#[test]
fn a_policy_that_does_not_exist_is_refused() {
    let run = Sandbox::new().run(&["--fix", "fast"], &["true"]);
    run.assert_code(125)
        .assert_stderr("there is no policy `fast`")
        .assert_stderr("agxrun fix list");
    let unknown = ["--env", "AGX_FIX_VERSION=fast"];
    Sandbox::new()
        .run(&unknown, &["true"])
        .assert_code(0)
        .assert_stderr("does not know the policy")
        .assert_stderr("fix loaded and hooked nothing: its policy is not known");
    let required = [&unknown[..], &["--require-fix"]].concat();
    Sandbox::new().run(&required, &["true"]).assert_code(88);
}

#[test]
fn throttle_and_lock_scope_reach_the_library_and_the_record() {
    let sandbox = Sandbox::new();
    let say = ["sh", "-c", "echo $AGX_FIX_MAX_INFLIGHT $AGX_FIX_LOCK_SCOPE"];
    let run = sandbox.run(&["-v", "--throttle", "2", "--lock-scope", "buffer"], &say);
    run.assert_code(0)
        .assert_stderr("policy: v3 (the default), throttle 2, lock scope buffer");
    assert_eq!(run.stdout(), "2 buffer\n");
    assert_eq!(run.json["fix"]["throttle"], 2);
    assert_eq!(run.json["fix"]["lock_scope"], "buffer");
    let run = sandbox.run(
        &["--throttle", "0", "--env", "AGX_FIX_MAX_INFLIGHT=5"],
        &say,
    );
    assert_eq!(run.stdout(), "0\n");
    let run = sandbox.run(&["--env", "AGX_FIX_MAX_INFLIGHT=5"], &say);
    assert_eq!(run.stdout(), "5\n");
    assert_eq!(run.json["fix"]["throttle"], Value::Null);
}

#[test]
fn what_a_published_version_has_not_is_wrong_usage() {
    let sandbox = Sandbox::new();
    for (options, part) in [
        (
            &["--fix", "v2.9", "--throttle", "2"][..],
            "without a throttle",
        ),
        (&["--fix", "v2.9", "--lock-scope", "queue"], "one lock"),
        (
            &["--env", "AGX_FIX_VERSION=v1", "--throttle", "1"],
            "named by AGX_FIX_VERSION",
        ),
    ] {
        let run = sandbox.run(options, &["true"]);
        run.assert_code(2).assert_stderr(part);
    }
    for number in ["two", "-1", "99999", ""] {
        sandbox
            .run(&["--throttle", number], &["true"])
            .assert_code(2)
            .assert_stderr("expected a whole number from 0 (no limit) to 65535");
    }
    for options in [
        &["--lock-scope", "thread"][..],
        &["--no-fix", "--throttle", "2"],
        &["--no-fix", "--lock-scope", "queue"],
    ] {
        sandbox.run(options, &["true"]).assert_code(2);
    }
    sandbox
        .run(
            &["--fix", "v2.9", "--throttle", "0", "--lock-scope", "global"],
            &["true"],
        )
        .assert_code(0);
}

#[test]
fn dropped_calls_of_any_kind_are_lost_work() {
    for (counter, part) in [
        (Counter::NullImplSkips, "read through NULL"),
        (Counter::DroppedUntracked, "did not track"),
        (Counter::DroppedEnded, "had ended"),
    ] {
        let run = run_with_ledger(&[], |ledger| ledger.armed().counter(counter, 3));
        run.assert_code(87)
            .assert_stderr(part)
            .assert_stderr("3 call(s)");
        assert_eq!(run.reasons(), ["work_lost", "target"]);
        assert_eq!(run.json["fix"]["dropped_calls"], 3);
    }
}

#[test]
fn what_is_no_loss_of_work_is_told_and_fails_nothing() {
    for counter in [
        Counter::DestroysBlocked,
        Counter::EventWaitTimeouts,
        Counter::ThrottleLetThrough,
        Counter::LockOrderEscapes,
        Counter::LockLongWaits,
        Counter::LockTimeouts,
        Counter::HooksReplaced,
        Counter::OddReceivers,
        Counter::CommitAfterCommit,
        Counter::HandlerAfterCommit,
        Counter::CaughtPanics,
        Counter::PassedUntouched,
    ] {
        let run = run_with_ledger(&[], |ledger| ledger.armed().counter(counter, 41));
        run.assert_code(0);
        let told = run
            .stderr()
            .lines()
            .any(|line| line.contains("warning: 41 ") && line.contains("(hint: "));
        assert!(told, "{}: {}", counter.name(), run.stderr());
    }
}

#[test]
fn a_method_that_a_published_list_invents_is_listed_and_no_failure() {
    use agx_ledger::layout::state;
    let run = run_with_ledger(&["-v"], |ledger| {
        let reason = agx_ledger::Reason::NotFound.number();
        ledger
            .armed()
            .method("AContext", "noSuchMethod:", state::UNHOOKED, reason)
    });
    run.assert_code(0)
        .assert_stderr("not hooked: -[AContext noSuchMethod:]: the class has no such method");
    // The first process is the shell itself.
    let processes = run.json["processes"].as_array().expect("a list");
    let made = processes
        .iter()
        .find(|process| process["pid"] == 77)
        .expect("the made one");
    assert_eq!(
        made["unhooked"],
        json!([{"method": "-[AContext noSuchMethod:]", "reason": "the class has no such method"}])
    );
}

#[test]
fn a_disabled_library_is_no_mismatch() {
    let run = run_with_ledger(&[], |ledger| ledger.flags(flag::DISABLED));
    assert!(!run.stderr().contains("and not v3"), "{}", run.stderr());
}

fn lay_out(sandbox: &Sandbox, folder: &Path) -> Output {
    sandbox
        .agxrun()
        .args(["fix", "build", "--all"])
        .arg(folder)
        .output()
        .expect("agxrun starts")
}

#[test]
fn every_published_file_name_is_laid_out() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("a folder/below");
    let library = std::fs::read(products().join("libagx_fix.so")).expect("built");
    for _ in 0..2 {
        let output = lay_out(&sandbox, &folder);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let printed: Vec<_> = stdout(&output).lines().map(str::to_owned).collect();
        let mut inodes = Vec::new();
        for path in &printed {
            assert_eq!(std::fs::read(path).expect("made"), library, "{path}");
            let metadata = std::fs::metadata(path).expect("made");
            assert_eq!(metadata.mode() & 0o555, 0o555, "{path}");
            inodes.push(metadata.ino());
        }
        inodes.sort_unstable();
        inodes.dedup();
        assert_eq!(inodes.len(), printed.len(), "no two are one file");
        let names: Vec<&str> = printed
            .iter()
            .filter_map(|path| path.rsplit('/').next())
            .collect();
        assert_eq!(names[0], "libagx_fix.so");
        for policy in &agx_policy::POLICIES {
            let name = format!("{}.so", policy.stem);
            assert!(names.contains(&&*name), "{name}");
        }
        let there = std::fs::read_dir(&folder).expect("a folder").count();
        assert_eq!(
            there,
            agx_policy::POLICIES.len() + 1,
            "nothing else is left"
        );
    }
}

#[test]
fn a_folder_that_cannot_hold_the_libraries_is_told() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("a-file");
    std::fs::write(&file, "").expect("written");
    for option in ["--all", "--out"] {
        let mut build = sandbox.agxrun();
        let output = build.args(["fix", "build", option]).arg(&file).output();
        let output = output.expect("agxrun starts");
        assert_eq!(output.status.code(), Some(125), "{option}");
        // The compiler has not been started for it.
        assert_eq!(
            stderr(&output),
            format!(
                "agxrun: error: `{}` is not a folder (hint: name another)\n",
                file.display()
            )
        );
    }
    let output = lay_out(&sandbox, &file.join("below"));
    assert_eq!(output.status.code(), Some(125));
    assert!(
        stderr(&output).contains("Not a directory"),
        "{}",
        stderr(&output)
    );
    let folder = sandbox.path("full");
    let mut limited = sandbox.limited_agxrun();
    limited.args(["fix", "build", "--all"]).arg(&folder);
    let output = limited.output().expect("sh starts");
    assert_eq!(output.status.code(), Some(125), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cannot write"),
        "{}",
        stderr(&output)
    );
    let left = std::fs::read_dir(&folder).expect("made").count();
    assert_eq!(left, 0, "no half of a library is left");
}

#[test]
fn the_list_says_what_each_policy_reaches() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args(["fix", "list", "--json"])
        .output()
        .expect("agxrun starts");
    let json: Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    let policies = json.as_array().expect("a list");
    let named = |name: &str| {
        policies
            .iter()
            .find(|policy| policy["name"] == name)
            .expect("listed")
    };
    // As published, counted by others: 72 of the 303 work methods, sixteen hooks that name no method.
    let coverage = &named("v2.9")["coverage"];
    assert_eq!(coverage["encoder_work"], 303);
    assert_eq!(coverage["encoder_work_reached"], 72);
    let v3 = named("v3");
    assert_eq!(v3["default"], true);
    assert_eq!(v3["files"], json!(["libagx_fix.so", "libagx_fix_v3.so"]));
    let v3 = &v3["coverage"];
    let unreached = v3["unreached"].as_array().expect("a list");
    assert!(
        unreached
            .iter()
            .all(|method| method["reason"].as_str().is_some_and(|why| !why.is_empty()))
    );
    assert_eq!(v3["classes"].as_array().map(Vec::len), Some(8));
    let output = sandbox
        .agxrun()
        .args(["fix", "list", "-v"])
        .output()
        .expect("agxrun starts");
    assert!(stdout(&output).contains("9 of 157 work methods of AGXG16XFamilyRenderContext"));
}

/// Python with the helper on its path, under `agxrun` with these options.
fn python(sandbox: &Sandbox, options: &[&str], script: &str) -> Run {
    let helper = in_repository("scripts");
    let path = format!("PYTHONPATH={}", helper.display());
    let options = [
        options,
        &["--env", &path, "--env", "PYTHONDONTWRITEBYTECODE=1"],
    ]
    .concat();
    sandbox.run(&options, &["python3", "-c", script])
}

#[test]
fn the_python_helper_tells_loaded_enabled_and_armed_apart() {
    let sandbox = Sandbox::new();
    let command = "import agx_fix_check, sys; sys.exit(agx_fix_check.main(['--json']))";
    let status = |options: &[&str], code| {
        let run = python(&sandbox, options, command);
        run.assert_code(code);
        serde_json::from_str::<Value>(&run.stdout()).expect("valid JSON")
    };
    let loaded = status(&[], 0);
    assert_eq!(
        [&loaded["loaded"], &loaded["enabled"], &loaded["armed"]],
        [true, true, false].map(|it| json!(it)).each_ref()
    );
    assert_eq!(loaded["policy"], "v3");
    assert_eq!(status(&["--fix", "v2.9"], 0)["policy"], "v2.9");
    assert_eq!(status(&["--env", "AGX_FIX_DISABLE=1"], 1)["enabled"], false);
    assert_eq!(status(&["--no-fix"], 1)["loaded"], false);
}

#[test]
fn the_python_helper_counts_what_the_driver_was_asked() {
    let sandbox = Sandbox::new();
    let driver = products().join("libagx_rehearsal.so");
    let script = format!(
        "import agx_fix_check, json, runpy, sys\n\
         sys.argv = ['workload', '--threads', '2', '--driver', '{}']\n\
         try:\n    runpy.run_path('{}', run_name='__main__')\n\
         except SystemExit as ended:\n    assert not ended.code, ended.code\n\
         import ctypes\n\
         name = ctypes.CDLL(None).agx_fix_v2_9_get_encoder_class_name\n\
         name.restype = ctypes.c_char_p\n\
         print(json.dumps([agx_fix_check.require(), name().decode()]))",
        driver.display(),
        python_workload().display()
    );
    let run = python(&sandbox, &["--require-fix"], &script);
    run.assert_code(0);
    let last = run.stdout().lines().last().expect("a line").to_owned();
    let answer: Value = serde_json::from_str(&last).expect("valid JSON");
    let status = &answer[0];
    assert_eq!(status["armed"], true, "{status}");
    assert!(status["hooks"].as_u64().is_some_and(|hooks| hooks > 50));
    let in_process = status["counters"]["method_calls"].as_u64();
    // `python3` may be a script that becomes Python.
    let processes = run.json["processes"].as_array().expect("a list");
    let armed = processes
        .iter()
        .find(|process| process["armed"] == true)
        .expect("one used the driver");
    let ledger = armed["counters"]["method_calls"].as_u64();
    assert!(in_process.is_some_and(|calls| calls > 1000), "{status}");
    assert_eq!(
        in_process, ledger,
        "the process and its ledger say the same"
    );
    assert_eq!(answer[1], "AGXG16XFamilyComputeContext");
}

#[test]
fn the_python_helper_is_a_command() {
    let sandbox = Sandbox::new();
    let script = in_repository("scripts/agx_fix_check.py");
    let target = ["python3", script.to_str().expect("UTF-8")];
    let run = sandbox.run(&[], &target);
    run.assert_code(0);
    assert!(
        run.stdout().starts_with("policy v3, no hooks yet"),
        "{}",
        run.stdout()
    );
    let run = sandbox.run(&["--no-fix"], &target);
    run.assert_code(1).assert_stderr("not loaded");
    let run = sandbox.run(&[], &[target[0], target[1], "--armed"]);
    run.assert_code(1).assert_stderr("no hooks stand");
}
