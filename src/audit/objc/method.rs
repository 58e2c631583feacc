//! Methods: `method_list_t` in each of its layouts.

use super::model::{Layout, Method};
use super::reader::{List, Reader};
use crate::audit::Why;
use crate::audit::macho::Pointer;

/// The methods that the pointer at `slot` leads to.
pub(super) fn by<'a>(reader: &mut Reader<'_, 'a>, slot: u64) -> Vec<Method<'a>> {
    let mut methods = Vec::new();
    match reader.address(LIST, slot) {
        // A class of the shared cache names a list of lists: its own, and those of categories.
        Some(address) if address & 1 != 0 => lists(reader, address & !1, &mut methods),
        Some(address) => list(reader, address, &mut methods),
        None => {}
    }
    methods
}

/// `relative_list_list_t`: of each list the distance in 48 bits, and the number of its image in 16.
fn lists<'a>(reader: &mut Reader<'_, 'a>, address: u64, methods: &mut Vec<Method<'a>>) {
    let Some((_, entries)) = reader.counted(LISTS, address, |head| {
        (u64::from(head), LIST_OF_LISTS_ENTRY)
    }) else {
        return;
    };
    for entry in entries.entries() {
        let (Some(low), Some(high)) = (
            reader.number(LISTS, entry),
            reader.number(LISTS, entry.wrapping_add(4)),
        ) else {
            return;
        };
        let raw = (u64::from(high) << 32 | u64::from(low)).cast_signed();
        let target = entry.wrapping_add_signed(raw >> 16);
        if reader.binary.segment_at(target).is_some() {
            list(reader, target, methods);
        } else {
            reader.gap(
                LISTS,
                entry,
                Why::Contradiction("a category's methods are in another image of the shared cache"),
            );
        }
    }
}

fn list<'a>(reader: &mut Reader<'_, 'a>, address: u64, methods: &mut Vec<Method<'a>>) {
    let absolute_size = 3 * reader.width;
    let sizes = |head: u32| {
        let size = u64::from(head & ENTRY_SIZE);
        let least = if head & RELATIVE == 0 {
            absolute_size
        } else {
            RELATIVE_ENTRY
        };
        (size, least)
    };
    let Some((head, list)) = reader.counted(LIST, address, sizes) else {
        return;
    };
    let List { count, .. } = list;
    methods.reserve(usize::try_from(count).unwrap_or(0));
    for entry in list.entries() {
        methods.push(match (head & RELATIVE != 0, head & DIRECT != 0) {
            (false, _) => absolute(reader, entry),
            (true, false) => relative(reader, entry),
            (true, true) => direct(reader, entry),
        });
    }
}

fn absolute<'a>(reader: &mut Reader<'_, 'a>, entry: u64) -> Method<'a> {
    let width = reader.width;
    let slot = entry + 2 * width;
    Method {
        selector: reader.selector_by(entry),
        types: reader.text_by(TYPES, entry + width),
        implementation: match reader.binary.pointer_at(slot) {
            // A signed pointer to another image's function would be one, too: it is no code of ours.
            Ok(Pointer::Import { import, .. }) => {
                reader.gap(CODE, slot, Why::Imported(import.name.to_owned()));
                None
            }
            _ => reader.address(CODE, slot),
        },
        slot,
        layout: Layout::Absolute,
    }
}

fn relative<'a>(reader: &mut Reader<'_, 'a>, entry: u64) -> Method<'a> {
    let selector = distance(reader, entry).and_then(|reference| {
        if reader.binary.segment_at(reference).is_some() {
            reader.selector_by(reference)
        } else {
            reader.gap(SELECTOR, entry, Why::SharedCacheSelector);
            None
        }
    });
    with_selector(reader, entry, selector, Layout::Relative)
}

/// The selector's field is the distance of its name, or, since the cache of macOS 13, its place in the
/// cache's own table of names, which an image does not have. Nothing says which, so the distance is
/// believed where it leads to a name.
fn direct<'a>(reader: &mut Reader<'_, 'a>, entry: u64) -> Method<'a> {
    let selector = distance(reader, entry).and_then(|name| {
        let is_name = reader.binary.section_at(name).is_some_and(|section| {
            section.has_texts() && begins_text(reader, section.address, name)
        });
        if is_name {
            reader.selector(name)
        } else {
            reader.gap(SELECTOR, entry, Why::SharedCacheSelector);
            None
        }
    });
    with_selector(reader, entry, selector, Layout::Direct)
}

/// Whether a text begins at `address` of a section that begins at `start`.
fn begins_text(reader: &Reader<'_, '_>, start: u64, address: u64) -> bool {
    address == start
        || reader
            .binary
            .bytes_at(address - 1, 1)
            .is_ok_and(|before| before == [0])
}

fn with_selector<'a>(
    reader: &mut Reader<'_, 'a>,
    entry: u64,
    selector: Option<&'a str>,
    layout: Layout,
) -> Method<'a> {
    let types = distance(reader, entry + 4);
    let slot = entry + 8;
    let implementation = distance(reader, slot).filter(|address| *address != slot);
    if let Some(address) = implementation
        && reader.binary.segment_at(address).is_none()
    {
        reader.gap(CODE, slot, Why::Unmapped(address));
    }
    Method {
        selector,
        types: types.and_then(|address| reader.text(TYPES, address)),
        implementation: implementation
            .filter(|address| reader.binary.segment_at(*address).is_some()),
        slot,
        layout,
    }
}

/// Where the distance at `field` leads, which counts from the field itself.
fn distance(reader: &mut Reader<'_, '_>, field: u64) -> Option<u64> {
    let distance = reader.number(LIST, field)?.cast_signed();
    Some(field.wrapping_add_signed(i64::from(distance)))
}

/// `method_list_t::FlagMask` without its flags.
const ENTRY_SIZE: u32 = 0xfffc;
/// `smallMethodListFlag`.
const RELATIVE: u32 = 0x8000_0000;
/// `relativeMethodSelectorsAreDirectFlag`.
const DIRECT: u32 = 0x4000_0000;
const RELATIVE_ENTRY: u64 = 12;
const LIST_OF_LISTS_ENTRY: u64 = 8;

const LIST: &str = "a list of methods";
const LISTS: &str = "a list of lists of methods";
const SELECTOR: &str = "a selector";
const TYPES: &str = "a method's types";
const CODE: &str = "a method's implementation";
