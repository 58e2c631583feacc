//! The reader.
//!
//! A ledger is read after a crash, perhaps from a full disk, perhaps while it is still written. A header that cannot be
//! trusted is a [`ParseError`]; anything wrong behind it is a [`Damage`], and the rest is read all the same.

mod bytes;
mod clock;
mod ring;

use std::fmt;
use std::mem::offset_of;

use self::bytes::{Bytes, Records};
use self::clock::{Clock, clock_pair};
use self::ring::{RingShape, read_ring};
use crate::layout::{self, CensusRecord, CounterCell, Header, Section, flag, phase};
use crate::model::{
    Architecture, CensusEntry, Degraded, ExitRoute, Ledger, Phase, Platform, Reason, Ring, State,
    Tally,
};

/// Why a file is not a ledger that this version can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Shorter than a header: length in bytes.
    TooShort(usize),
    /// Does not start with [`layout::MAGIC`].
    NotALedger,
    /// Written by a version with another layout.
    Version(u32),
    /// The header gives itself a length that cannot be.
    HeaderLength(u32),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(len) => {
                write!(
                    f,
                    "the ledger is cut: {len} bytes, its header has {} (is the disk full?)",
                    layout::HEADER_LEN
                )
            }
            Self::NotALedger => write!(f, "not a ledger: the first bytes are not its mark"),
            Self::Version(found) => write!(
                f,
                "the ledger has layout {found}, this program reads {} (use the library of the same version)",
                layout::VERSION
            ),
            Self::HeaderLength(len) => write!(
                f,
                "the ledger is damaged: its header says that it has {len} bytes"
            ),
        }
    }
}

impl std::error::Error for ParseError {}

/// A part that could not be read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The section's description cannot be, or it lies outside the file.
    Section(&'static str),
    /// The section is cut by the end of the file.
    Cut(&'static str),
    /// This many entries refer to strings that are not there.
    Strings(usize),
    /// This many events are torn or out of order.
    Events(usize),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Section(name) => write!(f, "the {name} cannot be located"),
            Self::Cut(name) => write!(f, "the {name} are cut by the end of the file"),
            Self::Strings(count) => write!(f, "{count} census entries have no readable name"),
            Self::Events(count) => write!(f, "{count} events are torn"),
        }
    }
}

struct Reader<'a> {
    file: Bytes<'a>,
    damage: Vec<Damage>,
}

impl<'a> Reader<'a> {
    /// The section described at `at`; empty if absent. `least` is the length of a record in this version.
    fn section(&mut self, name: &'static str, at: usize, least: usize) -> Records<'a> {
        const EMPTY: Records<'static> = Records {
            bytes: &[],
            stride: 1,
            used: 0,
        };
        let field = |offset| {
            self.file
                .u32(at + offset)
                .and_then(|value| usize::try_from(value).ok())
        };
        let offset = self.file.u64(at + offset_of!(Section, offset));
        if offset == Some(0) {
            return EMPTY;
        }
        let (Some(offset), Some(stride), Some(capacity), Some(used)) = (
            offset.and_then(|value| usize::try_from(value).ok()),
            field(offset_of!(Section, stride)),
            field(offset_of!(Section, capacity)),
            field(offset_of!(Section, used)),
        ) else {
            self.damage.push(Damage::Section(name));
            return EMPTY;
        };
        if stride < least || used > capacity || offset > self.file.0.len() {
            self.damage.push(Damage::Section(name));
            return EMPTY;
        }
        let rest = &self.file.0[offset..];
        let bytes = match stride.checked_mul(used) {
            Some(len) if len <= rest.len() => &rest[..len],
            _ => {
                self.damage.push(Damage::Cut(name));
                rest
            }
        };
        Records {
            bytes,
            stride,
            used,
        }
    }

    fn counters(&mut self) -> Vec<(String, u64)> {
        self.section(
            "counters",
            offset_of!(Header, counters_at),
            size_of::<CounterCell>(),
        )
        .iter()
        .filter_map(|cell| {
            let name = cell.text(offset_of!(CounterCell, name), layout::COUNTER_NAME_LEN)?;
            let value = cell.u64(offset_of!(CounterCell, value))?;
            // Of two threads one may have taken away what the other had yet to add when the process died.
            Some((name, value.cast_signed().max(0).cast_unsigned()))
        })
        .collect()
    }

