//! The outcome of a supervision as lines of text, so that a test can read what another process saw.

use agxrun::run::supervise::Outcome;

/// One `name: value` a line; lists take one line each.
pub fn render(outcome: &Outcome, lines: &[String], calls: &[String]) -> String {
    let mut text = format!(
        "pid: {}\nending: {:?}\ntimed_out: {:?}\ncancelled_by: {:?}\nneeded_kill: {}\n\
         left_behind: {:?}\ndescendants: {:?}\nkind: {:?}\nbytes: {}\ncopier: {:?}\nduration_ms: {}\n",
        outcome.pid,
        outcome.ending,
        outcome.timed_out,
        outcome.cancelled_by,
        outcome.needed_kill,
        outcome.left_behind,
        outcome.descendants,
        outcome.stderr.kind,
        outcome.stderr.bytes,
        outcome.stderr.copier,
        outcome.duration.as_millis(),
    );
    let orphans = outcome.orphans.iter().map(|o| format!("{:?}", o.ending));
    let rest = [
        ("orphan", orphans.collect()),
        ("problem", outcome.stderr.problems.clone()),
        ("line", lines.to_vec()),
        ("call", calls.to_vec()),
    ];
    for (name, values) in rest {
        for value in values {
            text.extend([name, ": ", value.as_str(), "\n"]);
        }
    }
    text
}
