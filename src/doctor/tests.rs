//! The screen for machines whose answers were recorded. What a Mac says is written after the
//! documented output of its tools; none of it was taken from a Mac of ours.

use super::recorded::Recorded;
use super::subject::{Library, Subject};
use super::{Finding, Level, examine};
use crate::inject::Artifact;
use crate::inject::locate::{Located, Origin};
use crate::output::doctor::Answer;
use crate::reports::ReportFolder;
use crate::target::rules::System;

/// A machine's folders.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        for folder in ["user", "machine", "archive"] {
            std::fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        Self { root }
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.root.path().join(file), text).expect("written");
    }

    fn reports(&self, process: &str, count: usize) {
        for number in 0..count {
            let file = format!(
                "user/{process}-2026-01-02-0304{:02}.{number:03}.ips",
                number % 60
            );
            self.write(&file, "{}");
        }
    }

    fn subject(&self, system: System) -> Subject {
        let suffix = if system == System::MacOs {
            "dylib"
        } else {
            "so"
        };
        Subject {
            system,
            processor: if system == System::MacOs {
                "aarch64"
            } else {
                "x86_64"
            },
            library: Library::Usable {
                located: Located {
                    path: format!("/opt/agxrun/libagx_fix.{suffix}").into(),
                    origin: Origin::BesideExecutable,
                },
                unsigned: false,
                quarantined: false,
            },
            rehearsal: vec![
                (Artifact::ReportHandler, true),
                (Artifact::ReportWriter, true),
                (Artifact::RehearsalDriver, true),
                (Artifact::RehearsalWorkload, true),
            ],
            folders: vec![
                ReportFolder::new(self.root.path().join("user")),
                ReportFolder::new(self.root.path().join("machine")),
            ],
            folders_named: false,
            archive: Ok(self.root.path().join("archive")),
            terminal: true,
        }
    }

    fn screen(&self, findings: &[Finding]) -> String {
        let text = anstream::adapter::strip_str(&Answer::of(findings).text()).to_string();
        text.replace(&*self.root.path().to_string_lossy(), "[root]")
    }
}

const SYSCTL: &str = "/usr/sbin/sysctl -i machdep.cpu.brand_string hw.optional.arm64 sysctl.proc_translated kern.hv_vmm_present";
const PROFILER: &str = "/usr/sbin/system_profiler -json SPDisplaysDataType";
const NOT_SET: &str =
    "The domain/default pair of (com.apple.CrashReporter, DialogType) does not exist";

fn healthy_mac() -> Recorded {
    Recorded::default()
        .says(
            "/usr/bin/sw_vers",
            0,
            "ProductName:\t\tmacOS\nProductVersion:\t\t15.1\nBuildVersion:\t\t24B83\n",
        )
        .says(
            SYSCTL,
            0,
            "machdep.cpu.brand_string: Apple M4 Max\nhw.optional.arm64: 1\nsysctl.proc_translated: 0\nkern.hv_vmm_present: 0\n",
        )
        .says(
            PROFILER,
            0,
            r#"{"SPDisplaysDataType":[{"_name":"Apple M4 Max","spdisplays_mtlgpufamilysupport":"spdisplays_metal3","sppci_cores":"40","sppci_model":"Apple M4 Max"}]}"#,
        )
        .says(
            "/usr/bin/csrutil status",
            0,
            "System Integrity Protection status: enabled.\n",
        )
        .says(
            "/bin/launchctl print-disabled user/501",
            0,
            "disabled services = {\n\t\"com.apple.ReportCrash\" => enabled\n}\n",
        )
        .says("/bin/launchctl print gui/501/com.apple.ReportCrash", 0, "state = not running\n")
        .complains("/usr/bin/defaults read com.apple.CrashReporter DialogType", 1, NOT_SET)
        .program("python3", "/opt/homebrew/bin/python3")
        .says(
            "/opt/homebrew/bin/python3 -c",
            0,
            r#"{"version":"3.13.1","machine":"arm64","prefix":"/opt/homebrew/opt/python@3.13","torch":"2.9.0","mlx":"0.29.1"}"#,
        )
        .free(200_000_000_000)
}

#[test]
fn a_healthy_mac_has_nothing_to_do() {
    let place = Place::new();
    place.reports("Python", 3);
    let findings = examine(&healthy_mac(), &place.subject(System::MacOs));
    insta::assert_snapshot!("healthy_mac", place.screen(&findings));
}

