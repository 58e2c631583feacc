//! Memory kills: 298, `JetsamEvent-*.ips`.
//!
//! Fields as Apple describes them in "Identifying high-memory use with jetsam event reports", and
//! as seen in the sample of `blacktop/ipsw:pkg/crashlog/ips_test.go` and in a report of iOS 15.5
//! that a Chinese article on memory limits prints (`incident` 893A5949-F274-434F-938F-96DF562C9486).

use serde::Serialize;
use serde::de::MapAccess;

use crate::reports::ips::object::{Field, Fields};

/// How many processes are read of one report; a busy machine runs some hundreds.
const PROCESS_LIMIT: usize = 20_000;

/// How many of the largest processes are kept.
const LARGEST_KEPT: usize = 10;

/// What the kernel did about a lack of memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Jetsam {
    /// `largestProcess`: the name of the one with the most pages; cut to 32 characters.
    pub largest_process: Option<String>,
    /// How many processes the report lists.
    pub process_count: usize,
    /// Those with a `reason`: the kernel ended them.
    pub killed: Vec<JetsamProcess>,
    /// The largest of all that were running, by resident pages, at most 10.
    pub largest: Vec<JetsamProcess>,
    /// `memoryStatus`.
    pub memory: MemoryStatus,
}

/// One process at the time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct JetsamProcess {
    /// `name`, cut to 32 characters.
    pub name: Option<String>,
    /// `pid`.
    pub pid: Option<i32>,
    /// `reason`, such as `per-process-limit`, `vm-pageshortage` or `highwater`; the processes that
    /// live on have none.
    pub reason: Option<String>,
    /// `rpages`: resident pages; times [`MemoryStatus::page_size`] is bytes.
    pub resident_pages: Option<u64>,
    /// `lifetimeMax`: the most pages it ever had.
    pub lifetime_max_pages: Option<u64>,
    /// `cpuTime`, in seconds.
    pub cpu_seconds: Option<f64>,
    /// `states`, such as `frontmost`, `daemon`, `idle`.
    pub states: Vec<String>,
}

/// The memory of the whole system, in pages unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MemoryStatus {
    /// `pageSize`, in bytes; at the top of the body in some reports.
    pub page_size: Option<u64>,
    /// `compressorSize`.
    pub compressor: Option<u64>,
    /// `uncompressed`: what the compressor holds, before compression.
    pub uncompressed: Option<u64>,
    /// `memoryPages.free`.
    pub free: Option<u64>,
    /// `memoryPages.active`.
    pub active: Option<u64>,
    /// `memoryPages.inactive`.
    pub inactive: Option<u64>,
    /// `memoryPages.wired`.
    pub wired: Option<u64>,
    /// `memoryPages.anonymous`.
    pub anonymous: Option<u64>,
    /// `memoryPages.fileBacked`.
    pub file_backed: Option<u64>,
    /// `largestZone`: the name of the kernel's largest zone.
    pub largest_zone: Option<String>,
    /// `largestZoneSize`, in bytes.
    pub largest_zone_bytes: Option<u64>,
}

impl Jetsam {
    /// Bytes of a number of pages, where the page size is known and the product a number.
    pub fn bytes(&self, pages: u64) -> Option<u64> {
        self.memory.page_size?.checked_mul(pages)
    }

    /// Reads `processes`, and keeps those that tell.
    pub(super) fn processes<'de, A: MapAccess<'de>>(
        &mut self,
        field: Field<'_, A>,
    ) -> Result<(), A::Error> {
        let mut all: Vec<JetsamProcess> = Vec::new();
        // What a cut-off list gave before its end counts, too.
        let read = field.list(&mut all, PROCESS_LIMIT);
        self.process_count = all.len();
        self.killed = all
            .iter()
            .filter(|process| process.reason.is_some())
            .cloned()
            .collect();
        all.sort_by_key(|process| std::cmp::Reverse(process.resident_pages));
        all.truncate(LARGEST_KEPT);
        self.largest = all;
        read
    }
}

impl Fields for JetsamProcess {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "name" => self.name = field.text()?,
            "pid" => self.pid = field.number()?,
            "reason" => self.reason = field.text()?,
            "rpages" => self.resident_pages = field.number()?,
            "lifetimeMax" => self.lifetime_max_pages = field.number()?,
            "cpuTime" => self.cpu_seconds = field.float()?,
            "states" => self.states = field.texts()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for MemoryStatus {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "pageSize" => self.page_size = field.number()?,
            "compressorSize" => self.compressor = field.number()?,
            "uncompressed" => self.uncompressed = field.number()?,
            // Its members' keys are none of those around it.
            "memoryPages" => {
                field.object(self)?;
            }
            "free" => self.free = field.number()?,
            "active" => self.active = field.number()?,
            "inactive" => self.inactive = field.number()?,
            "wired" => self.wired = field.number()?,
            "anonymous" => self.anonymous = field.number()?,
            "fileBacked" => self.file_backed = field.number()?,
            "largestZone" => self.largest_zone = field.text()?,
            "largestZoneSize" => self.largest_zone_bytes = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}
