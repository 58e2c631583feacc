//! A crash explained by the audit of the driver's very build: which methods its frames are in, and
//! whether the address of its fault was foretold.

use serde::Serialize;

use super::report::{ImageAudit, Line, Spot, UntestedReadAudit, kept};
use crate::reports::Report;
use crate::reports::model::{Frame, Image};

/// What an image's audit says of a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The image's UUID.
    pub uuid: String,
    /// The image's name in the report.
    pub image: Option<String>,
    /// Frames of the crashed thread that are in a method of the audit.
    pub frames: Vec<ExplainedFrame>,
    /// What is said of the address of the fault; null where the crash is no bad access.
    pub fault: Option<ExplainedFault>,
}

/// A frame in a method that the audit has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedFrame {
    /// The frame's number in the crashed thread, from 0.
    pub frame: usize,
    /// Its address in the image before it is slid.
    pub address: u64,
    /// The method.
    pub method: String,
    /// Bytes from the method's start.
    pub into: u64,
}

/// The address of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedFault {
    /// The address.
    pub address: u64,
    /// The reads that fault there where `_impl` is NULL, those first that fit the crash best.
    pub predicted: Vec<PredictedRead>,
}

/// A read that faults at an address where `_impl` is NULL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PredictedRead {
    /// How well it fits the crash.
    pub fit: Fit,
    /// The function, by name or address.
    pub function: String,
    /// Where it loads `_impl`.
    pub load: u64,
    /// The calls by which it is passed on to where it is read, outermost first.
    pub calls: Vec<Spot>,
    /// The read.
    pub instruction: Line,
    /// Whether memory is written.
    pub store: bool,
    /// Whether nothing dereferences `_impl` before it.
    pub first: bool,
}

/// How well a read fits a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// It is the very instruction at which the thread crashed.
    Instruction,
    /// The thread crashed in its function, or in what that calls with it.
    Function,
    /// Only the address is the same.
    Address,
}

impl Explanation {
    /// What an image's audit says of a crash; none where the report has no image of this UUID.
    pub fn of(audit: &ImageAudit, report: &Report) -> Option<Self> {
        let uuid = kept::plain_uuid(audit.uuid.as_deref()?);
        let index = report.images.iter().position(|image| is(image, &uuid))?;
        // Where the processor is and would go back to, before the image is slid.
        let addresses: Vec<(usize, u64)> = report
            .crashed_frames()
            .iter()
            .enumerate()
            .filter_map(|(number, frame)| Some((number, address(frame, index, audit.base)?)))
            .collect();
        Some(Explanation {
            image: report.images[index].name.clone(),
            frames: addresses
                .iter()
                .filter_map(|(number, address)| frame(audit, *number, *address))
                .collect(),
            fault: report
                .fault_address()
                .map(|address| fault(audit, address, &addresses)),
            uuid,
        })
    }
}

fn is(image: &Image, uuid: &str) -> bool {
    image.uuid.as_deref().map(kept::plain_uuid).as_deref() == Some(uuid)
}

fn address(frame: &Frame, image: usize, base: u64) -> Option<u64> {
    let offset = frame
        .image_offset
        .filter(|_| frame.image_index == Some(image))?;
    base.checked_add(offset)
}

fn frame(audit: &ImageAudit, number: usize, address: u64) -> Option<ExplainedFrame> {
    // A caller's frame has the address behind the call, which may be the next function's.
    let within = if number == 0 {
        address
    } else {
        address.checked_sub(1)?
    };
    let (class, method) = audit.coverage.method_at(within)?;
    Some(ExplainedFrame {
        frame: number,
        address,
        method: method.name(class),
        into: address - method.address?,
    })
}

fn fault(audit: &ImageAudit, address: u64, frames: &[(usize, u64)]) -> ExplainedFault {
    let reads = audit.race.iter().flat_map(|race| &race.untested_reads);
    let mut predicted: Vec<PredictedRead> = reads
        .filter(|read| read.fault_address() == address)
        .map(|read| PredictedRead {
            fit: fit(read, frames),
            function: read.name(),
            load: read.load,
            calls: read.calls.clone(),
            instruction: read.instruction.clone(),
            store: read.store,
            first: read.first,
        })
        .collect();
    predicted.sort_by_key(|read| (read.fit, !read.first));
    ExplainedFault { address, predicted }
}

fn fit(read: &UntestedReadAudit, frames: &[(usize, u64)]) -> Fit {
    let crashed_at = frames.first().filter(|(number, _)| *number == 0);
    let own = |at: u64| {
        at.checked_sub(read.function_start)
            .is_some_and(|into| into < read.function_size)
    };
    // A caller's frame has the address behind its call.
    let on_the_way = || {
        let mut callers = frames.iter().filter(|(number, _)| *number > 0);
        callers.any(|(_, at)| {
            read.calls
                .iter()
                .any(|call| call.address.checked_add(4) == Some(*at))
        })
    };
    match crashed_at {
        Some((_, at)) if *at == read.instruction.address => Fit::Instruction,
        Some((_, at)) if own(*at) || on_the_way() => Fit::Function,
        _ => Fit::Address,
    }
}