    fn census(&mut self) -> Vec<CensusEntry> {
        let strings = Bytes(
            self.section("strings", offset_of!(Header, strings_at), 1)
                .bytes,
        );
        let records = self.section(
            "census",
            offset_of!(Header, census_at),
            layout::FIRST_CENSUS_RECORD_LEN,
        );
        let mut nameless = 0;
        let census = records
            .iter()
            .filter_map(|record| {
                let entry = census_entry(record, strings);
                nameless += usize::from(matches!(entry, Some(None)));
                entry.flatten()
            })
            .collect();
        if nameless > 0 {
            self.damage.push(Damage::Strings(nameless));
        }
        census
    }

    fn rings(&mut self, clock: Clock) -> Vec<Ring> {
        let header = |at| {
            self.file
                .u32(at)
                .and_then(|value| usize::try_from(value).ok())
                .unwrap_or(0)
        };
        let shape = RingShape {
            header_len: header(offset_of!(Header, ring_header_len)),
            event_stride: header(offset_of!(Header, event_stride)),
            events: header(offset_of!(Header, ring_events)),
        };
        let records = self.section(
            "rings",
            offset_of!(Header, rings_at),
            layout::FIRST_RING_HEADER_LEN,
        );
        if records.used == 0 {
            return Vec::new();
        }
        if !shape.fits(records.stride) {
            self.damage.push(Damage::Section("events"));
            return Vec::new();
        }
        let mut torn = 0;
        let rings = records
            .iter()
            .filter_map(|ring| read_ring(ring, &shape, clock, &mut torn))
            .collect();
        if torn > 0 {
            self.damage.push(Damage::Events(torn));
        }
        rings
    }
}

/// `None` for a record that is not complete, `Some(None)` for one whose names are not there.
#[allow(clippy::option_option)] // the two kinds of absence are what the caller counts
fn census_entry(record: Bytes<'_>, strings: Bytes<'_>) -> Option<Option<CensusEntry>> {
    let state = record.u32(offset_of!(CensusRecord, state))?;
    if state == layout::state::EMPTY {
        return None;
    }
    let string = |at: usize| {
        let (offset, len) = (
            usize::try_from(record.u32(at)?).ok()?,
            usize::try_from(record.u32(at + 4)?).ok()?,
        );
        (len > 0)
            .then(|| strings.slice(offset, len))
            .flatten()
            .map(|it| String::from_utf8_lossy(it).into_owned())
    };
    let (Some(class), Some(selector)) = (
        string(offset_of!(CensusRecord, class)),
        string(offset_of!(CensusRecord, selector)),
    ) else {
        return Some(None);
    };
    let hooked = state == layout::state::HOOKED;
    let flags = record.u32(offset_of!(CensusRecord, flags))?;
    // A record of the first libraries ends before these.
    let whole = record.0.len() >= size_of::<CensusRecord>();
    Some(Some(CensusEntry {
        class,
        selector,
        encoding: string(offset_of!(CensusRecord, encoding)),
        state: State::from_number(state),
        reason: if hooked {
            None
        } else {
            record
                .u32(offset_of!(CensusRecord, reason))
                .map(Reason::from_number)
        },
        slot: if hooked {
            record.u32(offset_of!(CensusRecord, slot))
        } else {
            None
        },
        inherited: flags & layout::census_flag::INHERITED != 0,
        skipped: record.u64(offset_of!(CensusRecord, skipped))?,
        replaced: flags & layout::census_flag::REPLACED != 0,
        late: flags & layout::census_flag::LATE != 0,
        image: whole
            .then(|| string(offset_of!(CensusRecord, image)))
            .flatten(),
        tally: if whole {
            tally(record)?
        } else {
            Tally::default()
        },
    }))
}

fn tally(record: Bytes<'_>) -> Option<Tally> {
    Some(Tally {
        calls: record.u64(offset_of!(CensusRecord, calls))?,
        left: record.u64(offset_of!(CensusRecord, left))?,
        threw: record.u64(offset_of!(CensusRecord, threw))?,
        shared: record.u32(offset_of!(CensusRecord, shared))?,
        overlapped: record.u32(offset_of!(CensusRecord, overlapped))?,
        first_seen: record.u32(offset_of!(CensusRecord, first_seen))?,
        threads_most: record.u32(offset_of!(CensusRecord, threads_most))?,
    })
}

