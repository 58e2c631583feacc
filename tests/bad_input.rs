//! Bad input: one line that names the thing and the way out, the documented code, no lost verdict.

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::{Sandbox, old_report};

/// The complaint, without what is printed around it: one line.
#[track_caller]
fn complaint(output: &std::process::Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("agxrun: error"))
        .collect();
    assert_eq!(errors.len(), 1, "{text}");
    errors[0].to_owned()
}

#[test]
fn a_target_that_is_not_there_or_not_executable() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[], &["no-such-command-anywhere"]);
    run.assert_code(127);
    assert!(complaint(&run.output).contains("`no-such-command-anywhere`"));
    let script = sandbox.path("script");
    std::fs::write(&script, "#!/bin/sh\n").expect("written");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o644)).expect("permissions");
    let run = sandbox.run(&[], &[&script]);
    run.assert_code(126);
    assert!(complaint(&run.output).contains("chmod +x"));
    common::programs::write(&script, "#!/no/such/interpreter\n");
    let run = sandbox.run(&[], &[&script]);
    run.assert_code(126);
    assert!(
        complaint(&run.output).contains("interpreter"),
        "{}",
        run.stderr()
    );
    sandbox.run(&[], &[sandbox.root.path()]).assert_code(126);
}

#[test]
fn a_report_folder_that_cannot_be_watched_is_refused_before_the_launch() {
    let sandbox = Sandbox::new();
    let ran = sandbox.path("ran");
    let file = sandbox.path("a-file");
    std::fs::write(&file, "").expect("written");
    for folder in [sandbox.path("missing"), file] {
        let output = sandbox
            .agxrun()
            .arg("--reports-dir")
            .arg(&folder)
            .args(["--", "touch"])
            .arg(&ran)
            .output()
            .expect("agxrun starts");
        assert_eq!(output.status.code(), Some(125));
        let complaint = complaint(&output);
        assert!(
            complaint.contains(&*folder.to_string_lossy()),
            "{complaint}"
        );
        assert!(complaint.contains("--reports-dir"), "{complaint}");
    }
    assert!(!ran.exists(), "nothing may be launched");
}

#[test]
fn a_report_folder_that_goes_away_during_the_run_is_never_no_crash() {
    let sandbox = Sandbox::new();
    let folder = sandbox.reports();
    let run = sandbox.run(&[], &["rm", "-r", folder.to_str().expect("UTF-8")]);
    run.assert_code(125).assert_stderr("could not watch");
    assert_eq!(run.reasons(), ["unwatched", "target"]);
}

#[test]
fn a_file_that_is_no_report_counts_and_is_kept() {
    let sandbox = Sandbox::new();
    let folder = sandbox.reports();
    for (name, make) in [
        ("Binary.ips", "head -c 5000 /dev/urandom"),
        (
            "Cut.ips",
            &*format!("head -c 900 '{}'", old_report().display()),
        ),
        ("Empty.ips", "true"),
    ] {
        let file = folder.join(name);
        let script = format!("{make} > '{}'", file.display());
        let run = sandbox.run(&["--report-wait", "0.3"], &["sh", "-c", &script]);
        run.assert_code(86);
        let report = &run.reports()[0];
        let archived = report["archived"].as_str().expect("kept");
        assert_eq!(
            std::fs::read(archived).expect("there"),
            std::fs::read(&file).expect("there")
        );
    }
}

#[test]
fn an_archive_that_cannot_be_written_does_not_lose_the_verdict() {
    let sandbox = Sandbox::new();
    std::fs::remove_dir(sandbox.path("archive")).expect("removed");
    std::fs::write(sandbox.path("archive"), "a file").expect("written");
    let copy = format!(
        "cp '{}' '{}/x.ips'",
        old_report().display(),
        sandbox.reports().display()
    );
    let run = sandbox.run(&[], &["sh", "-c", &copy]);
    run.assert_code(86)
        .assert_stderr("was not copied to the archive");
    assert!(run.reports()[0]["archived"].is_null());
}