#[test]
fn an_ill_mac_is_told_what_to_mend() {
    let place = Place::new();
    place.reports("Python", 25);
    place.reports("mlx_lm", 20);
    place.write("archive/20260102_030405_Python.ips", "{}");
    place.write("archive/crash_summary.json", "{\"crashes\": [");
    let mac = healthy_mac()
        .says("/usr/bin/sw_vers", 0, "ProductVersion:\t12.7.6\nBuildVersion:\t21H1320\n")
        .says(SYSCTL, 0, "machdep.cpu.brand_string: Apple M1 (Virtual)\nhw.optional.arm64: 1\nkern.hv_vmm_present: 1\n")
        .hangs(PROFILER)
        .says("/usr/bin/csrutil status", 0, "System Integrity Protection status: disabled.\n")
        .says(
            "/bin/launchctl print-disabled user/501",
            0,
            "disabled services = {\n\t\"com.apple.ReportCrash\" => disabled\n}\n",
        )
        .says("/usr/bin/defaults read com.apple.CrashReporter DialogType", 0, "developer\n")
        .program("python3", "/usr/bin/python3")
        .complains(
            "/usr/bin/xcode-select -p",
            2,
            "xcode-select: error: unable to get active developer directory\n",
        )
        .set("VIRTUAL_ENV", "/Users/u/venv")
        .file("/Users/u/venv/bin/python")
        .says(
            "/Users/u/venv/bin/python -c",
            0,
            "hello from sitecustomize\n{\"version\":\"3.9.6\",\"machine\":\"x86_64\",\"prefix\":\"/Users/u/venv\",\"torch\":\"2.8.0\",\"mlx\":null}\n",
        )
        .set("GITHUB_ACTIONS", "true")
        .set("CI", "true")
        .set("AGX_FIX_VERSION", "v9")
        .set("AGX_FIX_DISABLE", "1")
        .set("AGX_FIX_MAX_INFLIGHT", "2")
        .set("AGX_FIX_EVENTS", "0")
        .set("MTL_DEBUG_LAYER", "1")
        .set("PYTORCH_ENABLE_MPS_FALLBACK", "1")
        .set("DYLD_INSERT_LIBRARIES", "/gone/libx.dylib:libother.dylib")
        .set("DYLD_LIBRARY_PATH", "/opt/lib")
        .free(12_000_000);
    let mut subject = place.subject(System::MacOs);
    subject.library = Library::Usable {
        located: Located {
            path: "/Users/u/Downloads/libagx_fix.dylib".into(),
            origin: Origin::Option,
        },
        unsigned: true,
        quarantined: true,
    };
    subject.folders[1] = ReportFolder::new("/dev/null");
    let findings = examine(&mac, &subject);
    assert!(
        findings
            .iter()
            .all(|finding| finding.level == Level::Ok || finding.remedy.is_some())
    );
    insta::assert_snapshot!("ill_mac", place.screen(&findings));
}

#[test]
fn linux_says_what_the_rehearsal_shows() {
    let place = Place::new();
    let mut subject = place.subject(System::Linux);
    subject.folders.truncate(1);
    subject.library = Library::Absent;
    subject.rehearsal[0].1 = false;
    let linux = Recorded::default()
        .text(
            "/etc/os-release",
            "NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
        )
        .text("/proc/sys/kernel/osrelease", "6.1.0-30-amd64\n")
        .text("/etc/ld.so.preload", "/usr/lib/libjemalloc.so\n")
        .says(
            "/sbin/ldconfig -p",
            0,
            "\tlibc.so.6 (libc6,x86-64) => /lib/libc.so.6\n",
        )
        .program("cargo", "/home/u/.cargo/bin/cargo")
        .set("LD_PRELOAD", "/gone.so /opt/libagx_fix_v2_8.so")
        .free(700_000_000);
    let linux = (0..25).fold(linux, |linux, number| {
        linux.set(&format!("OTHER_{number}"), "1")
    });
    let findings = examine(&linux, &subject);
    insta::assert_snapshot!("linux", place.screen(&findings));
}

