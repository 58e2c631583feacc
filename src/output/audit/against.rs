//! What is new against another audit, for people.

use std::fmt::Write;

use super::{counted, race};
use crate::audit::report::{Changes, ClassChange, Comparison, MethodChange};
use crate::output::terminal::{DIM, STRONG, visible};

/// How many changes of one sort are shown unless all are asked for.
const SHOWN: usize = 20;

pub(super) fn write(text: &mut String, comparison: &Comparison, verbose: bool) {
    for changes in &comparison.images {
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            text,
            "{STRONG}{} ({}){STRONG:#} against {}",
            visible(&changes.path),
            changes.arch,
            visible(&comparison.path)
        );
        match &changes.other {
            None => {
                text.push_str(": it has no image to be held against this one\n\n");
                continue;
            }
            Some(other) if *other != comparison.path => {
                let _ = write!(text, " (there {})", visible(other));
            }
            Some(_) => {}
        }
        let _ = match (&changes.other_uuid, changes.same_build) {
            (_, true) => writeln!(text, ", the same build"),
            (Some(uuid), false) => writeln!(text, ", UUID {uuid}"),
            (None, false) => writeln!(text),
        };
        self::changes(text, changes, verbose);
        text.push('\n');
    }
}

fn changes(text: &mut String, changes: &Changes, verbose: bool) {
    if changes.is_empty() {
        text.push_str(
            "  no class, no method and no fault foretold is new, gone, or of another kind\n",
        );
        return;
    }
    let classes = |list: &[ClassChange]| list.iter().map(class).collect::<Vec<_>>();
    let methods = |list: &[MethodChange]| list.iter().map(method).collect::<Vec<_>>();
    let types = changes.changed_types.iter().map(|change| {
        let types = |types: &Option<String>| types.clone().unwrap_or_else(|| "?".to_owned());
        format!(
            "{}: {} was {}",
            name(&change.class, &change.selector, change.class_method),
            types(&change.after),
            types(&change.before)
        )
    });
    let coverage = changes.changed_coverage.iter().map(|change| {
        let mut words = Vec::new();
        if !change.gained.is_empty() {
            words.push(format!("now hooked by {}", change.gained.join(" ")));
        }
        if !change.lost.is_empty() {
            words.push(format!("no longer hooked by {}", change.lost.join(" ")));
        }
        let name = name(&change.class, &change.selector, change.class_method);
        format!("{name}: {}", words.join(", "))
    });
    let orders = changes.changed_orders.iter().map(|change| {
        format!(
            "-[{} destroyImpl] {}; before, it {}",
            change.class,
            race::order(change.after),
            race::order(change.before)
        )
    });
    let addresses = |list: &[u64]| list.iter().map(|it| format!("{it:#x}")).collect::<Vec<_>>();
    for (one, many, lines) in [
        (
            "class is new",
            "classes are new",
            classes(&changes.new_classes),
        ),
        (
            "class is gone",
            "classes are gone",
            classes(&changes.gone_classes),
        ),
        (
            "method is new",
            "methods are new",
            methods(&changes.new_methods),
        ),
        (
            "method is gone",
            "methods are gone",
            methods(&changes.gone_methods),
        ),
        (
            "method has other types",
            "methods have other types",
            types.collect(),
        ),
        (
            "method is hooked otherwise",
            "methods are hooked otherwise",
            coverage.collect(),
        ),
        (
            "destroyImpl has another order",
            "destroyImpl have another order",
            orders.collect(),
        ),
        (
            "foretold fault is new",
            "foretold faults are new",
            addresses(&changes.new_faults),
        ),
        (
            "foretold fault is gone",
            "foretold faults are gone",
            addresses(&changes.gone_faults),
        ),
    ] {
        list(text, &counted(lines.len(), one, many), &lines, verbose);
    }
}

fn list(text: &mut String, title: &str, lines: &[String], verbose: bool) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {title}");
    let limit = if verbose { usize::MAX } else { SHOWN };
    for line in lines.iter().take(limit) {
        let _ = writeln!(text, "    {}", visible(line));
    }
    let more = lines.len().saturating_sub(limit);
    if more > 0 {
        let _ = writeln!(text, "    {DIM}and {more} more (-v){DIM:#}");
    }
}

fn class(change: &ClassChange) -> String {
    let own = counted(change.own, "method", "methods");
    let superclass = change.superclass.as_deref().unwrap_or("?");
    format!(
        "{} : {superclass}, {own}, {} of them work",
        change.class, change.work
    )
}

fn method(change: &MethodChange) -> String {
    let name = name(&change.class, &change.selector, change.class_method);
    let work = if change.work { ", work" } else { "" };
    if change.hooked.is_empty() {
        return format!("{name}{work}, hooked by none");
    }
    format!("{name}{work}, hooked by {}", change.hooked.join(" "))
}

fn name(class: &str, selector: &str, class_method: bool) -> String {
    let sign = if class_method { '+' } else { '-' };
    format!("{sign}[{class} {selector}]")
}
