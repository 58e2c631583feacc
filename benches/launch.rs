//! What `agxrun` adds to a command: `cargo bench --bench launch`.
//!
//! `true` alone, under `agxrun --no-fix`, and under `agxrun` with the library, in turn, so that a
//! drift of the machine's speed meets all alike. Medians are printed, and the difference from
//! `true` alone pair by pair. Peak memory is the kernel's figure for the `agxrun` process.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 101;
const WARM_UP: usize = 5;

fn main() {
    let agxrun = PathBuf::from(env!("CARGO_BIN_EXE_agxrun"));
    let folder = agxrun.parent().expect("a file lies in a folder");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--workspace"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts");
    assert!(
        built.success(),
        "the library and the report writer must be built"
    );
    let library = folder.join("libagx_fix.so");
    assert!(
        library.exists() || cfg!(target_os = "macos"),
        "{} is missing",
        library.display()
    );
    let scratch = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(scratch.path().join("reports")).expect("a folder");

    let arms: [(&str, Vec<&str>); 3] = [
        ("true", vec![]),
        ("agxrun --no-fix -- true", vec!["--no-fix", "--"]),
        ("agxrun -- true", vec!["--"]),
    ];
    let mut times: [Vec<Duration>; 3] = Default::default();
    for round in 0..WARM_UP + ROUNDS {
        for (arm, (_, options)) in arms.iter().enumerate() {
            let taken = time(&agxrun, options, scratch.path());
            if round >= WARM_UP {
                times[arm].push(taken);
            }
        }
    }
    println!("{ROUNDS} interleaved rounds");
    for (arm, (name, _)) in arms.iter().enumerate() {
        let extra: Vec<Duration> = times[arm]
            .iter()
            .zip(&times[0])
            .map(|(with, without)| with.saturating_sub(*without))
            .collect();
        println!(
            "{name:<28} median {:>6.2} ms   over `true` alone {:>6.2} ms",
            millis(median(times[arm].clone())),
            millis(median(extra)),
        );
    }
    println!(
        "peak memory of agxrun -- true: {:.1} MB",
        peak_memory(&agxrun, scratch.path())
    );
}

fn command(agxrun: &Path, options: &[&str], scratch: &Path) -> Command {
    let mut command = if options.is_empty() {
        Command::new("true")
    } else {
        let mut command = Command::new(agxrun);
        command.args(options).arg("true");
        command
    };
    command
        .env("XDG_STATE_HOME", scratch)
        .env("AGXRUN_REPORTS_DIR", scratch.join("reports"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn time(agxrun: &Path, options: &[&str], scratch: &Path) -> Duration {
    let mut command = command(agxrun, options, scratch);
    let started = Instant::now();
    let status = command.status().expect("the command starts");
    let taken = started.elapsed();
    assert!(
        status.success(),
        "{options:?}: {:?} {:?}",
        status.code(),
        status.signal()
    );
    taken
}

/// In megabytes, from `wait4`, of a process whose own memory is larger than its target's.
#[allow(clippy::zombie_processes)] // wait4 reaps it
fn peak_memory(agxrun: &Path, scratch: &Path) -> f64 {
    let child = command(agxrun, &["--"], scratch)
        .spawn()
        .expect("the command starts");
    let pid = i32::try_from(child.id()).expect("a pid");
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    let mut status = 0;
    // SAFETY: both pointers are to live storage of the types that wait4 fills.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
    assert_eq!(waited, pid);
    // SAFETY: zeroed bytes are a valid rusage, and wait4 has filled it.
    let usage = unsafe { usage.assume_init() };
    let unit = if cfg!(target_os = "macos") {
        1.0
    } else {
        1024.0
    };
    #[allow(clippy::cast_precision_loss)] // megabytes for people
    let bytes = usage.ru_maxrss as f64 * unit;
    bytes / 1e6
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
