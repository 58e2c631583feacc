//! What a watch tells, put where users look: stderr and the ledger.

use agx_ledger::Counter;

use super::watch::{Due, Report};
use crate::ledger;
use crate::say::{self, say};

/// Counts a report, prints it, and ends the process where that was asked for.
pub fn tell(report: &Report) {
    match *report {
        // The lock is held here: nothing is printed.
        Report::Over { waited_ms } => ledger::raise(Counter::LockMaxWaitMs, waited_ms),
        Report::Long {
            due,
            waited_ms,
            abort,
            ..
        } => {
            // Not at the end only: a wait that never ends has none.
            ledger::raise(Counter::LockMaxWaitMs, waited_ms);
            match due {
                Due::Warning => ledger::count(Counter::LockLongWaits, 1),
                Due::TimedOut => ledger::count(Counter::LockTimeouts, 1),
                Due::Reminder => {}
            }
            say(format_args!("{report}"));
            if abort {
                // The process is at its end, whatever it has locked.
                say::pass_on();
                std::process::abort();
            }
        }
    }
}
