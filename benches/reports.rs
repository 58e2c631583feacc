//! Speed of reading reports and of looking through large report folders.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use agxrun::reports::listing::{Query, list};
use agxrun::reports::snapshot::diff;
use agxrun::reports::{ReportFolder, Snapshot, ips};
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
    group.finish();
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

criterion_group!(benches, reading, folders);
criterion_main!(benches);
