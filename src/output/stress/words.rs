//! What the numbers of a series are called for people.

use std::time::Duration;

use super::percent::{Round, confidence, percent};
use super::{Course, RateView};
use crate::history::Kind;
use crate::run::execute::signal_name;
use crate::series::Notice;
use crate::stats::Decision;

/// What the runs prove of the rate: the sentence that a series is made for.
pub fn sentence(rate: &RateView, max_rate: Option<f64>, decision: Option<Decision>) -> String {
    let RateView { crashes, runs, .. } = rate;
    if *runs == 0 {
        return "no run counts: nothing is known of how often it crashes".to_owned();
    }
    let with = format!("with {} confidence", confidence(rate.confidence));
    let of = format!("{crashes} of {runs}");
    if let Some(limit) = max_rate {
        let limit = percent(limit, Round::Nearest);
        let bound = rate.below.map_or_else(String::new, |bound| {
            format!("; what is shown is below {}", percent(bound, Round::Up))
        });
        return match decision {
            Some(Decision::Below) => format!("{of}: below {limit} {with}"),
            Some(Decision::NotBelow) => format!("{of}: not below {limit}, {with}{bound}"),
            Some(Decision::Continue) | None => {
                format!("{of}: too few runs to say whether it is below {limit} {with}{bound}")
            }
        };
    }
    match (rate.estimate, rate.low, rate.high, rate.below) {
        (_, _, _, Some(bound)) if *crashes == 0 => {
            format!("{of}: below {} {with}", percent(bound, Round::Up))
        }
        (Some(estimate), Some(low), Some(high), _) => format!(
            "{of}: {}, from {} to {} {with}",
            percent(estimate, Round::Nearest),
            percent(low, Round::Down),
            percent(high, Round::Up)
        ),
        _ => of,
    }
}

/// What a test that has no answer would take, at the pace of the `made` runs; empty where it has one.
pub fn left(made: u64, course: Course) -> String {
    let Some(left) = course.left else {
        return String::new();
    };
    #[allow(clippy::cast_precision_loss)] // runs, not 2^52 of them
    let each = |runs: u64| course.elapsed.as_secs_f64() / made as f64 * runs as f64;
    // Without a run there is no pace.
    let takes = Duration::try_from_secs_f64(each(left)).map_or_else(
        |_| String::new(),
        |it| format!(", about {} at this pace", time(it)),
    );
    format!("; {} more without a crash would say so{takes}", runs(left))
}

/// The test's answer in the JSON.
pub fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Below => "below",
        Decision::NotBelow => "not_below",
        Decision::Continue => "undecided",
    }
}

/// So many runs of a kind.
pub fn kind(kind: Kind, runs: u64) -> String {
    let what = match kind {
        Kind::Crash => "crashed",
        Kind::Assertion => "gave up with an assertion",
        Kind::GpuError => "had an error of the GPU",
        Kind::Hang => "hung",
        Kind::LostWork => "lost work",
        Kind::Failure => "failed without a crash",
        Kind::NotInjected => "ran without the fix that was asked for, and count in no rate",
        Kind::Interrupted => "were interrupted, and count in no rate",
        Kind::Refused => "could not be watched, and count in no rate",
        Kind::Clean => "clean",
    };
    format!("{runs} {what}")
}

/// What a run of a kind is called.
pub fn one(kind: Kind) -> &'static str {
    match kind {
        Kind::Crash => "crash",
        Kind::Assertion => "assertion",
        Kind::GpuError => "error of the GPU",
        Kind::Hang => "hang",
        Kind::LostWork => "lost work",
        Kind::Failure => "failure without a crash",
        Kind::NotInjected => "without the fix that was asked for",
        Kind::Interrupted => "interrupted",
        Kind::Refused => "could not be watched",
        Kind::Clean => "clean",
    }
}

/// `1 run`, `2 runs`.
pub fn runs(count: u64) -> String {
    if count == 1 {
        "1 run".to_owned()
    } else {
        format!("{count} runs")
    }
}

/// A time as people say it: `820 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.as_millis() < 10 => format!("{:.1} ms", time.as_secs_f64() * 1000.0),
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The same of seconds.
pub fn seconds(seconds: f64) -> String {
    // What is no time, such as one below zero, is not told as one.
    Duration::try_from_secs_f64(seconds).map_or_else(|_| "an unknown time".to_owned(), time)
}

/// What the reader of a series must know.
pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Interrupted { signal, running } => format!(
            "{}: {} under way asked to end; once more kills",
            signal_name(*signal),
            runs(*running as u64)
        ),
        Notice::Cut { runs: 1 } => {
            "1 run was under way at the end: nothing is known of it, and --resume makes it again"
                .to_owned()
        }
        Notice::Cut { runs } => format!(
            "{runs} runs were under way at the end: nothing is known of them, and --resume makes them again"
        ),
        Notice::ClockJumped { slot, seconds } if *seconds < 0.0 => format!(
            "the clock was set back by {} during run {}: start times are not to be trusted, durations are",
            self::seconds(-seconds),
            slot + 1
        ),
        Notice::ClockJumped { slot, seconds } => format!(
            "the clock went {} too far during run {}: it was set, or the machine slept; start times are not to be trusted, \
             durations are",
            self::seconds(*seconds),
            slot + 1
        ),
        Notice::NoReports { runs, wait } => format!(
            "{runs} crashes in a row left no report: later runs wait {} for theirs (hint: `agxrun doctor` says whether reports are \
             written; macOS keeps at most 25 of a name, so move old ones away; --report-wait sets the wait)",
            self::seconds(*wait)
        ),
        Notice::Busy { load, processors } => format!(
            "the machine had other work when the series began (load {load:.1} on {processors} processors): times are longer, and \
             races are met more or less often (hint: repeat it on a quiet machine)"
        ),
        Notice::TornState { bytes } => format!(
            "the state file ended in {bytes} bytes of a line that was cut off; they were taken away"
        ),
        Notice::Recovered { runs } => format!(
            "{} had ended when agxrun was killed, and {} taken from what {} wrote",
            self::runs(*runs),
            if *runs == 1 { "is" } else { "are" },
            if *runs == 1 { "it" } else { "they" }
        ),
        Notice::HistoryUnread { reason } => format!(
            "runs that ended just before a kill are looked for in vain: {reason}; they are made again"
        ),
        Notice::HistoryUnwritten { reason } => reason.clone(),
        Notice::Leftover { reason } => {
            format!("a file that the series needs no more stays in the archive: {reason}")
        }
        Notice::Output { slot, reason } => format!("run {}: {reason}", slot + 1),
    }
}
