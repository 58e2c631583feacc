//! What the readers of each structure have in common: pointers, texts, lists, and the bounds.

use std::collections::HashSet;

use super::Gaps;
use super::model::ClassRef;
use crate::audit::Why;
use crate::audit::macho::{Binary, Pointer, Section};

/// Reads structures of an image, and notes what cannot be read.
pub(super) struct Reader<'b, 'a> {
    pub(super) binary: &'b Binary<'a>,
    /// Bytes of a pointer.
    pub(super) width: u64,
    gaps: Gaps,
    /// How many bytes may still be looked at. Structures of an honest image share little but texts, so
    /// that a multiple of its size is enough; lists that overlap in a hostile one would otherwise take
    /// the square of it.
    left: u64,
    exhausted: bool,
}

/// A list's head, checked: its first entry, the entries' size, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    pub(super) first: u64,
    pub(super) entry_size: u64,
    pub(super) count: u64,
}

impl List {
    /// The address of each entry.
    pub(super) fn entries(self) -> impl Iterator<Item = u64> {
        (0..self.count).map(move |index| self.first + index * self.entry_size)
    }
}

impl<'b, 'a> Reader<'b, 'a> {
    pub(super) fn new(binary: &'b Binary<'a>) -> Self {
        Reader {
            binary,
            width: binary.pointer_size(),
            gaps: Gaps::default(),
            left: binary.bytes().len() as u64 * WORK_PER_BYTE + LEAST_WORK,
            exhausted: false,
        }
    }

    pub(super) fn into_gaps(self) -> Gaps {
        self.gaps
    }

    pub(super) fn gap(&mut self, what: &'static str, address: u64, why: Why) {
        self.gaps.at(what, address, why);
    }

    /// Whether there is still work to be had for `bytes` more. Once there is not, it is told once and
    /// the lists end where they are.
    pub(super) fn spend(&mut self, bytes: u64) -> bool {
        if self.exhausted {
            return false;
        }
        if let Some(left) = self.left.checked_sub(bytes) {
            self.left = left;
            return true;
        }
        self.exhausted = true;
        self.gap(
            "the Objective-C metadata",
            self.binary.base(),
            Why::TooMuchWork,
        );
        false
    }

    /// The address that the pointer at `slot` leads to. A null one is none; anything else that is no
    /// address of this image is a gap.
    pub(super) fn address(&mut self, what: &'static str, slot: u64) -> Option<u64> {
        match self.binary.pointer_at(slot) {
            Ok(Pointer::Null) => None,
            Ok(Pointer::Address { address, .. }) => Some(address),
            Ok(Pointer::Import { import, .. }) => {
                self.gap(what, slot, Why::Imported(import.name.to_owned()));
                None
            }
            Err(why) => {
                self.gap(what, slot, why);
                None
            }
        }
    }

    /// The same, where null is a gap as well.
    pub(super) fn required_address(&mut self, what: &'static str, slot: u64) -> Option<u64> {
        match self.binary.pointer_at(slot) {
            Ok(Pointer::Null) => {
                self.gap(what, slot, Why::Null(slot));
                None
            }
            _ => self.address(what, slot),
        }
    }

    /// The text at `address`.
    pub(super) fn text(&mut self, what: &'static str, address: u64) -> Option<&'a str> {
        match self.binary.text_at(address) {
            Ok(text) => self.spend(text.len() as u64 + 1).then_some(text),
            Err(why) => {
                self.gap(what, address, why);
                None
            }
        }
    }

    /// The text that the pointer at `slot` leads to.
    pub(super) fn text_by(&mut self, what: &'static str, slot: u64) -> Option<&'a str> {
        let address = self.required_address(what, slot)?;
        self.text(what, address)
    }

    /// The 32-bit number at `address`.
    pub(super) fn number(&mut self, what: &'static str, address: u64) -> Option<u32> {
        match self.binary.u32_at(address) {
            Ok(number) => Some(number),
            Err(why) => {
                self.gap(what, address, why);
                None
            }
        }
    }

    /// The selector that the reference at `slot` leads to.
    pub(super) fn selector_by(&mut self, slot: u64) -> Option<&'a str> {
        let address = self.required_address(SELECTOR, slot)?;
        self.selector(address)
    }

    /// The selector whose name stands at `address`.
    pub(super) fn selector(&mut self, address: u64) -> Option<&'a str> {
        match self.binary.text_at(address) {
            Err(Why::Unmapped(_)) => {
                self.gap(SELECTOR, address, Why::SharedCacheSelector);
                None
            }
            _ => self.text(SELECTOR, address),
        }
    }