/// With no tool at all, every check ends, and each that asked says whom.
#[test]
fn a_mac_without_its_tools_is_warned_about_each() {
    let place = Place::new();
    let subject = place.subject(System::MacOs);
    for (host, words) in [
        (Recorded::default(), "is not there"),
        (
            [
                "/usr/bin/sw_vers",
                SYSCTL,
                PROFILER,
                "/usr/bin/csrutil status",
                "/bin/launchctl print-disabled user/501",
                "/bin/launchctl print gui/501/com.apple.ReportCrash",
                "/bin/launchctl print user/501/com.apple.ReportCrash",
                "/usr/bin/defaults read com.apple.CrashReporter DialogType",
            ]
            .into_iter()
            .fold(Recorded::default(), Recorded::hangs),
            "did not answer within 2 s",
        ),
    ] {
        let findings = examine(&host, &subject);
        for tool in [
            "sw_vers",
            "sysctl",
            "system_profiler",
            "csrutil",
            "launchctl",
        ] {
            let said = format!("`{tool}` {words}");
            let warned = findings
                .iter()
                .any(|finding| finding.level == Level::Warning && finding.says.contains(&said));
            assert!(warned, "`{said}` is not in {findings:#?}");
        }
        assert!(findings.iter().all(|finding| finding.level != Level::Error));
    }
}

#[test]
fn a_service_that_launchctl_does_not_know_is_an_error() {
    let place = Place::new();
    let unknown = "Could not find service \"com.apple.ReportCrash\" in domain for user gui: 501\n";
    let mac = healthy_mac()
        .complains(
            "/bin/launchctl print gui/501/com.apple.ReportCrash",
            113,
            unknown,
        )
        .complains(
            "/bin/launchctl print user/501/com.apple.ReportCrash",
            113,
            unknown,
        );
    let findings = examine(&mac, &place.subject(System::MacOs));
    let service = findings
        .iter()
        .find(|finding| finding.check == "reportcrash")
        .expect("it is checked");
    assert_eq!(service.level, Level::Error);
    // Over ssh there is no session at the screen: the user's own domain has it.
    let remote = mac.says(
        "/bin/launchctl print user/501/com.apple.ReportCrash",
        0,
        "state = not running\n",
    );
    let findings = examine(&remote, &place.subject(System::MacOs));
    assert!(
        findings.iter().all(|finding| finding.level == Level::Ok),
        "{findings:#?}"
    );
}

#[test]
fn roots_reports_are_a_daemons() {
    let place = Place::new();
    let root = healthy_mac()
        .of_root()
        .says(
            "/bin/launchctl print-disabled system",
            0,
            "disabled services = {\n\t\"com.apple.ReportCrash\" => disabled\n}\n",
        )
        .says(
            "/bin/launchctl print system/com.apple.ReportCrash.Root",
            0,
            "state = not running\n",
        );
    let findings = examine(&root, &place.subject(System::MacOs));
    assert!(
        findings.iter().all(|finding| finding.level == Level::Ok),
        "{findings:#?}"
    );
}

