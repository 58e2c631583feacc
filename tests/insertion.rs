//! What happens when the loader refuses what is inserted: on Linux dyld's part is played, by a
//! target that leaves dyld's line and dyld's report and ends as dyld ends a process.

mod common;

use common::{Run, Sandbox};

/// Writes the report of its own end by dyld into a folder (the fields of a report of namespace DYLD that was published for
/// macOS 26), and aborts.
const ENDED_BY_DYLD: &str = r"
import datetime, json, os, resource, signal, sys
folder, reasons, line = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
now = datetime.datetime.now(datetime.timezone.utc)
stamp = lambda time: time.strftime('%Y-%m-%d %H:%M:%S.%f')[:24] + ' +0000'
name = 'Python'
head = {'app_name': name, 'name': name, 'timestamp': now.strftime('%Y-%m-%d %H:%M:%S.00 +0000'), 'app_version': '',
        'bug_type': '309', 'os_version': 'macOS 26.0 (25A354)', 'incident_id': f'DYLD-{os.getpid()}'}
body = {'incident': head['incident_id'], 'pid': os.getpid(), 'procName': name, 'procPath': '/opt/python',
        'parentPid': os.getppid(), 'parentProc': 'zsh', 'captureTime': stamp(now), 'procLaunch': stamp(now),
        'exception': {'type': 'EXC_CRASH', 'signal': 'SIGABRT', 'codes': '0x0, 0x0'},
        'termination': {'code': 1, 'flags': 518, 'namespace': 'DYLD', 'indicator': 'Library missing',
                        'details': ['(terminated at launch; ignore backtrace)'], 'reasons': reasons},
        'faultingThread': 0,
        'threads': [{'triggered': True, 'id': 1, 'frames': [
            {'imageOffset': 8, 'symbol': '__abort_with_payload', 'symbolLocation': 8, 'imageIndex': 0}]}],
        'usedImages': [{'source': 'P', 'name': 'dyld', 'path': '/usr/lib/dyld', 'arch': 'arm64e', 'base': 4096, 'size': 4096}]}
if folder:
    hidden = os.path.join(folder, f'.{name}-made.ips')
    with open(hidden, 'w') as file:
        file.write(json.dumps(head) + '\n' + json.dumps(body))
    os.rename(hidden, os.path.join(folder, f'{name}-{os.getpid()}-made.ips'))
if line:
    print(line.replace('PID', str(os.getpid())), file=sys.stderr, flush=True)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.kill(os.getpid(), signal.SIGABRT)
";

const TRIED: &str = "tried: '/opt/libagx_fix.dylib' (mach-o file, but is an incompatible architecture (have 'arm64', need 'arm64e'))";
const LINE: &str = "dyld[PID]: terminating because inserted dylib '/opt/libagx_fix.dylib' could not be loaded: tried: no";

/// A target that ends as `reasons` and `line` say. It runs without what is preloaded, as what dyld ends never ran either.
fn ended_by_dyld(sandbox: &Sandbox, reports: bool, reasons: &[&str], line: &str) -> Vec<String> {
    let script = sandbox.path("ended_by_dyld.py");
    std::fs::write(&script, ENDED_BY_DYLD).expect("written");
    let folder = if reports {
        sandbox.reports().display().to_string()
    } else {
        String::new()
    };
    let reasons = serde_json::to_string(reasons).expect("JSON");
    // A shell's words are not looked into before the launch.
    let words = [
        "sh",
        "-c",
        "exec env -u LD_PRELOAD -u DYLD_INSERT_LIBRARIES python3 \"$@\"",
        "sh",
    ];
    let arguments = [
        script.display().to_string(),
        folder,
        reasons,
        line.to_owned(),
    ];
    words
        .iter()
        .map(ToString::to_string)
        .chain(arguments)
        .collect()
}