    /// Checks that `count` entries of `entry_size` bytes from `first` lie within the section there, or
    /// the segment where no section has the place.
    pub(super) fn list(
        &mut self,
        what: &'static str,
        address: u64,
        list: List,
        least_size: u64,
    ) -> Option<List> {
        if list.entry_size < least_size {
            self.gap(what, address, Why::EntrySize(list.entry_size));
            return None;
        }
        if list.count == 0 {
            return Some(list);
        }
        let stored = match self.binary.rest_at(list.first) {
            Ok(rest) => rest.len() as u64,
            Err(why) => {
                self.gap(what, address, why);
                return None;
            }
        };
        let in_section = self
            .binary
            .section_at(list.first)
            .map_or(stored, |section| section.addresses().end - list.first);
        let room = stored.min(in_section) / list.entry_size;
        if list.count > room {
            let claimed = list.count;
            self.gap(what, address, Why::TooMany { claimed, room });
            return None;
        }
        self.spend(list.count * list.entry_size).then_some(list)
    }

    /// The head of an `entsize_list_tt` at `address`: the first word as it stands, and the list with
    /// `entry_size` of it.
    pub(super) fn counted(
        &mut self,
        what: &'static str,
        address: u64,
        entry_size: impl FnOnce(u32) -> (u64, u64),
    ) -> Option<(u32, List)> {
        let head = self.number(what, address)?;
        let count = self.number(what, address.wrapping_add(4))?;
        let (entry_size, least_size) = entry_size(head);
        let list = List {
            first: address.wrapping_add(8),
            entry_size,
            count: u64::from(count),
        };
        Some((head, self.list(what, address, list, least_size)?))
    }

    /// The addresses that the pointers of every section called one of `names` lead to, each once.
    pub(super) fn listed(&mut self, what: &'static str, names: &[&str]) -> Vec<u64> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for slot in self.slots(what, names) {
            let Some(address) = self.required_address(what, slot) else {
                continue;
            };
            if seen.insert(address) {
                found.push(address);
            } else {
                self.gap(what, slot, Why::Twice);
            }
        }
        found
    }

    /// The pointers of every section called one of `names`.
    pub(super) fn slots(&mut self, what: &'static str, names: &[&str]) -> Vec<u64> {
        let mut slots = Vec::new();
        for section in self.sections(names) {
            let (count, rest) = (section.size / self.width, section.size % self.width);
            if rest != 0 {
                self.gap(
                    what,
                    section.address,
                    Why::Contradiction("the section's size is no multiple of a pointer's"),
                );
            }
            let list = List {
                first: section.address,
                entry_size: self.width,
                count,
            };
            if let Some(list) = self.list(what, section.address, list, self.width) {
                slots.extend(list.entries());
            }
        }
        slots
    }

    /// Every section called one of `names`, in whatever segment: linkers place them by what is known
    /// of their pointers.
    pub(super) fn sections(&self, names: &[&str]) -> Vec<Section> {
        self.binary
            .sections()
            .iter()
            .filter(|section| names.iter().any(|name| section.name == *name))
            .cloned()
            .collect()
    }

    /// The names of the protocols in the `protocol_list_t` that the pointer at `slot` leads to.
    pub(super) fn protocol_names(&mut self, slot: u64) -> Vec<&'a str> {
        let Some(address) = self.address(PROTOCOLS, slot) else {
            return Vec::new();
        };
        // The count has a pointer's width; its upper half is zero.
        let Some(count) = self.number(PROTOCOLS, address) else {
            return Vec::new();
        };
        let list = List {
            first: address.wrapping_add(self.width),
            entry_size: self.width,
            count: u64::from(count),
        };
        let Some(list) = self.list(PROTOCOLS, address, list, self.width) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        for slot in list.entries() {
            if let Some(protocol) = self.required_address(PROTOCOLS, slot) {
                let name = protocol.wrapping_add(self.width);
                names.extend(self.text_by("a protocol's name", name));
            }
        }
        names
    }

    /// The class that the pointer at `slot` names; none where it is null.
    pub(super) fn class_by(&mut self, what: &'static str, slot: u64) -> Option<ClassRef<'a>> {
        match self.binary.pointer_at(slot) {
            Ok(Pointer::Null) => None,
            Ok(Pointer::Import { import, .. }) => Some(ClassRef::Imported {
                symbol: import.name,
                library: import.library,
            }),
            Ok(Pointer::Address { address, .. }) => {
                Some(if self.binary.segment_at(address).is_some() {
                    ClassRef::Local {
                        address,
                        name: super::class::name(self, address),
                    }
                } else {
                    ClassRef::Outside { address }
                })
            }
            Err(why) => {
                self.gap(what, slot, why);
                None
            }
        }
    }
}

const SELECTOR: &str = "a selector";
const PROTOCOLS: &str = "a list of protocols";

/// Type encodings are shared by many methods, and some have kilobytes.
const WORK_PER_BYTE: u64 = 64;
const LEAST_WORK: u64 = 1 << 20;
