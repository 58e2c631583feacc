//! The outcome of a supervision as lines of text, so that a test can read what another process saw.

use agxrun::run::supervise::Outcome;

/// One `name: value` a line; lists take one line each.
pub fn render(outcome: &Outcome, lines: &[String], calls: &[String]) -> String {
    let mut text = format!(
        "pid: {}\nending: {:?}\ntimed_out: {:?}\ncancelled_by: {:?}\nneeded_kill: {}\n\
         left_behind: {}\ndescendants: {:?}\nkind: {:?}\nbytes: {}\ncopier: {:?}\nduration_ms: {}\n",
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
    for orphan in &outcome.orphans {
        text += &format!("orphan: {:?}\n", orphan.ending);
    }
    for problem in &outcome.stderr.problems {
        text += &format!("problem: {problem}\n");
    }
    for line in lines {
        text += &format!("line: {line}\n");
    }
    for call in calls {
        text += &format!("call: {call}\n");
    }
    text
}
