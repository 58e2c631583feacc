//! What is said between attempts at a run, and about all of them.

use super::summary::Voice;
use super::terminal::{self, ERROR, WARNING};
use crate::run::attempts::Attempts;

/// That another attempt begins. A crash was told in full just before.
pub fn again(attempts: &Attempts, voice: Voice) {
    if !voice.quiet {
        let made = attempts.records().len();
        let all = u64::from(attempts.retries().limit) + 1;
        terminal::note(&format!(
            "attempt {made} of {all} crashed; here is another (--retries)"
        ));
    }
}

/// What several attempts amount to; of one, everything has been said.
pub fn print(attempts: &Attempts, voice: Voice) {
    if let Some(line) = line(attempts) {
        let is_wrong = !attempts.are_flaky() || !attempts.retries().allow_flaky;
        if is_wrong || !voice.quiet {
            anstream::eprintln!("agxrun: {line}");
        }
    }
}

/// The same as text.
pub fn line(attempts: &Attempts) -> Option<String> {
    let made = attempts.records().len();
    if made < 2 {
        return None;
    }
    let crashed = attempts.crashed().count();
    let code = attempts.deciding().verdict.exit_code;
    Some(
        match (attempts.are_flaky(), attempts.retries().allow_flaky) {
            (true, false) => format!(
                "{ERROR}flaky{ERROR:#}: crashed in {crashed} of {made} attempts, and passed in the last; exit {code} \
             (--allow-flaky would accept that)"
            ),
            (true, true) => format!(
                "{WARNING}flaky{WARNING:#}: crashed in {crashed} of {made} attempts, and passed in the last; exit {code}, \
             as --allow-flaky asks"
            ),
            (false, _) => {
                format!(
                    "{ERROR}FAILED{ERROR:#}: crashed in {crashed} of {made} attempts; exit {code}"
                )
            }
        },
    )
}
