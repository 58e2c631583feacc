//! The head of the page: what it is about, the result in one sentence, the timeline, and the groups
//! in one table.

use maud::{Markup, html};

use super::chart;
use super::page::{Group, Page};
use super::timeline::Timeline;
use super::words::{self, counted, grouped};

/// Groups in the table at most; each further one is counted.
const ROWS: usize = 300;

/// Title, time, machine.
pub fn header(page: &Page) -> Markup {
    html! {
        h1 { (page.title) }
        p.soft {
            "Made " (words::time(Some(page.made), page.zone)) ". Times are in UTC" (page.zone.to_string()) "."
        }
        @if !page.machine.is_empty() {
            p.soft {
                "On "
                @for (at, sentence) in page.machine.iter().enumerate() {
                    @if at > 0 { "; " }
                    (sentence)
                }
                "."
            }
        }
    }
}

/// The result, the timeline and the table of groups. `shown` groups have a section of their own.
pub fn summary(page: &Page, timeline: Option<&Timeline>, shown: usize) -> Markup {
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "Summary" }
            p.result { (result(page)) }
            (gaps(page))
            @if !page.systems.is_empty() {
                p.soft { "Systems that the reports name: " (words::list(&page.systems, 0, page.crashes())) "." }
            }
            @if let Some(timeline) = timeline {
                (chart::chart(timeline, &page.groups))
            }
            @if !page.groups.is_empty() {
                (table(page, shown))
            }
        }
    }
}

fn result(page: &Page) -> Markup {
    let crashes = page.crashes();
    html! {
        @if crashes == 0 {
            strong { "No crash" }
            (asked(page))
            ": " (counted(page.looked.files, "report file", "report files")) " looked at."
        } @else {
            strong { (counted(crashes, "crash", "crashes")) }
            " in " (counted(page.groups.len(), "group", "groups"))
            (asked(page))
            @if let Some((first, last)) = page.span() {
                ", from " (words::time(Some(first), page.zone)) " to " (words::time(Some(last), page.zone))
            }
            "."
        }
    }
}

fn asked(page: &Page) -> Markup {
    html! {
        @for (at, process) in page.asked.processes.iter().enumerate() {
            @if at == 0 { " in processes named " } @else { " or " }
            code { (process) }
        }
        @if let Some(since) = page.asked.since { " since " (words::time(Some(since), page.zone)) }
    }
}

/// What weakens the result stands beside it, not at the end of the page.
fn gaps(page: &Page) -> Markup {
    let looked = &page.looked;
    let unreadable = looked.unreadable.len() + looked.more_unreadable;
    let blind = looked
        .folders
        .iter()
        .filter(|folder| folder.unread().is_some())
        .count();
    html! {
        @if unreadable + blind + looked.pending > 0 {
            p.gap {
                strong { "Not all could be looked at: " }
                @let all = [
                    (blind, "folder", "folders", "could not be read"),
                    (unreadable, "file", "files", "could not be read"),
                    (looked.pending, "report", "reports", "still being written"),
                ];
                @for (at, (count, one, more, what)) in all.into_iter().filter(|gap| gap.0 > 0).enumerate() {
                    @if at > 0 { ", " }
                    (counted(count, one, more)) " " (what)
                }
                ". Each may hold a crash: see "
                a href="#looked" { "what was looked at" }
                "."
            }
        }
    }
}

fn table(page: &Page, shown: usize) -> Markup {
    html! {
        table.groups {
            caption.hidden { "Groups of crashes, the most frequent first" }
            thead {
                tr {
                    th.number scope="col" { "Crashes" }
                    th scope="col" { "What" }
                    th.wide scope="col" { "First seen" }
                    th scope="col" { "Last seen" }
                }
            }
            tbody {
                @for (at, group) in page.groups.iter().take(ROWS).enumerate() {
                    tr {
                        td.number { (grouped(group.count)) }
                        th scope="row" {
                            @if at < shown {
                                a href={ "#g-" (group.fingerprint) } { (group.title) }
                            } @else {
                                (group.title)
                            }
                        }
                        td.wide { (words::time(group.first, page.zone)) }
                        td.time { (words::time(group.last, page.zone)) }
                    }
                }
            }
        }
        @if page.groups.len() > ROWS {
            @let rest = &page.groups[ROWS..];
            p.soft { "and " (counted(rest.len(), "more group", "more groups")) ", " (crashes(rest)) " in all." }
        }
    }
}

/// What there was no room for.
pub fn left_out(groups: &[Group]) -> Markup {
    html! {
        p.gap {
            "And " (counted(groups.len(), "more group", "more groups")) ", " (crashes(groups))
            " in all, without a section of their own: this page is kept small. Ask for less time, or for one process, to see them."
        }
    }
}

fn crashes(groups: &[Group]) -> String {
    counted(
        groups.iter().map(|group| group.count).sum(),
        "crash",
        "crashes",
    )
}
