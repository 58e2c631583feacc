//! The runs of a series, several at a time, to the end of their schedule.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::Utc;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::book::Book;
use super::child::{Child, Ended, StartError};
use super::late::Late;
use super::outputs::Outputs;
use super::patience::Patience;
use super::recover::{Known, recover};
use super::shared::{self, Run, Shared};
use super::state::{self, Entry, Header, Resumed, SCHEMA, State};
use super::{
    End, Finished, Notice, Schedule, Series, SeriesError, Show, Slot, StateError, Watcher, plan,
    platform,
};
use crate::history::{Kind, RunLine};
use crate::run::interrupts::Interrupts;

/// How often the watcher's clock ticks, in milliseconds.
const TICK: u16 = 500;

/// How much of the last words of a run that could not be launched is told, in bytes.
const WORDS: u64 = 4000;

/// Makes the runs of `series` that `schedule` asks for, and tells `watcher`.
///
/// INT, TERM and HUP end the series and not the process while this goes on. To be called on the thread that lives longest.
///
/// # Errors
/// [`SeriesError`] where nothing was run: the state file cannot be made, or is of something else. What goes wrong later ends the
/// series ([`Finished::end`]) and loses no run.
pub fn run(
    series: &Series,
    schedule: &mut dyn Schedule,
    watcher: &mut dyn Watcher,
) -> Result<Finished, SeriesError> {
    let mut engine = Engine::open(series)?;
    let mut told = Told { schedule, watcher };
    engine.work(&mut told)?;
    engine.finish(&mut told)
}

/// Those who are told of each run.
struct Told<'a> {
    schedule: &'a mut dyn Schedule,
    watcher: &'a mut dyn Watcher,
}

impl Told<'_> {
    fn done(&mut self, slot: Slot, line: &RunLine) {
        self.schedule.done(slot, line);
        self.watcher.done(slot, line);
    }
}

struct Engine<'a> {
    series: &'a Series,
    agxrun: PathBuf,
    book: Book,
    outputs: Outputs,
    interrupts: Interrupts,
    begun: Instant,
    /// How long the series had gone on before it was resumed.
    before: Duration,
    known: BTreeMap<u64, Known>,
    running: Vec<Child>,
    shared: Shared,
    patience: Patience,
    late: Late,
    /// How often we were asked to end.
    asked: u32,
    /// Runs that we ended and of which nothing is known.
    cut: u64,
    end: Option<End>,
    lines: Vec<(Slot, RunLine)>,
    resumed: usize,
    notices: Vec<Notice>,
}

impl<'a> Engine<'a> {
    fn open(series: &'a Series) -> Result<Self, SeriesError> {
        let agxrun =
            std::env::current_exe().map_err(SeriesError::system("find the running agxrun"))?;
        let interrupts =
            Interrupts::catch().map_err(SeriesError::system("install signal handlers"))?;
        let (state, resumed) = if series.resume {
            State::resume(&series.state, series.command, &series.plan)?
        } else {
            let header = Header {
                schema: SCHEMA,
                series: series.id.clone(),
                command: series.command.to_owned(),
                started: Utc::now(),
                arguments: plan::words(&series.arguments),
                plan: series.plan.clone(),
            };
            let nothing = Resumed {
                entries: Vec::new(),
                torn: 0,
            };
            (State::create(&series.state, &header)?, nothing)
        };
        let mut engine = Self {
            series,
            agxrun,
            book: Book::new(state, series),
            outputs: Outputs::new(series.outputs()),
            interrupts,
            begun: Instant::now(),
            before: state::until(&resumed.entries),
            known: BTreeMap::new(),
            running: Vec::new(),
            shared: Shared::default(),
            patience: Patience::default(),
            late: Late::default(),
            asked: 0,
            cut: 0,
            end: None,
            lines: Vec::new(),
            resumed: 0,
            notices: Vec::new(),
        };
        engine.notices.extend(busy());
        if series.resume {
            engine.remember(resumed);
        }
        Ok(engine)
    }

