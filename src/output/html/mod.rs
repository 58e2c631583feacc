//! The HTML report: one page that needs nothing but itself, no network and no script.
//!
//! What reports say is hostile. [`page`] holds it as [`text::Text`] only, which bounds it and makes
//! every character visible; [`maud`] escapes it wherever it stands. The page's policy (a
//! `Content-Security-Policy` in its head) allows the one style sheet, by its hash, and nothing else:
//! were markup to slip through, it could neither run, load nor dress itself.

mod chart;
pub mod gather;
mod group;
mod looked;
mod overview;
pub mod page;
mod rates;
pub mod text;
mod timeline;
pub(in crate::output) mod words;

use base64::Engine;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use page::Page;
use timeline::Timeline;

/// The style sheet: ours, a constant, and the only thing on the page that is not escaped.
const STYLE: &str = include_str!("style.css");

/// How large the groups may become together, in bytes of HTML. What does not fit is counted.
const GROUPS_SIZE: usize = 1_300_000;

/// What marks a page as one of ours, in the first lines.
pub const MARK: &str = "<meta name=\"generator\" content=\"agxrun report\">";

/// The page.
pub fn render(page: &Page) -> String {
    let timeline = timeline_of(page);
    let (sections, shown) = sections(page, timeline.as_ref());
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (PreEscaped(MARK))
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (overview::header(page)) }
                main {
                    (overview::summary(page, timeline.as_ref(), shown))
                    @if let Some(runs) = &page.runs {
                        (rates::section(runs))
                    }
                    @for section in &sections { (section) }
                    @if shown < page.groups.len() {
                        (overview::left_out(&page.groups[shown..]))
                    }
                    (looked::section(page))
                }
                footer { p { "Made by agxrun " (env!("CARGO_PKG_VERSION")) "." } }
            }
        }
    };
    let mut text = markup.into_string();
    text.push('\n');
    text
}

/// The groups in full, as many as there is room for.
fn sections(page: &Page, timeline: Option<&Timeline>) -> (Vec<Markup>, usize) {
    let mut sections = Vec::new();
    let mut size = 0;
    for group in &page.groups {
        let section = group::section(group, timeline, page.zone);
        size += section.0.len();
        if size > GROUPS_SIZE {
            break;
        }
        sections.push(section);
    }
    let shown = sections.len();
    (sections, shown)
}

/// Nothing is loaded, run, framed or sent; the one style sheet is known by its hash, so that not even
/// a `style` attribute would hold.
fn policy() -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// The time that is shown: from what was asked for, else from the first crash, to the making of the
/// page, or to the last crash where a clock was ahead.
fn timeline_of(page: &Page) -> Option<Timeline> {
    let (first, last) = page.span()?;
    let from = page.asked.since.unwrap_or(first).min(first);
    Some(Timeline::over(from, last.max(page.made), page.zone))
}

#[cfg(test)]
mod tests;