impl Ledger {
    /// Reads the bytes of a ledger file.
    ///
    /// Never panics. A file that is longer than expected is accepted; what is missing or cannot be believed behind the
    /// header is listed in [`Ledger::damage`].
    ///
    /// # Errors
    /// [`ParseError`] if the bytes do not start with a header of this version.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if !bytes.starts_with(&layout::MAGIC[..bytes.len().min(layout::MAGIC.len())]) {
            return Err(ParseError::NotALedger);
        }
        let short = ParseError::TooShort(bytes.len());
        let file = Bytes(bytes);
        match file.u32(offset_of!(Header, version)).ok_or(short)? {
            layout::VERSION => {}
            other => return Err(ParseError::Version(other)),
        }
        let header_len = file.u32(offset_of!(Header, header_len)).ok_or(short)?;
        if usize::try_from(header_len).is_ok_and(|len| len < layout::HEADER_LEN) {
            return Err(ParseError::HeaderLength(header_len));
        }
        if bytes.len() < layout::HEADER_LEN {
            return Err(short);
        }
        Reader {
            file,
            damage: Vec::new(),
        }
        .ledger()
        .ok_or(short)
    }
}

impl Reader<'_> {
    fn ledger(mut self) -> Option<Ledger> {
        let header = self.file;
        let some_time = |at| header.u64(at).map(|ns| (ns != 0).then_some(ns));
        let flags = header.u32(offset_of!(Header, flags))?;
        let clock = Clock {
            kind: header.u32(offset_of!(Header, clock_kind))?,
            first: clock_pair(header, offset_of!(Header, clock_first))?,
            last: clock_pair(header, offset_of!(Header, clock_last))?,
        };
        let path_len = usize::try_from(header.u32(offset_of!(Header, path_len))?)
            .ok()?
            .min(layout::PATH_CAPACITY);
        let forked_from = header.u32(offset_of!(Header, forked_from))?;
        let exited = header.u32(offset_of!(Header, phase))? == phase::EXITED;
        let route = exited
            .then(|| header.u32(offset_of!(Header, exit_route)))
            .flatten()
            .map(ExitRoute::from_number);
        let status = header.u32(offset_of!(Header, exit_status))?;

        let mut counters = self.counters();
        let census = self.census();
        let rings = self.rings(clock);
        for (name, of) in [
            ("method_calls", (|ring| ring.calls) as fn(&Ring) -> u64),
            ("lock_acquisitions", |ring| ring.acquisitions),
        ] {
            if let Some((_, total)) = counters.iter_mut().find(|(known, _)| known == name) {
                *total = rings
                    .iter()
                    .fold(*total, |sum, ring| sum.saturating_add(of(ring)));
            }
        }
        Some(Ledger {
            pid: header.u32(offset_of!(Header, pid))?,
            parent: header.u32(offset_of!(Header, parent))?,
            forked_from: (forked_from != 0).then_some(forked_from),
            start_ns: some_time(offset_of!(Header, start_ns))?,
            load_ns: header.u64(offset_of!(Header, load_ns))?,
            exited_ns: if exited {
                some_time(offset_of!(Header, exited_ns))?
            } else {
                None
            },
            exit_route: route,
            exit_status: (route == Some(ExitRoute::Immediate)).then_some(status),
            executable: header.slice(offset_of!(Header, path), path_len)?.to_vec(),
            executable_truncated: flags & flag::PATH_TRUNCATED != 0,
            build_id: header.text(offset_of!(Header, build_id), layout::BUILD_ID_LEN)?,
            policy: header.text(offset_of!(Header, policy), layout::POLICY_LEN)?,
            platform: Platform::from_number(header.u32(offset_of!(Header, platform))?),
            architecture: Architecture::from_number(header.u32(offset_of!(Header, architecture))?),
            phase: Phase::from_number(header.u32(offset_of!(Header, phase))?),
            armed: header.u64(offset_of!(Header, census_at) + offset_of!(Section, offset))? != 0,
            degraded: Degraded::from_bits(header.u32(offset_of!(Header, degraded))?),
            disabled: flags & flag::DISABLED != 0,
            objc_seen: flags & flag::OBJC_SEEN != 0,
            metal_seen: flags & flag::METAL_SEEN != 0,
            policy_unknown: flags & flag::POLICY_UNKNOWN != 0,
            census_asked: flags & flag::CENSUS_ASKED != 0,
            census_taken: flags & flag::CENSUS_TAKEN != 0,
            counters,
            census,
            rings,
            damage: self.damage,
        })
    }
}
