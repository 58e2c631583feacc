//! Instance variables: `ivar_list_t`.

use super::model::Ivar;
use super::reader::Reader;

/// The list that the pointer at `slot` leads to.
pub(super) fn by<'a>(reader: &mut Reader<'_, 'a>, slot: u64) -> Vec<Ivar<'a>> {
    let Some(address) = reader.address(LIST, slot) else {
        return Vec::new();
    };
    let least = 3 * reader.width + 8;
    let Some((_, list)) = reader.counted(LIST, address, |head| (u64::from(head), least)) else {
        return Vec::new();
    };
    list.entries()
        .filter_map(|entry| read(reader, entry))
        .collect()
}

fn read<'a>(reader: &mut Reader<'_, 'a>, entry: u64) -> Option<Ivar<'a>> {
    let width = reader.width;
    let offset_variable = reader.address("an instance variable's offset", entry);
    let offset =
        offset_variable.and_then(|address| reader.number("an instance variable's offset", address));
    let alignment = reader.number(IVAR, entry + 3 * width)?;
    Some(Ivar {
        name: reader.text_by("an instance variable's name", entry + width),
        types: reader.text_by("an instance variable's type", entry + 2 * width),
        offset,
        offset_variable,
        size: reader.number(IVAR, entry + 3 * width + 4)?,
        // A power of two; all bits set stand for a pointer's.
        alignment: match alignment {
            0..64 => 1 << alignment,
            _ => width,
        },
    })
}

const LIST: &str = "a list of instance variables";
const IVAR: &str = "an instance variable";
