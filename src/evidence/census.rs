//! What the census of a run's processes found (`AGX_FIX_CENSUS`): hooks that do not stand, what became of the calls, and
//! which threads shared which encoder.

use std::collections::BTreeMap;

use agx_ledger::{CensusEntry, Counter, Ledger, Reason};
use serde::Serialize;

use super::tree::{End, ProcessEvidence, TreeEvidence};

/// The census of all processes that were asked for one and have hooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// How many these are.
    pub processes: usize,
    /// Those that left without taking it: killed, crashed, replaced by another program, or left through `_exit`. Their calls
    /// and encoders are counted here all the same, but nobody looked at their hooks.
    pub missing: Vec<u32>,
    /// Hooked methods that were looked at.
    pub methods: u64,
    /// Classes that were looked at: hooked ones, and those below them.
    pub classes: u64,
    /// Hooks whose place somebody else's code took.
    pub replaced: Vec<Found>,
    /// Methods that should be hooked and never were: they came after the hooks, or their class was never announced.
    pub late: Vec<Found>,
    /// Overrides of hooked methods that a published version's list does not reach: its hooks stand as published.
    pub overrides: Vec<Found>,
    /// Encoders, by how many threads made and used them.
    pub encoders: Encoders,
    /// Methods by which encoders became shared, the most frequent first.
    pub shared_by: Vec<SharedBy>,
    /// What became of the calls.
    pub calls: Vec<Calls>,
}

/// A method, and the file that has its code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Found {
    /// `-[Class selector]`.
    pub method: String,
    /// The file, where it is known.
    pub image: Option<String>,
}

/// Encoders by their threads. The thread that made an encoder is one of its threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Encoders {
    /// Of one thread.
    pub one_thread: u64,
    /// Of two.
    pub two_threads: u64,
    /// Of three.
    pub three_threads: u64,
    /// Of four or more.
    pub many_threads: u64,
    /// The most threads of one encoder; 9 for more than eight.
    pub most_threads: u64,
    /// Those on which two threads were in hooked calls at the same time, or one while another waited to get in.
    pub overlapped: u64,
    /// Those of which nothing was seen before a call on them: nobody was seen to make them.
    pub seen_late: u64,
    /// Calls on encoders whose threads could not be followed, for want of room.
    pub unfollowed_calls: u64,
}

impl Encoders {
    /// All of them.
    pub fn all(self) -> u64 {
        self.one_thread.saturating_add(self.shared())
    }

    /// Those of more than one thread.
    pub fn shared(self) -> u64 {
        [self.two_threads, self.three_threads, self.many_threads]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// A method on which threads met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedBy {
    /// `-[Class selector]`.
    pub method: String,
    /// Encoders of which a call of this method was the first by a second thread.
    pub encoders: u64,
    /// The most threads of an encoder that became known by a call of it.
    pub most_threads: u32,
    /// Its calls that came while another thread was in a call on the same encoder, or on its way in.
    pub overlapped_calls: u64,
}

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Compute kernels.
    Dispatch,
    /// Rendering.
    Draw,
    /// Copying, filling, and the like.
    Copy,
    /// Making encoders.
    Make,
    /// Ending them.
    End,
    /// All else: state, resources, barriers.
    Other,
}

/// What became of the calls of one kind of work. What is in none of the last three returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// The kind.
    pub work: Work,
    /// Calls that came in.
    pub seen: u64,
    /// Of those, the ones whose original returned.
    pub returned: u64,
    /// Those that an exception left.
    pub threw: u64,
    /// Those that were not made.
    pub skipped: u64,
    /// Those that were inside when the process ended.
    pub unfinished: u64,
}

impl Work {
    /// The kind of a method, by the verb at its start.
    pub fn of(selector: &str) -> Self {
        let starts = |verbs: &[&str]| verbs.iter().any(|verb| selector.starts_with(verb));
        if starts(&["dispatch", "executeCommands"]) {
            Self::Dispatch
        } else if starts(&["draw"]) {
            Self::Draw
        } else if starts(&["copy", "fill", "generateMipmaps", "synchronize", "resolve"]) {
            Self::Copy
        } else if starts(&["endEncoding", "deferredEnd", "destroyImpl"]) {
            Self::End
        } else if selector.contains("ommandEncoder") || starts(&["init", "reInit"]) {
            Self::Make
        } else {
            Self::Other
        }
    }

    /// In words, as they stand before a count.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatches",
            Self::Draw => "draws",
            Self::Copy => "copies",
            Self::Make => "encoders made",
            Self::End => "ends",
            Self::Other => "other calls",
        }
    }
}

