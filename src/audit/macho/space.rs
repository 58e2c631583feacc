//! The addresses of an image, and the bytes that the file stores for them.

use std::fmt;
use std::ops::Range;

use super::super::Why;

/// The name of a segment or section: at most 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name([u8; 16]);

impl Name {
    pub(super) fn new(bytes: [u8; 16]) -> Self {
        Name(bytes)
    }

    /// The bytes before the padding.
    pub fn bytes(&self) -> &[u8] {
        let end = memchr::memchr(0, &self.0).unwrap_or(self.0.len());
        &self.0[..end]
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&String::from_utf8_lossy(self.bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", String::from_utf8_lossy(self.bytes()))
    }
}

/// A range of addresses, and the part of the file that is mapped there.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Such as `__TEXT`.
    pub name: Name,
    /// Its first address.
    pub address: u64,
    /// How many bytes it has in memory.
    pub size: u64,
    /// Where its bytes are, from the start of the architecture's part of the file.
    pub offset: u64,
    /// How many bytes the file has of it; the rest is zero in memory.
    pub stored: u64,
    /// `VM_PROT_...` at first: read 1, write 2, execute 4.
    pub protection: u32,
}

impl Segment {
    /// Its addresses.
    pub fn addresses(&self) -> Range<u64> {
        self.address..self.address + self.size
    }
}

/// A named range within a segment.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its segment's name.
    pub segment: Name,
    /// Such as `__objc_classlist`.
    pub name: Name,
    /// Its first address.
    pub address: u64,
    /// How many bytes it has.
    pub size: u64,
    /// Type and attributes (`mach-o/loader.h`).
    pub flags: u32,
    /// `reserved1`: in stubs and pointers to symbols, their first entry in the indirect symbol table.
    pub reserved1: u32,
    /// `reserved2`: in stubs, the size of one.
    pub reserved2: u32,
}

impl Section {
    /// Its addresses.
    pub fn addresses(&self) -> Range<u64> {
        self.address..self.address + self.size
    }

    /// Whether it says that it has instructions.
    pub fn has_instructions(&self) -> bool {
        self.flags
            & (object::macho::S_ATTR_PURE_INSTRUCTIONS | object::macho::S_ATTR_SOME_INSTRUCTIONS)
            != 0
    }

    /// Whether it has nothing but texts that end with a zero byte.
    pub fn has_texts(&self) -> bool {
        self.flags & object::macho::SECTION_TYPE == object::macho::S_CSTRING_LITERALS
    }
}

/// The segments and sections of an image, over the file's bytes.
#[derive(Debug)]
pub(super) struct Space<'a> {
    bytes: &'a [u8],
    /// In the order of the load commands, by which the loader numbers them.
    segments: Vec<Segment>,
    /// In the same order.
    sections: Vec<Section>,
    segments_by_address: Vec<usize>,
    sections_by_address: Vec<usize>,
    /// The range of the file that is encrypted.
    encrypted: Range<u64>,
}

