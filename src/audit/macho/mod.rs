//! One architecture of a Mach-O file, as the loader would lay it out in memory.

mod bits;
mod chained;
mod commands;
mod cursor;
mod exports;
mod fixups;
mod opcodes;
mod pointer;
mod space;
mod symbols;

use object::macho;

use super::objc::{self, Objc};
use super::{Gaps, ReadError, Why};
use crate::target::image::{self, Processor};
use commands::Commands;
use fixups::Fixups;
use space::Space;

pub use crate::target::image::FileType;
pub use exports::{Export, ExportKind};
pub use pointer::{Authentication, Import, Key, Library, Pointer};
pub use space::{Name, Section, Segment};
pub use symbols::Symbol;

/// One part of a file, for one processor.
#[derive(Debug)]
pub struct Part<'a> {
    /// The processor that it is for.
    pub processor: Processor,
    /// Where it begins in the file.
    pub offset: u64,
    /// The image in it. A damaged one says nothing of its neighbours.
    pub binary: Result<Binary<'a>, ReadError>,
}

/// An image: a program, a library or a bundle, for one processor. Addresses are those of the file,
/// before the image is slid.
#[derive(Debug)]
pub struct Binary<'a> {
    processor: Processor,
    bytes: &'a [u8],
    commands: Commands<'a>,
    space: Space<'a>,
    fixups: Fixups<'a>,
    gaps: Gaps,
}

impl<'a> Binary<'a> {
    /// Reads every part of a file's contents, in the file's order; a file that is not universal has
    /// one.
    pub fn parse(bytes: &'a [u8]) -> Result<Vec<Part<'a>>, ReadError> {
        if bytes.starts_with(b"dyld_v1") {
            return Err(ReadError::Unsupported(
                "a shared cache (hint: take the image out of it first)",
            ));
        }
        let extents = image::extents(&bytes)?.ok_or(ReadError::NotMachO)?;
        let part = |extent: image::Extent| Part {
            processor: extent.processor,
            offset: extent.range.start,
            binary: Binary::of_extent(bytes, &extent),
        };
        Ok(extents.into_iter().map(part).collect())
    }

    fn of_extent(file: &'a [u8], extent: &image::Extent) -> Result<Self, ReadError> {
        let mut gaps = Gaps::default();
        let size = file.len() as u64;
        let (start, end) = (extent.range.start.min(size), extent.range.end.min(size));
        if end < extent.range.end {
            gaps.in_file(
                "the image",
                0,
                Why::Truncated {
                    needed: extent.range.end - extent.range.start,
                    available: end - start,
                },
            );
        }
        let bytes = space::range(file, start, end - start)
            .map_err(|why| ReadError::malformed("the image", why.to_string()))?;
        let mut commands = Commands::read(bytes, &mut gaps)?;
        let encrypted = commands.encrypted.map_or(0..0, |(offset, size)| {
            u64::from(offset)..u64::from(offset) + u64::from(size)
        });
        let space = Space::new(
            bytes,
            std::mem::take(&mut commands.segments),
            std::mem::take(&mut commands.sections),
            encrypted,
        );
        let fixups = Fixups::read(bytes, &commands, &space, &mut gaps);
        Ok(Binary {
            processor: extent.processor,
            bytes,
            commands,
            space,
            fixups,
            gaps,
        })
    }

    /// The processor that it is for.
    pub fn processor(&self) -> Processor {
        self.processor
    }

    /// Program, library, or something else.
    pub fn file_type(&self) -> FileType {
        match self.commands.file_type {
            macho::MH_EXECUTE => FileType::Executable,
            macho::MH_DYLIB => FileType::Library,
            macho::MH_BUNDLE => FileType::Bundle,
            other => FileType::Other(other),
        }
    }

    /// The build's number, which crash reports name as well.
    pub fn uuid(&self) -> Option<[u8; 16]> {
        self.commands.uuid
    }

    /// The image's own bytes: the whole file, or its part of a universal one.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes of a pointer: 8, or 4.
    pub fn pointer_size(&self) -> u64 {
        self.commands.width
    }

    /// Whether the image says that it is one of the shared cache.
    pub fn is_from_cache(&self) -> bool {
        self.commands.is_from_cache()
    }

    /// The address of the image's header.
    pub fn base(&self) -> u64 {
        self.space.base()
    }

    /// The segments, as the load commands stand.
    pub fn segments(&self) -> &[Segment] {
        self.space.segments()
    }

    /// The sections, as the load commands stand.
    pub fn sections(&self) -> &[Section] {
        self.space.sections()
    }

    /// The segment that has `address`.
    pub fn segment_at(&self, address: u64) -> Option<&Segment> {
        let index = self.space.segment_index(address)?;
        self.segments().get(index)
    }

    /// The section that has `address`.
    pub fn section_at(&self, address: u64) -> Option<&Section> {
        self.space.section_at(address)
    }

    /// The libraries that it names, in the order of their ordinals.
    pub fn libraries(&self) -> &[&'a str] {
        &self.commands.libraries
    }

    /// The name of the library that an import is looked for in, where there is one.
    pub fn library_name(&self, library: Library) -> Option<&'a str> {
        match library {
            Library::Ordinal(number) => {
                let index = usize::from(number).checked_sub(1)?;
                self.commands.libraries.get(index).copied()
            }
            _ => None,
        }
    }

