//! Which frame of a crashed thread tells where it crashed.

use super::model::{Frame, Report};

mod interesting;

pub use interesting::{interesting_frame, is_interesting, telling_stack};

/// Image and symbol of [`interesting_frame`]: ``AGXMetalG16X`-[AGXG16XFamilyComputeContext …] + 32``,
/// the form in which debuggers write it.
pub fn crashed_in(report: &Report) -> Option<String> {
    describe(report, interesting_frame(report)?)
}

/// One frame in the same form; `None` where it has neither image, symbol nor offset.
pub fn describe(report: &Report, frame: &Frame) -> Option<String> {
    let image = report.image_name(frame).unwrap_or("???");
    match (&frame.symbol, frame.symbol_location, frame.image_offset) {
        (Some(symbol), Some(location), _) => Some(format!("{image}`{symbol} + {location}")),
        (Some(symbol), None, _) => Some(format!("{image}`{symbol}")),
        (None, _, Some(offset)) => Some(format!("{image} + {offset:#x}")),
        (None, _, None) => report.image_name(frame).map(str::to_owned),
    }
}