impl<'a> Space<'a> {
    /// Segments must lie within the 64-bit address space and may not overlap, in memory or in the
    /// file; what they store must lie within `bytes`; sections must lie within the address space.
    pub(super) fn new(
        bytes: &'a [u8],
        segments: Vec<Segment>,
        sections: Vec<Section>,
        encrypted: Range<u64>,
    ) -> Self {
        let mut segments_by_address: Vec<usize> = (0..segments.len())
            .filter(|index| segments[*index].size > 0)
            .collect();
        segments_by_address.sort_by_key(|index| segments[*index].address);
        let mut sections_by_address: Vec<usize> = (0..sections.len())
            .filter(|index| sections[*index].size > 0)
            .collect();
        sections_by_address.sort_by_key(|index| sections[*index].address);
        Space {
            bytes,
            segments,
            sections,
            segments_by_address,
            sections_by_address,
            encrypted,
        }
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(super) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Where the image begins: the segment with the file's first bytes, which has the header.
    pub(super) fn base(&self) -> u64 {
        self.segments
            .iter()
            .find(|segment| segment.offset == 0 && segment.stored > 0)
            // In an image out of the shared cache, the code comes first.
            .or_else(|| {
                self.segments
                    .iter()
                    .find(|segment| segment.name == "__TEXT")
            })
            .map_or(0, |segment| segment.address)
    }

    /// The index of the segment that has `address`.
    pub(super) fn segment_index(&self, address: u64) -> Option<usize> {
        let after = self
            .segments_by_address
            .partition_point(|index| self.segments[*index].address <= address);
        let index = self.segments_by_address[after.checked_sub(1)?];
        self.segments[index]
            .addresses()
            .contains(&address)
            .then_some(index)
    }

    pub(super) fn section_at(&self, address: u64) -> Option<&Section> {
        let after = self
            .sections_by_address
            .partition_point(|index| self.sections[*index].address <= address);
        let section = &self.sections[self.sections_by_address[after.checked_sub(1)?]];
        section.addresses().contains(&address).then_some(section)
    }

    /// Where the byte at `address` is in the file.
    pub(super) fn offset_of(&self, address: u64) -> Result<u64, Why> {
        let segment = &self.segments[self.segment_index(address).ok_or(Why::Unmapped(address))?];
        let within = address - segment.address;
        if within >= segment.stored {
            return Err(Why::NotStored(address));
        }
        Ok(segment.offset + within)
    }

    /// What the file stores from `address` to the end of its segment, or to where it is encrypted.
    pub(super) fn rest_at(&self, address: u64) -> Result<&'a [u8], Why> {
        let segment = &self.segments[self.segment_index(address).ok_or(Why::Unmapped(address))?];
        let start = self.offset_of(address)?;
        if self.encrypted.contains(&start) {
            return Err(Why::Encrypted(address));
        }
        let mut end = segment.offset + segment.stored;
        if !self.encrypted.is_empty() && start < self.encrypted.start {
            end = end.min(self.encrypted.start);
        }
        range(self.bytes, start, end - start)
    }

    /// `size` bytes from `address`.
    pub(super) fn bytes_at(&self, address: u64, size: u64) -> Result<&'a [u8], Why> {
        let rest = self.rest_at(address)?;
        usize::try_from(size)
            .ok()
            .and_then(|size| rest.get(..size))
            .ok_or(Why::Truncated {
                needed: size,
                available: rest.len() as u64,
            })
    }

    pub(super) fn u32_at(&self, address: u64) -> Result<u32, Why> {
        let bytes = self.bytes_at(address, 4)?;
        Ok(bytes
            .first_chunk()
            .map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    pub(super) fn u64_at(&self, address: u64) -> Result<u64, Why> {
        let bytes = self.bytes_at(address, 8)?;
        Ok(bytes
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }
}

/// `size` bytes of `bytes` from `offset`.
pub(super) fn range(bytes: &[u8], offset: u64, size: u64) -> Result<&[u8], Why> {
    let available = (bytes.len() as u64).saturating_sub(offset);
    if size > available {
        return Err(Why::Truncated {
            needed: size,
            available,
        });
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    start
        .checked_add(size)
        .and_then(|end| bytes.get(start..end))
        .ok_or(Why::Truncated {
            needed: size as u64,
            available,
        })
}

/// The little-endian number at `offset` of a table.
pub(super) fn u32_in(bytes: &[u8], offset: u64) -> Result<u32, Why> {
    let field = range(bytes, offset, 4)?;
    Ok(field
        .first_chunk()
        .map_or(0, |field| u32::from_le_bytes(*field)))
}

/// The little-endian number at `offset` of a table.
pub(super) fn u16_in(bytes: &[u8], offset: u64) -> Result<u16, Why> {
    let field = range(bytes, offset, 2)?;
    Ok(field
        .first_chunk()
        .map_or(0, |field| u16::from_le_bytes(*field)))
}

/// The little-endian number at `offset` of a table.
pub(super) fn u64_in(bytes: &[u8], offset: u64) -> Result<u64, Why> {
    let field = range(bytes, offset, 8)?;
    Ok(field
        .first_chunk()
        .map_or(0, |field| u64::from_le_bytes(*field)))
}
