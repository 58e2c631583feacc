//! Damage for as long as one likes, to made files and to real ones.
//!
//! `scripts/fuzz-images.sh` runs it. Only what the reader looks at is damaged, so that each try counts
//! even in a file of a hundred megabytes.

use std::env;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::time::{Duration, Instant};

use agxrun::target::image::{Contents, Unreadable};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::mutated::seeds;
use crate::watched::Watched;

/// A file, and what the reader looks at in it.
struct Subject {
    file: File,
    reads: Vec<Range<u64>>,
}

impl Subject {
    fn of(file: File) -> Self {
        let watched = Watched::new(&file);
        Contents::parse(&watched).expect("seeds are whole");
        let reads = watched.reads();
        Subject { file, reads }
    }
}

fn subjects() -> Vec<Subject> {
    let mut subjects: Vec<Subject> = seeds()
        .iter()
        .map(|seed| {
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(seed).expect("written");
            Subject::of(file)
        })
        .collect();
    if let Some(folder) = env::var_os("AGXRUN_REAL_BINARIES") {
        for entry in std::fs::read_dir(folder).expect("the folder of real files") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                subjects.push(Subject::of(File::open(path).expect("a real file")));
            }
        }
    }
    subjects
}

#[test]
#[ignore = "runs for AGXRUN_FUZZ_SECONDS; scripts/fuzz-images.sh starts it"]
fn damage_for_a_while() {
    let seconds: u64 = env::var("AGXRUN_FUZZ_SECONDS")
        .expect("AGXRUN_FUZZ_SECONDS says how long")
        .parse()
        .expect("AGXRUN_FUZZ_SECONDS is a number");
    let subjects = subjects();
    let mut runner = TestRunner::default();
    let act = (
        0..subjects.len(),
        proptest::collection::vec((proptest::num::u64::ANY, proptest::num::u8::ANY), 1..9),
        proptest::option::weighted(0.1, 0.0..1.0_f64),
    );
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut tries, mut refused, mut most) = (0_u64, 0_u64, 0);
    while Instant::now() < end {
        let (subject, damage, cut) = act.new_tree(&mut runner).expect("a case").current();
        let subject = &subjects[subject];
        let mut watched = Watched::new(&subject.file);
        watched.damage = damage
            .iter()
            .map(|(place, value)| (pick(&subject.reads, *place), *value))
            .collect();
        let size = subject.file.metadata().expect("it is open").len();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )] // A share of the file's length.
        let end = cut.map(|share| (share * size as f64) as u64);
        watched.end = end;
        refused += u64::from(is_refused(&watched));
        tries += 1;
        most = most.max(watched.bytes());
        // Every buffer is as long as what is read into it: this bounds the memory, too.
        assert!(most < 16 * 1024 * 1024, "{most} bytes for {damage:?}");
    }
    assert!(refused > 0 && refused < tries, "{refused} of {tries}");
    eprintln!("{tries} files, {refused} of them unreadable; at most {most} bytes of one were read");
}

fn is_refused(watched: &Watched<'_>) -> bool {
    match Contents::parse(watched) {
        Ok(Contents::MachO(slices)) => slices.iter().any(|slice| slice.contents.is_err()),
        Ok(_) => false,
        Err(
            Unreadable::Truncated { .. }
            | Unreadable::TooLarge { .. }
            | Unreadable::Malformed { .. }
            | Unreadable::Contradiction { .. },
        ) => true,
        Err(other) => panic!("damage is no reason for {other:?}"),
    }
}

/// The place that `number` picks among those that are read.
fn pick(reads: &[Range<u64>], number: u64) -> u64 {
    let read = &reads[usize::try_from(number % reads.len() as u64).expect("an index")];
    read.start + (number >> 8) % (read.end - read.start).max(1)
}
