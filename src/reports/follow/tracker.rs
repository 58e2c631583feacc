//! From looks at the folders to events. Clocks, folders and files come as arguments.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::known::{self, Key, Known};
use super::{Event, Followed, Stamp, changes, rest, stamps};
use crate::reports::file::FileError;
use crate::reports::model::Report;
use crate::reports::snapshot::{Change, Snapshot, diff};

/// How many files one look reads: so many may wait in memory.
const BATCH: usize = 64;

/// One moment by two clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// By the clock that nobody sets.
    pub steady: Instant,
    /// By the clock that files are stamped with, nanoseconds since 1970.
    pub wall: i128,
}

/// A file's content.
pub struct Read {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub report: Report,
}

/// Keeps the last look and what is still to be told.
pub struct Tracker {
    last: Snapshot,
    known: Known,
    open: BTreeMap<PathBuf, Open>,
    /// Files that could not be looked at, which was told.
    refused: HashSet<(PathBuf, OsString)>,
}

/// A file that is not told yet.
#[derive(Debug)]
struct Open {
    stamp: Option<Stamp>,
    /// Since when it has been as it is.
    since: Instant,
    /// How long it has to be so before it is read.
    rest: Duration,
    /// Whether it stood there before, and was changed.
    touched: bool,
    /// That it cannot be opened was told. It is tried again with each look: a change of permissions
    /// does not change its stamp.
    told: bool,
}

impl Open {
    fn new(now: Instant, touched: bool) -> Self {
        Self {
            stamp: None,
            since: now,
            rest: rest::ANY,
            touched,
            told: false,
        }
    }

    /// How long it still has to be at rest.
    fn left(&self, now: Moment) -> Duration {
        let seen = now.steady.saturating_duration_since(self.since);
        // A file that came from elsewhere is older than we have known it.
        let age = self.stamp.map_or(0, |(_, _, modified)| now.wall - modified);
        let age = Duration::from_nanos(u64::try_from(age).unwrap_or(0));
        self.rest.saturating_sub(seen.max(age))
    }
}

impl Tracker {
    /// What stands in `last` is known to stand there, whether or not it is in `known`.
    pub fn new(last: Snapshot, known: Known) -> Self {
        Self {
            last,
            known,
            open: BTreeMap::new(),
            refused: HashSet::new(),
        }
    }

    /// Files of the first snapshot that are being written: they are new.
    pub fn expect(&mut self, growing: Vec<PathBuf>) {
        let now = Instant::now();
        let open = |path| (path, Open::new(now, false));
        self.open.extend(growing.into_iter().map(open));
    }

    /// Takes in a look at the folders and says what happened.
    pub fn look(
        &mut self,
        snapshot: Snapshot,
        now: Moment,
        read: &mut dyn FnMut(&Path) -> Result<Read, FileError>,
    ) -> Vec<Event> {
        let mut events: Vec<Event> = changes::between(&self.last, &snapshot)
            .into_iter()
            .map(|(path, change)| Event::Folder(path, change))
            .collect();
        for change in diff(&self.last, &snapshot) {
            self.take_in(change, now.steady);
        }
        let stamps = stamps(&snapshot);
        self.restamp(&stamps, now.steady);
        events.extend(self.vanished(&stamps));
        events.extend(self.refused(&snapshot));
        self.last = snapshot;
        events.extend(self.read_those_at_rest(now, read));
        events
    }

    /// After what time something is to be looked at though nothing changes.
    pub fn due(&self, now: Moment) -> Option<Duration> {
        self.open
            .values()
            .filter(|open| !open.told)
            .map(|open| open.left(now))
            .min()
    }

    fn take_in(&mut self, change: Change, now: Instant) {
        match change {
            Change::New { path } => {
                self.open.insert(path, Open::new(now, false));
            }
            Change::Touched { path } => {
                let open = self.open.entry(path);
                open.or_insert_with(|| Open::new(now, true));
            }
            Change::Moved { from, to } => {
                if let Some(open) = self.open.remove(&from) {
                    self.open.insert(to, open);
                }
            }
        }
    }