impl Census {
    /// Puts it together; `None` where no process with hooks was asked for one.
    pub fn of(evidence: &TreeEvidence) -> Option<Self> {
        let asked: Vec<&ProcessEvidence> = evidence
            .processes
            .iter()
            .filter(|process| process.ledger().armed && process.ledger().census_asked)
            .collect();
        if asked.is_empty() {
            return None;
        }
        let mut census = Self {
            processes: asked.len(),
            missing: asked
                .iter()
                .filter(|process| left_without(process))
                .map(|process| process.ledger().pid)
                .collect(),
            ..Self::default()
        };
        let mut shared: BTreeMap<String, SharedBy> = BTreeMap::new();
        let mut calls: BTreeMap<Work, Calls> = BTreeMap::new();
        for process in asked {
            let ledger = process.ledger();
            census.add_counters(ledger);
            for entry in &ledger.census {
                census.add_hook(entry);
                add_shared(&mut shared, entry);
                add_calls(&mut calls, entry);
            }
        }
        for found in [
            &mut census.replaced,
            &mut census.late,
            &mut census.overrides,
        ] {
            found.sort();
            found.dedup();
        }
        census.shared_by = shared.into_values().collect();
        census
            .shared_by
            .sort_by_key(|it| std::cmp::Reverse((it.encoders, it.overlapped_calls)));
        census.calls = calls.into_values().collect();
        Some(census)
    }

    /// Hooks that do not stand, and methods that should have been hooked.
    pub fn undone(&self) -> usize {
        self.replaced.len() + self.late.len()
    }

    fn add_counters(&mut self, ledger: &Ledger) {
        let count = |counter: Counter| ledger.counter(counter.name()).unwrap_or(0); // a file of an earlier library
        let encoders = &mut self.encoders;
        for (sum, counter) in [
            (&mut self.methods, Counter::CensusMethods),
            (&mut self.classes, Counter::CensusClasses),
            (&mut encoders.one_thread, Counter::EncodersOneThread),
            (&mut encoders.two_threads, Counter::EncodersTwoThreads),
            (&mut encoders.three_threads, Counter::EncodersThreeThreads),
            (&mut encoders.many_threads, Counter::EncodersManyThreads),
            (&mut encoders.overlapped, Counter::EncodersOverlapped),
            (&mut encoders.seen_late, Counter::EncodersSeenLate),
            (&mut encoders.unfollowed_calls, Counter::EncodersUnfollowed),
        ] {
            *sum = sum.saturating_add(count(counter));
        }
        let most = count(Counter::EncoderThreadsMost);
        encoders.most_threads = encoders.most_threads.max(most);
    }

    fn add_hook(&mut self, entry: &CensusEntry) {
        let found = || Found {
            method: entry.method(),
            image: entry.image.clone(),
        };
        if entry.replaced {
            self.replaced.push(found());
        }
        match entry.reason {
            _ if !entry.late => {}
            Some(Reason::Override) => self.overrides.push(found()),
            _ => self.late.push(found()),
        }
    }
}

/// Whether a process is gone and took no census. A child of `fork` that made no call had nothing to look at that its parent
/// does not.
fn left_without(process: &ProcessEvidence) -> bool {
    let ledger = process.ledger();
    let called = ledger.census.iter().any(|it| it.tally.calls > 0);
    !ledger.census_taken && process.end != End::Running && (called || ledger.forked_from.is_none())
}

fn add_shared(shared: &mut BTreeMap<String, SharedBy>, entry: &CensusEntry) {
    let tally = entry.tally;
    if tally.shared == 0 && tally.overlapped == 0 {
        return;
    }
    let method = entry.method();
    let row = shared.entry(method.clone()).or_insert(SharedBy {
        method,
        encoders: 0,
        most_threads: 0,
        overlapped_calls: 0,
    });
    row.encoders = row.encoders.saturating_add(tally.shared.into());
    row.most_threads = row.most_threads.max(tally.threads_most);
    row.overlapped_calls = row.overlapped_calls.saturating_add(tally.overlapped.into());
}

fn add_calls(calls: &mut BTreeMap<Work, Calls>, entry: &CensusEntry) {
    let tally = entry.tally;
    if tally.calls == 0 {
        return;
    }
    let work = Work::of(&entry.selector);
    let row = calls.entry(work).or_insert(Calls {
        work,
        seen: 0,
        returned: 0,
        threw: 0,
        skipped: 0,
        unfinished: 0,
    });
    let skipped = entry.skipped.min(tally.left);
    let returned = tally
        .left
        .saturating_sub(tally.threw)
        .saturating_sub(skipped);
    for (sum, count) in [
        (&mut row.seen, tally.calls),
        (&mut row.returned, returned),
        (&mut row.threw, tally.threw),
        (&mut row.skipped, skipped),
        (&mut row.unfinished, tally.calls.saturating_sub(tally.left)),
    ] {
        *sum = sum.saturating_add(count);
    }
}

#[cfg(test)]
#[path = "census_tests.rs"]
mod tests;
