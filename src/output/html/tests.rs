//! The page: its text, and that nothing of a report becomes markup.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use html5gum::{Token, Tokenizer};
use proptest::prelude::*;

use super::gather::Gathering;
use super::page::*;
use super::text::Text;
use super::{MARK, render};
use crate::diagnose::{Blame, Confidence};
use crate::stats::Rate;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("valid").to_utc()
}

/// A group in which every text is `hostile`.
fn group_of(hostile: &str, known: bool, count: usize) -> Group {
    let name = || Text::name(hostile);
    let sentence = || Text::sentence(hostile);
    let newest = at("2026-01-03T12:00:00Z");
    let row = |time| Row {
        time,
        who: name(),
        what: name(),
        file: Text::path(hostile),
    };
    Group {
        fingerprint: name(),
        title: Text::title(hostile),
        known: known.then(|| Known {
            id: name(),
            meaning: sentence(),
            remedy: sentence(),
            source: sentence(),
            blame: Blame::Elsewhere,
            counts: false,
            confidence: Confidence::Medium,
            evidence: vec![sentence(), sentence()],
        }),
        count,
        first: Some(newest - TimeDelta::days(2)),
        last: Some(newest),
        times: (0_i64..40)
            .take(count)
            .map(|hours| newest - TimeDelta::hours(hours))
            .collect(),
        processes: vec![(name(), count - 1), (name(), 1)],
        more_processes: 3,
        library: vec![(sentence(), count)],
        sample: Sample {
            what: name(),
            thread: name(),
            frames: vec![Text::frame(hostile), Text::frame(hostile)],
            telling: Some(1),
            more_frames: 7,
            said: vec![sentence()],
            more_said: 1,
            problems: vec![sentence()],
        },
        rows: vec![row(Some(newest)), row(None)],
    }
}

/// A page in which every text is `hostile`.
fn page_of(hostile: &str) -> Page {
    let name = || Text::name(hostile);
    let sentence = || Text::sentence(hostile);
    let newest = at("2026-01-03T12:00:00Z");
    let folder = |files, state| Folder {
        path: Text::path(hostile),
        files,
        state,
    };
    Page {
        title: name(),
        made: at("2026-01-04T08:00:00Z"),
        zone: FixedOffset::east_opt(3600).expect("valid"),
        machine: vec![sentence(), sentence()],
        systems: vec![(name(), 42), (name(), 1)],
        asked: Asked {
            since: Some(newest - TimeDelta::days(3)),
            processes: vec![name(), name()],
        },
        looked: Looked {
            folders: vec![
                folder(60, FolderState::Looked),
                folder(0, FolderState::Missing),
                folder(0, FolderState::NotYet),
                folder(0, FolderState::Unreadable(sentence())),
            ],
            files: 60,
            older: 5,
            copies: 3,
            other_processes: 2,
            no_crashes: BTreeMap::from([(hostile.to_owned(), 5)]),
            pending: 1,
            unreadable: vec![sentence()],
            more_unreadable: 1,
        },
        groups: vec![group_of(hostile, true, 41), group_of(hostile, false, 2)],
        runs: Some(Runs {
            rows: vec![
                RunRow {
                    command: name(),
                    fix: name(),
                    rate: Rate {
                        crashes: 3,
                        runs: 20,
                    },
                    undecided: 1,
                },
                RunRow {
                    command: name(),
                    fix: name(),
                    rate: Rate {
                        crashes: 0,
                        runs: 0,
                    },
                    undecided: 2,
                },
            ],
            more_rows: 2,
            unreadable: vec![sentence()],
            more_unreadable: 4,
        }),
    }
}

/// What a browser makes of the page: each tag with the names of its attributes, and the text between.
/// `words` are what may differ: texts and the values of attributes.
#[derive(Debug, Default, PartialEq)]
struct Anatomy {
    tags: Vec<(String, Vec<String>)>,
    text: String,
}

fn anatomy(page: &str) -> Anatomy {
    let mut anatomy = Anatomy::default();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    for token in Tokenizer::new(page) {
        match token.expect("a string cannot fail") {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.keys().map(|name| text(name)).collect();
                anatomy.tags.push((text(&tag.name), attributes));
            }
            Token::EndTag(tag) => anatomy
                .tags
                .push((format!("/{}", text(&tag.name)), Vec::new())),
            Token::String(words) => anatomy.text += &text(&words),
            Token::Doctype(_) => anatomy.tags.push(("!doctype".to_owned(), Vec::new())),
            Token::Comment(_) => panic!("a comment"),
            Token::Error(error) => panic!("no HTML: {error:?}"),
        }
    }
    anatomy
}

/// Strings that have broken pages before: out of text, of quoted and unquoted values, of comments,
/// of style, of titles, by entities, by odd white space, by direction.
const HOSTILE: [&str; 16] = [
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "</style><script>alert(1)</script>",
    "</pre></section></main></body>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus x='",
    "--><svg onload=alert(1)>",
    "<!--",
    "<![CDATA[<b>]]>",
    "&lt;script&gt;&#60;b&#62;&amp;",
    "javascript:alert(1)//",
    "a\u{0}b\u{1b}[31m\r\n\t\u{c}\u{b}",
    "\u{202e}gnp.exe\u{2066}\u{2069}\u{200b}\u{feff}",
    "<a\u{a0}href=//example.org>",
    "{{7*7}}${7*7}<%= 7 %>",
    "x><meta http-equiv=refresh content=0;url=//example.org><link rel=stylesheet href=//example.org>",
];

