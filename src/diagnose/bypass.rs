//! Whether a hooked method of the driver was entered past the fix library, seen in the stacks of a report.
//!
//! A hook calls its original and is not replaced by it on the stack: it has the lock to give back. So the frame outside a
//! hooked method's must be the library's; `objc_msgSend` jumps, and leaves no frame. What a stack cannot show: a method
//! that was entered past the library by a jump in another method that came through it, since the jump takes that one's
//! place.

use agx_ledger::Ledger;
use serde::Serialize;

use super::hooked::{Hook, Hooks, HooksBy, Method};
use super::route::is_library;
use super::signature::Confidence;
use crate::reports::frames;
use crate::reports::model::{Frame, Report, Thread};

/// What the stacks of a report show of the ways into hooked methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ways {
    /// What says which methods were hooked.
    pub hooks_by: HooksBy,
    /// Frames of hooked methods, in all threads.
    pub frames: usize,
    /// Of those, the ones that the library called.
    pub through: usize,
    /// Of those, the ones at which the stack ends.
    pub cut: usize,
    /// The others.
    pub bypasses: Vec<Bypass>,
}

/// A hooked method that something else called than the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bypass {
    /// The thread's place in the report, from 0.
    pub thread: usize,
    /// The frame's place in its stack, from 0, innermost first.
    pub frame: usize,
    /// The method, as ``image`symbol + offset``.
    pub method: String,
    /// Who called it, in the same form.
    pub caller: String,
    /// How sure it is that the call went past the library.
    pub confidence: Confidence,
    /// Why not more, or where the hook went.
    pub because: Because,
}

/// What the confidence in a [`Bypass`] rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Because {
    /// The ledger says that the method was hooked, and the caller is outside the driver.
    Hooked,
    /// The ledger says that somebody took the hook's place.
    Replaced {
        /// The file that has the code now, where it is known.
        image: Option<String>,
    },
    /// The caller is in the method's own image: where a function has no symbol, a report gives it the name of the method
    /// before it.
    SameImage,
    /// The caller is in no image that the report knows.
    UnknownCaller,
    /// No ledger says that the method was hooked: it is judged by its name.
    ByName,
}

impl Ways {
    /// What a report shows; `None` where no hooks stood. `policy` is the one that the library's name names.
    pub fn of(report: &Report, ledger: Option<&Ledger>, policy: Option<&str>) -> Option<Self> {
        let hooks = Hooks::of(ledger, policy)?;
        let mut ways = Self {
            hooks_by: hooks.by(),
            frames: 0,
            through: 0,
            cut: 0,
            bypasses: Vec::new(),
        };
        for (number, thread) in report.threads.iter().enumerate() {
            ways.follow(report, hooks, number, thread);
        }
        Some(ways)
    }

    fn follow(&mut self, report: &Report, hooks: Hooks<'_>, number: usize, thread: &Thread) {
        for (place, frame) in thread.frames.iter().enumerate() {
            // A frame that was inlined is no call.
            let Some(hook) = frame
                .symbol
                .as_deref()
                .filter(|_| !frame.inline && is_at_home(report, frame))
                .and_then(Method::parse)
                .and_then(|method| hooks.find(method))
            else {
                continue;
            };
            self.frames += 1;
            let Some(caller) = thread.frames.get(place + 1) else {
                self.cut += 1;
                continue;
            };
            if is_library(report, caller) {
                self.through += 1;
                continue;
            }
            let (confidence, because) = judge(report, hooks.by(), hook, frame, caller);
            self.bypasses.push(Bypass {
                thread: number,
                frame: place,
                method: name(report, frame),
                caller: name(report, caller),
                confidence,
                because,
            });
        }
    }

    /// Bypasses of which it is sure enough to weaken a verdict.
    pub fn believed(&self) -> impl Iterator<Item = &Bypass> {
        let is_believed = |it: &&Bypass| it.confidence >= Confidence::Medium;
        self.bypasses.iter().filter(is_believed)
    }
}

impl Bypass {
    /// One sentence for people.
    pub fn describe(&self) -> String {
        let confidence = match self.confidence {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        };
        let because = match &self.because {
            Because::Hooked => "the ledger lists its hook".to_owned(),
            Because::Replaced { image: Some(image) } => {
                format!("the ledger says that code of {image} took the hook's place")
            }
            Because::Replaced { image: None } => {
                "the ledger says that other code took the hook's place".to_owned()
            }
            Because::SameImage => "both are in one image, where a function without a symbol bears \
                                   the name of the method before it"
                .to_owned(),
            Because::UnknownCaller => "the caller is in no known image".to_owned(),
            Because::ByName => "no ledger says that it was hooked: judged by its name".to_owned(),
        };
        format!(
            "frame {} of thread {}, {}, was called by {} and not by the library ({confidence} confidence: {because})",
            self.frame, self.thread, self.method, self.caller
        )
    }
}

/// Whether a method's frame lies where such methods do: not in the library, whose forwarders bear no such names, and not
/// in a file that is nobody's.
fn is_at_home(report: &Report, frame: &Frame) -> bool {
    report.image_name(frame).is_some() && !is_library(report, frame)
}

fn judge(
    report: &Report,
    by: HooksBy,
    hook: Hook,
    frame: &Frame,
    caller: &Frame,
) -> (Confidence, Because) {
    let same = frame.image_index == caller.image_index;
    match (by, hook) {
        (_, Hook::Replaced(image)) => (Confidence::High, Because::Replaced { image }),
        _ if report.image_name(caller).is_none() => (Confidence::Low, Because::UnknownCaller),
        (HooksBy::Ledger, Hook::Stood) if same => (Confidence::Medium, Because::SameImage),
        (HooksBy::Ledger, Hook::Stood) => (Confidence::High, Because::Hooked),
        (HooksBy::Policy, Hook::Stood) if !same => (Confidence::Medium, Because::ByName),
        (HooksBy::Policy | HooksBy::DefaultPolicy, Hook::Stood) => {
            (Confidence::Low, Because::ByName)
        }
    }
}

fn name(report: &Report, frame: &Frame) -> String {
    frames::describe(report, frame).unwrap_or_else(|| "an unnamed frame".to_owned())
}