#[test]
fn a_full_disk_does_not_lose_the_verdict() {
    let sandbox = Sandbox::new();
    let (archive, reports) = (sandbox.path("archive"), sandbox.reports());
    // A file system of 16 KiB of its own, in a user and mount namespace.
    let script = format!(
        "mount -t tmpfs -o size=16k none '{}' && exec '{}' --reports-dir '{}' --archive '{}' -- cp '{}' '{}/x.ips'",
        archive.display(),
        env!("CARGO_BIN_EXE_agxrun"),
        reports.display(),
        archive.display(),
        old_report().display(),
        reports.display()
    );
    let unshare = |script: &str| {
        Command::new("unshare")
            .args(["--mount", "--map-root-user", "sh", "-c", script])
            .output()
    };
    let may = unshare(&format!(
        "mount -t tmpfs -o size=16k none '{}'",
        archive.display()
    ));
    if !may.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!(
            "skipped: this machine gives no mount namespace to fill a file system in ({may:?})"
        );
        return;
    }
    let output = unshare(&script).expect("unshare starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(86), "{stderr}");
    assert!(stderr.contains("was not copied to the archive"), "{stderr}");
    assert!(stderr.contains("No space left"), "{stderr}");
}

#[test]
fn a_library_that_cannot_be_loaded_is_refused_before_the_launch() {
    let sandbox = Sandbox::new();
    let mut elf = vec![0_u8; 64];
    elf[..7].copy_from_slice(b"\x7fELF\x02\x02\x01");
    elf[16..24].copy_from_slice(&[0, 3, 0, 43, 0, 0, 0, 1]);
    elf[52..54].copy_from_slice(&[0, 64]);
    let foreign = sandbox.path("libforeign.so");
    std::fs::write(&foreign, elf).expect("written");
    for (library, word) in [
        (foreign, "an ELF shared library for processor 43"),
        (sandbox.path("missing.so"), "No such file"),
        (sandbox.path("home"), "not a regular file"),
        (old_report(), "not an object file"),
    ] {
        let run = sandbox.run(&["--dylib", library.to_str().expect("UTF-8")], &["true"]);
        run.assert_code(125);
        let complaint = complaint(&run.output);
        assert!(complaint.contains(word), "{complaint}");
        assert!(
            complaint.contains(&*library.to_string_lossy()),
            "{complaint}"
        );
    }
}

#[test]
fn an_unknown_policy_is_refused_with_the_way_out() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--fix", "v9"], &["true"]);
    run.assert_code(125);
    assert!(complaint(&run.output).contains("agxrun fix list"));
}

#[test]
fn arguments_and_variables_that_are_no_text_reach_the_target() {
    let sandbox = Sandbox::new();
    let odd = OsStr::from_bytes(b"\xff\xfe");
    let mut variable = std::ffi::OsString::from("ODD=");
    variable.push(odd);
    let output = sandbox
        .agxrun()
        .arg("--env")
        .arg(&variable)
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .args(["--", "sh", "-c", "printf '%s %s' \"$ODD\" \"$0\""])
        .arg(odd)
        .output()
        .expect("agxrun starts");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout, b"\xff\xfe \xff\xfe");
}

