//! The table of imports beside chained fix-ups.

use super::super::super::Why;
use super::super::pointer::{Import, Library};
use super::super::space::{range, u32_in, u64_in};

/// The table, which is read where somebody asks.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Imports<'a> {
    entries: &'a [u8],
    names: &'a [u8],
    layout: ImportLayout,
    count: u32,
}

/// `DYLD_CHAINED_IMPORT...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ImportLayout {
    /// 4 bytes: 8 bits of library, one for weak, 23 of the name's offset.
    Short,
    /// The same, and 4 bytes of addend.
    ShortAddend,
    /// 16 bits of library, one for weak, 15 unused, 32 of the name's offset, 8 bytes of addend.
    Long,
}

impl ImportLayout {
    fn size(self) -> u64 {
        match self {
            ImportLayout::Short => 4,
            ImportLayout::ShortAddend => 8,
            ImportLayout::Long => 16,
        }
    }
}

impl<'a> Imports<'a> {
    /// No import.
    pub(super) fn none() -> Self {
        Imports {
            entries: &[],
            names: &[],
            layout: ImportLayout::Short,
            count: 0,
        }
    }

    /// By the header that `payload` begins with.
    pub(super) fn read(payload: &'a [u8]) -> Result<Self, Why> {
        let entries = u64::from(u32_in(payload, 8)?);
        let names = u64::from(u32_in(payload, 12)?);
        let count = u32_in(payload, 16)?;
        let layout = match u32_in(payload, 20)? {
            1 => ImportLayout::Short,
            2 => ImportLayout::ShortAddend,
            3 => ImportLayout::Long,
            other => return Err(Why::Format(other)),
        };
        // 1 is zlib, which no linker is known to have written.
        let compression = u32_in(payload, 24)?;
        if compression != 0 {
            return Err(Why::Format(compression));
        }
        let names_size = (payload.len() as u64).saturating_sub(names);
        Ok(Imports {
            entries: range(payload, entries, u64::from(count) * layout.size())?,
            names: range(payload, names, names_size)?,
            layout,
            count,
        })
    }

    pub(in super::super) fn count(&self) -> u32 {
        self.count
    }

    /// The import of that number, and what is added to its address.
    pub(in super::super) fn get(&self, ordinal: u32) -> Result<(Import<'a>, i64), Why> {
        if ordinal >= self.count {
            return Err(Why::NoSuchImport {
                ordinal,
                count: self.count,
            });
        }
        let at = u64::from(ordinal) * self.layout.size();
        let (library, weak, name, addend) = match self.layout {
            ImportLayout::Short | ImportLayout::ShortAddend => {
                let bits = u32_in(self.entries, at)?;
                let addend = if self.layout == ImportLayout::Short {
                    0
                } else {
                    i64::from(u32_in(self.entries, at + 4)?.cast_signed())
                };
                let library = short_library((bits & 0xff).to_le_bytes()[0]);
                (library, bits >> 8 & 1 == 1, u64::from(bits >> 9), addend)
            }
            ImportLayout::Long => {
                let bits = u64_in(self.entries, at)?;
                // Sixteen bits fit.
                let library = u16::try_from(bits & 0xffff).unwrap_or_default();
                let addend = u64_in(self.entries, at + 8)?.cast_signed();
                (
                    Library::of_number(library.cast_signed()),
                    bits >> 16 & 1 == 1,
                    bits >> 32,
                    addend,
                )
            }
        };
        let import = Import {
            name: self.name(name)?,
            library,
            weak,
        };
        Ok((import, addend))
    }

    fn name(&self, offset: u64) -> Result<&'a str, Why> {
        let rest = range(
            self.names,
            offset,
            (self.names.len() as u64).saturating_sub(offset),
        )?;
        let rest = &rest[..rest.len().min(LONGEST_SYMBOL)];
        let end = memchr::memchr(0, rest).ok_or(Why::Endless(offset))?;
        std::str::from_utf8(&rest[..end]).map_err(|_| Why::NotUtf8(offset))
    }
}

/// Of eight bits, only the last values are special: an image may name more than 127 libraries.
fn short_library(number: u8) -> Library {
    match number {
        0xf1.. => Library::of_number(i16::from(number.cast_signed())),
        _ => Library::of_number(i16::from(number)),
    }
}

/// Names of C++ templates have had some ten kilobytes.
const LONGEST_SYMBOL: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, entries, and the names `_a`, `_bc`.
    fn payload(layout: u32, count: u32, entries: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let names = 28 + u32::try_from(entries.len()).expect("short");
        for field in [0, 0, 28, names, count, layout, 0] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(entries);
        bytes.extend_from_slice(b"_a\0_bc\0");
        bytes
    }

    #[test]
    fn each_layout_gives_library_weakness_name_and_addend() {
        let short = 3_u32 | 1 << 8 | 3 << 9;
        let import = Import {
            name: "_bc",
            library: Library::Ordinal(3),
            weak: true,
        };
        let bytes = payload(1, 1, &short.to_le_bytes());
        let imports = Imports::read(&bytes).expect("well formed");
        assert_eq!(imports.get(0), Ok((import, 0)));

        let mut entry = short.to_le_bytes().to_vec();
        entry.extend_from_slice(&(-8_i32).to_le_bytes());
        let bytes = payload(2, 1, &entry);
        let imports = Imports::read(&bytes).expect("well formed");
        assert_eq!(imports.get(0), Ok((import, -8)));

        let mut entry = (3_u64 | 1 << 16 | 3 << 32).to_le_bytes().to_vec();
        entry.extend_from_slice(&16_u64.to_le_bytes());
        let bytes = payload(3, 1, &entry);
        let imports = Imports::read(&bytes).expect("well formed");
        assert_eq!(imports.get(0), Ok((import, 16)));
    }

    #[test]
    fn the_last_library_numbers_are_special() {
        assert_eq!(short_library(0xff), Library::Program);
        assert_eq!(short_library(0xfe), Library::Flat);
        assert_eq!(short_library(0xfd), Library::Weak);
        assert_eq!(short_library(0xf0), Library::Ordinal(0xf0));
        assert_eq!(short_library(0), Library::Itself);
    }

    #[test]
    fn what_the_table_does_not_have_is_told() {
        let bytes = payload(1, 1, &(1_u32 | 0x1000 << 9).to_le_bytes());
        let imports = Imports::read(&bytes).expect("the table itself is there");
        assert!(matches!(imports.get(0), Err(Why::Truncated { .. })));
        assert_eq!(
            imports.get(1),
            Err(Why::NoSuchImport {
                ordinal: 1,
                count: 1
            })
        );
        assert!(matches!(
            Imports::read(&payload(1, u32::MAX, &[])),
            Err(Why::Truncated { .. })
        ));
        assert!(matches!(
            Imports::read(&payload(4, 0, &[])),
            Err(Why::Format(4))
        ));
    }
}