    /// Takes up what an earlier `agxrun` has left.
    fn remember(&mut self, resumed: Resumed) {
        if resumed.torn > 0 {
            let bytes = resumed.torn;
            self.notices.push(Notice::TornState { bytes });
        }
        let recovered = recover(self.series, resumed.entries, &mut self.shared);
        if recovered.found_elsewhere > 0 {
            let runs = recovered.found_elsewhere;
            self.notices.push(Notice::Recovered { runs });
        }
        for (path, error) in recovered.unread {
            let reason = format!("{}: {error}", path.display());
            self.notices.push(Notice::HistoryUnread { reason });
        }
        for line in recovered.made_again {
            self.add_to_history(&line);
        }
        self.known = recovered.runs;
    }

    /// Until nothing is to be started and nothing runs.
    fn work(&mut self, told: &mut Told<'_>) -> Result<(), SeriesError> {
        loop {
            while self.end.is_none() && self.running.len() < self.series.jobs.max(1) {
                let Some(slot) = told.schedule.next() else {
                    break;
                };
                match self.known.remove(&slot.number) {
                    Some(known) => self.replay(slot, known, told)?,
                    None => self.start(slot, told.watcher),
                }
            }
            if self.running.is_empty() {
                return Ok(());
            }
            self.wait(told)
                .map_err(SeriesError::system("watch the runs"))?;
        }
    }

    /// A run of before the resumption is told as if it had ended now.
    fn replay(&mut self, slot: Slot, known: Known, told: &mut Told<'_>) -> Result<(), SeriesError> {
        if let Some(was) = known.planned
            && was != slot
        {
            let difference = format!(
                "its run {} was of arm {} in block {}, and is of arm {} in block {}",
                slot.number + 1,
                was.arm,
                was.block,
                slot.arm,
                slot.block
            );
            return Err(SeriesError::State(StateError::Differs {
                path: self.series.state.clone(),
                differences: vec![difference],
            }));
        }
        let mut run = Run { slot, ..known.run };
        if known.planned.is_none() {
            self.pick_metric(slot, &mut run.line);
        }
        if !known.is_stored {
            self.store(&run, false, told.watcher);
            self.keep_or_discard(slot, &run.line);
        }
        if known.is_to_be_in_history {
            self.add_to_history(&run.line);
        }
        self.resumed += 1;
        self.tell(run, told);
        Ok(())
    }

    fn start(&mut self, slot: Slot, watcher: &mut dyn Watcher) {
        watcher.begun(slot);
        let at = self.elapsed();
        let wait = self.patience.option(&self.series.arms[slot.arm].options);
        match Child::start(&self.agxrun, self.series, slot, at, wait, &self.outputs) {
            Ok(child) => self.running.push(child),
            Err(StartError::Output(error)) => {
                let folder = self.series.outputs();
                let reason = format!(
                    "cannot make the files for the output of a run in `{}`: {error} (hint: make room, or name another folder with --archive)",
                    folder.display()
                );
                self.stop(End::Storage { reason });
            }
            Err(StartError::Process(error)) => {
                let reason = format!(
                    "cannot start `{}`: {error} (hint: is it still there, and may this user start more processes?)",
                    self.agxrun.display()
                );
                self.stop(End::Launch { code: None, reason });
            }
        }
    }

    /// Waits for something to happen, and takes it up.
    fn wait(&mut self, told: &mut Told<'_>) -> io::Result<()> {
        let mut fds: Vec<PollFd<'_>> = std::iter::once(self.interrupts.as_fd())
            .chain(self.running.iter().map(Child::as_fd))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut fds, PollTimeout::from(TICK)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds
            .iter()
            .map(|fd| fd.revents().is_some_and(|events| !events.is_empty()))
            .collect();
        for signal in self.interrupts.take_all()? {
            self.interrupted(signal, told.watcher)?;
        }
        // From the last to the first, as those that have ended are taken out.
        for at in (0..self.running.len()).rev() {
            if ready[at + 1] && self.running[at].read()? {
                let child = self.running.remove(at);
                let begun = child.at;
                self.ended(child.end()?, begun, told);
            }
        }
        told.watcher.tick();
        Ok(())
    }

