//! Prints the ledgers of a folder as a JSON array, in the order of their files' names: `ledger_json FOLDER`.
//!
//! For tests that are not written in Rust. A file that cannot be read is an error, and so is one that is damaged.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use agx_ledger::{CensusEntry, EXTENSION, Event, Ledger, Ring};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("ledger_json: which folder? (hint: ledger_json FOLDER)");
        return ExitCode::from(2);
    };
    match read(Path::new(&folder)) {
        Ok(ledgers) => {
            println!("{}", Value::Array(ledgers));
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            eprintln!("ledger_json: {complaint}");
            ExitCode::FAILURE
        }
    }
}

fn read(folder: &Path) -> Result<Vec<Value>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let mut paths = entries
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("`{}`: {error}", folder.display()))?;
    paths.retain(|path| path.extension().is_some_and(|it| it == EXTENSION));
    paths.sort();
    paths.iter().map(|path| ledger(path)).collect()
}

fn ledger(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let ledger = Ledger::parse(&bytes).map_err(|error| format!("`{}`: {error}", path.display()))?;
    if !ledger.damage.is_empty() {
        return Err(format!(
            "`{}` is damaged: {:?}",
            path.display(),
            ledger.damage
        ));
    }
    Ok(value(&ledger))
}

fn value(it: &Ledger) -> Value {
    let counters: Map<String, Value> = it
        .counters
        .iter()
        .map(|(name, count)| (name.clone(), json!(count)))
        .collect();
    let degraded: Vec<String> = it.degraded.iter().map(ToString::to_string).collect();
    let in_flight: Vec<String> = it.in_flight().iter().map(ToString::to_string).collect();
    json!({
        "pid": it.pid,
        "parent": it.parent,
        "forked_from": it.forked_from,
        "start_ns": it.start_ns,
        "load_ns": it.load_ns,
        "exited_ns": it.exited_ns,
        "exit_route": it.exit_route.map(|route| route.to_string()),
        "exit_status": it.exit_status,
        "executable": String::from_utf8_lossy(&it.executable),
        "executable_truncated": it.executable_truncated,
        "build_id": it.build_id,
        "policy": it.policy,
        "platform": it.platform.to_string(),
        "architecture": it.architecture.to_string(),
        "phase": it.phase.to_string(),
        "armed": it.armed,
        "degraded": degraded,
        "disabled": it.disabled,
        "objc_seen": it.objc_seen,
        "metal_seen": it.metal_seen,
        "policy_unknown": it.policy_unknown,
        "census_asked": it.census_asked,
        "census_taken": it.census_taken,
        "counters": counters,
        "census": it.census.iter().map(method).collect::<Vec<_>>(),
        "rings": it.rings.iter().map(|one| ring(it, one)).collect::<Vec<_>>(),
        "in_flight": in_flight,
    })
}

fn method(it: &CensusEntry) -> Value {
    json!({
        "class": it.class,
        "selector": it.selector,
        "encoding": it.encoding,
        "state": it.state.to_string(),
        "reason": it.reason.map(|reason| reason.to_string()),
        "slot": it.slot,
        "inherited": it.inherited,
        "skipped": it.skipped,
        "replaced": it.replaced,
        "late": it.late,
        "image": it.image,
        "calls": it.tally.calls,
        "left": it.tally.left,
        "threw": it.tally.threw,
        "shared": it.tally.shared,
        "overlapped": it.tally.overlapped,
        "first_seen": it.tally.first_seen,
        "threads_most": it.tally.threads_most,
    })
}

fn ring(ledger: &Ledger, it: &Ring) -> Value {
    json!({
        "thread": it.thread,
        "calls": it.calls,
        "acquisitions": it.acquisitions,
        "holds": it.holds,
        "waits": it.waits,
        "depth": it.depth,
        "owned": it.owned,
        "events": it.events.iter().map(|one| event(ledger, one)).collect::<Vec<_>>(),
    })
}

fn event(ledger: &Ledger, it: &Event) -> Value {
    json!({
        "time_ns": it.time_ns,
        "slot": it.slot,
        "method": ledger.method_name(it.slot),
        "object": it.object,
        "phase": it.phase.to_string(),
    })
}