#[test]
fn hostile_texts_change_no_tag_and_no_attribute() {
    let plain = anatomy(&render(&page_of("plain")));
    for hostile in HOSTILE {
        let found = anatomy(&render(&page_of(hostile)));
        assert!(
            found.tags == plain.tags,
            "another tag or attribute by {hostile:?}"
        );
        // It is seen, not dropped: the title stands in the text whatever is in it.
        assert!(
            found.text.contains(Text::name(hostile).as_str()),
            "{hostile}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_changes_a_tag_or_an_attribute(text in ".{1,80}", markup in "[<>\"'&=/! a-z-]{1,80}") {
        let plain = anatomy(&render(&page_of("plain")));
        for text in [text, markup] {
            let found = anatomy(&render(&page_of(&text)));
            prop_assert!(found.tags == plain.tags, "another tag or attribute by {text:?}");
        }
    }
}

#[test]
fn the_page_loads_runs_and_styles_nothing_of_others() {
    let page = render(&page_of("plain"));
    assert!(page.contains(MARK));
    let policy = "default-src 'none'; style-src 'sha256-";
    assert!(page.contains(policy), "{}", &page[..600]);
    for (tag, attributes) in anatomy(&page).tags {
        let forbidden = [
            "script", "link", "img", "iframe", "object", "form", "base", "use", "image",
        ];
        assert!(!forbidden.contains(&tag.as_str()), "{tag}");
        for name in attributes {
            assert!(
                !name.starts_with("on") && name != "style" && name != "src",
                "{tag} {name}"
            );
        }
    }
    // The hash in the policy is that of the sheet as it stands on the page.
    let (_, rest) = page.split_once("<style>").expect("a sheet");
    let (sheet, _) = rest.split_once("</style>").expect("its end");
    assert_eq!(sheet, super::STYLE);
    assert!(!sheet.contains("url(") && !sheet.contains("@import"));
}

#[test]
fn every_tag_is_closed_in_order() {
    const VOID: [&str; 5] = ["meta", "br", "!doctype", "hr", "wbr"];
    let mut open = Vec::new();
    for (tag, _) in anatomy(&render(&page_of("plain"))).tags {
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed)),
            None if VOID.contains(&tag.as_str()) => {}
            None => open.push(tag),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn ten_thousand_groups_of_the_longest_texts_stay_below_two_megabytes() {
    let mut page = page_of(&"<\u{1b}&\">".repeat(100_000));
    let group = page.groups[0].clone();
    page.groups = vec![group; 10_000];
    let text = render(&page);
    assert!(text.len() < 2_000_000, "{}", text.len());
    assert!(text.contains("more groups"), "what is left out is counted");
}

#[test]
fn an_empty_page_says_what_was_looked_at() {
    let mut page = page_of("plain");
    page.groups.clear();
    page.runs = None;
    page.looked.unreadable.clear();
    page.looked.more_unreadable = 0;
    page.looked.pending = 0;
    let is_fine = |folder: &Folder| folder.unread().is_none();
    page.looked.folders.retain(is_fine);
    page.asked = Asked::default();
    let text = anatomy(&render(&page)).text;
    assert!(
        text.contains("No crash: 60 report files looked at."),
        "{text}"
    );
    assert!(text.contains("holds nothing yet"), "{text}");
    assert!(!text.contains("Not all could be looked at"), "{text}");
}

/// The page of some public reports, as it is on every machine.
#[test]
fn the_page_of_public_reports() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let mut gathering = Gathering::default();
    for name in [
        "001_Python.ips",
        "005_PhotoGuruViewer.ips",
        "008_MotoCortex.ips",
        "012_MotoCortex.ips",
        "035_novellum.ips",
        "097_Slack.crash",
    ] {
        let report = crate::reports::read_file(&folder.join(name)).expect("a report");
        let diagnosis = crate::diagnose::diagnose(&report);
        let path = std::path::Path::new("/reports").join(name);
        gathering.add(&path, &report, diagnosis.as_ref());
    }
    let (groups, systems) = gathering.finish();
    let plain = page_of("plain");
    let page = Page {
        groups,
        systems,
        made: at("2026-09-01T08:00:00Z"),
        asked: Asked::default(),
        looked: Looked {
            files: 6,
            ..Looked::default()
        },
        ..plain
    };
    let text = render(&page).replace(super::STYLE, "");
    // A line an element, so that a change is seen where it is.
    let text = regex_lite::Regex::new("(</(?:p|h1|h2|h3|li|tr|dd|svg|rect|summary|thead|title)>)")
        .expect("valid")
        .replace_all(&text, "$1\n")
        .into_owned();
    insta::with_settings!({
        filters => vec![(r"sha256-[^']+", "[hash]"), (r"agxrun \d+\.\d+\.\d+", "agxrun [version]")],
        prepend_module_to_snapshot => false,
    }, { insta::assert_snapshot!("page", text) });
}
