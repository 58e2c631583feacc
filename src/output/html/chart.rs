//! Bars over time, as SVG. Their labels stand beside them as HTML, so that they keep their size while
//! the bars take the width there is.

use maud::{Markup, html};

use super::page::Group;
use super::timeline::{Counts, Timeline};
use super::words::{counted, grouped};

/// Height of a full bar, in units of the drawing; its width is 10 a bar.
const HEIGHT: usize = 100;

/// The chart of all crashes, with the same numbers as a table below it.
pub fn chart(timeline: &Timeline, groups: &[Group]) -> Markup {
    let counts = timeline.counts(groups.iter().flat_map(|group| &group.times));
    let highest = highest(&counts);
    let total: usize = counts.bars.iter().sum();
    let busiest = counts.bars.iter().position(|count| *count == highest);
    let (from, to) = timeline.ends();
    html! {
        figure.timeline {
            div.plot {
                div.scale aria-hidden="true" { span { (grouped(highest)) } span { "0" } }
                svg.bars role="img" aria-labelledby="timeline-title timeline-desc"
                    viewBox=(view_box(timeline)) preserveAspectRatio="none" {
                    title id="timeline-title" { "Crashes over time" }
                    desc id="timeline-desc" {
                        (counted(total, "crash", "crashes")) " from " (from) " to " (to) "; each bar is "
                        (timeline.width_in_words) "."
                        @if let Some(bar) = busiest {
                            " Most came in " (timeline.label(bar)) ": " (grouped(highest)) "."
                        }
                    }
                    (bars(timeline, &counts, highest))
                }
                div.axis aria-hidden="true" { span { (from) } span { (to) } }
            }
            figcaption {
                "Crashes over time; each bar is " (timeline.width_in_words) "."
                @if counts.outside > 0 {
                    " " (counted(counts.outside, "crash", "crashes")) " with a time outside of it."
                }
            }
            (table(timeline, &counts))
        }
    }
}

/// A group's own bars, on the same axis.
pub fn strip(timeline: &Timeline, group: &Group) -> Markup {
    let counts = timeline.counts(&group.times);
    let highest = highest(&counts);
    let used = counts.bars.iter().filter(|count| **count > 0).count();
    let (from, to) = timeline.ends();
    let label = format!(
        "When, from {from} to {to}: in {} of {}, at most {} in one",
        used,
        counted(timeline.bars, "bar", "bars"),
        grouped(highest),
    );
    html! {
        svg.strip role="img" aria-label=(label) viewBox=(view_box(timeline)) preserveAspectRatio="none" {
            (bars(timeline, &counts, highest))
        }
    }
}

fn highest(counts: &Counts) -> usize {
    counts.bars.iter().copied().max().unwrap_or(0)
}

fn view_box(timeline: &Timeline) -> String {
    format!("0 0 {} {HEIGHT}", timeline.bars * 10)
}

/// One rectangle a bar that is not empty; one crash is still seen where a thousand fill the height.
fn bars(timeline: &Timeline, counts: &Counts, highest: usize) -> Markup {
    const SEEN: usize = 4;
    html! {
        @for (bar, count) in counts.bars.iter().copied().enumerate() {
            @if count > 0 {
                @let height = (count * HEIGHT / highest.max(1)).max(SEEN);
                rect x=(bar * 10 + 1) y=(HEIGHT - height) width="8" height=(height) {
                    title { (timeline.label(bar)) ": " (counted(count, "crash", "crashes")) }
                }
            }
        }
    }
}

fn table(timeline: &Timeline, counts: &Counts) -> Markup {
    html! {
        details {
            summary { "The same as a table" }
            table.numbers {
                thead { tr { th scope="col" { "Time" } th.number scope="col" { "Crashes" } } }
                tbody {
                    @for (bar, count) in counts.bars.iter().copied().enumerate() {
                        @if count > 0 {
                            tr { th scope="row" { (timeline.label(bar)) } td.number { (grouped(count)) } }
                        }
                    }
                }
            }
        }
    }
}
