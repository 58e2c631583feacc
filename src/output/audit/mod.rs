//! An audit for people.

mod against;
mod bypass;
mod coverage;
mod progress;
mod race;

use std::fmt::Write;
use std::path::PathBuf;

use super::terminal::{DIM, STRONG, WARNING, visible};
use crate::audit::report::{Audit, FileAudit, ImageAudit, PartAudit};

pub use progress::Waiting;

/// An audit, and how it is to be shown.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The audit.
    pub audit: &'a Audit,
    /// The policy by which it is judged.
    pub policy: &'static str,
    /// Every method is shown.
    pub verbose: bool,
    /// Cells of the terminal's lines; none where there is no terminal.
    pub width: Option<usize>,
    /// Where it is kept.
    pub kept: &'a [PathBuf],
}

impl Shown<'_> {
    /// The screen.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (file, part, image) in self.audit.images() {
            self.image(&mut text, file, part, image);
        }
        if let Some(against) = &self.audit.against {
            against::write(&mut text, against, self.verbose);
        }
        self.verdict(&mut text);
        text
    }

    fn image(&self, text: &mut String, file: &FileAudit, part: &PartAudit, image: &ImageAudit) {
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            text,
            "{STRONG}{}{STRONG:#} ({}, {}",
            visible(&file.path),
            part.arch,
            image.file_type
        );
        if let Some(uuid) = &image.uuid {
            let _ = write!(text, ", UUID {uuid}");
        }
        text.push_str(")\n");
        let _ = writeln!(text, "  {}", extent(image));
        if !file.passed_over.is_empty() {
            let _ = writeln!(
                text,
                "  {DIM}not looked at: its parts for {} (--arch){DIM:#}",
                file.passed_over.join(", ")
            );
        }
        text.push('\n');
        if !image.coverage.classes.is_empty() {
            coverage::write(text, &image.coverage, self);
        }
        if let Some(bypass) = &image.bypass {
            bypass::write(text, bypass, self.policy, self.verbose);
        }
        if let Some(race) = &image.race {
            race::write(text, race, self.verbose);
        }
        if !image.unseen.is_empty() {
            let _ = writeln!(text, "{STRONG}Cannot be seen{STRONG:#}");
            for unseen in &image.unseen {
                let _ = writeln!(text, "  {}", visible(&unseen.text));
            }
            for gap in &image.gaps.first {
                let _ = writeln!(text, "    {DIM}{}{DIM:#}", visible(gap));
            }
            let more = image.gaps.count - image.gaps.first.len() as u64;
            if more > 0 {
                let _ = writeln!(text, "    {DIM}and {more} places more{DIM:#}");
            }
            text.push('\n');
        }
    }

    fn verdict(&self, text: &mut String) {
        let verdict = &self.audit.verdict;
        let style = if self.audit.weakens() {
            WARNING
        } else {
            STRONG
        };
        let _ = writeln!(text, "{style}Verdict{style:#}");
        for sentence in &verdict.text {
            let _ = writeln!(text, "  {}", visible(sentence));
        }
        for path in self.kept {
            let _ = writeln!(
                text,
                "  {DIM}kept for `agxrun show`: {}{DIM:#}",
                visible(&path.display().to_string())
            );
        }
    }
}

/// How much there is of an image.
fn extent(image: &ImageAudit) -> String {
    let mut parts = Vec::new();
    parts.extend(
        image
            .family
            .as_ref()
            .map(|family| format!("driver of family {family}")),
    );
    parts.push(counted(image.classes, "class", "classes"));
    parts.push(counted(image.methods, "method", "methods"));
    parts.extend(
        image
            .functions
            .map(|count| counted(count, "function", "functions")),
    );
    let of_ours = image.coverage.classes.len();
    if of_ours == 0 {
        parts.push("none of encoders, command buffers, queues or devices".to_owned());
    }
    visible(&parts.join(", "))
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}
