//! `AGX_FIX_CENSUS`: what becomes of each hooked call on an encoder, and which threads use which encoder.
//!
//! Off, it costs a call nothing: no call takes its way through here. On, every call takes the general way
//! ([`super::domains::is_general`]), and comes by here before it takes its lock and after it has left.

mod sharing;

use std::sync::atomic::{AtomicBool, Ordering};

use agx_ledger::Counter;
use agx_policy::rules::Role;

use super::engine::{Call, fact};
use super::{domains, published, receiver as receivers, slots};
use crate::ledger::{self, Tallied, count, discount, discount_ahead};
use sharing::{ENCODERS, Overlap, Seen, Table};

/// What a hooked call is to the encoder that it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its receiver is none.
    None,
    /// Makes its receiver an encoder.
    Constructs,
    /// Its result is one.
    Makes,
    /// So are its result and its receiver.
    UsesAndMakes,
    /// Uses its receiver.
    Uses,
    /// Ends its receiver.
    Ends,
}

static ON: AtomicBool = AtomicBool::new(false);
static ENCODER_TABLE: Table<ENCODERS> = Table::new();

/// Switches it on. Called before the first hook is installed.
pub fn configure(on: bool) {
    ON.store(on, Ordering::Relaxed);
}

/// Whether calls are tallied.
#[inline]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// What the calls of a slot are to their receiver.
fn part(number: usize) -> Part {
    match slots::get(number).role() {
        Role::Published => published::part(number),
        Role::Factory => Part::Makes,
        Role::SubFactory => Part::UsesAndMakes,
        Role::End => Part::Ends,
        Role::Init => Part::Constructs,
        _ if domains::is_encoder(number) => Part::Uses,
        _ => Part::None,
    }
}

/// The calling thread, by a number that no other has or had.
fn thread() -> u64 {
    // SAFETY: the thread's own state, alive as long as the thread, and used nowhere else.
    unsafe { &*ledger::thread() }.number()
}

/// A call comes in, whose way through the hook is `enter`.
pub fn around(number: usize, receiver: u64, enter: impl FnOnce() -> Call) -> Call {
    let part = part(number);
    if part == Part::None || !receivers::fits(number, receiver) {
        return enter();
    }
    arrives(part, number, receiver);
    let mut call = enter();
    if call.has(fact::SKIPPED) {
        leaves(number, receiver, 0);
    } else {
        call.set(fact::SLOW);
    }
    call
}

fn arrives(part: Part, number: usize, receiver: u64) {
    let entry = slots::get(number).census();
    ledger::tally(entry, Tallied::Call);
    let thread = thread();
    match part {
        Part::Constructs => ENCODER_TABLE.constructed(receiver, thread),
        Part::Uses | Part::UsesAndMakes => {
            note(entry, ENCODER_TABLE.arrives(receiver, thread));
        }
        Part::Ends => note(entry, ENCODER_TABLE.arrives_to_end(receiver, thread)),
        Part::Makes | Part::None => {}
    }
}

fn note(entry: u32, seen: Seen) {
    if seen.unfollowed {
        count(Counter::EncodersUnfollowed, 1);
    }
    if seen.unmade {
        count(Counter::EncodersSeenLate, 1);
        ledger::tally(entry, Tallied::FirstSeen);
    }
    if let Some((before, now)) = seen.threads {
        if let Some(counter) = of_threads(before) {
            // The thread that made it so many may not have counted it yet.
            discount_ahead(counter);
        }
        if let Some(counter) = of_threads(now) {
            count(counter, 1);
        }
        ledger::raise(Counter::EncoderThreadsMost, now.into());
        ledger::tally(entry, Tallied::Threads(now));
        if before < 2 && now >= 2 {
            ledger::tally(entry, Tallied::Shared);
        }
    }
    if seen.overlap != Overlap::None {
        ledger::tally(entry, Tallied::Overlap);
    }
    if seen.overlap == Overlap::First {
        count(Counter::EncodersOverlapped, 1);
    }
}

/// What counts the encoders of so many threads.
fn of_threads(threads: u32) -> Option<Counter> {
    match threads {
        0 => None,
        1 => Some(Counter::EncodersOneThread),
        2 => Some(Counter::EncodersTwoThreads),
        3 => Some(Counter::EncodersThreeThreads),
        _ => Some(Counter::EncodersManyThreads),
    }
}

/// A call has left its original, or was not made. `object` is the original's result; 0 if there is none.
pub fn leaves(number: usize, receiver: u64, object: u64) {
    let part = part(number);
    if part == Part::None || !receivers::is_object(receiver) {
        return;
    }
    ledger::tally(slots::get(number).census(), Tallied::Left);
    let thread = thread();
    let makes = matches!(part, Part::Makes | Part::UsesAndMakes);
    if makes && receivers::is_object(object) && ENCODER_TABLE.handed_out(object, thread) {
        discount(Counter::EncodersSeenLate);
    }
    if matches!(part, Part::Uses | Part::UsesAndMakes | Part::Ends) {
        ENCODER_TABLE.leaves(receiver, thread);
    }
    if part == Part::Ends {
        ENCODER_TABLE.ended(receiver);
    }
}

/// An exception left a call; [`leaves`] follows.
#[cold]
pub fn threw(number: usize) {
    if is_on() && part(number) != Part::None {
        ledger::tally(slots::get(number).census(), Tallied::Threw);
    }
}

/// The library itself ends an encoder, or gives it back: no thread of the program's is at it.
pub fn ended(encoder: u64) {
    if is_on() {
        ENCODER_TABLE.ended(encoder);
    }
}

/// In the child of a `fork`. Async-signal-safe.
pub fn reset_after_fork() {
    if is_on() {
        ENCODER_TABLE.reset_after_fork();
    }
}
