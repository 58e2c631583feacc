use proptest::prelude::*;

use super::file::parse;
use super::*;
use crate::diagnose::fingerprint;
use crate::reports::Report;

const SIGNATURE: &str = "agx_null_context";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn baseline(text: &str) -> Baseline {
    Baseline {
        path: PathBuf::from("baseline.toml"),
        entries: parse(text, Signatures::builtin()).expect("a baseline"),
    }
}

fn known_signature() -> &'static str {
    let first = Signatures::builtin().iter().next();
    &first.expect("a signature").id
}

/// What is said of a text, and of which line.
fn complaint(text: &str) -> (usize, String) {
    let flaw = parse(text, Signatures::builtin()).expect_err(text);
    (flaw.line, format!("{}: {}", flaw.key, flaw.reason))
}

fn any_fingerprint() -> Fingerprint {
    "0123456789abcdef".parse().expect("a fingerprint")
}

#[test]
fn an_entry_is_in_force_to_the_end_of_its_day() {
    let baseline = baseline(
        "[[crash]]\nfingerprint = \"01234567\"\nreason = \"known\"\nexpires = 2026-12-31\n",
    );
    let listed = |today| baseline.look_up(any_fingerprint(), None, day(today));
    assert!(listed("2026-12-31").expect("listed").is_known());
    assert!(!listed("2027-01-01").expect("listed").is_known());
    let other = "1123456789abcdef".parse().expect("a fingerprint");
    assert_eq!(baseline.look_up(other, None, day("2026-12-31")), None);
}

#[test]
fn one_in_force_comes_before_one_that_has_expired() {
    let id = known_signature();
    let baseline = baseline(&format!(
        "[[crash]]\nfingerprint = \"0123456789ABCDEF\"\nreason = \"old\"\nexpires = 2025-01-01\n\
         [[crash]]\nsignature = \"{id}\"\nreason = \"new\"\nexpires = 2027-01-01\n"
    ));
    let listed = baseline
        .look_up(any_fingerprint(), Some(id), day("2026-06-01"))
        .expect("listed");
    assert_eq!(
        (listed.entry.reason.as_str(), listed.expired),
        ("new", false)
    );
    let listed = baseline
        .look_up(any_fingerprint(), None, day("2026-06-01"))
        .expect("listed");
    assert_eq!(
        (listed.entry.reason.as_str(), listed.expired),
        ("old", true)
    );
    assert_eq!(listed.entry.line, 1);
}

#[test]
fn what_did_not_happen_is_found() {
    let id = known_signature();
    let baseline = baseline(&format!(
        "[[crash]]\nfingerprint = \"01234567\"\nreason = \"a\"\nexpires = 2027-01-01\n\
         [[crash]]\nfingerprint = \"76543210\"\nreason = \"b\"\nexpires = 2027-01-01\n\
         [[crash]]\nsignature = \"{id}\"\nreason = \"c\"\nexpires = 2027-01-01\n"
    ));
    let reasons = |seen: Vec<(Fingerprint, Option<&'static str>)>| -> Vec<String> {
        let unseen = baseline.unseen(seen);
        unseen.iter().map(|entry| entry.reason.clone()).collect()
    };
    assert_eq!(reasons(vec![]), ["a", "b", "c"]);
    assert_eq!(reasons(vec![(any_fingerprint(), None)]), ["b", "c"]);
    // One crash may be what several entries mean.
    assert_eq!(
        reasons(vec![(any_fingerprint(), Some(known_signature()))]),
        ["b"]
    );
}

