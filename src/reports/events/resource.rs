//! Resource diagnostics: a process used more processor time, wake-ups, writes or memory than its
//! limit. 22 (`cpu_resource.diag`) and 30 (`memory_resource.diag`) on older systems, 142, 145, 202
//! and their kin since; all with a text body.
//!
//! Seen in `docker/for-mac` issue 2081 and `xxxserxxx/gotop` issue 58 (wake-ups, without a header
//! line), in a public report of `apfs_defragd` (202, with one), and in one of `afcd` (145, disk
//! writes).

use serde::Serialize;

use crate::reports::fault::leading_hex;
use crate::reports::model::Report;
use crate::reports::{text, time};

/// How many frames of the heaviest stack are kept; a sampled stack has at most some hundreds.
const FRAME_LIMIT: usize = 512;

/// How a process went over a limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Resource {
    /// `Event`: `cpu usage`, `wakeups`, `disk writes`, ...
    pub event: Option<String>,
    /// `Action taken`: `none` where the process lived on.
    pub action: Option<String>,
    /// The sentence that gives amount and limit, such as `90 seconds cpu time over 150 seconds (60%
    /// cpu average), exceeding limit of 50% cpu over 180 seconds`.
    pub observed: Option<String>,
    /// `Duration`, in seconds.
    pub seconds: Option<f64>,
    /// `Hardware model`.
    pub hardware: Option<String>,
    /// `Heaviest stack for the target process`, the outermost frame first, as it stands there.
    pub heaviest: Vec<HeavyFrame>,
}

/// One frame of the heaviest stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HeavyFrame {
    /// How many samples held it.
    pub samples: u64,
    /// Symbol and bytes from its start, where it was known.
    pub symbol: Option<(String, u64)>,
    /// The image's name.
    pub image: Option<String>,
    /// Bytes from the image's start.
    pub image_offset: Option<u64>,
    /// The address.
    pub address: Option<u64>,
}

/// Whether a text without a header line is such a diagnostic.
pub(super) fn is_text(head: &str) -> bool {
    let has = |key: &str| head.lines().any(|line| line.starts_with(key));
    has("Command:") && has("Event:") && has("Date/Time:")
}

/// Reads the text. The sections behind the heaviest stack repeat its keys for other processes.
pub(super) fn read_text(content: &str, report: &mut Report) -> Resource {
    let mut resource = Resource::default();
    let mut in_stack = false;
    for line in content.lines() {
        if in_stack {
            if let Some(frame) = heavy_frame(line.trim()) {
                if resource.heaviest.len() < FRAME_LIMIT {
                    resource.heaviest.push(frame);
                }
                continue;
            }
            in_stack = false;
        }
        if line.starts_with("Powerstats for:") {
            break;
        }
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        if key == "Heaviest stack for the target process" {
            in_stack = true;
        } else {
            resource.take(key.trim_end(), value.trim(), report);
        }
    }
    resource
}

impl Resource {
    fn take(&mut self, key: &str, value: &str, report: &mut Report) {
        if value.is_empty() {
            return;
        }
        let text = || Some(value.to_owned());
        let (process, header) = (&mut report.process, &mut report.header);
        match key {
            "Event" => self.event = text(),
            "Action taken" => self.action = text(),
            "CPU" | "Wakeups" | "Writes" | "Footprint" | "Memory" if self.observed.is_none() => {
                self.observed = text();
            }
            "Duration" => {
                self.seconds = value.trim_end_matches('s').parse().ok();
            }
            "Hardware model" => self.hardware = text(),
            "Command" => process.name = text(),
            "Path" => process.path = text(),
            "PID" => process.pid = value.parse().ok(),
            "Architecture" => process.cpu_type = text(),
            "Parent" => {
                (process.parent_name, process.parent_pid) = text::process(value);
            }
            "Responsible" => {
                (process.responsible_name, process.responsible_pid) = text::process(value);
            }
            "Date/Time" => process.captured = time::parse(value),
            "OS Version" if header.os_version.is_none() => header.os_version = text(),
            "Incident Identifier" if header.incident.is_none() => header.incident = text(),
            _ => {}
        }
    }
}

/// `40  thread_start + 13 (libsystem_pthread.dylib + 9229) [0x7fff67e4440d]`, without a symbol
/// `18  ??? (libdispatch.dylib + 89464) [0x19146ad78]`.
fn heavy_frame(line: &str) -> Option<HeavyFrame> {
    let (samples, rest) = line.split_once(char::is_whitespace)?;
    let samples = samples.parse().ok()?;
    let (rest, address) = match rest.rsplit_once(" [") {
        Some((rest, address)) => (rest, leading_hex(address)),
        None => (rest, None),
    };
    let (symbol, image) = match rest.rsplit_once(" (") {
        Some((symbol, image)) => (symbol, image.strip_suffix(')')),
        None => (rest, None),
    };
    let located = |text: &str| {
        let (name, offset) = text.rsplit_once(" + ")?;
        Some((name.trim().to_owned(), offset.parse().ok()?))
    };
    let image = image.and_then(located);
    Some(HeavyFrame {
        samples,
        symbol: located(symbol.trim()),
        image_offset: image.as_ref().map(|(_, offset)| *offset),
        image: image.map(|(name, _)| name),
        address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_with_and_without_a_symbol_are_read() {
        let named =
            heavy_frame("40  thread_start + 13 (libsystem_pthread.dylib + 9229) [0x7fff67e4440d]");
        let expected = HeavyFrame {
            samples: 40,
            symbol: Some(("thread_start".to_owned(), 13)),
            image: Some("libsystem_pthread.dylib".to_owned()),
            image_offset: Some(9229),
            address: Some(0x7fff_67e4_440d),
        };
        assert_eq!(named, Some(expected));
        let bare = heavy_frame("18  ??? (libdispatch.dylib + 89464) [0x19146ad78]");
        let bare = bare.expect("a frame");
        assert_eq!((bare.symbol, bare.image_offset), (None, Some(89464)));
        assert_eq!(heavy_frame("Powerstats for:   afcd [299]"), None);
    }
}
