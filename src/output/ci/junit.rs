//! JUnit XML as the Jenkins xunit plugin's `junit-10.xsd` describes it, which Surefire and pytest write too.
//!
//! Written here and not by a crate: those that exist put attributes into it that no published schema has.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use chrono::SecondsFormat;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::case::{Case, CaseResult, Problem, Suite};
use crate::output::destination::Destination;

/// How much of one text is kept, in bytes: GitLab reads no file above 30 MB, and says nothing of it.
const TEXT_LIMIT: usize = 64 * 1024;

/// Writes the document to a file, whole or not at all.
pub fn write_junit(suites: &[Suite], to: &Path) -> Result<()> {
    let text = document(suites, project().as_deref())?;
    Destination::open(to.to_owned(), "--junit")?.write(&text)
}

/// The folder of a GitLab job: it takes the attachments that lie below it, by their path from there. Others take an
/// absolute path, as Jenkins' plugin asks.
pub(super) fn project() -> Option<PathBuf> {
    std::env::var_os("CI_PROJECT_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
}

/// The document. Attachments below `project` are named from there.
///
/// # Errors
/// None that is known: it is made in memory.
pub fn document(suites: &[Suite], project: Option<&Path>) -> io::Result<String> {
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    xml.0
        .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = Counts::of(suites);
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", "agxrun"));
    all.put(&mut root, false);
    xml.within(root, |xml| {
        for suite in suites {
            xml.suite(suite, project)?;
        }
        Ok(())
    })?;
    let mut bytes = xml.0.into_inner();
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(io::Error::other)
}

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn within(
        &mut self,
        start: BytesStart<'_>,
        content: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        let end = start.to_end().into_owned();
        self.0.write_event(Event::Start(start))?;
        content(self)?;
        self.0.write_event(Event::End(end))
    }

    /// An element with text; none where there is nothing to say.
    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.0.write_event(Event::Start(BytesStart::new(name)))?;
        self.0
            .write_event(Event::Text(BytesText::new(&printable(text))))?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    fn suite(&mut self, suite: &Suite, project: Option<&Path>) -> io::Result<()> {
        let mut start = BytesStart::new("testsuite");
        start.push_attribute(("name", &*printable(&suite.name)));
        Counts::of(std::slice::from_ref(suite)).put(&mut start, true);
        let started = suite.started.to_rfc3339_opts(SecondsFormat::Millis, true);
        start.push_attribute(("timestamp", &*started));
        self.within(start, |xml| {
            if !suite.properties.is_empty() {
                xml.within(BytesStart::new("properties"), |xml| {
                    for (name, value) in &suite.properties {
                        let mut property = BytesStart::new("property");
                        property.push_attribute(("name", &*printable(name)));
                        property.push_attribute(("value", &*printable(value)));
                        xml.0.write_event(Event::Empty(property))?;
                    }
                    Ok(())
                })?;
            }
            for case in &suite.cases {
                xml.case(case, project)?;
            }
            Ok(())
        })
    }

    fn case(&mut self, case: &Case, project: Option<&Path>) -> io::Result<()> {
        let mut start = BytesStart::new("testcase");
        start.push_attribute(("classname", &*printable(&case.class)));
        start.push_attribute(("name", &*printable(&case.name)));
        start.push_attribute(("time", &*seconds(case.seconds)));
        self.within(start, |xml| {
            match &case.result {
                CaseResult::Passed => {}
                CaseResult::Failed(problem) => xml.problem("failure", problem)?,
                CaseResult::Errored(problem) => xml.problem("error", problem)?,
                CaseResult::Skipped { message } => {
                    let mut skipped = BytesStart::new("skipped");
                    skipped.push_attribute(("message", &*printable(message)));
                    xml.0.write_event(Event::Empty(skipped))?;
                }
                CaseResult::Flaky { allowed, crashes } => {
                    xml.flaky(*allowed, crashes, &case.result.message())?;
                }
            }
            xml.text("system-out", &out(case, project))?;
            xml.text("system-err", &case.err)
        })
    }

    /// A flaky case that is accepted has its crashes beside its success, as Surefire writes them; another is a failure
    /// with those that followed the first as re-runs.
    fn flaky(&mut self, allowed: bool, crashes: &[Problem], message: &str) -> io::Result<()> {
        if allowed {
            for crash in crashes {
                self.problem("flakyFailure", crash)?;
            }
            return Ok(());
        }
        let text: Vec<&str> = crashes.iter().map(|crash| &*crash.text).collect();
        self.problem(
            "failure",
            &Problem {
                kind: "flaky".to_owned(),
                message: message.to_owned(),
                text: text.join("\n"),
            },
        )
    }

    fn problem(&mut self, name: &str, problem: &Problem) -> io::Result<()> {
        let mut start = BytesStart::new(name);
        start.push_attribute(("type", &*printable(&problem.kind)));
        start.push_attribute(("message", &*printable(&problem.message)));
        self.0.write_event(Event::Start(start))?;
        self.0
            .write_event(Event::Text(BytesText::new(&printable(&problem.text))))?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }
}

