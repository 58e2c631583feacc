//! The monitor's life: take the archive, copy what stands in the folders and what comes, until it is
//! asked to end.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{Local, Utc};

use super::Settings;
use super::instance::{self, Holder, Instance, Taken};
use super::keeper::{Arrival, Keeper, Outcome};
use super::log::Log;
use super::status::{Copied, Failure, Status};
use crate::reports::archive::Recorded;
use crate::reports::file::{FileError, read_bytes};
use crate::reports::follow::{Event, FolderChange, Follower, Start};

/// Why a monitor cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The archive cannot be made or locked.
    #[error(
        "cannot use the archive `{}`: {source} (check that the folder may be written, or choose \
         another one with `--archive`)",
        path.display()
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The state folder cannot be used.
    #[error("cannot keep state and log in `{}`: {source} (check that the folder may be written)", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The folders cannot be followed.
    #[error("cannot watch for reports: {0}")]
    Follow(io::Error),
    /// Whoever asked for the monitor cannot be told that it runs.
    #[error("cannot say that the monitor runs: {0}")]
    Ready(io::Error),
}

/// How a monitor ended.
#[derive(Debug)]
pub enum End {
    /// It was asked to.
    Asked,
    /// It did not begin: another one has the archive.
    Held(Option<Holder>),
    /// Its archive was removed, and another monitor has taken the one that was made in its place.
    Superseded,
}

/// What a monitor says, and to whom.
pub trait Listener {
    /// It has the archive; from now on what it says is in the log.
    ///
    /// # Errors
    /// Where that cannot be passed on: the monitor then ends.
    fn ready(&mut self, holder: &Holder, log: &Log) -> io::Result<()>;
    /// One line of the log.
    fn line(&mut self, text: &str);
}

/// Serves an archive until `interrupted` has something to read.
///
/// # Errors
/// Where it cannot begin. What goes wrong later is counted, told, and tried again.
pub fn serve(
    settings: &Settings,
    listener: &mut dyn Listener,
    interrupted: BorrowedFd<'_>,
) -> Result<End, ServeError> {
    let archive = |source| ServeError::Archive {
        path: settings.archive.clone(),
        source,
    };
    std::fs::create_dir_all(&settings.archive).map_err(archive)?;
    let holder = Holder {
        pid: std::process::id(),
        started: Utc::now(),
        state: settings.state.clone(),
    };
    let (instance, stale) = match instance::take(&settings.archive, holder.clone()) {
        Ok(Taken::Ours(instance, stale)) => (instance, stale),
        Ok(Taken::Held(other)) => return Ok(End::Held(other)),
        Err(source) => return Err(archive(source)),
    };
    let log = Log::open(&settings.state).map_err(|source| ServeError::State {
        path: settings.state.clone(),
        source,
    })?;
    let mut server = Server {
        settings,
        status: status(settings, &holder, &log),
        log,
        listener,
        changed: true,
    };
    server.begin(&holder, stale.as_ref());
    // What is asked of the monitor from here on it does, and its state can be read.
    server
        .listener
        .ready(&holder, &server.log)
        .map_err(ServeError::Ready)?;
    server.run(instance, interrupted)
}

fn status(settings: &Settings, holder: &Holder, log: &Log) -> Status {
    let folders = settings.folders.iter();
    Status {
        pid: holder.pid,
        started: holder.started,
        folders: folders.map(|folder| folder.path.clone()).collect(),
        archive: settings.archive.clone(),
        log: log.path().to_path_buf(),
        ..Status::default()
    }
}

struct Server<'a> {
    settings: &'a Settings,
    status: Status,
    log: Log,
    listener: &'a mut dyn Listener,
    /// Whether the status file is out of date.
    changed: bool,
}