#[test]
fn paths_that_are_no_text_are_used_as_they_are() {
    let sandbox = Sandbox::new();
    let folder = sandbox.root.path().join(OsStr::from_bytes(b"reports-\xff"));
    std::fs::create_dir(&folder).expect("created");
    let output = sandbox
        .agxrun()
        .arg("--reports-dir")
        .arg(&folder)
        .args(["--", "cp"])
        .arg(old_report())
        .arg(folder.join("x.ips"))
        .output()
        .expect("agxrun starts");
    assert_eq!(
        output.status.code(),
        Some(86),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_variable_names_several_folders_and_the_option_one_with_a_colon() {
    let sandbox = Sandbox::new();
    let colon = sandbox.path("with:colon");
    let other = sandbox.path("other");
    for folder in [&colon, &other] {
        std::fs::create_dir(folder).expect("created");
    }
    let copy = |to: &std::path::Path| {
        let mut command = sandbox.agxrun();
        command
            .args(["-q", "--archive"])
            .arg(sandbox.path("archive"));
        (
            command,
            format!("cp '{}' '{}/x.ips'", old_report().display(), to.display()),
        )
    };
    let (mut command, script) = copy(&colon);
    let output = command
        .arg("--reports-dir")
        .arg(&colon)
        .args(["--", "sh", "-c", &script])
        .output();
    assert_eq!(output.expect("agxrun starts").status.code(), Some(86));
    let (mut command, script) = copy(&other);
    let list = format!("{}:{}", sandbox.reports().display(), other.display());
    let output = command
        .env("AGXRUN_REPORTS_DIR", list)
        .args(["--", "sh", "-c", &script])
        .output();
    assert_eq!(output.expect("agxrun starts").status.code(), Some(86));
}

#[test]
fn a_library_in_a_folder_with_separators_is_still_inserted() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("with space:and colon");
    std::fs::create_dir(&folder).expect("created");
    let library = folder.join("libagx_fix.so");
    std::fs::copy(common::products().join("libagx_fix.so"), &library).expect("copied");
    let library = library.to_str().expect("UTF-8");
    sandbox
        .run(&["--require-fix", "--dylib", library], &["true"])
        .assert_code(0);
}

#[test]
fn variables_that_cannot_be_parsed_are_told_and_change_nothing() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(
        &["--env", "AGX_FIX_VERBOSE=perhaps", "--require-fix"],
        &["true"],
    );
    run.assert_code(0).assert_stderr("AGX_FIX_VERBOSE");
    let run = sandbox.run(&["--env", "AGX_FIX_DISABLE=0", "--require-fix"], &["true"]);
    run.assert_code(0);
    let run = sandbox.run(&["--env", "AGX_FIX_DISABLE=1"], &["true"]);
    run.assert_code(0)
        .assert_stderr("disabled by AGX_FIX_DISABLE");
}

#[test]
fn a_ledger_folder_that_cannot_be_made_is_named_before_the_launch() {
    let sandbox = Sandbox::new();
    let ran = sandbox.path("ran");
    let file = sandbox.path("a-file");
    std::fs::write(&file, "").expect("written");
    let attempt = |variable: &str, folder: &std::path::Path| {
        let mut command = sandbox.agxrun();
        command.env(variable, folder).args(["--", "touch"]);
        let output = command.arg(&ran).output().expect("agxrun starts");
        assert_eq!(output.status.code(), Some(125));
        assert!(!ran.exists());
        complaint(&output)
    };
    for folder in [&file, &file.join("below")] {
        let told = attempt("AGX_FIX_LEDGER_DIR", folder);
        assert!(told.contains(&*folder.to_string_lossy()), "{told}");
        assert!(told.contains("AGX_FIX_LEDGER_DIR names it"), "{told}");
        assert!(told.to_lowercase().contains("not a directory"), "{told}");
    }
    let told = attempt("TMPDIR", &file);
    assert!(told.contains("check TMPDIR"), "{told}");
}

#[test]
fn a_ledger_that_cannot_be_written_costs_the_proof_and_not_the_run() {
    let sandbox = Sandbox::new();
    let attempt = |option: &str, code: i32| {
        let mut limited = sandbox.limited_agxrun();
        limited
            .arg(option)
            .arg("--reports-dir")
            .arg(sandbox.reports())
            .arg("--")
            .arg(common::workload())
            .args(["--threads", "2", "--iterations", "3", "--fault", "none"]);
        let output = limited.output().expect("sh starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        for part in ["cannot write the ledger", "the fix works without it"] {
            assert_eq!(told.matches(part).count(), 1, "{told}");
        }
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "iterations=6 dispatches asked=126 executed=126\n"
        );
    };
    attempt("--fix=v3", 0);
    attempt("--require-fix", 88);
}

