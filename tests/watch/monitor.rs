use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use agxrun::monitor::status::STATUS_NAME;

use crate::sandbox::{Sandbox, report_files, wait_in};
use crate::writer::{Manner, Writer, incident, manner, text};

const COUNT: usize = 1000;

#[track_caller]
fn write(folder: &Path, number: usize) {
    let hidden = folder.join(format!(".{number}.ips"));
    fs::write(&hidden, text(number, 1)).expect("written");
    fs::rename(&hidden, folder.join(format!("{number}.ips"))).expect("renamed");
}

/// The incidents that the summary lists.
fn listed(archive: &Path) -> Vec<String> {
    let bytes = fs::read(archive.join("crash_summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let crashes = summary["crashes"].as_array().expect("crashes").iter();
    let mut incidents: Vec<String> = crashes
        .map(|crash| crash["incident"].as_str().expect("an incident").to_owned())
        .collect();
    incidents.sort();
    incidents
}

fn incidents(count: usize) -> Vec<String> {
    (0..count).map(incident).collect()
}

#[test]
fn each_of_a_thousand_reports_is_copied_once_and_whole() {
    let sandbox = Sandbox::new();
    let (code, said) = sandbox.run("start");
    assert_eq!(code, 0, "{said}");
    let mut writer = Writer::start(&sandbox.reports, COUNT);
    // Of a rewritten report the version before may be copied too, where it was at rest meanwhile;
    // the one that is there in the end must be.
    let complete = |count: usize| {
        if report_files(&sandbox.archive).len() < count {
            return None;
        }
        let copies = sandbox.copies();
        let has_last = |number: usize| {
            let version = if manner(number) == Manner::Rewritten {
                2
            } else {
                1
            };
            let whole = text(number, version);
            copies.get(&incident(number)).is_some_and(|copies| {
                copies
                    .iter()
                    .any(|copy| fs::read(copy).is_ok_and(|bytes| bytes == whole.as_bytes()))
            })
        };
        (0..count).all(has_last).then_some(copies)
    };
    wait_in(&sandbox.archive, || complete(COUNT / 2));
    writer.go_on();
    let copies = wait_in(&sandbox.archive, || complete(COUNT));
    writer.end();
    assert_eq!(copies.len(), COUNT);
    for number in 0..COUNT {
        let copies = &copies[&incident(number)];
        let mut contents: Vec<Vec<u8>> = copies
            .iter()
            .map(|copy| fs::read(copy).expect("read"))
            .collect();
        contents.sort();
        let versions = if manner(number) == Manner::Rewritten {
            2
        } else {
            1
        };
        let is_whole = |content: &Vec<u8>| {
            (1..=versions).any(|version| content == text(number, version).as_bytes())
        };
        assert!(
            contents.iter().all(is_whole),
            "report {number} is not whole"
        );
        contents.dedup();
        assert_eq!(
            contents.len(),
            copies.len(),
            "report {number} is there twice"
        );
    }
    let (code, said) = sandbox.run("stop");
    assert_eq!(code, 0, "{said}");
    assert_eq!(listed(&sandbox.archive), incidents(COUNT));
    let status = sandbox.wait_for_status(|status| status.ended.is_some());
    assert_eq!((status.waiting, status.lost), (0, 0), "{status:?}");
    let files = report_files(&sandbox.archive).len();
    assert_eq!(usize::try_from(status.copied), Ok(files));
}

#[test]
fn of_two_that_start_at_once_one_wins() {
    let sandbox = Sandbox::new();
    let mut both = [(); 2].map(|()| {
        let mut start = sandbox.monitor("start");
        start.stdout(Stdio::piped()).spawn().expect("agxrun starts")
    });
    let said = both.each_mut().map(|start| {
        let mut said = String::new();
        let stdout = start.stdout.as_mut().expect("a pipe");
        std::io::Read::read_to_string(stdout, &mut said).expect("read");
        assert!(start.wait().expect("waited").success(), "{said}");
        said
    });
    let pid = format!("pid {}", sandbox.holder().pid);
    assert!(
        said.iter().all(|said| said.contains(&pid)),
        "{said:?}, {pid}"
    );
    let winners = said
        .iter()
        .filter(|said| said.starts_with("the monitor runs,"));
    assert_eq!(winners.count(), 1, "{said:?}");
    let (code, said) = sandbox.run("run");
    assert!(
        code == 125 && said.contains("runs already"),
        "{code}: {said}"
    );
}

#[test]
fn a_monitor_that_was_killed_leaves_nothing_undone_or_done_twice() {
    let sandbox = Sandbox::new();
    let (code, said) = sandbox.run("start");
    assert_eq!(code, 0, "{said}");
    for number in 0..100 {
        write(&sandbox.reports, number);
    }
    // In the middle of its work.
    sandbox.wait_for_copies(10);
    let killed = sandbox.holder().pid;
    sandbox.kill();
    let (code, said) = sandbox.run("status");
    assert!(
        code == 3 && said.contains("ended without a word"),
        "{code}: {said}"
    );
    for number in 100..200 {
        write(&sandbox.reports, number);
    }
    let (code, said) = sandbox.run("start");
    assert_eq!(code, 0, "{said}");
    sandbox.wait_for_status(|status| status.copied + status.already >= 200);
    let (code, said) = sandbox.run("stop");
    assert_eq!(code, 0, "{said}");
    let copies = sandbox.copies();
    assert_eq!(copies.keys().cloned().collect::<Vec<_>>(), incidents(200));
    assert!(
        copies.values().all(|copies| copies.len() == 1),
        "{copies:?}"
    );
    assert_eq!(listed(&sandbox.archive), incidents(200));
    let log = fs::read_to_string(sandbox.state().join("monitor.log")).expect("a log");
    assert!(
        log.contains(&format!("the monitor with pid {killed}")),
        "{log}"
    );
}

#[test]
fn status_and_stop_say_what_is_so() {
    let sandbox = Sandbox::new();
    let (code, said) = sandbox.run("status");
    assert!(
        code == 3 && said.starts_with("not running"),
        "{code}: {said}"
    );
    let (code, said) = sandbox.run("stop");
    assert!(
        code == 0 && said.contains("no monitor is running"),
        "{code}: {said}"
    );
    sandbox.run("start");
    write(&sandbox.reports, 1);
    sandbox.wait_for_status(|status| status.copied == 1);
    let mut status = sandbox.monitor("status");
    let output = status.arg("--json").output().expect("agxrun starts");
    assert_eq!(output.status.code(), Some(0));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["running"], true);
    assert_eq!(answer["pid"], sandbox.holder().pid);
    assert_eq!(answer["status"]["copied"], 1);
    assert_eq!(
        answer["status"]["folders"][0],
        sandbox.reports.to_str().expect("UTF-8")
    );
    let (code, said) = sandbox.run("status");
    assert!(
        code == 0 && said.contains("\n  copied    1\n"),
        "{code}: {said}"
    );
    sandbox.run("stop");
    let (code, said) = sandbox.run("status");
    assert!(
        code == 3 && said.contains("the last one ended"),
        "{code}: {said}"
    );
}

#[test]
fn a_started_monitor_holds_nothing_of_its_starter() {
    let sandbox = Sandbox::new();
    // A terminal that closes would end it, and a pipe that it held would never end.
    let (code, said) = sandbox.run("start");
    assert_eq!(code, 0, "{said}");
    let pid = i32::try_from(sandbox.holder().pid).expect("a pid");
    let of = |pid: i32| nix::unistd::getsid(Some(nix::unistd::Pid::from_raw(pid)));
    let session = of(pid).expect("its session");
    assert_eq!(session.as_raw(), pid, "a session of its own");
}

#[test]
fn an_archive_that_goes_and_comes_again_has_all_reports_in_the_end() {
    let sandbox = Sandbox::new();
    sandbox.run("start");
    write(&sandbox.reports, 1);
    sandbox.wait_for_copies(1);
    // No permissions are taken away here: those do not hold for the superuser.
    let aside = sandbox.path("aside");
    fs::rename(&sandbox.archive, &aside).expect("moved away");
    fs::write(&sandbox.archive, "a file in its place").expect("written");
    write(&sandbox.reports, 2);
    let status = sandbox.wait_for_status(|status| status.waiting == 1);
    let error = status.last_error.expect("said").text;
    assert!(
        error.contains("2.ips") || error.contains("archive"),
        "{error}"
    );
    // The system may remove its own meanwhile.
    fs::remove_file(sandbox.reports.join("2.ips")).expect("removed");
    fs::remove_file(&sandbox.archive).expect("removed");
    fs::rename(&aside, &sandbox.archive).expect("moved back");
    let status = sandbox.wait_for_status(|status| status.waiting == 0 && status.copied == 2);
    assert_eq!(status.lost, 0);
    let copies = sandbox.copies();
    assert_eq!(
        copies.keys().cloned().collect::<Vec<_>>(),
        [incident(1), incident(2)]
    );
    sandbox.run("stop");
    assert_eq!(listed(&sandbox.archive), [incident(1), incident(2)]);
}

#[test]
fn an_archive_that_is_removed_is_made_again() {
    let sandbox = Sandbox::new();
    sandbox.run("start");
    write(&sandbox.reports, 1);
    sandbox.wait_for_status(|status| status.copied == 1);
    fs::remove_dir_all(&sandbox.archive).expect("removed");
    write(&sandbox.reports, 2);
    sandbox.wait_for_status(|status| status.copied == 2);
    assert_eq!(
        sandbox.copies().into_keys().collect::<Vec<_>>(),
        [incident(2)]
    );
    // It holds the new one, too.
    let (code, said) = sandbox.run("start");
    assert!(code == 0 && said.contains("runs already"), "{code}: {said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_the_report_copied_when_there_is_room() {
    let sandbox = Sandbox::new();
    // A limit on the size of files fails a write as a full disk does: small files fit, the report
    // does not.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -S -f 100; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_agxrun"));
    let (code, said) = crate::sandbox::finish(&mut sandbox.with_folders(limited, "start"));
    assert_eq!(code, 0, "{said}");
    let number = 7;
    let large = text(number, 400);
    assert!(large.len() > 200 * 1024);
    let path = sandbox.reports.join("large.ips");
    fs::write(&path, &large).expect("written");
    let status = sandbox.wait_for_status(|status| status.waiting == 1);
    let error = status.last_error.expect("said").text;
    assert!(error.contains("large.ips"), "{error}");
    fs::remove_file(&path).expect("removed");
    let pid = sandbox.holder().pid.to_string();
    let room = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:unlimited"])
        .status();
    assert!(room.expect("prlimit starts").success());
    sandbox.wait_for_status(|status| status.waiting == 0 && status.copied == 1);
    let copies = sandbox.copies();
    let [copy] = copies[&incident(number)].as_slice() else {
        panic!("{copies:?}");
    };
    assert_eq!(fs::read(copy).expect("read"), large.as_bytes());
    assert!(sandbox.state().join(STATUS_NAME).exists());
}