/// What readers add up themselves, and compare.
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    seconds: f64,
}

impl Counts {
    fn of(suites: &[Suite]) -> Self {
        let sum = |is: fn(&CaseResult) -> bool| suites.iter().map(|suite| suite.count(is)).sum();
        Self {
            tests: sum(|_| true),
            failures: sum(CaseResult::is_failure),
            errors: sum(CaseResult::is_error),
            skipped: sum(CaseResult::is_skipped),
            seconds: suites
                .iter()
                .flat_map(|suite| &suite.cases)
                .map(|case| case.seconds)
                .sum(),
        }
    }

    /// The schema has `skipped` at a suite and not at the root.
    fn put(&self, element: &mut BytesStart<'_>, with_skipped: bool) {
        element.push_attribute(("tests", &*self.tests.to_string()));
        element.push_attribute(("failures", &*self.failures.to_string()));
        element.push_attribute(("errors", &*self.errors.to_string()));
        if with_skipped {
            element.push_attribute(("skipped", &*self.skipped.to_string()));
        }
        element.push_attribute(("time", &*seconds(self.seconds)));
    }
}

/// The schema has digits and a point; what is no number of seconds is none.
fn seconds(seconds: f64) -> String {
    let seconds = if seconds.is_finite() {
        seconds.max(0.0)
    } else {
        0.0
    };
    format!("{seconds:.3}")
}

/// What a case says, with its attachments, each on a line of its own, as Jenkins' junit-attachments plugin and GitLab
/// read them. GitLab links the first.
fn out(case: &Case, project: Option<&Path>) -> String {
    let mut text = case.out.clone();
    if !text.is_empty() && !text.ends_with('\n') && !case.attachments.is_empty() {
        text.push('\n');
    }
    for path in &case.attachments {
        let shown = project
            .and_then(|project| path.strip_prefix(project).ok())
            .unwrap_or(path);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[[ATTACHMENT|{}]]", shown.display());
    }
    text
}

/// The text without what XML 1.0 cannot hold in any form (its `Char`, section 2.2), and of bounded length: the
/// beginning and the end, where it is told what was wrong.
fn printable(text: &str) -> String {
    let is_char = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let keep = |text: &str| -> String {
        text.chars()
            .map(|c| if is_char(c) { c } else { '\u{fffd}' })
            .collect()
    };
    if text.len() <= TEXT_LIMIT {
        return keep(text);
    }
    let head = text.floor_char_boundary(TEXT_LIMIT / 2);
    let tail = text.ceil_char_boundary(text.len() - TEXT_LIMIT / 2);
    format!(
        "{}\n[{} bytes are left out]\n{}",
        keep(&text[..head]),
        tail - head,
        keep(&text[tail..])
    )
}