    fn interrupted(&mut self, signal: i32, watcher: &mut dyn Watcher) -> io::Result<()> {
        self.asked += 1;
        if self.asked == 1 {
            self.stop(End::Interrupted { signal });
            let running = self.running.len();
            watcher.notice(&Notice::Interrupted { signal, running });
        }
        for child in &self.running {
            match self.asked {
                1 => child.terminate()?,
                2 => child.hurry()?,
                _ => child.kill()?,
            }
        }
        Ok(())
    }

    fn ended(&mut self, ended: Ended, begun: Duration, told: &mut Told<'_>) {
        let slot = ended.slot;
        if let Some(seconds) = ended.begun.jumped() {
            let slot = slot.number;
            self.notices.push(Notice::ClockJumped { slot, seconds });
        }
        let decided = match self.line_of(ended) {
            Some(mut line) => {
                self.pick_metric(slot, &mut line);
                self.late.settle(slot.number, &mut line);
                self.take_note_of_reports(&line);
                let run = Run {
                    slot,
                    begun,
                    ended: self.elapsed(),
                    line,
                };
                self.weigh(run, told.watcher)
            }
            None => self.shared.gone(slot.number),
        };
        for run in decided {
            self.add_to_history(&run.line);
            // What we ended and what turns out not to have crashed shows nothing.
            if self.asked > 0 && run.line.kind == Kind::Interrupted {
                self.cut(run.slot);
                continue;
            }
            self.store(&run, false, told.watcher);
            self.settle_output(run.slot, &run.line);
            self.tell(run, told);
        }
    }

    /// What a run has said of itself; nothing where it shows nothing, or nothing was run.
    fn line_of(&mut self, ended: Ended) -> Option<RunLine> {
        let slot = ended.slot;
        match ended.line {
            // What we ended shows nothing, and is made again when the series is resumed.
            Some(Ok(line)) if self.asked > 0 && line.kind == Kind::Interrupted => {
                self.add_to_history(&line);
                self.cut(slot);
            }
            None if self.asked > 0 => self.cut(slot),
            // Nothing was launched, and nothing else will be.
            Some(Ok(line)) if line.kind == Kind::Refused && line.pid.is_none() => {
                self.add_to_history(&line);
                self.output(slot, |outputs| outputs.discard(slot.number, true));
                self.stop(End::Launch {
                    code: Some(line.verdict),
                    reason: line.warnings.join("; "),
                });
            }
            Some(Ok(line)) => return Some(line),
            Some(Err(error)) => {
                let reason = format!("run {} said of itself: {error}", slot.number + 1);
                self.stop(End::Launch { code: None, reason });
            }
            None => {
                let reason = self.last_words(slot, ended.status);
                let code = ended.status.code().and_then(|it| u8::try_from(it).ok());
                self.stop(End::Launch { code, reason });
            }
        }
        None
    }

    /// Asks whose the run's reports are. Returns the runs of which that is known now; where this is none of them it is written down
    /// as it stands.
    fn weigh(&mut self, run: Run, watcher: &mut dyn Watcher) -> Vec<Run> {
        let running: BTreeSet<u64> = self.running.iter().map(|it| it.slot.number).collect();
        let as_it_stands = run.clone();
        let decided = self.shared.ended(run, running);
        if !decided.iter().any(|run| run.slot == as_it_stands.slot) {
            self.store(&as_it_stands, true, watcher);
        }
        decided
    }

    fn tell(&mut self, run: Run, told: &mut Told<'_>) {
        told.done(run.slot, &run.line);
        self.lines.push((run.slot, run.line));
    }

    fn cut(&mut self, slot: Slot) {
        self.cut += 1;
        self.output(slot, |outputs| outputs.discard(slot.number, false));
    }

    /// Why a run said nothing of itself.
    fn last_words(&mut self, slot: Slot, status: std::process::ExitStatus) -> String {
        let pair = self.outputs.pair(slot.number);
        let words = match pair.last_words(WORDS) {
            Ok(words) if !words.trim().is_empty() => words.trim_end().to_owned(),
            Ok(_) => format!("run {} ended without a word: {status}", slot.number + 1),
            Err(error) => format!(
                "run {} ended: {status}; its output: {error}",
                slot.number + 1
            ),
        };
        // They are told here, in full.
        self.output(slot, |outputs| outputs.discard(slot.number, true));
        words
    }