    /// What has changed begins its rest anew.
    fn restamp(&mut self, stamps: &HashMap<PathBuf, Stamp>, now: Instant) {
        for (path, open) in &mut self.open {
            let stamp = stamps.get(path).copied();
            if stamp.is_some() && stamp != open.stamp {
                open.stamp = stamp;
                open.since = now;
                open.rest = rest::ANY;
                open.told = false;
            }
        }
    }

    /// Files that are gone before they could be told, and stand nowhere else.
    fn vanished(&mut self, stamps: &HashMap<PathBuf, Stamp>) -> Vec<Event> {
        let gone: Vec<PathBuf> = self
            .open
            .keys()
            .filter(|path| !stamps.contains_key(*path))
            .cloned()
            .collect();
        let identities: HashSet<_> = stamps.values().map(|(identity, ..)| *identity).collect();
        let mut events = Vec::new();
        for path in gone {
            let Some(open) = self.open.remove(&path) else {
                continue;
            };
            let elsewhere = open
                .stamp
                .is_some_and(|(identity, ..)| identities.contains(&identity));
            if !elsewhere && !open.told {
                let source = io::Error::new(
                    io::ErrorKind::NotFound,
                    "it was removed before it could be read whole",
                );
                let error = FileError::Io {
                    path: path.clone(),
                    source,
                };
                events.push(Event::Unreadable(path, error));
            }
        }
        events
    }

    /// Files that could not even be looked at, each told once.
    fn refused(&mut self, snapshot: &Snapshot) -> Vec<Event> {
        let mut refused = HashSet::new();
        let mut events = Vec::new();
        for directory in &snapshot.directories {
            for (name, reason) in &directory.errors {
                let file = (directory.path.clone(), name.clone());
                if !self.refused.contains(&file) {
                    let path = directory.path.join(name);
                    let error = FileError::Io {
                        path: path.clone(),
                        source: io::Error::other(reason.clone()),
                    };
                    events.push(Event::Unreadable(path, error));
                }
                refused.insert(file);
            }
        }
        self.refused = refused;
        events
    }

    fn read_those_at_rest(
        &mut self,
        now: Moment,
        read: &mut dyn FnMut(&Path) -> Result<Read, FileError>,
    ) -> Vec<Event> {
        let at_rest = |told: bool| {
            self.open
                .iter()
                .filter(move |(_, open)| open.told == told && open.left(now).is_zero())
                .map(|(path, _)| path.clone())
        };
        // Those that cannot be opened cost little, and must not keep others out of the batch.
        let at_rest: Vec<PathBuf> = at_rest(false).take(BATCH).chain(at_rest(true)).collect();
        let mut events = Vec::new();
        for path in at_rest {
            let Some(mut open) = self.open.remove(&path) else {
                continue;
            };
            let outcome = read(&path);
            if outcome.as_ref().is_err_and(FileError::is_transient) {
                // Changed or moved since the look: the next one sees how.
                open.since = now.steady;
                open.stamp = None;
                self.open.insert(path, open);
                continue;
            }
            let content = outcome
                .as_ref()
                .map(|read| (&read.report, read.bytes.as_slice()));
            open.rest = open.rest.max(rest::needed(content));
            if !open.left(now).is_zero() {
                self.open.insert(path, open);
                continue;
            }
            match outcome {
                Ok(read) => events.extend(self.tell(path, read, open.touched)),
                Err(error) => {
                    let may_be_opened_later = matches!(error, FileError::Io { .. });
                    if !open.told {
                        events.push(Event::Unreadable(path.clone(), error));
                    }
                    if may_be_opened_later {
                        open.told = true;
                        self.open.insert(path, open);
                    }
                }
            }
        }
        events
    }

    /// The event of a report, unless it is a copy of one that is known.
    fn tell(&mut self, path: PathBuf, read: Read, touched: bool) -> Option<Event> {
        let key = known::key(&read);
        let anonymous = matches!(key, Key::Content(_));
        let new = self.known.insert(key);
        if !new && !touched {
            return None;
        }
        Some(Event::Report(Box::new(Followed {
            path,
            report: read.report,
            bytes: read.bytes,
            // Without an id, what stands under a name that was there is the same report.
            touched: touched && (anonymous || !new),
        })))
    }
}
