//! Ways past the hooks, for people.

use std::fmt::Write;

use super::counted;
use crate::audit::report::{BypassAudit, LookupAudit, ReferenceAudit, ReferenceAuditKind, Spot};
use crate::output::terminal::{DIM, STRONG, WARNING, visible};

/// How many of one sort are shown unless all are asked for.
const SHOWN: usize = 10;

pub(super) fn write(text: &mut String, bypass: &BypassAudit, policy: &str, verbose: bool) {
    let nothing = bypass.lookups.is_empty() && bypass.direct_methods.is_empty();
    if bypass.looked_at.methods == 0 && nothing {
        return;
    }
    let limit = if verbose { usize::MAX } else { SHOWN };
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "{STRONG}Ways past the hooks of {policy}{STRONG:#}");
    let looked_at = &bypass.looked_at;
    let _ = writeln!(
        text,
        "  {DIM}asked about {} in {} instructions, {} pointers and {} words that might be distances{DIM:#}",
        counted(small(looked_at.methods), "method", "methods"),
        looked_at.instructions,
        looked_at.pointers,
        looked_at.distances,
    );
    let ways: Vec<_> = bypass.ways().collect();
    if ways.is_empty() && looked_at.methods > 0 {
        let _ = writeln!(text, "  none found in {} places", looked_at.places());
    }
    for way in ways.iter().take(limit) {
        reference(text, way);
    }
    more(text, ways.len(), limit);
    let distances: Vec<_> = bypass
        .references
        .iter()
        .filter(|it| it.kind == ReferenceAuditKind::Distance)
        .collect();
    if verbose {
        for distance in &distances {
            reference(text, distance);
        }
    }
    for lookup in &bypass.lookups {
        self::lookup(text, lookup, limit);
    }
    let direct: Vec<_> = bypass
        .direct_methods
        .iter()
        .filter(|method| verbose || method.of_hooked_class)
        .collect();
    for method in direct.iter().take(limit) {
        let _ = writeln!(
            text,
            "  called directly, without the runtime: {} at {:#x}",
            visible(&method.symbol),
            method.address
        );
    }
    more(text, direct.len(), limit);
    text.push('\n');
}

/// Counts of an image fit where its addresses do.
fn small(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn more(text: &mut String, all: usize, limit: usize) {
    let more = all.saturating_sub(limit);
    if more > 0 {
        let _ = writeln!(text, "  {DIM}and {more} more (-v){DIM:#}");
    }
}

fn reference(text: &mut String, way: &ReferenceAudit) {
    let how = match way.kind {
        ReferenceAuditKind::Call => "a call",
        ReferenceAuditKind::Branch => "a branch",
        ReferenceAuditKind::Address => "its address is formed",
        ReferenceAuditKind::Pointer => "a pointer in data",
        ReferenceAuditKind::Load => "a pointer to it is loaded",
        ReferenceAuditKind::Distance => "perhaps a distance in data",
    };
    let _ = write!(
        text,
        "  {WARNING}{}{WARNING:#}: {how}, {}",
        visible(&way.methods.join(", ")),
        visible(&place(&way.at))
    );
    if let Some(signed) = &way.signed {
        let _ = write!(text, ", signed ({})", visible(signed));
    }
    text.push('\n');
    for line in &way.instructions {
        let _ = writeln!(
            text,
            "    {DIM}{:#x}  {}{DIM:#}",
            line.address,
            visible(&line.text)
        );
    }
}

fn lookup(text: &mut String, lookup: &LookupAudit, limit: usize) {
    let kind = if lookup.selector {
        "the selector"
    } else {
        "the function"
    };
    let _ = write!(
        text,
        "  the runtime is asked for methods' code by {kind} `{}`: {}",
        visible(&lookup.name),
        match lookup.uses.len() {
            0 => "named, and no code was seen that uses it".to_owned(),
            uses => counted(uses, "place", "places"),
        }
    );
    text.push('\n');
    for spot in lookup.uses.iter().take(limit) {
        let _ = writeln!(text, "    {}", visible(&place(spot)));
    }
    more(text, lookup.uses.len(), limit);
}

/// An address with the function that has it.
fn place(spot: &Spot) -> String {
    match (&spot.function, spot.into) {
        (Some(function), Some(into)) => format!("at {:#x} in {function} + {into}", spot.address),
        _ => format!("at {:#x}", spot.address),
    }
}
