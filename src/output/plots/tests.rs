use super::*;
use crate::compare::testing::timed;
use crate::history::{Kind, RunLine};
use crate::stats::cumulative_bound;
use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;

/// A run of this kind that took so long.
fn run(kind: Kind, wall: f64) -> RunLine {
    RunLine {
        title: kind
            .is_crash()
            .then(|| "<script>alert(1)</script>".to_owned()),
        ..timed(kind, wall)
    }
}

fn arm(name: &str, crashes: usize, runs: usize) -> PageArm {
    let lines: Vec<RunLine> = (0..runs)
        .map(|at| {
            let kind = if at * crashes / runs.max(1) < (at + 1) * crashes / runs.max(1) {
                Kind::Crash
            } else {
                Kind::Clean
            };
            let wall = if kind.is_crash() {
                0.4 + 0.05 * crate::stats::float(at as u64)
            } else {
                3.0
            };
            run(kind, wall)
        })
        .collect();
    PageArm::of(name, &lines, 0.95)
}

fn series() -> SeriesPage {
    SeriesPage {
        title: Text::name("none, v2.5, v3 <b>compared</b>"),
        made: DateTime::from_timestamp(1_767_323_045, 0).expect("a time"),
        zone: FixedOffset::east_opt(3600).expect("a zone"),
        findings: vec![
            (
                Tone::Good,
                Text::sentence("`v3` crashes less often than `none`"),
            ),
            (Tone::Open, Text::sentence("`v2.5` is not told from `none`")),
        ],
        warnings: vec![Text::sentence("the first run took long")],
        arms: vec![arm("none", 12, 20), arm("v2.5", 7, 20), arm("v3", 0, 20)],
        confidence: 0.95,
        limit: Some(0.2),
        facts: vec![Fact::new("Command", "python3 a.py"), Fact::new("Seed", "7")],
    }
}

fn names(svg: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in svg.split("<text class=\"name\"").skip(1) {
        let inside = line.split_once('>').expect("a tag").1;
        names.push(inside.split_once('<').expect("its end").0.to_owned());
    }
    names
}

fn all(page: &SeriesPage) -> [String; 3] {
    let rates: Vec<RateRow> = page.arms.iter().map(RateRow::of).collect();
    let survivals: Vec<SurvivalLine> = page.arms.iter().filter_map(SurvivalLine::of).collect();
    let bounds: Vec<BoundLine> = page.arms.iter().filter_map(BoundLine::of).collect();
    [
        rates_svg(&rates, 0.95),
        survival_svg(&survivals, 0.95),
        bound_svg(&bounds, 0.95, page.limit),
    ]
}

/// The document is well formed, and every number in it is one.
#[track_caller]
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    let body = svg.split_once("?>").expect("a declaration").1;
    for part in body.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.to_owned()), "{svg}");
        } else {
            let name = tag.split([' ', '>']).next().expect("a name");
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for odd in ["NaN", "inf", "\u{1b}"] {
        assert!(!svg.contains(odd), "{odd} in {svg}");
    }
}

#[test]
fn files_are_well_formed_and_say_what_they_show() {
    for svg in all(&series()) {
        assert_well_formed(&svg);
        assert!(
            svg.contains("role=\"img\"") && svg.contains("<title id=") && svg.contains("<desc id=")
        );
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert_eq!(
            names(&svg),
            ["none", "v2.5", "v3"],
            "text, and not outlines"
        );
    }
}

#[test]
fn the_numbers_are_those_of_the_runs() {
    let [rates, survival, bound] = all(&series());
    assert!(
        rates.contains("12 of 20: 60.0 %, from 36.0 % to 80.9 %"),
        "{rates}"
    );
    assert!(
        survival
            .contains("none: 40.0 % have not crashed at the end; 12 crashed, 8 ended otherwise"),
        "{survival}"
    );
    // 1 - 0.05^(1/20)
    assert!(
        bound.contains("v3: below 14.0 % after 20. The limit is 20.0 %."),
        "{bound}"
    );
}

#[test]
fn the_page_holds_all_of_it_and_no_script() {
    let page = page(&series());
    assert!(!page.contains("<script"), "markup of a report is text");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("style=\""), "the policy would drop it");
    for part in [
        "id=\"rates-title\"",
        "id=\"survival-title\"",
        "id=\"bound-title\"",
        "python3 a.py",
        "12 crash, 8 clean",
    ] {
        assert!(page.contains(part), "{part} is not in the page");
    }
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each id once");
}

#[test]
fn a_series_without_a_run_that_counts_is_drawn_as_well() {
    let lines = [run(Kind::NotInjected, 1.0)];
    let page_of_none = SeriesPage {
        arms: vec![
            PageArm::of("v3", &lines, 0.95),
            PageArm::of("none", &[], 0.95),
        ],
        ..series()
    };
    let text = page(&page_of_none);
    assert!(text.contains("no run that shows something"));
    assert!(!text.contains("survival-title"));
    for svg in all(&page_of_none) {
        assert_well_formed(&svg);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_series_is_drawn(
        arms in prop::collection::vec(("[ -@{-~äöü日本\u{202e}\u{7}]{0,30}", prop::collection::vec((any::<bool>(), prop::num::f64::ANY), 0..40)), 0..9),
        limit in prop::option::of(0.0..=1.0_f64),
    ) {
        let rows: Vec<RateRow> = arms.iter().map(|(name, runs)| RateRow {
            name: Text::name(name),
            rate: Rate { crashes: runs.iter().filter(|run| run.0).count(), runs: runs.len() },
        }).collect();
        assert_well_formed(&rates_svg(&rows, 0.95));
        let lines: Vec<SurvivalLine> = arms.iter().map(|(name, runs)| {
            let runs: Vec<(f64, bool)> = runs.iter().map(|(crashed, time)| (*time, *crashed)).collect();
            SurvivalLine { name: Text::name(name), survival: Survival::of(&runs, 0.95) }
        }).collect();
        assert_well_formed(&survival_svg(&lines, 0.95));
        let lines: Vec<BoundLine> = arms.iter().map(|(name, runs)| BoundLine {
            name: Text::name(name),
            bounds: cumulative_bound(runs.iter().map(|run| run.0), 0.95),
        }).collect();
        assert_well_formed(&bound_svg(&lines, 0.95, limit));
    }
}