    fn take_note_of_reports(&mut self, line: &RunLine) {
        if let Some(runs) = self.patience.told(line) {
            let wait = Patience::short().as_secs_f64();
            self.notices.push(Notice::NoReports { runs, wait });
        }
    }

    fn pick_metric(&mut self, slot: Slot, line: &mut RunLine) {
        let Some(metric) = &self.series.metric else {
            return;
        };
        let pair = self.outputs.pair(slot.number);
        match metric.in_files(&[&pair.out, &pair.err]) {
            Ok(found) => line.metric = found,
            Err(error) => self.output(slot, |_| Err(error)),
        }
    }

    /// Writes a run into the state file. Where that fails it is kept in memory and the series ends.
    fn store(&mut self, run: &Run, held: bool, watcher: &mut dyn Watcher) {
        if let Err(error) = self.book.state(&Entry::of(run, held)) {
            let reason = format!(
                "cannot write to the state file `{}`: {error} (hint: make room, then go on with --resume)",
                self.series.state.display()
            );
            watcher.notice(&Notice::Output {
                slot: run.slot.number,
                reason: reason.clone(),
            });
            self.stop(End::Storage { reason });
        }
    }

    /// Adds a run to the history. The first failure is told: the others will be like it.
    fn add_to_history(&mut self, line: &RunLine) {
        let is_told = |notice: &Notice| matches!(notice, Notice::HistoryUnwritten { .. });
        if let Err(error) = self.book.history(line)
            && !self.notices.iter().any(is_told)
        {
            let reason = error.to_string();
            self.notices.push(Notice::HistoryUnwritten { reason });
        }
    }

    fn settle_output(&mut self, slot: Slot, line: &RunLine) {
        if self.series.output == Show::PassOn {
            self.output(slot, |outputs| outputs.pass_on(slot.number));
        }
        self.keep_or_discard(slot, line);
    }

    fn keep_or_discard(&mut self, slot: Slot, line: &RunLine) {
        let lacks_metric = self.series.metric.is_some() && line.metric.is_none();
        let forget = line.kind == Kind::Clean && !lacks_metric;
        self.output(slot, |outputs| outputs.discard(slot.number, forget));
    }

    /// Does something with a run's output. The first failure is told: the others will be like it.
    fn output(&mut self, slot: Slot, act: impl FnOnce(&Outputs) -> io::Result<()>) {
        let is_told = |notice: &Notice| matches!(notice, Notice::Output { .. });
        if let Err(error) = act(&self.outputs)
            && !self.notices.iter().any(is_told)
        {
            let (slot, reason) = (slot.number, error.to_string());
            self.notices.push(Notice::Output { slot, reason });
        }
    }

    /// No run is started any more. The first reason stands.
    fn stop(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    fn elapsed(&self) -> Duration {
        self.before + self.begun.elapsed()
    }

    fn finish(mut self, told: &mut Told<'_>) -> Result<Finished, SeriesError> {
        // The schedule did not come to ask for these, but they were made.
        for (_, known) in std::mem::take(&mut self.known) {
            let slot = known.run.slot;
            self.replay(slot, known, told)?;
        }
        // There would be nothing to go on with.
        if self.lines.is_empty() && !self.series.resume {
            State::remove(&self.series.state);
        }
        if self.cut > 0 {
            self.notices.push(Notice::Cut { runs: self.cut });
        }
        let gone = self.outputs.tidy().and(self.book.close());
        if let Err(error) = gone {
            let reason = error.to_string();
            self.notices.push(Notice::Leftover { reason });
        }
        Ok(Finished {
            shared_reports: shared::list(&self.lines),
            lines: self.lines,
            end: self.end.unwrap_or(End::Done),
            notices: self.notices,
            resumed: self.resumed,
        })
    }
}

/// Whether the machine has other work to do. Where the system does not say so nothing is known of it.
fn busy() -> Option<Notice> {
    let load = platform::load_average().ok()?;
    let processors = std::thread::available_parallelism().ok()?.get();
    #[allow(clippy::cast_precision_loss)] // processors, not 2^52 of them
    let is_busy = load > processors as f64;
    is_busy.then_some(Notice::Busy { load, processors })
}