    /// Where the byte at `address` is in [`Binary::bytes`].
    pub fn offset_of(&self, address: u64) -> Result<u64, Why> {
        self.space.offset_of(address)
    }

    /// `size` bytes from `address`, as the file stores them: pointers not yet adjusted.
    pub fn bytes_at(&self, address: u64, size: u64) -> Result<&'a [u8], Why> {
        self.space.bytes_at(address, size)
    }

    /// What the file stores from `address` to the end of its segment.
    pub fn rest_at(&self, address: u64) -> Result<&'a [u8], Why> {
        self.space.rest_at(address)
    }

    /// The number at `address`.
    pub fn u32_at(&self, address: u64) -> Result<u32, Why> {
        self.space.u32_at(address)
    }

    /// The text at `address`, which ends with a zero byte. At most 64 KiB of it are looked at.
    pub fn text_at(&self, address: u64) -> Result<&'a str, Why> {
        let rest = self.space.rest_at(address)?;
        let rest = &rest[..rest.len().min(LONGEST_TEXT)];
        let end = memchr::memchr(0, rest).ok_or(Why::Endless(address))?;
        std::str::from_utf8(&rest[..end]).map_err(|_| Why::NotUtf8(address))
    }

    /// What the loader will have written into the pointer at `address`.
    pub fn pointer_at(&self, address: u64) -> Result<Pointer<'a>, Why> {
        self.fixups.pointer_at(&self.space, address)
    }

    /// The addresses of all pointers that the loader adjusts; not in order where the image has bind
    /// opcodes.
    pub fn pointers(&self) -> impl Iterator<Item = u64> + '_ {
        self.fixups.slots(&self.space)
    }

    /// The imports of the loader's tables; with opcodes, one may be there several times.
    pub fn imports(&self) -> impl Iterator<Item = Result<Import<'a>, Why>> + '_ {
        (0..self.fixups.import_count()).map(|ordinal| self.fixups.import(ordinal))
    }

    /// The entries of the symbol table, those for debuggers aside; none where it has no table.
    pub fn symbols(&self) -> Result<impl Iterator<Item = Symbol<'a>>, Why> {
        let table = self.commands.symbols.unwrap_or_default();
        symbols::read(self.bytes, table, self.commands.width)
    }

    /// The symbol that the entry `number` of a section of stubs or of pointers to symbols stands for.
    pub fn indirect_symbol(&self, section: &Section, number: u32) -> Result<Symbol<'a>, Why> {
        let table = self.commands.symbols.unwrap_or_default();
        let entry = section
            .reserved1
            .checked_add(number)
            .ok_or(Why::Contradiction("the section's first entry is too large"))?;
        let symbol = symbols::indirect(self.bytes, table, entry)?;
        symbols::numbered(self.bytes, table, self.commands.width, symbol)
    }

    /// Calls `found` with each symbol that other images can use, and returns what could not be read.
    pub fn exports(&self, mut found: impl FnMut(Export<'_>)) -> Gaps {
        let mut gaps = Gaps::default();
        let Some((offset, size)) = self.commands.exports else {
            return gaps;
        };
        let offset = u64::from(offset);
        match space::range(self.bytes, offset, u64::from(size)) {
            Ok(tree) => exports::read(tree, self.base(), &mut found, &mut |within, why| {
                gaps.in_file("the tree of exports", offset.saturating_add(within), why);
            }),
            Err(why) => gaps.in_file("the tree of exports", offset, why),
        }
        gaps
    }

    /// The starts of functions as the linker lists them (`LC_FUNCTION_STARTS`), in order, up to where
    /// the list is damaged.
    pub fn function_starts(&self) -> Result<impl Iterator<Item = u64> + 'a, Why> {
        let (offset, size) = self.commands.function_starts.unwrap_or_default();
        let list = space::range(self.bytes, u64::from(offset), u64::from(size))?;
        let mut cursor = cursor::Cursor::new(list);
        let mut address = self.base();
        Ok(std::iter::from_fn(move || match cursor.unsigned() {
            Ok(0) | Err(_) => None,
            Ok(distance) => {
                address = address.wrapping_add(distance);
                Some(address)
            }
        }))
    }

    /// Offset and size of the signature in [`Binary::bytes`], as the load command gives them.
    pub fn signature(&self) -> Option<(u32, u32)> {
        self.commands.signature
    }

    /// What could not be read of the load commands and the loader's tables.
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    /// The image's Objective-C metadata.
    pub fn objc(&self) -> Objc<'a> {
        objc::read(self)
    }
}

/// Encodings of C++ templates have had some ten kilobytes.
const LONGEST_TEXT: usize = 64 * 1024;