#[test]
fn a_fault_that_the_rehearsal_does_not_know_is_told_once() {
    let sandbox = Sandbox::new();
    let mut rehearse = sandbox.agxrun();
    rehearse.args(["rehearse", "--fault", "nonsense"]);
    let output = rehearse.output().expect("agxrun starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told.matches("nonsense").count(), 1, "{told}");
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["--timeout", "soon", "--", "true"][..],
        &["--scope", "galaxy", "--", "true"],
        &["--env", "novalue", "--", "true"],
        &["--no-such-option", "--", "true"],
        &["--no-fix", "--require-fix", "--", "true"],
        &["python3", "test.py"],
        &["--"],
        &[],
    ] {
        let output = sandbox
            .agxrun()
            .args(arguments)
            .output()
            .expect("agxrun starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let output = sandbox
        .agxrun()
        .args(["python3", "test.py"])
        .output()
        .expect("agxrun starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("agxrun -- CMD"));
    for arguments in [&["fix", "nonsense"][..], &["fix", "list", "nonsense"]] {
        let output = sandbox.agxrun().args(arguments).output();
        let output = output.expect("agxrun starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("nonsense"), "{told}");
        assert!(!told.contains("To run a command"), "{told}");
    }
}

#[test]
fn a_place_for_the_json_that_cannot_be_written_costs_no_run() {
    let sandbox = Sandbox::new();
    let ran = sandbox.path("ran");
    let output = sandbox
        .agxrun()
        .args(["--json", "/no/such/folder/verdict.json", "--", "touch"])
        .arg(&ran)
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(125));
    assert!(complaint(&output).contains("/no/such/folder/verdict.json"));
    assert!(!ran.exists());
}

#[test]
fn a_pipe_or_a_device_named_like_a_report_counts_and_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.reports().join("Python-pipe.ips");
    let endless = sandbox.reports().join("Python-endless.ips");
    let script = format!(
        "mkfifo '{}'; ln -s /dev/zero '{}'",
        pipe.display(),
        endless.display()
    );
    let run = sandbox.run(&[], &["sh", "-c", &script]);
    run.assert_code(86).assert_stderr("is not a regular file");
    assert_eq!(run.reports().len(), 2);
}

#[test]
fn hostile_text_in_a_report_does_not_reach_the_terminal() {
    let sandbox = Sandbox::new();
    let report = std::fs::read_to_string(old_report()).expect("readable");
    let (header, body) = report.split_once('\n').expect("a header line");
    let mut body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    body["procName"] = "\u{1b}[2J\u{202e}gnp\u{2028}\u{200b}\u{9b}".into();
    let endless = "A".repeat(3_000_000);
    body["asi"] = serde_json::json!({ "libx\u{202e}": [endless, "\u{1b}]0;title\u{7}"] });
    let prepared = sandbox.path("prepared");
    std::fs::write(&prepared, format!("{header}\n{body}")).expect("written");
    let target = sandbox.reports().join("Python-hostile.ips");
    let run = sandbox.run(&[], &[OsStr::new("cp"), prepared.as_ref(), target.as_ref()]);
    run.assert_code(86);
    let stderr = run.stderr();
    assert!(stderr.len() < 50_000, "{} bytes", stderr.len());
    let reached: Vec<char> = stderr
        .chars()
        .filter(|c| (c.is_control() && *c != '\n') || ('\u{2000}'..='\u{206f}').contains(c))
        .filter(|c| *c != '\u{2026}')
        .collect();
    assert!(reached.is_empty(), "{reached:?}");
}

#[test]
fn hundreds_of_new_reports_are_archived_and_only_the_first_told_in_full() {
    let sandbox = Sandbox::new();
    let script = format!(
        "for n in $(seq 300); do sed \"s/9D76F80F/$(printf %08X $n)/g; s/\\(\\\"incident[^:]*\\\" *: *\\\"\\)......../\\1$(printf %08X $n)/g\" '{}' > '{}'/Python-$n.ips; done",
        old_report().display(),
        sandbox.reports().display()
    );
    let run = sandbox.run(&["--no-fix", "--settle", "0"], &["sh", "-c", &script]);
    run.assert_code(86)
        .assert_stderr("and 290 more crash reports");
    assert_eq!(run.reports().len(), 300);
    assert!(
        run.reports()
            .iter()
            .all(|report| report["archived"].is_string())
    );
}
