//! One group of crashes: what, when, who, why, what to do, where, and its reports.

use chrono::FixedOffset;
use maud::{Markup, html};

use super::chart;
use super::page::{Group, Known, Row, Sample};
use super::timeline::Timeline;
use super::words::{self, counted, grouped};
use crate::diagnose::{Blame, Confidence};

/// The section.
pub fn section(group: &Group, timeline: Option<&Timeline>, zone: FixedOffset) -> Markup {
    html! {
        // Groups may share a title: their fingerprints tell them apart by ear, too.
        section.group id={ "g-" (group.fingerprint) } aria-labelledby={ "t-" (group.fingerprint) " f-" (group.fingerprint) } {
            h2 id={ "t-" (group.fingerprint) } { (group.title) }
            @if let Some(timeline) = timeline { (chart::strip(timeline, group)) }
            (facts(group, zone))
            @match &group.known {
                Some(known) => (meaning(known)),
                None => p.meaning { "No known signature matches. The stack below tells where to look." },
            }
            (stack(group))
            (reports(group, zone))
        }
    }
}

fn facts(group: &Group, zone: FixedOffset) -> Markup {
    let sample = &group.sample;
    html! {
        dl.facts {
            dt { "Crashes" } dd { (grouped(group.count)) }
            dt { "First seen" } dd { (words::time(group.first, zone)) }
            dt { "Last seen" } dd { (words::time(group.last, zone)) }
            dt { "Processes" } dd { (words::list(&group.processes, group.more_processes, group.count)) }
            dt { "What" } dd { (sample.what) }
            @if !sample.thread.as_str().is_empty() { dt { "Thread" } dd { (sample.thread) } }
            @if !group.library.is_empty() {
                dt { "Fix library" } dd { (words::list(&group.library, 0, group.count)) }
            }
            @if let Some(known) = &group.known {
                dt { "Signature" }
                dd { code { (known.id) } ", " (confidence(known.confidence)) ", " (blame(known.blame)) }
            }
            dt { "Fingerprint" } dd { code id={ "f-" (group.fingerprint) } { (group.fingerprint) } }
        }
    }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low confidence",
        Confidence::Medium => "medium confidence",
        Confidence::High => "high confidence",
    }
}

fn blame(blame: Blame) -> &'static str {
    match blame {
        Blame::Driver => "a fault of the driver",
        Blame::Target => "a fault of the program",
        Blame::Machine => "a state of the machine",
        Blame::Tool => "a fault of the injection",
        Blame::Elsewhere => "a fault of another process",
    }
}

fn meaning(known: &Known) -> Markup {
    html! {
        div.meaning {
            @if !known.counts {
                p { strong { "This does not count against the program." } }
            }
            p { b { "What it means. " } (known.meaning) }
            p { b { "What to do. " } (known.remedy) }
            @if !known.evidence.is_empty() {
                p.soft {
                    "Seen in the newest report: "
                    @for (at, fact) in known.evidence.iter().enumerate() {
                        @if at > 0 { "; " }
                        bdi { (fact) }
                    }
                    "."
                }
            }
            p.soft { "Source: " (known.source) "." }
        }
    }
}

fn stack(group: &Group) -> Markup {
    let Sample {
        frames,
        telling,
        more_frames,
        said,
        more_said,
        problems,
        ..
    } = &group.sample;
    html! {
        @if !said.is_empty() {
            h3 { "What was said" }
            ul.said {
                @for sentence in said { li { (sentence) } }
                @if *more_said > 0 { li.soft { "and " (grouped(*more_said)) " more" } }
            }
        }
        @if frames.is_empty() {
            p.soft { "The newest report has no stack." }
        } @else {
            h3 { "Stack of the newest report" }
            // What scrolls must be reached by the keyboard, too, and then needs a name that no other has: groups may share a title.
            pre tabindex="0" role="region" aria-label={ "Stack: " (group.title) ", " (group.fingerprint) } {
                @for (number, frame) in frames.iter().enumerate() {
                    (format!("{number:>3}  "))
                    @if *telling == Some(number) { strong { (frame) } } @else { (frame) }
                    "\n"
                }
                @if *more_frames > 0 { "     and " (grouped(*more_frames)) " more\n" }
            }
        }
        @for problem in problems { p.soft { "Not read of it: " (problem) "." } }
    }
}

fn reports(group: &Group, zone: FixedOffset) -> Markup {
    let more = group.count.saturating_sub(group.rows.len());
    html! {
        details {
            summary { (counted(group.count, "report", "reports")) }
            table.reports {
                thead {
                    tr {
                        th scope="col" { "Time" }
                        th scope="col" { "Process" }
                        th scope="col" { "What" }
                        th scope="col" { "File" }
                    }
                }
                tbody { @for row in &group.rows { (report(row, zone)) } }
            }
            @if more > 0 {
                p.soft { "and " (counted(more, "older report", "older reports")) "." }
            }
        }
    }
}

fn report(row: &Row, zone: FixedOffset) -> Markup {
    html! {
        tr {
            td.time { (words::time(row.time, zone)) }
            td { bdi { (row.who) } }
            td { bdi { (row.what) } }
            td { code { (row.file) } }
        }
    }
}
