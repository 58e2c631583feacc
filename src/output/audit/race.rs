//! The race in `destroyImpl` and the faults that are foretold, for people.

use std::fmt::Write;

use super::counted;
use crate::audit::report::{
    ActionKind, DestroyAudit, PredictedFault, RaceAudit, StepAudit, StoreOrderKind,
};
use crate::output::terminal::{DIM, STRONG, WARNING, visible};

/// How many addresses and functions are shown unless all are asked for.
const SHOWN: usize = 12;

pub(super) fn write(text: &mut String, race: &RaceAudit, verbose: bool) {
    if race.destroys.is_empty() && race.untested_reads.is_empty() && race.looked_at.loads == 0 {
        return;
    }
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "{STRONG}The race, and faults foretold{STRONG:#}");
    for destroy in &race.destroys {
        self::destroy(text, destroy, verbose);
    }
    let looked_at = &race.looked_at;
    let _ = writeln!(
        text,
        "  {} of {} may load _impl and were followed: {}, {} without a test before, {} at distances that are computed, {} on to what was not followed",
        looked_at.followed,
        counted(looked_at.functions, "function", "functions"),
        counted(looked_at.loads, "load", "loads"),
        counted(race.untested_reads.len(), "dereference", "dereferences"),
        looked_at.computed,
        counted(looked_at.passed_on, "call", "calls"),
    );
    let limit = if verbose { usize::MAX } else { SHOWN };
    for fault in race.predicted_faults.iter().take(limit) {
        predicted(text, fault, limit);
    }
    let more = race.predicted_faults.len().saturating_sub(limit);
    if more > 0 {
        let _ = writeln!(text, "    {DIM}and {more} addresses more (-v){DIM:#}");
    }
    text.push('\n');
}

fn destroy(text: &mut String, destroy: &DestroyAudit, verbose: bool) {
    let class = destroy.class.as_deref().unwrap_or("?");
    let order = order(destroy.order);
    let style = if destroy.order == StoreOrderKind::BeforeUnlock {
        STRONG
    } else {
        WARNING
    };
    let _ = write!(text, "  {style}-[{} destroyImpl]{style:#}", visible(class));
    if let Some(address) = destroy.address {
        let _ = write!(text, " (at {address:#x})");
    }
    let _ = write!(text, " {order}");
    if let Some(why) = &destroy.why {
        let _ = write!(text, " ({})", visible(why));
    }
    text.push('\n');
    let limit = if verbose { usize::MAX } else { SHOWN };
    for step in destroy.steps.iter().take(limit) {
        self::step(text, step);
    }
    let more = destroy.steps.len().saturating_sub(limit);
    if more > 0 {
        let _ = writeln!(text, "    {DIM}and {more} more of these (-v){DIM:#}");
    }
    if verbose {
        for path in &destroy.paths {
            let actions: Vec<_> = path.iter().map(|step| action(step.action)).collect();
            let _ = writeln!(text, "    {DIM}a path: {}{DIM:#}", actions.join(", "));
        }
    }
    if destroy.more_paths {
        let _ = writeln!(text, "    {DIM}and more paths than were followed{DIM:#}");
    }
}

/// When NULL is stored to `_impl`.
pub(super) fn order(order: StoreOrderKind) -> &'static str {
    match order {
        StoreOrderKind::AfterUnlock => "stores NULL to _impl after the unlock: the race",
        StoreOrderKind::Mixed => "stores NULL to _impl after the unlock on some paths: the race",
        StoreOrderKind::BeforeUnlock => "stores NULL to _impl before the unlock",
        StoreOrderKind::NoLock => "stores NULL to _impl without a lock",
        StoreOrderKind::NotRecognised => "stores NULL to _impl in an order that is not known",
    }
}

fn step(text: &mut String, step: &StepAudit) {
    let _ = writeln!(
        text,
        "    {DIM}{:#x}  {:<28}{}{DIM:#}",
        step.instruction.address,
        visible(&step.instruction.text),
        action(step.action)
    );
}

fn action(action: ActionKind) -> &'static str {
    match action {
        ActionKind::Load => "load of _impl",
        ActionKind::Lock => "lock",
        ActionKind::Give => "given away",
        ActionKind::Unlock => "unlock",
        ActionKind::Free => "free",
        ActionKind::Store => "NULL to _impl",
    }
}

fn predicted(text: &mut String, fault: &PredictedFault, limit: usize) {
    let shown: Vec<_> = fault.functions.iter().take(limit).cloned().collect();
    let more = fault.functions.len() - shown.len();
    let _ = write!(
        text,
        "    {:#x}: {}",
        fault.address,
        visible(&shown.join(", "))
    );
    if more > 0 {
        let _ = write!(text, " {DIM}and {more} more{DIM:#}");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::report::Line;

    #[test]
    fn a_long_list_of_steps_is_cut_unless_it_is_asked_for() {
        let load = |address| StepAudit {
            action: ActionKind::Load,
            instruction: Line {
                address,
                text: "ldr x20, [x19, x8]".to_owned(),
            },
        };
        let made = DestroyAudit {
            class: Some("AGXG16XFamilyComputeContext".to_owned()),
            address: Some(0x1000),
            impl_offset: None,
            order: StoreOrderKind::NotRecognised,
            why: None,
            steps: (0..30).map(load).collect(),
            paths: Vec::new(),
            more_paths: false,
            not_patchable: None,
        };
        let shown = |verbose| {
            let mut text = String::new();
            destroy(&mut text, &made, verbose);
            text
        };
        assert_eq!(shown(false).matches("load of _impl").count(), SHOWN);
        assert!(shown(false).contains("and 18 more of these (-v)"));
        assert_eq!(shown(true).matches("load of _impl").count(), 30);
    }
}
