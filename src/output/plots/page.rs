//! The page of a series: what it shows, the plots, and the same numbers as tables.

use base64::Engine;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::page_model::{PageArm, SeriesPage, Tone};
use super::{BoundLine, RateRow, SurvivalLine, bound, frame, rates, survival};
use crate::output::html::words::{self, counted, grouped};
use crate::output::stress::percent::{Round, confidence, percent};
use crate::output::stress::words::one;

/// The page's own style, that of the drawings, and what only this page has.
const STYLE: &str = concat!(
    include_str!("../html/style.css"),
    include_str!("drawing.css"),
    include_str!("page.css")
);

/// What of an arm's crashes is named.
const CRASHES: usize = 50;

/// The page, which needs nothing but itself: no network and no script.
pub fn page(page: &SeriesPage) -> String {
    // A survival of arms that have no run is nothing to be looked at.
    let has_runs = page.arms.iter().any(|arm| arm.rate.runs > 0);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content="agxrun series";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (page.title) }
                    p.soft { "Made " (words::time(Some(page.made), page.zone)) ". Times are in UTC" (page.zone.to_string()) "." }
                }
                main {
                    (findings(page))
                    (rate_section(page))
                    @if has_runs {
                        (plot_section("Over the runs", "bounds", &bound::plot(&bound_lines(page), page.confidence, page.limit)))
                        (plot_section("Over the time of a run", "survivals", &survival::plot(&survival_lines(page), page.confidence)))
                    }
                    (measures(page))
                    (crashes(page))
                    (facts(page))
                }
                footer { p { "Made by agxrun " (env!("CARGO_PKG_VERSION")) "." } }
            }
        }
    };
    let mut text = markup.into_string();
    text.push('\n');
    text
}

/// Nothing is loaded, run, framed or sent; the one style sheet is known by its hash.
fn policy() -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

fn rate_rows(page: &SeriesPage) -> Vec<RateRow> {
    page.arms.iter().map(RateRow::of).collect()
}

fn bound_lines(page: &SeriesPage) -> Vec<BoundLine> {
    page.arms.iter().filter_map(BoundLine::of).collect()
}

fn survival_lines(page: &SeriesPage) -> Vec<SurvivalLine> {
    page.arms.iter().filter_map(SurvivalLine::of).collect()
}

fn findings(page: &SeriesPage) -> Markup {
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "What the runs show" }
            @for (tone, sentence) in &page.findings {
                p.result.bad[*tone == Tone::Bad].open[*tone == Tone::Open] { (sentence) }
            }
            @if !page.warnings.is_empty() {
                div.gap {
                    p { strong { "To be known:" } }
                    ul { @for warning in &page.warnings { li { (warning) } } }
                }
            }
        }
    }
}

fn rate_section(page: &SeriesPage) -> Markup {
    let sure = confidence(page.confidence);
    html! {
        section aria-labelledby="rate" {
            h2 id="rate" { "Crash rate" }
            (drawn(&rates::plot(&rate_rows(page), page.confidence)))
            table.arms {
                caption.hidden { "Crash rate of each arm" }
                thead {
                    tr {
                        th scope="col" { "Arm" }
                        th.number scope="col" { "Crashed" }
                        th.number scope="col" { "Rate" }
                        th.number scope="col" { (sure) " interval" }
                        th scope="col" { "Runs" }
                    }
                }
                tbody { @for arm in &page.arms { (rate_row(arm, page.confidence)) } }
            }
            p.soft {
                "The interval is Clopper and Pearson's, which is exact. No crash in a few runs is no proof: look at its upper end."
            }
        }
    }
}

fn rate_row(arm: &PageArm, sure: f64) -> Markup {
    let rate = arm.rate;
    html! {
        tr {
            th scope="row" { (arm.name) }
            td.number { (grouped(rate.crashes)) " of " (grouped(rate.runs)) }
            @match rate.estimate().zip(rate.interval(sure)) {
                Some((estimate, (low, high))) => {
                    td.number { (percent(estimate, Round::Nearest)) }
                    td.number { (percent(low, Round::Down)) " to " (percent(high, Round::Up)) }
                }
                None => { td.number { "none" } td.number { "none" } }
            }
            td {
                @for (at, (kind, runs)) in arm.kinds.iter().enumerate() {
                    @if at > 0 { ", " }
                    (grouped(*runs)) " " (one(*kind))
                    @if !kind.is_decided() { " (not counted)" }
                }
            }
        }
    }
}

fn plot_section(title: &str, id: &str, plot: &frame::Plot) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            (drawn(plot))
            p.soft { (plot.description) }
        }
    }
}

fn drawn(plot: &frame::Plot) -> Markup {
    html! {
        // On a phone it is wider than the page: what scrolls must be reached by the keyboard, too, and then needs a name.
        figure.scrolled tabindex="0" role="region" aria-label=(plot.title) { (plot.in_page()) }
    }
}

fn measures(page: &SeriesPage) -> Markup {
    let any = page.arms.iter().any(|arm| !arm.measures.is_empty());
    html! {
        @if any {
            section aria-labelledby="measures" {
                h2 id="measures" { "Measurements of clean runs" }
                table.measured {
                    thead {
                        tr {
                            th scope="col" { "Arm" }
                            th scope="col" { "What" }
                            th scope="col" { "Median, middle half" }
                            th scope="col" { "To the control" }
                        }
                    }
                    tbody {
                        @for arm in &page.arms {
                            @for (what, spread, ratio) in &arm.measures {
                                tr {
                                    th scope="row" { (arm.name) }
                                    td { (what) }
                                    td { (spread) }
                                    td { @if let Some(ratio) = ratio { (ratio) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn crashes(page: &SeriesPage) -> Markup {
    let any = page.arms.iter().any(|arm| !arm.crashes.is_empty());
    html! {
        @if any {
            section aria-labelledby="crashes" {
                h2 id="crashes" { "What crashed" }
                table.numbers {
                    thead {
                        tr {
                            th.number scope="col" { "Runs" }
                            th scope="col" { "Arm" }
                            th scope="col" { "What" }
                        }
                    }
                    tbody {
                        @for arm in &page.arms {
                            @for (title, runs) in arm.crashes.iter().take(CRASHES) {
                                tr { td.number { (grouped(*runs)) } td { (arm.name) } td { (title) } }
                            }
                            @if arm.crashes.len() > CRASHES {
                                tr { td {} td { (arm.name) } td.soft { "and " (counted(arm.crashes.len() - CRASHES, "other", "others")) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn facts(page: &SeriesPage) -> Markup {
    html! {
        section aria-labelledby="looked" {
            h2 id="looked" { "The series" }
            dl.facts {
                @for fact in &page.facts {
                    dt { (fact.name) }
                    dd { (fact.value) }
                }
            }
        }
    }
}
