//! What must hold of whatever is read.

use std::io::Write;

use agxrun::diagnose::diagnose;
use agxrun::reports::problem::ReadError;
use agxrun::reports::{FileError, Report, frames, ips, read_file};

/// Reads the bytes, asks every question that a caller may ask, and says whether they were a report.
pub(crate) fn judge(bytes: &[u8]) -> Result<Report, ReadError> {
    let report = ips::read(bytes)?;
    let threads = report.threads.len();
    assert!(report.faulting_thread.is_none_or(|index| index < threads));
    for frame in report.crashed_frames() {
        let _named = (report.image_name(frame), frames::describe(&report, frame));
    }
    let lost = report.threads.iter().flat_map(|thread| &thread.frames);
    let lost = lost.filter(|frame| frame.image_index.is_some() && report.image_of(frame).is_none());
    assert!(lost.count() == 0 || !report.problems.is_empty());
    if let Some(sample) = report
        .details
        .as_ref()
        .and_then(|details| details.stackshot())
    {
        let threads: usize = sample
            .processes
            .iter()
            .map(|process| process.thread_count)
            .sum();
        assert_eq!(threads, sample.thread_count);
        let blamed = sample.blamed.iter();
        assert!(blamed.flat_map(|blamed| &blamed.threads).count() <= 4);
    }
    assert!(
        report.problems.len() < 300,
        "{} notes",
        report.problems.len()
    );
    let _told = (
        report.absent(),
        frames::crashed_in(&report),
        diagnose(&report),
    );
    serde_json::to_string(&report).expect("a report is plain data");
    Ok(report)
}

/// A file yields what its bytes do, whether it is read whole or a piece at a time.
pub(crate) fn judge_file(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    match (read_file(file.path()), judge(bytes)) {
        (Ok(from_file), Ok(from_bytes)) => {
            // Odd bytes before the body move what is told of places behind them.
            if str::from_utf8(bytes).is_ok() {
                assert_eq!(from_file, from_bytes);
            }
        }
        (Err(FileError::Unreadable { source, .. }), Err(error)) => assert_eq!(source, error),
        (from_file, from_bytes) => panic!("{from_file:?}, but {from_bytes:?}"),
    }
}
