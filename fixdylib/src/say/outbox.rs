//! Lines on their way to the system's log: a few, in the order in which they were told.

use super::Severity;
use super::line::Line;

/// Lines that wait at most. Each kind of thing is told once; more than a handful comes only with `AGX_FIX_VERBOSE`, whose
/// lines are handed on class by class.
const ROOM: usize = 8;

/// A queue of fixed length.
pub struct Outbox {
    lines: [(Severity, Line); ROOM],
    first: usize,
    len: usize,
    /// Lines for which there was no room; stderr had them.
    lost: u32,
}

impl Outbox {
    /// Empty.
    #[allow(clippy::large_stack_arrays)] // evaluated for a static
    pub const fn new() -> Self {
        Self {
            lines: [(Severity::Notice, Line::EMPTY); ROOM],
            first: 0,
            len: 0,
            lost: 0,
        }
    }

    /// Adds a line, if there is room.
    pub fn put(&mut self, severity: Severity, line: &Line) {
        if self.len == ROOM {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        self.lines[(self.first + self.len) % ROOM] = (severity, *line);
        self.len += 1;
    }

    /// The line that waits longest; behind the last one, how many found no room.
    pub fn take(&mut self) -> Option<(Severity, Line)> {
        if self.len > 0 {
            let taken = self.lines[self.first];
            self.first = (self.first + 1) % ROOM;
            self.len -= 1;
            return Some(taken);
        }
        let lost = std::mem::take(&mut self.lost);
        (lost > 0).then(|| {
            let line = Line::new(
                crate::os::pid(),
                format_args!("{lost} more lines are on stderr only"),
            );
            (Severity::Error, line)
        })
    }

    /// Forgets everything. Async-signal-safe.
    pub fn clear(&mut self) {
        (self.len, self.lost) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(outbox: &mut Outbox) -> Vec<(Severity, String)> {
        std::iter::from_fn(|| outbox.take())
            .map(|(severity, mut line)| {
                (severity, line.for_log().to_str().expect("text").to_owned())
            })
            .collect()
    }

    #[test]
    fn lines_leave_in_order_and_the_lost_are_counted() {
        let mut outbox = Outbox::new();
        for round in 0..3 {
            for number in 0..ROOM + 2 {
                outbox.put(
                    Severity::Notice,
                    &Line::new(1, format_args!("{round}.{number}")),
                );
            }
            let mut expected: Vec<_> = (0..ROOM)
                .map(|number| (Severity::Notice, format!("{round}.{number}")))
                .collect();
            expected.push((
                Severity::Error,
                "2 more lines are on stderr only".to_owned(),
            ));
            assert_eq!(drained(&mut outbox), expected);
            assert!(outbox.take().is_none());
            // So that the next round goes over the end.
            outbox.put(Severity::Error, &Line::new(1, format_args!("between")));
            assert_eq!(
                drained(&mut outbox),
                [(Severity::Error, "between".to_owned())]
            );
        }
    }

    #[test]
    fn a_child_hands_nothing_of_its_parent_on() {
        let mut outbox = Outbox::new();
        for _ in 0..=ROOM {
            outbox.put(Severity::Error, &Line::new(1, format_args!("the parent's")));
        }
        outbox.clear();
        assert!(outbox.take().is_none());
    }
}
