//! The symbol table.

use object::macho::{N_SECT, N_STAB, N_TYPE, N_UNDF};

use super::super::Why;
use super::commands::Symbols;
use super::space::{range, u16_in, u32_in, u64_in};

/// An entry of the symbol table that is no debugging one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name, with its underscore; none where the table of names does not have it.
    pub name: Option<&'a str>,
    /// Its address; none of what is in another image.
    pub address: Option<u64>,
    /// Whether other images see it.
    pub external: bool,
}

/// The symbols of a table, in its order, and how many entries were cut off by the file's end.
pub(super) fn read(
    bytes: &[u8],
    table: Symbols,
    width: u64,
) -> Result<impl Iterator<Item = Symbol<'_>>, Why> {
    // struct nlist: name, type, section, description, value.
    let size = 8 + width;
    let entries = range(
        bytes,
        u64::from(table.offset),
        u64::from(table.count) * size,
    )?;
    let names = range(bytes, u64::from(table.names.0), u64::from(table.names.1))?;
    let size = usize::try_from(size).map_err(|_| Why::Number)?;
    Ok(entries
        .chunks_exact(size)
        .filter_map(move |entry| symbol(entry, names)))
}

fn symbol<'a>(entry: &[u8], names: &'a [u8]) -> Option<Symbol<'a>> {
    let kind = *entry.get(4)?;
    if kind & N_STAB != 0 {
        return None;
    }
    let value = if entry.len() == 12 {
        u64::from(u32_in(entry, 8).ok()?)
    } else {
        u64_in(entry, 8).ok()?
    };
    Some(Symbol {
        name: name(names, u32_in(entry, 0).ok()?),
        address: match kind & N_TYPE {
            N_UNDF => None,
            N_SECT => Some(value),
            _ => (value != 0).then_some(value),
        },
        external: kind & object::macho::N_EXT != 0,
    })
}

fn name(names: &[u8], offset: u32) -> Option<&str> {
    let rest = names.get(usize::try_from(offset).ok()?..)?;
    let rest = &rest[..rest.len().min(LONGEST)];
    std::str::from_utf8(&rest[..memchr::memchr(0, rest)?]).ok()
}

/// The entries of the indirect table from `first`: for each stub or pointer of a section, the number
/// of its symbol.
pub(super) fn indirect(bytes: &[u8], table: Symbols, entry: u32) -> Result<u32, Why> {
    let (offset, count) = table.indirect;
    if entry >= count {
        return Err(Why::TooMany {
            claimed: u64::from(entry) + 1,
            room: u64::from(count),
        });
    }
    u32_in(bytes, u64::from(offset) + u64::from(entry) * 4)
}

/// The symbol of that number, whatever kind it is.
pub(super) fn numbered(
    bytes: &[u8],
    table: Symbols,
    width: u64,
    number: u32,
) -> Result<Symbol<'_>, Why> {
    let size = 8 + width;
    if number >= table.count {
        return Err(Why::TooMany {
            claimed: u64::from(number) + 1,
            room: u64::from(table.count),
        });
    }
    let offset = u64::from(table.offset) + u64::from(number) * size;
    let names = range(bytes, u64::from(table.names.0), u64::from(table.names.1))?;
    // Checked here, so that the number of a debugging entry is told from a damaged table.
    u16_in(bytes, offset + 6)?;
    symbol(range(bytes, offset, size)?, names)
        .ok_or(Why::Contradiction("the symbol is one for debuggers only"))
}

const LONGEST: usize = 64 * 1024;