fn assert_not_blamed(run: &Run, words: &str) {
    run.assert_code(125)
        .assert_stderr("no crash of the target")
        .assert_stderr(words)
        .assert_stderr("--no-fix");
    let reasons = run.reasons();
    assert_eq!(reasons[0], "insertion_refused", "{reasons:?}");
    assert!(!reasons.contains(&"new_reports"), "{reasons:?}");
    assert!(!reasons.contains(&"crash_without_report"), "{reasons:?}");
}

#[test]
fn a_report_of_dyld_is_our_failure_in_dylds_own_words() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[], &ended_by_dyld(&sandbox, true, &[TRIED], ""));
    assert_not_blamed(&run, "need 'arm64e'");
    assert_eq!(run.reports()[0]["weight"], "insertion_refused");
    assert_eq!(run.reports()[0]["attribution"], "ours");
    assert!(
        run.reports()[0]["archived"].is_string(),
        "it is kept all the same"
    );
}

#[test]
fn dylds_line_alone_suffices_where_the_target_was_aborted() {
    let sandbox = Sandbox::new();
    let target = ended_by_dyld(&sandbox, false, &[], LINE);
    let run = sandbox.run(&["--report-wait", "0.1"], &target);
    assert_not_blamed(&run, "terminating because inserted dylib");
}

#[test]
fn a_child_that_dyld_ended_is_not_blamed_on_a_target_that_goes_on() {
    let sandbox = Sandbox::new();
    let child = ended_by_dyld(&sandbox, true, &[TRIED], "");
    let mut target = vec![
        "sh".to_owned(),
        "-c".to_owned(),
        "\"$@\"; exit 3".to_owned(),
        "sh".to_owned(),
    ];
    target.extend(child);
    let run = sandbox.run(&[], &target);
    assert_not_blamed(&run, "need 'arm64e'");
    assert_eq!(run.json["ending"]["code"], 3);
}

#[test]
fn without_insertion_the_same_end_is_the_targets() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(
        &["--no-fix"],
        &ended_by_dyld(&sandbox, true, &[TRIED], LINE),
    );
    run.assert_code(134);
    assert_eq!(run.reasons(), ["signal", "new_reports"]);
}

#[test]
fn a_target_that_lacks_a_library_of_its_own_has_crashed() {
    let sandbox = Sandbox::new();
    let reasons = [
        "Library not loaded: @rpath/libtorch.dylib",
        "Referenced from: <4C4C44A5> /opt/python",
        "Reason: tried: '/opt/libtorch.dylib' (no such file)",
    ];
    let run = sandbox.run(&[], &ended_by_dyld(&sandbox, true, &reasons, ""));
    run.assert_code(134)
        .assert_stderr("Library not loaded: @rpath/libtorch.dylib");
    assert_eq!(run.reasons(), ["signal", "new_reports"]);
}

#[test]
fn a_line_that_the_target_only_prints_changes_nothing() {
    let sandbox = Sandbox::new();
    let script = format!("echo \"{LINE}\" | sed s/PID/$$/ >&2");
    sandbox.run(&[], &["sh", "-c", &script]).assert_code(0);
    let aborted = format!("echo \"{LINE}\" | sed s/PID/1/ >&2; ulimit -c 0; kill -ABRT $$");
    sandbox.run(&[], &["sh", "-c", &aborted]).assert_code(134);
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_that_ld_so_goes_on_without_is_named() {
    let sandbox = Sandbox::new();
    let broken = sandbox.path("broken.so");
    std::fs::write(&broken, "no library").expect("written");
    let preload = format!("LD_PRELOAD=/gone/libx.so:{}", broken.display());
    let run = sandbox.run(&["--env", &preload], &["true"]);
    run.assert_code(0)
        .assert_stderr("ld.so could not insert `/gone/libx.so`")
        .assert_stderr("cannot open shared object file")
        .assert_stderr(&format!("ld.so could not insert `{}`", broken.display()));
    assert_eq!(run.json["fix"]["loaded"], 1, "ours is not kept out");
}