#[test]
fn a_gpu_is_read_from_every_form_and_an_odd_answer_is_told() {
    let place = Place::new();
    for (answer, level, words) in [
        (
            r#"{"SPDisplaysDataType":[{"_name":"kHW_AppleM1","sppci_model":"Apple M1","spdisplays_metal":"spdisplays_supported"}]}"#,
            Level::Ok,
            "Apple M1, Metal",
        ),
        (
            r#"{"SPDisplaysDataType":[{"sppci_model":"GT 120","spdisplays_metal":"spdisplays_notsupported"}]}"#,
            Level::Warning,
            "GT 120: no Metal",
        ),
        (r#"{"SPDisplaysDataType":[{}]}"#, Level::Warning, "no Metal"),
        (
            r#"{"SPDisplaysDataType":[]}"#,
            Level::Warning,
            "no GPU is seen",
        ),
        (
            r#"{"SPDisplaysDataType":7}"#,
            Level::Warning,
            "named no displays",
        ),
        ("[]", Level::Warning, "named no displays"),
        ("", Level::Warning, "something else than JSON"),
    ] {
        let findings = examine(
            &healthy_mac().says(PROFILER, 0, answer),
            &place.subject(System::MacOs),
        );
        let metal = findings
            .iter()
            .find(|finding| finding.check == "metal")
            .expect("it is checked");
        assert_eq!(metal.level, level, "{answer}: {metal:?}");
        assert!(metal.says.contains(words), "{answer}: {metal:?}");
    }
}

#[test]
fn a_folder_that_the_run_needs_is_an_error_and_another_a_warning() {
    let place = Place::new();
    let level = |first: &str, second: &str, named: bool| -> Vec<Level> {
        let mut subject = place.subject(System::MacOs);
        let root = place.root.path();
        subject.folders = vec![
            ReportFolder::new(root.join(first)),
            ReportFolder::new(root.join(second)),
        ];
        subject.folders_named = named;
        examine(&healthy_mac(), &subject)
            .iter()
            .filter(|finding| finding.check == "reports")
            .map(|finding| finding.level)
            .collect()
    };
    place.write("file", "");
    assert_eq!(level("file", "machine", false), [Level::Error, Level::Ok]);
    assert_eq!(level("user", "file", false), [Level::Ok, Level::Warning]);
    assert_eq!(level("user", "file", true), [Level::Ok, Level::Error]);
    assert_eq!(level("gone", "machine", false), [Level::Ok, Level::Ok]);
    assert_eq!(level("gone", "machine", true), [Level::Error, Level::Ok]);
}

#[test]
fn the_archives_list_is_read_and_never_trusted() {
    let place = Place::new();
    let archive = |place: &Place| -> (Level, String) {
        let findings = examine(&healthy_mac(), &place.subject(System::MacOs));
        let found = findings
            .into_iter()
            .find(|finding| finding.check == "archive")
            .expect("it is checked");
        (found.level, found.says)
    };
    assert!(archive(&place).1.ends_with("empty"));
    place.write("archive/x.ips", "{}");
    assert_eq!(archive(&place).0, Level::Warning);
    for (list, level, words) in [
        (r#"{"crashes": [{}, {}]}"#, Level::Ok, "its list has 2"),
        (r#"{"last_check": "never"}"#, Level::Ok, "its list has 0"),
        (r#"{"crashes": 7}"#, Level::Warning, "`crashes` is no list"),
        ("[]", Level::Warning, "no JSON object"),
        ("", Level::Warning, "is damaged"),
    ] {
        place.write("archive/crash_summary.json", list);
        let (found, says) = archive(&place);
        assert_eq!(found, level, "{says}");
        assert!(says.contains(words), "{says}");
    }
    let list = place.root.path().join("archive/crash_summary.json");
    std::fs::remove_file(&list).expect("removed");
    nix::unistd::mkfifo(&list, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    assert!(archive(&place).1.contains("is not a regular file"));
}

#[test]
fn without_a_home_folders_and_archive_are_errors() {
    let place = Place::new();
    let mut subject = place.subject(System::MacOs);
    subject.folders.clear();
    subject.archive = Err("no HOME to keep crash reports in".to_owned());
    let findings = examine(&healthy_mac(), &subject);
    let errors: Vec<_> = findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .map(|finding| finding.check)
        .collect();
    assert_eq!(errors, ["reports", "archive"]);
}

#[test]
fn a_name_that_moves_the_cursor_is_shown_and_not_obeyed() {
    let place = Place::new();
    place.reports("\u{1b}[2Jevil\u{202e}", 25);
    let mac = healthy_mac().set("AGX_FIX_VERSION", "\u{1b}]0;owned\u{7}");
    let findings = examine(&mac, &place.subject(System::MacOs));
    let screen = place.screen(&findings);
    assert!(screen.contains("\\u{1b}[2Jevil\\u{202e} (25)"), "{screen}");
    assert!(screen.contains("\\u{1b}]0;owned\\u{7}"), "{screen}");
    assert!(
        screen.chars().all(|c| c == '\n' || !c.is_control()),
        "{screen}"
    );
}

#[test]
fn a_long_list_of_names_is_cut_and_the_rest_counted() {
    let place = Place::new();
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        place.reports(name, 25);
    }
    let findings = examine(&healthy_mac(), &place.subject(System::MacOs));
    let cap = findings
        .iter()
        .find(|finding| finding.says.contains("cap of 25"))
        .expect("it is told");
    assert!(cap.says.contains("e (25), and 2 more"), "{}", cap.says);
}

#[test]
fn the_rehearsals_writer_has_no_cap() {
    let place = Place::new();
    place.reports("Python", 30);
    let linux = Recorded::default().free(1 << 40);
    let findings = examine(&linux, &place.subject(System::Linux));
    assert!(
        findings
            .iter()
            .all(|finding| !finding.says.contains("cap of"))
    );
}

#[test]
fn each_level_is_counted() {
    let place = Place::new();
    let healthy = examine(&healthy_mac(), &place.subject(System::MacOs));
    let answer = Answer::of(&healthy);
    assert_eq!((answer.errors, answer.warnings), (0, 0));
    let mut subject = place.subject(System::MacOs);
    subject.library = Library::Unusable("`/x` is a folder".to_owned());
    let ill = examine(&healthy_mac().set("DYLD_LIBRARY_PATH", "/x"), &subject);
    let answer = Answer::of(&ill);
    assert_eq!((answer.errors, answer.warnings), (1, 1));
    let json = serde_json::to_value(&answer).expect("JSON");
    assert_eq!(json["errors"], 1);
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(ill.len()));
}
