//! What knowing failures costs: beside the reading of a report, and on each line of stderr.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;

use agxrun::diagnose::{Groups, Signatures, diagnose, fingerprint, match_line};
use agxrun::reports::{Report, ips};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn bytes(folder: &str, file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder)
        .join(file);
    std::fs::read(path).expect("test data")
}

/// A report that matches nothing, so that every signature is tried, one with deep C++ names, and one
/// of the driver's race.
const REPORTS: [(&str, &str); 3] = [
    ("reports", "001_Python.ips"),
    ("reports", "008_MotoCortex.ips"),
    ("rehearsal", "impl.ips"),
];

fn reports(criterion: &mut Criterion) {
    for (folder, file) in REPORTS {
        let bytes = bytes(folder, file);
        let report = ips::read(&bytes).expect("a report");
        let mut group = criterion.benchmark_group(file);
        group.bench_function("read", |bencher| {
            bencher.iter(|| ips::read(black_box(&bytes)).expect("a report"));
        });
        group.bench_function("diagnose", |bencher| {
            bencher.iter(|| diagnose(black_box(&report)));
        });
        group.bench_function("fingerprint", |bencher| {
            bencher.iter(|| fingerprint(black_box(&report)));
        });
        group.finish();
    }
    let all: Vec<Report> = REPORTS
        .iter()
        .map(|(folder, file)| ips::read(&bytes(folder, file)).expect("a report"))
        .collect();
    criterion.bench_function("group 300 reports", |bencher| {
        bencher.iter(|| {
            let mut groups = Groups::new();
            for report in all.iter().cycle().take(300) {
                groups.add(Path::new("x.ips"), report, diagnose(report).as_ref());
            }
            groups.finish()
        });
    });
}

/// Two megabytes of what programs say, without a line that is known.
fn log() -> String {
    let mut text = String::new();
    let mut step = 0_u32;
    while text.len() < 2 << 20 {
        step += 1;
        writeln!(
            text,
            "2026-01-10 12:00:{:02}.{step:06} [worker-{}] step {step}: loss 0.{step:05}, lr 1e-4, {} samples/s, \
             Metal device Apple M4 Max, command queue {:#x}",
            step % 60,
            step % 8,
            step * 7 % 999,
            step * 64
        )
        .expect("a String takes all");
    }
    text
}

fn lines(criterion: &mut Criterion) {
    let text = log();
    let mut group = criterion.benchmark_group("stderr");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("lines", |bencher| {
        bencher.iter(|| {
            text.lines()
                .filter(|line| match_line(black_box(line)).is_some())
                .count()
        });
    });
    group.finish();
    criterion.bench_function("load the table", |bencher| {
        let folder = std::env::temp_dir().join(format!("agxrun-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("empty.toml");
        std::fs::write(&path, "").expect("a file");
        bencher.iter(|| Signatures::with_file(&path).expect("an empty file"));
        std::fs::remove_dir_all(&folder).expect("our own folder");
    });
}

criterion_group!(benches, reports, lines);
criterion_main!(benches);
