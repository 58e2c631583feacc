//! Speed of reading reports and of looking through large report folders.
//!
//! With `AGXRUN_PYCRASHREPORT=<python>`, an interpreter that has `pycrashreport` (`python3 -m venv V
//! && V/bin/pip install pycrashreport`), the same reports are read by it, too.

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use agxrun::reports::listing::{Query, list};
use agxrun::reports::snapshot::diff;
use agxrun::reports::{Kind, ReportFolder, Snapshot, ips, read_file};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const FILES: usize = 10_000;

/// A report small enough that 10,000 of them fit on any disk.
const SMALL: &str = "tests/data/reports/053_sleep.ips";

fn reading(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let mut group = criterion.benchmark_group("read");
    for name in [
        "005_PhotoGuruViewer.ips",
        "031_qlcplus.ips",
        "053_sleep.ips",
        "092_x.ips",
    ] {
        let bytes = fs::read(folder.join(name)).expect("test data");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| ips::read(black_box(&bytes)).expect("a report"));
        });
    }
    let crashes: Vec<Vec<u8>> = crashes()
        .iter()
        .map(|path| fs::read(path).expect("test data"))
        .collect();
    let bytes: usize = crashes.iter().map(Vec::len).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("all crashes with a JSON body", |bencher| {
        bencher.iter(|| {
            for bytes in &crashes {
                ips::read(black_box(bytes)).expect("a report");
            }
        });
    });
    let sample = sample_of_two_megabytes();
    let size = fs::metadata(sample.path()).expect("it was written").len();
    group.throughput(Throughput::Bytes(size));
    group.bench_function("a sample of 2 MB from its file", |bencher| {
        bencher.iter(|| read_file(black_box(sample.path())).expect("a report"));
    });
    group.finish();
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports")
}

/// The whole reports of the corpus with bug type 309.
fn crashes() -> Vec<PathBuf> {
    let entries = fs::read_dir(data()).expect("the folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "ips")
            && read_file(path)
                .is_ok_and(|report| report.kind == Kind::Crash && report.problems.is_empty())
    });
    paths.sort();
    paths
}

/// The sample of the corpus, with one of its processes as often again as makes 2 MB.
fn sample_of_two_megabytes() -> tempfile::NamedTempFile {
    const SIZE: usize = 2_000_000;
    let text = fs::read_to_string(data().join("092_x.ips")).expect("test data");
    let start = text.find("\"processByPid\" : {").expect("its processes") + 18;
    let process = text.find("\"34\" : {").expect("a process") + 7;
    let end = process + text[process..].find("\n},").expect("its end") + 2;
    let process = &text[process..end];
    let missing = (SIZE - text.len()).div_ceil(process.len());
    let mut again = String::new();
    for number in 0..missing {
        again.extend(["\"", &(100_000 + number).to_string(), "\":", process, ","]);
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    let whole = format!("{}{again}{}", &text[..start], &text[start..]);
    fs::write(file.path(), whole).expect("written");
    let report = read_file(file.path()).expect("a report");
    assert_eq!(report.problems, []);
    file
}

/// Reads each report several times and prints the seconds of the fastest pass.
const PYTHON: &str = "
import sys, time
from pycrashreport.crash_report import get_crash_report_from_buf
texts = [open(path, encoding='utf8').read() for path in sys.argv[1:]]
best = None
for _ in range(20):
    start = time.perf_counter()
    for text in texts:
        report = get_crash_report_from_buf(text)
        report.faulting_thread, report.exception_type, report.frames, report.registers
    passed = time.perf_counter() - start
    best = passed if best is None else min(best, passed)
print(best)
";

/// What `pycrashreport` takes for the reports that the bench before reads.
fn other_reader(_: &mut Criterion) {
    let Some(python) = env::var_os("AGXRUN_PYCRASHREPORT") else {
        eprintln!("pycrashreport is not asked: AGXRUN_PYCRASHREPORT names no interpreter");
        return;
    };
    let paths = crashes();
    let bytes: u64 = paths
        .iter()
        .map(|path| fs::metadata(path).expect("test data").len())
        .sum();
    let output = Command::new(python)
        .args(["-c", PYTHON])
        .args(&paths)
        .output();
    let output = output.expect("the interpreter runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pycrashreport: {errors}");
    let seconds: f64 = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .expect("seconds");
    #[allow(clippy::cast_precision_loss)] // A few megabytes.
    let rate = bytes as f64 / seconds / 1e6;
    eprintln!(
        "pycrashreport: {} crashes with a JSON body in {:.2} ms, {rate:.0} MB/s",
        paths.len(),
        seconds * 1e3
    );
}

/// 10,000 reports with the names that ReportCrash gives.
fn fill(folder: &Path) {
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(SMALL)).expect("test data");
    for number in 0..FILES {
        let (minute, second) = (number / 60 % 60, number % 60);
        let (day, hour) = (1 + number / 86_400, number / 3600 % 24);
        let name = format!("Python-2026-01-{day:02}-{hour:02}{minute:02}{second:02}.ips");
        fs::write(folder.join(name), &bytes).expect("written");
    }
}

fn folders(criterion: &mut Criterion) {
    let root = tempfile::tempdir().expect("a folder");
    fill(root.path());
    let folders = [ReportFolder::new(root.path())];
    criterion.bench_function("snapshot of 10,000", |bencher| {
        bencher.iter(|| {
            let snapshot = Snapshot::take(black_box(&folders));
            assert_eq!(snapshot.file_count(), FILES);
        });
    });
    let (before, after) = (Snapshot::take(&folders), Snapshot::take(&folders));
    criterion.bench_function("diff of 10,000", |bencher| {
        bencher.iter(|| diff(black_box(&before), black_box(&after)));
    });
    let query = Query {
        limit: Some(1),
        crashes_only: true,
        ..Query::default()
    };
    criterion.bench_function("latest of 10,000", |bencher| {
        bencher.iter(|| list(black_box(&folders), None, &query, &|local| local.and_utc()));
    });
}

criterion_group!(benches, reading, other_reader, folders);
criterion_main!(benches);
