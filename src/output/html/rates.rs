//! Crash rates of runs whose outcome is known.

use maud::{Markup, html};

use super::page::{RunRow, Runs};
use super::words::{counted, grouped};

/// The section.
pub fn section(runs: &Runs) -> Markup {
    let unreadable = runs.unreadable.len() + runs.more_unreadable;
    html! {
        section aria-labelledby="rates" {
            h2 id="rates" { "Crash rate" }
            @if runs.rows.is_empty() {
                p { "No run of known outcome." }
            } @else {
                table.rates {
                    thead {
                        tr {
                            th scope="col" { "Command" }
                            th scope="col" { "Fix" }
                            th.number scope="col" { "Crashed" }
                            th.number scope="col" { "Rate" }
                            th scope="col" { "95 % confidence interval" }
                        }
                    }
                    tbody { @for row in &runs.rows { (line(row)) } }
                }
                @if runs.more_rows > 0 {
                    p.soft { "and " (counted(runs.more_rows, "more row", "more rows")) "." }
                }
                p.soft {
                    "Of a hundred such intervals (Clopper and Pearson's) at least 95 hold the true rate. No crash in a few runs is no proof: "
                    "look at the upper end. Undecided runs were not injected, interrupted or refused, and are in no rate."
                }
            }
            @if unreadable > 0 {
                p.gap { strong { (counted(unreadable, "record", "records")) " could not be read:" } }
                ul.unreadable {
                    @for reason in &runs.unreadable { li { (reason) } }
                    @if runs.more_unreadable > 0 { li.soft { "and " (grouped(runs.more_unreadable)) " more" } }
                }
            }
        }
    }
}

fn line(row: &RunRow) -> Markup {
    let rate = &row.rate;
    html! {
        tr {
            th scope="row" { code { (row.command) } }
            td { (row.fix) }
            td.number {
                (grouped(rate.crashes)) " of " (grouped(rate.runs))
                @if row.undecided > 0 {
                    br;
                    span.soft { "and " (grouped(row.undecided)) " undecided" }
                }
            }
            @match (rate.estimate(), rate.interval_95()) {
                (Some(estimate), Some((low, high))) => {
                    td.number { (percent(estimate)) }
                    td.interval {
                        span { (percent(low)) " to " (percent(high)) }
                        (drawn(estimate, low, high))
                    }
                }
                _ => { td.number { "none" } td { "none" } }
            }
        }
    }
}

/// The interval on a line from 0 to 100 %. The words beside it say the same.
fn drawn(estimate: f64, low: f64, high: f64) -> Markup {
    let at = |share: f64| format!("{:.1}", share * 1000.0);
    html! {
        svg.range aria-hidden="true" viewBox="-4 0 1008 10" preserveAspectRatio="none" {
            rect.whole x="0" y="4" width="1000" height="2" {}
            rect.part x=(at(low)) y="2" width=(at((high - low).max(0.002))) height="6" {}
            rect.mark x=(at(estimate - 0.003)) y="0" width="6" height="10" {}
        }
    }
}

/// One decimal, two below one percent.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 1.0 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.1} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_keep_what_matters_of_small_ones() {
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.003_69), "0.37 %");
        assert_eq!(percent(0.3085), "30.9 %");
        assert_eq!(percent(1.0), "100.0 %");
    }
}