impl Server<'_> {
    fn begin(&mut self, holder: &Holder, stale: Option<&Holder>) {
        let folders: Vec<String> = self
            .status
            .folders
            .iter()
            .map(|folder| format!("`{}`", folder.display()))
            .collect();
        self.say(&format!(
            "started, pid {}, archive `{}`, watching {}",
            holder.pid,
            self.settings.archive.display(),
            folders.join(", ")
        ));
        if let Some(stale) = stale {
            self.say(&format!(
                "the monitor with pid {}, started {}, ended without a word (killed, or the machine \
                 went down); this one takes its place",
                stale.pid,
                stale.started.to_rfc3339()
            ));
        }
        self.write_status();
    }

    fn run(
        &mut self,
        mut instance: Instance,
        interrupted: BorrowedFd<'_>,
    ) -> Result<End, ServeError> {
        let mut follower = Follower::start_at(&self.settings.folders, Start::Beginning)
            .map_err(ServeError::Follow)?;
        let (mut keeper, unreadable) = Keeper::open(&self.settings.archive);
        for error in unreadable {
            self.fail(&format!("a file of the archive: {error}"));
        }
        loop {
            let unfinished = self.changed || keeper.has_entries();
            let timeout = if unfinished {
                Some(Duration::ZERO)
            } else {
                keeper.due()
            };
            match follower.next_or(timeout, Some(interrupted)) {
                Event::Report(followed) => {
                    if !self.still_ours(&mut instance) {
                        return Ok(End::Superseded);
                    }
                    let path = followed.path;
                    let arrival = Arrival::of(path.clone(), &followed.report, followed.bytes);
                    let outcome = keeper.keep(arrival);
                    self.tell(&path, outcome);
                }
                Event::Unreadable(path, error) => self.unreadable(&path, &error, &mut keeper),
                Event::Folder(path, change) => self.folder(path, &change),
                Event::TimedOut => {
                    if unfinished {
                        self.finish(&mut keeper);
                    } else if keeper.due().is_some_and(|due| due.is_zero()) {
                        if !self.still_ours(&mut instance) {
                            return Ok(End::Superseded);
                        }
                        for (path, outcome) in keeper.retry() {
                            self.tell(&path, outcome);
                        }
                        self.changed = true;
                    }
                }
                Event::Called => break,
            }
            self.status.waiting = keeper.waiting() as u64;
        }
        self.end(&mut keeper, instance);
        Ok(End::Asked)
    }

    /// What waited for a quiet moment: the summary and the status.
    fn finish(&mut self, keeper: &mut Keeper) {
        if keeper.has_entries() {
            match keeper.record() {
                Ok(Recorded {
                    set_aside: Some(path),
                    ..
                }) => self.fail(&format!(
                    "the list of crashes was damaged and has been set aside as `{}`",
                    path.display()
                )),
                Ok(_) => {}
                Err(error) => self.fail(&format!("the list of crashes: {error}; trying again")),
            }
        }
        self.write_status();
    }

    fn end(&mut self, keeper: &mut Keeper, instance: Instance) {
        for (path, outcome) in keeper.retry() {
            self.tell(&path, outcome);
        }
        self.finish(keeper);
        self.status.waiting = keeper.waiting() as u64;
        if self.status.waiting > 0 {
            self.fail(&format!(
                "ends with {} reports that could not be copied; the next start copies those that \
                 are still in their folders",
                self.status.waiting
            ));
        }
        self.status.ended = Some(Utc::now());
        self.say(&format!(
            "ended as asked: {} copied, {} already there, {} waiting, {} lost",
            self.status.copied, self.status.already, self.status.waiting, self.status.lost
        ));
        self.write_status();
        if let Err(error) = instance.release() {
            self.fail(&format!("cannot give the archive back: {error}"));
        }
    }

    fn still_ours(&mut self, instance: &mut Instance) -> bool {
        match instance.renew() {
            Ok(true) => true,
            Ok(false) => {
                self.fail(
                    "the archive was removed, and another monitor has taken the one in its place: \
                     this one ends",
                );
                self.write_status();
                false
            }
            // Copying will tell what is wrong with the archive.
            Err(error) => {
                self.fail(&format!("cannot hold the archive's lock: {error}"));
                true
            }
        }
    }

    fn tell(&mut self, path: &Path, outcome: Outcome) {
        self.changed = true;
        match outcome {
            Outcome::Copied(copy) => {
                self.status.copied += 1;
                self.say(&format!(
                    "copied `{}` as `{}`",
                    path.display(),
                    copy.display()
                ));
                self.status.last_copy = Some(Copied {
                    time: Utc::now(),
                    path: copy,
                });
            }
            Outcome::Already(copy) => {
                self.status.already += 1;
                self.say(&format!(
                    "`{}` is there already as `{}`",
                    path.display(),
                    copy.display()
                ));
            }
            Outcome::Waits(error) => {
                self.fail(&format!("`{}` waits to be copied: {error}", path.display()));
            }
            Outcome::Lost(error) => {
                self.status.lost += 1;
                self.fail(&format!("`{}` is lost: {error}", path.display()));
            }
        }
    }

    /// What is no report is kept as it is: it may be one of a kind that is not known yet.
    fn unreadable(&mut self, path: &Path, error: &FileError, keeper: &mut Keeper) {
        self.changed = true;
        self.status.unreadable += 1;
        self.fail(&error.to_string());
        if matches!(error, FileError::Unreadable { .. })
            && let Ok(bytes) = read_bytes(path)
        {
            let outcome = keeper.keep(Arrival {
                path: path.to_path_buf(),
                bytes: Some(bytes),
                entry: None,
            });
            self.tell(path, outcome);
        }
    }

    fn folder(&mut self, path: PathBuf, change: &FolderChange) {
        self.changed = true;
        self.say(&format!("`{}` {change}", path.display()));
        if matches!(change, FolderChange::NotNotified(_)) {
            return;
        }
        self.status.unwatched.retain(|(known, _)| *known != path);
        if *change != FolderChange::Back {
            self.status.unwatched.push((path, change.to_string()));
        }
    }

    fn fail(&mut self, text: &str) {
        self.status.last_error = Some(Failure {
            time: Utc::now(),
            text: text.to_owned(),
        });
        self.changed = true;
        self.say(&format!("error: {text}"));
    }

    fn say(&mut self, text: &str) {
        self.listener.line(text);
        if let Err(error) = self.log.say(Local::now(), text) {
            self.status.last_error = Some(Failure {
                time: Utc::now(),
                text: format!("cannot write the log: {error}; not written: {text}"),
            });
        }
    }

    fn write_status(&mut self) {
        self.changed = false;
        if let Err(error) = self.status.write(&self.settings.state) {
            // Not through `fail`, which would have it written again at once.
            self.listener
                .line(&format!("error: cannot write the status: {error}"));
        }
    }
}
