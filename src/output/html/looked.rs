//! What was looked at. Without it a page with few crashes would say nothing.

use maud::{Markup, html};

use super::page::{FolderState, Looked, Page};
use super::words::{counted, grouped};

/// The section.
pub fn section(page: &Page) -> Markup {
    let looked = &page.looked;
    html! {
        section aria-labelledby="looked" {
            h2 id="looked" { "What was looked at" }
            table.folders {
                caption.hidden { "Folders" }
                thead {
                    tr {
                        th scope="col" { "Folder" }
                        th.number scope="col" { "Report files" }
                    }
                }
                tbody {
                    @for folder in &looked.folders {
                        tr {
                            th scope="row" {
                                code { (folder.path) }
                                @match &folder.state {
                                    FolderState::Looked => {}
                                    FolderState::NotYet => span.soft { " holds nothing yet" },
                                    FolderState::Missing => span.bad { " does not exist" },
                                    FolderState::Unreadable(reason) => span.bad { " could not be read: " (reason) },
                                }
                            }
                            td.number { (grouped(folder.files)) }
                        }
                    }
                }
            }
            (files(looked, page.crashes()))
            @if !looked.unreadable.is_empty() {
                h3 { "Files that could not be read" }
                ul.unreadable {
                    @for reason in &looked.unreadable { li { (reason) } }
                    @if looked.more_unreadable > 0 {
                        li.soft { "and " (grouped(looked.more_unreadable)) " more" }
                    }
                }
            }
        }
    }
}

/// Where every file went: the lines add up.
fn files(looked: &Looked, crashes: usize) -> Markup {
    let unreadable = looked.unreadable.len() + looked.more_unreadable;
    let lines = [
        (crashes, "crashes on this page"),
        (looked.older, "older than what was asked for"),
        (looked.copies, "copies of a report that was read elsewhere"),
        (
            looked.other_processes,
            "of processes that were not asked for",
        ),
        (unreadable, "that could not be read"),
    ];
    html! {
        h3 { "Where the files went" }
        table.numbers {
            thead.hidden { tr { th scope="col" { "Files" } th scope="col" { "What they are" } } }
            tbody {
                @for (count, what) in lines {
                    @if count > 0 { tr { td.number { (grouped(count)) } td { (what) } } }
                }
                @for (kind, count) in &looked.no_crashes {
                    tr { td.number { (grouped(*count)) } td { "that tell of no crash: " (super::text::Text::name(kind)) } }
                }
                tr.total { td.number { (grouped(looked.files)) } td { "report files in all" } }
            }
        }
        @if looked.pending > 0 {
            p { (counted(looked.pending, "report is", "reports are")) " still being written and not among them." }
        }
    }
}
