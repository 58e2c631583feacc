//! Events of the graphics processor: 284, and the older restarts 21 and 184.
//!
//! The JSON was seen in `gpuEvent-*.ips` as quoted by `hank-llm-lab`'s account of a firmware
//! lockup (2026-04-19: `analysis` with `signature`, `restart_reason`, `guilty_dm`) and by a probe's
//! notes on page faults (`bif0_fault` with `is_read`, `sideband`, `level`, `requestor`, `address`).
//! The text form, `.gpuRestart`, was seen in `keybase/client` issue 8028.

use chrono::NaiveDateTime;
use serde::Serialize;
use serde::de::MapAccess;

use crate::reports::ips::object::{Field, Fields};
use crate::reports::model::{GpuEvent, Report};
use crate::reports::time;

/// One error or reset of the graphics processor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// `restart_reason`: the number of the reason; 2 a time-out, 3 a page fault, 4 a lockup that
    /// the firmware noticed.
    pub reason_code: Option<i64>,
    /// `restart_reason_desc`, such as `BIF0 page fault`; in text the `Event`.
    pub reason: Option<String>,
    /// `signature`: the driver's number for the kind of fault; hexadecimal in text.
    pub signature: Option<String>,
    /// `guilty_dm`: the data master at fault. 3 is compute; 1 and 2 were seen with drawing.
    pub data_master: Option<i64>,
    /// `command_buffer_trace_id`; -1 where the buffer is not known.
    pub trace_id: Option<i64>,
    /// `bif0_fault`: the access that no page table answered.
    pub page_fault: Option<PageFault>,
    /// `Graphics Hardware`, in text alone.
    pub hardware: Option<String>,
    /// `Hung Channels`, in text alone.
    pub hung_channels: Option<String>,
    /// When it happened by the machine's own clock. Text gives no offset, so that the report as a
    /// whole has no time.
    pub local_time: Option<NaiveDateTime>,
}

/// An access by the graphics processor to what is not mapped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PageFault {
    /// `address`: in the graphics processor's address space.
    pub address: Option<u64>,
    /// `is_read`.
    pub is_read: bool,
    /// `level` of the page table at which the walk ended.
    pub level: Option<i64>,
    /// `requestor`: the unit that asked, by number.
    pub requestor: Option<i64>,
}

impl Fields for Gpu {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "restart_reason" => self.reason_code = field.number()?,
            "restart_reason_desc" => self.reason = field.text()?,
            "signature" => self.signature = field.text()?,
            "guilty_dm" => self.data_master = field.number()?,
            "command_buffer_trace_id" => self.trace_id = field.number()?,
            "bif0_fault" => field.optional(&mut self.page_fault)?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for PageFault {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "address" => self.address = field.number()?,
            "is_read" => self.is_read = field.flag()?,
            "level" => self.level = field.number()?,
            "requestor" => self.requestor = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Gpu {
    /// The two facts that the common model holds.
    pub(super) fn summary(&self) -> GpuEvent {
        GpuEvent {
            restart_reason: self.reason.clone(),
            signature: self.signature.as_deref().and_then(|text| text.parse().ok()),
        }
    }
}

/// Whether a text without a header line tells of a restart.
pub(super) fn is_text(head: &str) -> bool {
    head.lines().any(|line| {
        line.strip_prefix("Event:")
            .is_some_and(|event| event.trim_start().starts_with("GPU "))
    })
}

/// Reads the text form: `Key: value` lines, then the driver's own dump.
pub(super) fn read_text(content: &str, report: &mut Report) -> Gpu {
    let mut gpu = Gpu::default();
    for line in content.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        let text = (!value.is_empty()).then(|| value.to_owned());
        match key.trim_end() {
            "Event" => gpu.reason = text,
            "Date/Time" => match time::parse(value) {
                Some(when) => report.process.captured = Some(when),
                None => gpu.local_time = time::parse_local(value),
            },
            "Application" => report.process.name = text,
            "Path" => report.process.path = text,
            "OS Version" if report.header.os_version.is_none() => report.header.os_version = text,
            "Graphics Hardware" => gpu.hardware = text,
            "Signature" => gpu.signature = text,
            "Hung Channels" => {
                gpu.hung_channels = text;
                break;
            }
            _ => {}
        }
    }
    gpu
}
