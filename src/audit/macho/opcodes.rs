//! Rebase and bind opcodes (`LC_DYLD_INFO`): small programs that list which pointers the loader
//! adjusts, and to what.

use super::super::{Gaps, Why};
use super::bits::SlotBits;
use super::chained::{Format, raw_at};
use super::cursor::Cursor;
use super::pointer::{Import, Library};
use super::space::Space;

/// What the opcodes list.
#[derive(Debug)]
pub(super) struct Opcodes<'a> {
    /// Slots with an address, by segment.
    rebased: Vec<Option<SlotBits>>,
    /// Slots with an import, by address.
    bound: Vec<Bound>,
    imports: Vec<Import<'a>>,
    /// The chains of arm64e's first format, in which opcodes only say where they begin.
    threaded: Option<Threaded>,
}

/// A slot with an import.
#[derive(Debug, Clone, Copy)]
struct Bound {
    address: u64,
    /// Its place in the list of imports.
    import: u32,
    addend: i64,
}

/// Chains that opcodes begin; a slot's number of an import is one in the table.
#[derive(Debug)]
pub(super) struct Threaded {
    slots: Vec<Option<SlotBits>>,
    /// Places in the list of imports, with what is added.
    table: Vec<(u32, i64)>,
}

/// The streams of opcodes, each with its offset in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams<'a> {
    pub(super) rebase: (u64, &'a [u8]),
    pub(super) bind: (u64, &'a [u8]),
    pub(super) weak_bind: (u64, &'a [u8]),
    pub(super) lazy_bind: (u64, &'a [u8]),
}

impl<'a> Opcodes<'a> {
    /// Runs the streams. `width` is that of a pointer, in bytes.
    pub(super) fn read(
        streams: Streams<'a>,
        space: &Space<'_>,
        width: u64,
        gaps: &mut Gaps,
    ) -> Self {
        let mut found = Opcodes {
            rebased: space.segments().iter().map(|_| None).collect(),
            bound: Vec::new(),
            imports: Vec::new(),
            threaded: None,
        };
        // An honest stream lists a slot once.
        let stored: u64 = space.segments().iter().map(|segment| segment.stored).sum();
        let most = stored / width + 1;
        let mut run = Run {
            found: &mut found,
            space,
            width,
            left: most,
        };
        for (what, (offset, stream), kind) in [
            ("the rebase opcodes", streams.rebase, Kind::Rebase),
            ("the bind opcodes", streams.bind, Kind::Bind),
            ("the weak-bind opcodes", streams.weak_bind, Kind::Weak),
            ("the lazy-bind opcodes", streams.lazy_bind, Kind::Lazy),
        ] {
            run.left = most;
            let mut cursor = Cursor::new(stream);
            let ran = match kind {
                Kind::Rebase => run.rebase(&mut cursor),
                _ => run.bind(&mut cursor, kind),
            };
            if let Err(why) = ran {
                gaps.in_file(what, offset + cursor.position() as u64, why);
            }
        }
        // Stable: where two streams name a slot, the first stands for it.
        found.bound.sort_by_key(|bound| bound.address);
        found.bound.dedup_by_key(|bound| bound.address);
        found
    }

    pub(super) fn imports(&self) -> &[Import<'a>] {
        &self.imports
    }

    pub(super) fn is_rebased(&self, segment: usize, within: u64) -> bool {
        marked(&self.rebased, segment, within)
    }

    pub(super) fn import_at(&self, address: u64) -> Option<(Import<'a>, i64)> {
        let index = self
            .bound
            .binary_search_by_key(&address, |bound| bound.address)
            .ok()?;
        let bound = self.bound[index];
        Some((*self.imports.get(bound.import as usize)?, bound.addend))
    }

    /// Whether a chain passes through the slot.
    pub(super) fn is_threaded(&self, segment: usize, within: u64) -> bool {
        self.threaded
            .as_ref()
            .is_some_and(|threaded| marked(&threaded.slots, segment, within))
    }

    /// The import that a chain's slot numbers.
    pub(super) fn threaded_import(&self, ordinal: u32) -> Result<(Import<'a>, i64), Why> {
        let table = self
            .threaded
            .as_ref()
            .map_or(&[][..], |threaded| &threaded.table);
        table
            .get(ordinal as usize)
            .and_then(|(import, addend)| Some((*self.imports.get(*import as usize)?, *addend)))
            .ok_or(Why::NoSuchImport {
                ordinal,
                count: u32::try_from(table.len()).unwrap_or(u32::MAX),
            })
    }

    /// The slots that the loader adjusts within a segment, as offsets from its start, those of imports
    /// aside.
    pub(super) fn rebased_within(&self, segment: usize) -> impl Iterator<Item = u64> + '_ {
        let threaded = self.threaded.as_ref().map(|threaded| &threaded.slots);
        [Some(&self.rebased), threaded]
            .into_iter()
            .flatten()
            .filter_map(move |slots| slots.get(segment)?.as_ref())
            .flat_map(SlotBits::marked)
    }

    /// The addresses of the slots that have imports by a list, in order.
    pub(super) fn bound_addresses(&self) -> impl Iterator<Item = u64> + '_ {
        self.bound.iter().map(|bound| bound.address)
    }
}

fn marked(slots: &[Option<SlotBits>], segment: usize, within: u64) -> bool {
    slots
        .get(segment)
        .and_then(Option::as_ref)
        .is_some_and(|slots| slots.has(within))
}

/// `DYLD_CHAINED_PTR_ARM64E`: what the opcodes' chains have.
pub(super) const THREADED_FORMAT: Format = Format::Arm64e {
    stride: 8,
    by_offset: false,
    wide: false,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rebase,
    Bind,
    Weak,
    Lazy,
}

struct Run<'r, 'a, 's> {
    found: &'r mut Opcodes<'a>,
    space: &'r Space<'s>,
    width: u64,
    /// How many slots may still be listed.
    left: u64,
}

