//! What policies reach of an image, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use agx_policy::POLICIES;

use super::{Shown, counted};
use crate::audit::coverage::{ClassCoverage, Coverage, LeftKind, MethodCoverage};
use crate::output::table::{Cell, Column, Table};
use crate::output::terminal::{DIM, STRONG, visible};

/// How many selectors of one reason are shown unless all are asked for.
const SHOWN: usize = 12;

/// Our policy, and the newest one that others have published: what the table always compares.
const COMPARED: [&str; 2] = ["v2.9", "v3"];

pub(super) fn write(text: &mut String, coverage: &Coverage, shown: &Shown<'_>) {
    *text += &table(coverage, shown).render(shown.width.unwrap_or(usize::MAX));
    text.push('\n');
    totals(text, coverage, shown.policy);
    left_alone(text, coverage, shown);
    not_here(text, coverage, shown.policy);
    if shown.verbose {
        for class in &coverage.classes {
            methods(text, class, shown.policy);
        }
    }
}

const fn column(title: &'static str, spare: u8, right: bool) -> Column {
    Column {
        title,
        spare,
        least: if right { 4 } else { 12 },
        most: 60,
        right,
    }
}

/// A row for each class: its own methods, those that are work, and how much of the work is hooked.
fn table(coverage: &Coverage, shown: &Shown<'_>) -> Table<7> {
    let [published, ours] = COMPARED;
    let mut table = Table::new([
        column("CLASS", 0, false),
        column("KIND", 3, false),
        column("OWN", 4, true),
        column("WORK", 2, true),
        column(published, 1, true),
        column(ours, 0, true),
        column(shown.policy, 1, true),
    ]);
    for class in &coverage.classes {
        let number = |number: usize| Cell::new(&number.to_string());
        let hooked = |policy: &str| match class.policy(policy) {
            Some(of) if class.kind.takes_work() => number(of.work_hooked),
            _ => Cell::new("-"),
        };
        table.push([
            Cell::new(&class.name),
            Cell::new(&class.kind.to_string()),
            number(class.own),
            if class.kind.takes_work() {
                number(class.work)
            } else {
                Cell::new("-")
            },
            hooked(published),
            hooked(ours),
            if COMPARED.contains(&shown.policy) {
                Cell::default()
            } else {
                hooked(shown.policy)
            },
        ]);
    }
    table
}

fn totals(text: &mut String, coverage: &Coverage, policy: &str) {
    let mut named: Vec<&str> = vec![policy];
    named.extend(COMPARED.iter().rev().filter(|name| **name != policy));
    for numbers in named.into_iter().filter_map(|name| coverage.policy(name)) {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            text,
            "{STRONG}{}{STRONG:#} hooks {}: {} of {} that are work, {} of {} in the encoders' own classes",
            numbers.policy,
            counted(numbers.hooked, "method", "methods"),
            numbers.work_hooked,
            numbers.work,
            numbers.encoder_work_hooked,
            numbers.encoder_work,
        );
    }
    text.push('\n');
}

/// What the policy does not hook of what takes work, by reason; of what no policy hooks only how much.
fn left_alone(text: &mut String, coverage: &Coverage, shown: &Shown<'_>) {
    let mut reasons: BTreeMap<(LeftKind, &str), Vec<String>> = BTreeMap::new();
    let mut others = 0;
    for (class, method) in coverage.methods() {
        let Some(left) = method.left_by(shown.policy) else {
            continue;
        };
        if class.kind.takes_work() && !method.class_method {
            let reason = reasons.entry((left.kind, &left.reason)).or_default();
            reason.push(
                method
                    .selector
                    .clone()
                    .unwrap_or_else(|| method.name(class)),
            );
        } else {
            others += 1;
        }
    }
    if reasons.is_empty() && others == 0 {
        return;
    }
    let _ = writeln!(text, "{STRONG}Not hooked by {}{STRONG:#}", shown.policy);
    for ((kind, reason), mut selectors) in reasons {
        let count = counted(selectors.len(), "method", "methods");
        selectors.sort();
        selectors.dedup();
        let limit = if shown.verbose { usize::MAX } else { SHOWN };
        let more = selectors.len().saturating_sub(limit);
        selectors.truncate(limit);
        let what = match kind {
            LeftKind::NotForwardable => format!("cannot be forwarded ({reason})"),
            _ => reason.to_owned(),
        };
        let _ = write!(
            text,
            "  {what}, {count}: {}",
            visible(&selectors.join(", "))
        );
        if more > 0 {
            let _ = write!(text, " {DIM}and {more} selectors more (-v){DIM:#}");
        }
        text.push('\n');
    }
    if others > 0 {
        let _ = writeln!(
            text,
            "  of queues, devices, wrappers, and classes themselves, which no policy hooks, {}",
            counted(others, "method", "methods")
        );
    }
    text.push('\n');
}

/// What a published list names and this image does not have.
fn not_here(text: &mut String, coverage: &Coverage, policy: &str) {
    let of_policy = |class: &ClassCoverage| -> Vec<String> {
        class
            .policy(policy)
            .map(|of| of.not_here.clone())
            .unwrap_or_default()
    };
    let classes: Vec<_> = coverage
        .classes
        .iter()
        .map(|class| (class, of_policy(class)))
        .filter(|(_, selectors)| !selectors.is_empty())
        .collect();
    if classes.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{STRONG}On the list of {policy} and not in this image{STRONG:#} (inherited from another image, or no method at all)"
    );
    for (class, selectors) in classes {
        let _ = writeln!(
            text,
            "  {}: {}",
            visible(&class.name),
            visible(&selectors.join(", "))
        );
    }
    text.push('\n');
}

/// Every method of a class, with its address, its types and who hooks it.
fn methods(text: &mut String, class: &ClassCoverage, policy: &str) {
    let _ = writeln!(
        text,
        "{STRONG}{}{STRONG:#} : {}",
        visible(&class.name),
        visible(class.superclass.as_deref().unwrap_or("?"))
    );
    for method in &class.methods {
        let address = method
            .address
            .map_or_else(|| "?".to_owned(), |it| format!("{it:#x}"));
        let _ = writeln!(
            text,
            "  {address:>12}  {}  {DIM}{}{DIM:#}  {}",
            visible(&signed(method)),
            visible(method.types.as_deref().unwrap_or("?")),
            hooked(method, policy)
        );
    }
    text.push('\n');
}

fn signed(method: &MethodCoverage) -> String {
    let sign = if method.class_method { '+' } else { '-' };
    let selector = method.selector.as_deref().unwrap_or("?");
    match &method.category {
        Some(category) => format!("{sign}({category}) {selector}"),
        None => format!("{sign}{selector}"),
    }
}

fn hooked(method: &MethodCoverage, policy: &str) -> String {
    let by = match method.hooked.len() {
        0 => String::new(),
        all if all == POLICIES.len() => "hooked by all".to_owned(),
        _ => format!("hooked by {}", method.hooked.join(" ")),
    };
    match (method.left_by(policy), by.is_empty()) {
        (None, _) => by,
        (Some(left), true) => format!("not hooked: {}", left.reason),
        (Some(left), false) => format!("{by}; not by {policy}: {}", left.reason),
    }
}
