//! The table of `agxrun fix list`.

use std::fmt::Write;

use agx_policy::abi::Convention;
use agx_policy::coverage::{self, Coverage, Reach};
use agx_policy::dump::Dump;
use agx_policy::published::Object;
use agx_policy::{POLICIES, Policy, default_policy};
use anyhow::{Context, Result};
use serde::Serialize;

use super::terminal::STRONG;
use crate::inject::Artifact;
use crate::inject::platform::LIBRARY_AFFIXES;

/// The classes against which coverage is counted.
const DUMP: &str = include_str!("../../tests/rehearsal/data/driver-classes.tsv");
/// What they are, for people.
const DUMP_SOURCE: &str = "reach: work methods of the driver's six concrete encoder classes that are hooked, in public class dumps \
of macOS 14.6 (AGX) and 15.6; another system has others.";

/// The name of the library's file under which a policy is had by itself.
pub fn file_name(policy: &Policy) -> String {
    format!("{}{}", policy.stem, LIBRARY_AFFIXES.1)
}

/// A policy and what it reaches.
struct Row {
    policy: &'static Policy,
    coverage: Coverage,
}

fn rows() -> Result<Vec<Row>> {
    let dump = Dump::parse(DUMP).ok().context(
        "the class dump inside agxrun cannot be read: a fault of ours, please report it",
    )?;
    // The dumped driver's processor, whichever this is.
    let of = |policy| coverage::of(&dump, policy, Convention::AppleArm64);
    Ok(POLICIES
        .iter()
        .map(|policy| Row {
            policy,
            coverage: of(policy),
        })
        .collect())
}

/// The files by whose name a policy is had: the default goes by the library's own, too.
fn files(policy: &Policy) -> Vec<String> {
    let own = (policy == default_policy()).then(|| Artifact::FixLibrary.file_name());
    own.into_iter().chain([file_name(policy)]).collect()
}

/// For people; `verbose` adds what each reaches of each kind of object.
pub fn as_text(verbose: bool) -> Result<String> {
    let rows = rows()?;
    let mut text = format!(
        "{STRONG}{:<9}{:<25}{:<27}{:<14}how it fails, as its author says{STRONG:#}\n",
        "policy", "file", "status", "reach"
    );
    for Row { policy, coverage } in &rows {
        let (reached, all) = coverage.encoder_work();
        let failure = match policy.known_failure {
            "" => "none known",
            failure => failure,
        };
        let file = files(policy).remove(0);
        let reach = format!("{reached} of {all}");
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<9}{file:<25}{:<27}{reach:<14}{failure}",
            policy.name, policy.status
        );
        if verbose {
            text += &details(coverage);
        }
    }
    let _ = write!(text, "\n{DUMP_SOURCE}\n");
    if !verbose {
        text += "`agxrun fix list -v` has it by class; --json what v3 cannot reach, and why.\n";
    }
    Ok(text)
}

fn details(coverage: &Coverage) -> String {
    let mut text = String::new();
    for reach in &coverage.objects {
        let _ = write!(
            text,
            "         {:<24}{:>4} of {:<4}work methods of {}",
            object_name(reach.object),
            reach.work_reached,
            reach.work,
            reach.class
        );
        match reach.unmatched.len() {
            0 => {}
            missing => {
                let _ = write!(text, "; {missing} hooks name no method of it");
            }
        }
        text.push('\n');
    }
    for method in &coverage.unreached {
        let _ = writeln!(
            text,
            "         cannot hook -[{} {}]: {}",
            method.class, method.selector, method.reason
        );
    }
    text
}

fn object_name(object: Object) -> &'static str {
    match object {
        Object::Buffer => "command buffer",
        Object::MpsBuffer => "MPS command buffer",
        Object::Compute => "compute",
        Object::Blit => "blit",
        Object::Render => "render",
        Object::ParallelRender => "parallel render",
        Object::ResourceState => "resource state",
        Object::AccelerationStructure => "acceleration structure",
    }
}

/// A policy, for machines.
#[derive(Serialize)]
struct View {
    name: &'static str,
    files: Vec<String>,
    status: &'static str,
    default: bool,
    /// As its author says; null where none is known.
    known_failure: Option<&'static str>,
    coverage: CoverageView,
}

#[derive(Serialize)]
struct CoverageView {
    /// What it is counted against.
    source: &'static str,
    /// Work methods of the concrete encoder classes that are reached.
    encoder_work_reached: usize,
    encoder_work: usize,
    /// Methods of all classes that are hooked.
    hooked: usize,
    classes: Vec<ReachView>,
    /// What should be hooked and cannot be.
    unreached: Vec<UnreachedView>,
}

#[derive(Serialize)]
struct ReachView {
    kind: &'static str,
    class: String,
    work_reached: usize,
    work: usize,
    hooks: usize,
    own_hooks: usize,
    inherited_hooks: usize,
    /// Selectors on a published list that name no method of the class.
    unmatched: Vec<&'static str>,
}

#[derive(Serialize)]
struct UnreachedView {
    class: String,
    selector: String,
    encoding: String,
    reason: String,
}

/// For machines.
pub fn as_json() -> Result<String> {
    let views: Vec<View> = rows()?.into_iter().map(view).collect();
    Ok(serde_json::to_string_pretty(&views)?)
}

fn view(row: Row) -> View {
    let Row { policy, coverage } = row;
    let (encoder_work_reached, encoder_work) = coverage.encoder_work();
    View {
        name: policy.name,
        files: files(policy),
        status: policy.status,
        default: policy == default_policy(),
        known_failure: Some(policy.known_failure).filter(|text| !text.is_empty()),
        coverage: CoverageView {
            source: DUMP_SOURCE,
            encoder_work_reached,
            encoder_work,
            hooked: coverage.hooked,
            classes: coverage.objects.into_iter().map(reach_view).collect(),
            unreached: coverage
                .unreached
                .into_iter()
                .map(|method| UnreachedView {
                    class: method.class,
                    selector: method.selector,
                    encoding: method.encoding,
                    reason: method.reason.to_string(),
                })
                .collect(),
        },
    }
}

fn reach_view(reach: Reach) -> ReachView {
    ReachView {
        kind: object_name(reach.object),
        class: reach.class,
        work_reached: reach.work_reached,
        work: reach.work,
        hooks: reach.hooks,
        own_hooks: reach.own_hooks,
        inherited_hooks: reach.inherited_hooks,
        unmatched: reach.unmatched,
    }
}
