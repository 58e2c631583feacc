//! The lines that begin a thread.

use crate::reports::model::Thread;

/// `Thread 0 name:  …`, `Thread 0:`, `Thread 0 Crashed:: name  Dispatch queue: label`.
pub(super) struct Head<'a> {
    number: u64,
    crashed: bool,
    /// The line names a thread whose own line follows.
    names_only: bool,
    label: &'a str,
}

/// Reads such a line; `None` for others, as `Thread 0 crashed with ARM Thread State (64-bit):`.
pub(super) fn head(line: &str) -> Option<Head<'_>> {
    let rest = line.strip_prefix("Thread ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let number = rest.get(..end)?.parse().ok()?;
    let rest = rest.get(end..)?;
    let (mark, label) = rest.split_once(':')?;
    let (crashed, names_only) = match mark {
        "" => (false, false),
        " Crashed" => (true, false),
        " name" => (false, true),
        _ => return None,
    };
    Some(Head {
        number,
        crashed,
        names_only,
        label: label.trim_start_matches(':').trim(),
    })
}

impl Head<'_> {
    pub(super) fn apply(self, threads: &mut Vec<Thread>) {
        let is_last = threads
            .last()
            .is_some_and(|thread| thread.id == Some(self.number) && thread.frames.is_empty());
        if !is_last {
            threads.push(Thread {
                id: Some(self.number),
                ..Thread::default()
            });
        }
        let Some(thread) = threads.last_mut() else {
            return;
        };
        thread.triggered |= self.crashed;
        let (name, queue) = match self.label.split_once("Dispatch queue:") {
            Some((name, queue)) => (name.trim(), queue.trim()),
            None => (self.label, ""),
        };
        if !name.is_empty() {
            thread.name = Some(name.to_owned());
        }
        if !queue.is_empty() {
            thread.queue = Some(queue.to_owned());
        }
        debug_assert!(self.names_only || thread.frames.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<Thread> {
        let mut threads = Vec::new();
        for line in lines {
            if let Some(head) = head(line) {
                head.apply(&mut threads);
            }
        }
        threads
    }

    #[test]
    fn a_name_line_and_its_thread_are_one() {
        let threads = read(&[
            "Thread 0 name:  Dispatch queue: com.apple.main-thread",
            "Thread 0 Crashed:",
            "Thread 1:: worker  Dispatch queue: q",
            "Thread 2 Crashed: Test Thread Name",
            "Thread 2 crashed with ARM Thread State (64-bit):",
        ]);
        assert_eq!(threads.len(), 3);
        assert!(threads[0].triggered && !threads[1].triggered && threads[2].triggered);
        assert_eq!(threads[0].queue.as_deref(), Some("com.apple.main-thread"));
        assert_eq!(threads[1].name.as_deref(), Some("worker"));
        assert_eq!(threads[1].queue.as_deref(), Some("q"));
        assert_eq!(threads[2].name.as_deref(), Some("Test Thread Name"));
    }
}
