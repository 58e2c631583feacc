use std::collections::BTreeMap;
use std::time::Duration;

use agxrun::reports::ReportFolder;
use agxrun::reports::follow::{Event, FolderChange, Followed, Follower};

use crate::writer::{Manner, Writer, incident, manner, text};

const LONG: Duration = Duration::from_mins(1);
const COUNT: usize = 1000;

#[test]
fn each_of_a_thousand_reports_is_told_once_and_whole() {
    let base = tempfile::tempdir().expect("a temporary folder");
    let folder = base.path().join("DiagnosticReports");
    std::fs::create_dir(&folder).expect("made");
    let folders = [ReportFolder::new(&folder)];
    let mut follower = Follower::start(&folders).expect("follows");
    let mut writer = Writer::start(&folder, COUNT);
    let mut told = Told::default();
    told.follow(&mut follower, COUNT / 2);
    writer.go_on();
    told.follow(&mut follower, COUNT);
    writer.end();
    // What is left to tell was written again after it had been told.
    while let Event::Report(followed) = follower.next(Some(Duration::from_millis(500))) {
        told.take(&followed);
    }
    for number in 0..COUNT {
        let times = told.new.get(&incident(number)).copied();
        assert_eq!(times, Some(1), "report {number}, {:?}", manner(number));
    }
    assert!(told.gone <= 1, "the folder was removed once");
}

#[derive(Default)]
struct Told {
    new: BTreeMap<String, usize>,
    gone: usize,
}

impl Told {
    /// Takes what comes until so many incidents are known.
    fn follow(&mut self, follower: &mut Follower, count: usize) {
        while self.new.len() < count {
            match follower.next(Some(LONG)) {
                Event::Report(followed) => self.take(&followed),
                Event::Folder(_, FolderChange::Gone) => self.gone += 1,
                Event::Folder(_, FolderChange::Back) => {}
                other => panic!("after {} reports: {other:?}", self.new.len()),
            }
        }
    }

    fn take(&mut self, followed: &Followed) {
        let incident = followed.report.incident().expect("an incident").to_owned();
        let number = followed.report.process.pid.expect("a number");
        let number = usize::try_from(number).expect("a number");
        let rewritten = manner(number) == Manner::Rewritten;
        let whole = followed.bytes == text(number, 1).as_bytes()
            || rewritten && followed.bytes == text(number, 2).as_bytes();
        assert!(whole, "report {number} is not whole");
        assert!(
            !followed.touched || rewritten,
            "report {number} was written once and told as written again"
        );
        if !followed.touched {
            *self.new.entry(incident).or_default() += 1;
        }
    }
}
