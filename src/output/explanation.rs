//! What a driver's audit says of a crash, for people.

use std::fmt::Write;

use super::terminal::{DIM, STRONG, visible};
use crate::audit::explain::{Explanation, Fit, PredictedRead};

/// How many reads of one address are shown: of those that fit best.
const SHOWN: usize = 5;

/// The explanations, behind a report's own text.
pub fn text(explanations: &[Explanation]) -> String {
    let mut text = String::new();
    for explanation in explanations {
        write(&mut text, explanation);
    }
    text
}

fn write(text: &mut String, explanation: &Explanation) {
    let image = explanation.image.as_deref().unwrap_or("an image");
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        text,
        "\n{STRONG}By the audit of {} ({}):{STRONG:#}",
        visible(image),
        visible(&explanation.uuid)
    );
    for frame in &explanation.frames {
        let _ = writeln!(
            text,
            "  frame {}: {} + {} {DIM}({:#x} in the file){DIM:#}",
            frame.frame,
            visible(&frame.method),
            frame.into,
            frame.address
        );
    }
    let Some(fault) = &explanation.fault else {
        if explanation.frames.is_empty() {
            text.push_str("  none of its methods is on the crashed thread's stack\n");
        }
        return;
    };
    let Some(best) = fault.predicted.first().map(|read| read.fit) else {
        let _ = writeln!(
            text,
            "  {:#x}: not predicted: no read of _impl that was found would fault there",
            fault.address
        );
        return;
    };
    let fitting: Vec<_> = fault
        .predicted
        .iter()
        .filter(|read| read.fit == best)
        .collect();
    for read in fitting.iter().take(SHOWN) {
        let _ = writeln!(
            text,
            "  {:#x}: predicted: {}",
            fault.address,
            visible(&sentence(read))
        );
    }
    let _ = writeln!(
        text,
        "  {DIM}{}{}{DIM:#}",
        match best {
            Fit::Instruction => "the thread crashed at this very instruction",
            Fit::Function => "the thread crashed in this function, or in what it calls with it",
            Fit::Address =>
                "the thread did not crash in one of these functions: only the address is the same",
        },
        match fault.predicted.len() - fitting.len().min(SHOWN) {
            0 => String::new(),
            more => format!("; {more} more would fault at the same address"),
        }
    );
}

fn sentence(read: &PredictedRead) -> String {
    let before = if read.first {
        "without a test"
    } else {
        "without a test, after other reads of it"
    };
    let calls: Vec<_> = read
        .calls
        .iter()
        .map(|it| format!("{:#x}", it.address))
        .collect();
    let passed = if calls.is_empty() {
        String::new()
    } else {
        format!(", passes it on at {}", calls.join(" and "))
    };
    format!(
        "{} loads _impl at {:#x}{passed} and {} it at {:#x} ({}) {before}",
        read.function,
        read.load,
        if read.store {
            "writes through"
        } else {
            "dereferences"
        },
        read.instruction.address,
        read.instruction.text,
    )
}
