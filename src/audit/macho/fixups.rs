//! What the loader will have written into a slot, by whichever table the image has.

use super::super::{Gaps, Why};
use super::chained::{Chained, Format, Slot, raw_at};
use super::commands::Commands;
use super::opcodes::{Opcodes, Streams, THREADED_FORMAT};
use super::pointer::{Import, Pointer};
use super::space::{Space, range};

/// An image's fix-ups.
#[derive(Debug)]
pub(super) struct Fixups<'a> {
    table: Table<'a>,
    /// Bytes of a pointer.
    width: u64,
    /// Whether a number without fix-up can be an address: in a program that is never slid, and in an
    /// image out of the shared cache, whose own table is not the image's.
    absolute: bool,
}

#[derive(Debug)]
enum Table<'a> {
    None,
    Chained(Chained<'a>),
    Opcodes(Opcodes<'a>),
}

impl<'a> Fixups<'a> {
    /// Reads the tables that the load commands name.
    pub(super) fn read(
        bytes: &'a [u8],
        commands: &Commands<'a>,
        space: &Space<'a>,
        gaps: &mut Gaps,
    ) -> Self {
        let mut stream = |what, (offset, size): (u32, u32)| {
            let (offset, size) = (u64::from(offset), u64::from(size));
            let found = range(bytes, offset, size).unwrap_or_else(|why| {
                gaps.in_file(what, offset, why);
                // What is there of a table that the file's end cuts off.
                let rest = (bytes.len() as u64).saturating_sub(offset);
                range(bytes, offset, rest).unwrap_or_default()
            });
            (offset, found)
        };
        let width = commands.width;
        let table = if let Some(place) = commands.chained {
            let (offset, payload) = stream("the chained fix-ups", place);
            Table::Chained(Chained::read(payload, offset, space.base(), space, gaps))
        } else if let Some(info) = commands.opcodes {
            let streams = Streams {
                rebase: stream("the rebase opcodes", info.rebase),
                bind: stream("the bind opcodes", info.bind),
                weak_bind: stream("the weak-bind opcodes", info.weak_bind),
                lazy_bind: stream("the lazy-bind opcodes", info.lazy_bind),
            };
            Table::Opcodes(Opcodes::read(streams, space, width, gaps))
        } else {
            Table::None
        };
        let absolute =
            commands.is_from_cache() || commands.is_fixed() || matches!(table, Table::None);
        Fixups {
            table,
            width,
            absolute,
        }
    }

    /// What the slot at `address` will have.
    pub(super) fn pointer_at(&self, space: &Space<'_>, address: u64) -> Result<Pointer<'a>, Why> {
        let index = space.segment_index(address).ok_or(Why::Unmapped(address))?;
        let within = address - space.segments()[index].address;
        match &self.table {
            Table::Chained(chained) => {
                if let Some(chains) = chained.of_segment(index)
                    && chains.slots.has(within)
                {
                    return resolve(space, address, chains.format, chained.base(), |ordinal| {
                        chained.imports().get(ordinal)
                    });
                }
            }
            Table::Opcodes(opcodes) => {
                if let Some((import, addend)) = opcodes.import_at(address) {
                    return Ok(Pointer::Import {
                        import,
                        addend,
                        authentication: None,
                    });
                }
                if opcodes.is_threaded(index, within) {
                    // Plain targets of this format are addresses; signed ones count from the image.
                    return resolve(space, address, THREADED_FORMAT, space.base(), |ordinal| {
                        opcodes.threaded_import(ordinal)
                    });
                }
                if opcodes.is_rebased(index, within) {
                    return Ok(unadjusted(self.raw(space, address)?));
                }
            }
            Table::None => {}
        }
        match self.raw(space, address)? {
            0 => Ok(Pointer::Null),
            raw if self.absolute => Ok(unadjusted(raw)),
            raw => Err(Why::NotAPointer(raw)),
        }
    }

    fn raw(&self, space: &Space<'_>, address: u64) -> Result<u64, Why> {
        if self.width == 4 {
            space.u32_at(address).map(u64::from)
        } else {
            space.u64_at(address)
        }
    }

    /// How many entries the table of imports has.
    pub(super) fn import_count(&self) -> u32 {
        match &self.table {
            Table::None => 0,
            Table::Chained(chained) => chained.imports().count(),
            Table::Opcodes(opcodes) => u32::try_from(opcodes.imports().len()).unwrap_or(u32::MAX),
        }
    }

    /// One entry of the table of imports.
    pub(super) fn import(&self, ordinal: u32) -> Result<Import<'a>, Why> {
        match &self.table {
            Table::Chained(chained) => chained.imports().get(ordinal).map(|(import, _)| import),
            Table::Opcodes(opcodes) => {
                opcodes
                    .imports()
                    .get(ordinal as usize)
                    .copied()
                    .ok_or(Why::NoSuchImport {
                        ordinal,
                        count: self.import_count(),
                    })
            }
            Table::None => Err(Why::NoSuchImport { ordinal, count: 0 }),
        }
    }

    /// The addresses of all slots that the loader adjusts, each once, segment by segment; those with imports by
    /// opcodes come last.
    pub(super) fn slots<'f>(&'f self, space: &'f Space<'_>) -> impl Iterator<Item = u64> + 'f {
        let by_segment = space
            .segments()
            .iter()
            .enumerate()
            .flat_map(move |(index, segment)| {
                let chained = match &self.table {
                    Table::Chained(chained) => chained.of_segment(index),
                    _ => None,
                };
                let opcodes = match &self.table {
                    Table::Opcodes(opcodes) => Some(opcodes),
                    _ => None,
                };
                chained
                    .into_iter()
                    .flat_map(|chains| chains.slots.marked())
                    .chain(
                        opcodes
                            .into_iter()
                            .flat_map(move |opcodes| opcodes.rebased_within(index)),
                    )
                    .map(move |within| segment.address + within)
            });
        let bound = match &self.table {
            Table::Opcodes(opcodes) => Some(opcodes),
            _ => None,
        };
        // A pointer that is bound when it is first used is rebased until then.
        let only_bound = move |opcodes: &'f Opcodes<'_>, address: u64| {
            space.segment_index(address).is_none_or(|index| {
                !opcodes.is_rebased(index, address - space.segments()[index].address)
            })
        };
        by_segment.chain(bound.into_iter().flat_map(move |opcodes| {
            opcodes
                .bound_addresses()
                .filter(move |address| only_bound(opcodes, *address))
        }))
    }
}

fn resolve<'a>(
    space: &Space<'_>,
    address: u64,
    format: Format,
    base: u64,
    import: impl FnOnce(u32) -> Result<(Import<'a>, i64), Why>,
) -> Result<Pointer<'a>, Why> {
    Ok(match format.decode(raw_at(space, address, format)?, base) {
        Slot::Rebase {
            address,
            authentication,
        } => Pointer::Address {
            address,
            authentication,
        },
        Slot::Bind {
            ordinal,
            addend,
            authentication,
        } => {
            let (import, by_table) = import(ordinal)?;
            Pointer::Import {
                import,
                addend: addend.wrapping_add(by_table),
                authentication,
            }
        }
        Slot::Number(number) => return Err(Why::NotAPointer(number)),
    })
}

fn unadjusted<'a>(raw: u64) -> Pointer<'a> {
    Pointer::Address {
        address: raw & UNTAGGED,
        authentication: None,
    }
}

/// The top byte is the pointer's owner's, such as libc++'s in the names of types that are not unique.
const UNTAGGED: u64 = 0x00ff_ffff_ffff_ffff;