#[test]
fn what_has_no_meaning_is_refused_with_its_line() {
    let entry = |lines: &str| format!("# a comment\n\n[[crash]]\n{lines}");
    let good = "fingerprint = \"0123456789abcdef\"\n";
    for (lines, line, expected) in [
        (
            format!("{good}reason = \"x\"\nexpires = 2027-01-01\nowner = \"me\"\n"),
            7,
            "owner",
        ),
        (format!("{good}expires = 2027-01-01\n"), 3, "reason"),
        (format!("{good}reason = \"x\"\n"), 3, "expires"),
        (
            format!("{good}reason = \" \"\nexpires = 2027-01-01\n"),
            5,
            "say why",
        ),
        (
            format!("{good}reason = \"x\"\nexpires = \"2027-01-01\"\n"),
            6,
            "expires",
        ),
        (
            format!("{good}reason = \"x\"\nexpires = 2027-01-01T10:00:00Z\n"),
            6,
            "expected a date",
        ),
        (
            format!("{good}reason = \"x\"\nexpires = 2027-02-30\n"),
            6,
            "",
        ),
        (
            "reason = \"x\"\nexpires = 2027-01-01\n".to_owned(),
            3,
            "which crash",
        ),
        (
            "fingerprint = \"0123456\"\nreason = \"x\"\nexpires = 2027-01-01\n".to_owned(),
            4,
            "8 to 16",
        ),
        (
            "fingerprint = \"0123456789abcdefa\"\nreason = \"x\"\nexpires = 2027-01-01\n"
                .to_owned(),
            4,
            "8 to 16",
        ),
        (
            "fingerprint = \"0123456g\"\nreason = \"x\"\nexpires = 2027-01-01\n".to_owned(),
            4,
            "8 to 16",
        ),
        (
            "signature = \"no_such_thing\"\nreason = \"x\"\nexpires = 2027-01-01\n".to_owned(),
            4,
            "no signature is called `no_such_thing`",
        ),
        (
            format!("{good}signature = \"{SIGNATURE}\"\nreason = \"x\"\nexpires = 2027-01-01\n"),
            5,
            "not by both",
        ),
    ] {
        let text = entry(&lines);
        let (at, said) = complaint(&text);
        assert_eq!(at, line, "{text}{said}");
        assert!(said.contains(expected), "{text}{said}");
    }
    let twice = format!(
        "[[crash]]\n{good}reason = \"x\"\nexpires = 2027-01-01\n[[crash]]\n{good}reason = \"y\"\nexpires = 2027-01-01\n"
    );
    let (at, said) = complaint(&twice);
    assert_eq!(at, 5);
    assert!(said.contains("in line 1"), "{said}");
    assert_eq!(complaint("crashes = []\n").0, 1);
}

#[test]
fn a_template_is_an_entry_once_a_reason_is_given() {
    let print = fingerprint(&Report::default()).to_string();
    let template = Entry::template(&print, "Python: a\nb", day("2026-11-30"));
    assert!(complaint(&template).1.contains("say why"));
    let filled = template.replace("reason = \"\"", "reason = \"x\"");
    let entries = parse(&filled, Signatures::builtin()).expect("an entry");
    assert_eq!(entries[0].key, Key::Fingerprint(print));
    assert_eq!(entries[0].expires, day("2027-02-28"));
}

proptest! {
    #[test]
    fn no_text_makes_reading_fail_but_with_a_line_that_exists(text in "(\\[\\[crash\\]\\]\n|fingerprint|signature|reason|expires|=|\"|2027-01-01|01234567| |\n|.){0,40}") {
        if let Err(flaw) = parse(&text, Signatures::builtin()) {
            prop_assert!(flaw.line >= 1 && flaw.line <= text.matches('\n').count() + 1);
            prop_assert!(!flaw.reason.is_empty());
        }
    }

    #[test]
    fn a_fingerprint_is_known_by_any_of_its_beginnings_of_eight_digits(value: u64, length in 8usize..=16) {
        let digits = format!("{value:016x}");
        let baseline = baseline(&format!(
            "[[crash]]\nfingerprint = \"{}\"\nreason = \"x\"\nexpires = 2027-01-01\n", &digits[..length]
        ));
        let print: Fingerprint = digits.parse().expect("a fingerprint");
        prop_assert!(baseline.look_up(print, None, day("2026-01-01")).is_some());
        let other: Fingerprint = format!("{:016x}", !value).parse().expect("a fingerprint");
        prop_assert!(baseline.look_up(other, None, day("2026-01-01")).is_none());
    }
}