/// Where a stream writes.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    segment: usize,
    within: u64,
}

/// What a stream writes next.
struct Symbol<'a> {
    import: Import<'a>,
    addend: i64,
    /// Its place in the list, once it has been used.
    listed: Option<u32>,
}

impl<'a> Run<'_, 'a, '_> {
    fn rebase(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Why> {
        let mut at = Position::default();
        while let Some(byte) = cursor.byte() {
            let immediate = u64::from(byte & 0x0f);
            let (count, skip) = match byte & 0xf0 {
                0x00 => return Ok(()),
                // The type: a pointer, or 32 bits of instructions, which nobody writes any more.
                0x10 if immediate == 1 => continue,
                0x20 => {
                    at = self.position(immediate, cursor.unsigned()?)?;
                    continue;
                }
                0x30 => {
                    at.within = at.within.wrapping_add(cursor.unsigned()?);
                    continue;
                }
                0x40 => {
                    at.within = at.within.wrapping_add(immediate * self.width);
                    continue;
                }
                0x50 => (immediate, 0),
                0x60 => (cursor.unsigned()?, 0),
                0x70 => (1, cursor.unsigned()?),
                0x80 => (cursor.unsigned()?, cursor.unsigned()?),
                _ => return Err(Why::Opcode(byte)),
            };
            for _ in 0..count {
                self.spend()?;
                self.mark_rebased(at)?;
                at.within = at.within.wrapping_add(self.width).wrapping_add(skip);
            }
        }
        Ok(())
    }

    fn bind(&mut self, cursor: &mut Cursor<'a>, kind: Kind) -> Result<(), Why> {
        let mut at = Position::default();
        let mut library = match kind {
            Kind::Weak => Library::Weak,
            _ => Library::Itself,
        };
        let mut symbol: Option<Symbol<'a>> = None;
        let mut addend = 0;
        let mut table_size = None;
        while let Some(byte) = cursor.byte() {
            let immediate = byte & 0x0f;
            let (count, skip) = match byte & 0xf0 {
                // In the lazy stream it ends an entry; the rest of the stream goes on.
                0x00 if kind == Kind::Lazy => continue,
                0x00 => return Ok(()),
                0x10..=0x30 => {
                    library = library_of(byte, cursor)?;
                    if let Some(symbol) = &mut symbol {
                        symbol.import.library = library;
                        symbol.listed = None;
                    }
                    continue;
                }
                0x40 => {
                    let import = Import {
                        name: cursor.text()?,
                        library,
                        weak: immediate & 1 == 1,
                    };
                    symbol = Some(Symbol {
                        import,
                        addend,
                        listed: None,
                    });
                    continue;
                }
                0x50 if immediate == 1 => continue,
                0x60 => {
                    addend = cursor.signed()?;
                    if let Some(symbol) = &mut symbol {
                        symbol.addend = addend;
                    }
                    continue;
                }
                0x70 => {
                    at = self.position(u64::from(immediate), cursor.unsigned()?)?;
                    continue;
                }
                0x80 => {
                    at.within = at.within.wrapping_add(cursor.unsigned()?);
                    continue;
                }
                0x90 => (1, 0),
                0xa0 => (1, cursor.unsigned()?),
                0xb0 => (1, u64::from(immediate) * self.width),
                0xc0 => (cursor.unsigned()?, cursor.unsigned()?),
                0xd0 if immediate == 0 => {
                    table_size = Some(cursor.unsigned()?);
                    self.begin_threads();
                    continue;
                }
                0xd0 if immediate == 1 => {
                    self.thread(at)?;
                    continue;
                }
                _ => return Err(Why::Opcode(byte)),
            };
            let symbol = symbol.as_mut().ok_or(Why::Opcode(byte))?;
            for _ in 0..count {
                self.spend()?;
                let import = self.listed(symbol)?;
                if let Some(size) = table_size {
                    self.add_to_table(import, symbol.addend, size)?;
                } else {
                    let address = self.slot(at)?;
                    self.found.bound.push(Bound {
                        address,
                        import,
                        addend: symbol.addend,
                    });
                }
                at.within = at.within.wrapping_add(self.width).wrapping_add(skip);
            }
        }
        Ok(())
    }

    fn spend(&mut self) -> Result<(), Why> {
        self.left = self.left.checked_sub(1).ok_or(Why::TooMuchWork)?;
        Ok(())
    }

    fn position(&self, segment: u64, within: u64) -> Result<Position, Why> {
        let room = self.space.segments().len() as u64;
        match usize::try_from(segment) {
            Ok(index) if segment < room => Ok(Position {
                segment: index,
                within,
            }),
            _ => Err(Why::Contradiction(
                "it names a segment that the load commands do not have",
            )),
        }
    }

    /// The address of the slot at a position, which must be in the file.
    fn slot(&self, at: Position) -> Result<u64, Why> {
        let segment = self
            .space
            .segments()
            .get(at.segment)
            .ok_or(Why::Contradiction("the image has no segment"))?;
        match at.within.checked_add(self.width) {
            Some(end) if end <= segment.stored => Ok(segment.address + at.within),
            _ => Err(Why::NotStored(segment.address.wrapping_add(at.within))),
        }
    }

    fn mark_rebased(&mut self, at: Position) -> Result<(), Why> {
        self.slot(at)?;
        // One that is listed twice, or between two slots, is adjusted twice by dyld as well, and useless.
        if mark(&mut self.found.rebased, self.space, at) {
            Ok(())
        } else {
            Err(Why::Twice)
        }
    }

    fn listed(&mut self, symbol: &mut Symbol<'a>) -> Result<u32, Why> {
        if let Some(index) = symbol.listed {
            return Ok(index);
        }
        let index = u32::try_from(self.found.imports.len()).map_err(|_| Why::TooMuchWork)?;
        self.found.imports.push(symbol.import);
        symbol.listed = Some(index);
        Ok(index)
    }

    fn begin_threads(&mut self) {
        let slots = self.space.segments().iter().map(|_| None).collect();
        self.found.threaded.get_or_insert(Threaded {
            slots,
            table: Vec::new(),
        });
    }

    fn add_to_table(&mut self, import: u32, addend: i64, size: u64) -> Result<(), Why> {
        let Some(threaded) = &mut self.found.threaded else {
            return Err(Why::Opcode(0xd0));
        };
        let claimed = threaded.table.len() as u64 + 1;
        if claimed > size {
            return Err(Why::TooMany {
                claimed,
                room: size,
            });
        }
        threaded.table.push((import, addend));
        Ok(())
    }

    /// Marks the chain that begins at a position. Every step goes forward, so that it ends.
    fn thread(&mut self, at: Position) -> Result<(), Why> {
        let mut at = at;
        loop {
            let address = self.slot(at)?;
            let raw = raw_at(self.space, address, THREADED_FORMAT)?;
            let threaded = self.found.threaded.as_mut().ok_or(Why::Opcode(0xd1))?;
            if !mark(&mut threaded.slots, self.space, at) {
                return Err(Why::Twice);
            }
            match THREADED_FORMAT.next(raw) {
                0 => return Ok(()),
                distance => at.within += distance,
            }
        }
    }
}

fn mark(slots: &mut [Option<SlotBits>], space: &Space<'_>, at: Position) -> bool {
    match (slots.get_mut(at.segment), space.segments().get(at.segment)) {
        (Some(slots), Some(segment)) => slots
            .get_or_insert_with(|| SlotBits::new(segment.stored))
            .mark(at.within),
        _ => false,
    }
}

/// `BIND_OPCODE_SET_DYLIB_ORDINAL_IMM`, `_ULEB`, `_SPECIAL_IMM`.
fn library_of(byte: u8, cursor: &mut Cursor<'_>) -> Result<Library, Why> {
    let immediate = byte & 0x0f;
    match byte & 0xf0 {
        0x10 => Ok(Library::of_number(i16::from(immediate))),
        0x20 => {
            let number = i16::try_from(cursor.unsigned()?).map_err(|_| Why::Opcode(byte))?;
            Ok(Library::of_number(number))
        }
        // Four bits of a negative number.
        _ if immediate == 0 => Ok(Library::Itself),
        _ => Ok(Library::of_number(i16::from(
            (immediate | 0xf0).cast_signed(),
        ))),
    }
}
