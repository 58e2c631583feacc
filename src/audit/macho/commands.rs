//! The load commands that say where things are: segments, tables of the loader, symbols.
//!
//! `target/image/macho.rs` reads those by which the system decides whether a library may be loaded.

use object::Endianness;
use object::endian::{U32, U64};
use object::macho::{
    self, MachHeader32, MachHeader64, Section32, Section64, SegmentCommand32, SegmentCommand64,
};
use object::read::macho::{LoadCommandData, LoadCommandVariant, MachHeader, Segment as _};

use super::super::{Gaps, ReadError, Why};
use super::space::{Name, Section, Segment};

/// What the load commands say, as far as it can be understood.
#[derive(Debug, Default)]
pub(super) struct Commands<'a> {
    pub(super) file_type: u32,
    pub(super) flags: u32,
    /// Bytes of a pointer.
    pub(super) width: u64,
    pub(super) segments: Vec<Segment>,
    pub(super) sections: Vec<Section>,
    /// In the order of their ordinals.
    pub(super) libraries: Vec<&'a str>,
    pub(super) uuid: Option<[u8; 16]>,
    /// Offset and size of the encrypted part.
    pub(super) encrypted: Option<(u32, u32)>,
    pub(super) symbols: Option<Symbols>,
    pub(super) chained: Option<(u32, u32)>,
    pub(super) exports: Option<(u32, u32)>,
    pub(super) function_starts: Option<(u32, u32)>,
    pub(super) signature: Option<(u32, u32)>,
    pub(super) opcodes: Option<OpcodePlaces>,
}

/// `LC_SYMTAB`, and the indirect table of `LC_DYSYMTAB`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Symbols {
    pub(super) offset: u32,
    pub(super) count: u32,
    pub(super) names: (u32, u32),
    pub(super) indirect: (u32, u32),
}

/// Offset and size of each stream of `LC_DYLD_INFO`.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpcodePlaces {
    pub(super) rebase: (u32, u32),
    pub(super) bind: (u32, u32),
    pub(super) weak_bind: (u32, u32),
    pub(super) lazy_bind: (u32, u32),
}

impl<'a> Commands<'a> {
    /// Reads the load commands that `bytes` begin with.
    pub(super) fn read(bytes: &'a [u8], gaps: &mut Gaps) -> Result<Self, ReadError> {
        match bytes.first_chunk() {
            Some([0xcf, 0xfa, 0xed, 0xfe]) => read_as::<MachHeader64<Endianness>>(bytes, 8, gaps),
            Some([0xce, 0xfa, 0xed, 0xfe]) => read_as::<MachHeader32<Endianness>>(bytes, 4, gaps),
            Some([0xfe, 0xed, 0xfa, 0xce | 0xcf]) => Err(ReadError::Unsupported(
                "big-endian: its Objective-C metadata is of the first runtime, which is not read",
            )),
            _ => Err(ReadError::NotMachO),
        }
    }

    /// Whether the image was taken out of the shared cache.
    pub(super) fn is_from_cache(&self) -> bool {
        self.flags & macho::MH_DYLIB_IN_CACHE != 0
    }

    /// Whether it is a program that is always loaded at its own address.
    pub(super) fn is_fixed(&self) -> bool {
        self.file_type == macho::MH_EXECUTE && self.flags & macho::MH_PIE == 0
    }

    fn add(
        &mut self,
        command: LoadCommandData<'a, Endianness>,
        bytes: &[u8],
        offset: u64,
        gaps: &mut Gaps,
    ) -> object::read::Result<()> {
        const LE: Endianness = Endianness::Little;
        let place =
            |offset: U32<Endianness>, size: U32<Endianness>| Some((offset.get(LE), size.get(LE)));
        match command.variant()? {
            LoadCommandVariant::Segment32(segment, sections) => {
                self.segment(&Parts::of_32(segment), bytes, offset, gaps);
                for section in segment.sections(LE, sections)? {
                    self.section(narrow_section(section), offset, gaps);
                }
            }
            LoadCommandVariant::Segment64(segment, sections) => {
                self.segment(&Parts::of_64(segment), bytes, offset, gaps);
                for section in segment.sections(LE, sections)? {
                    self.section(wide_section(section), offset, gaps);
                }
            }
            LoadCommandVariant::Dylib(library) => {
                let name = command.string(LE, library.dylib.name)?;
                self.libraries
                    .push(std::str::from_utf8(name).unwrap_or_else(|_| {
                        gaps.in_file(LIBRARY, offset, Why::NotUtf8(offset));
                        ""
                    }));
            }
            LoadCommandVariant::Uuid(uuid) => self.uuid = Some(uuid.uuid),
            LoadCommandVariant::EncryptionInfo32(_) | LoadCommandVariant::EncryptionInfo64(_) => {
                // The longer form only adds padding at its end.
                let info: &macho::EncryptionInfoCommand32<Endianness> = command.data()?;
                if info.cryptid.get(LE) != 0 {
                    self.encrypted = place(info.cryptoff, info.cryptsize);
                }
            }
            LoadCommandVariant::Symtab(table) => {
                let symbols = self.symbols.get_or_insert_default();
                symbols.offset = table.symoff.get(LE);
                symbols.count = table.nsyms.get(LE);
                symbols.names = (table.stroff.get(LE), table.strsize.get(LE));
            }
            LoadCommandVariant::Dysymtab(table) => {
                self.symbols.get_or_insert_default().indirect =
                    (table.indirectsymoff.get(LE), table.nindirectsyms.get(LE));
            }
            LoadCommandVariant::DyldInfo(info) => {
                self.opcodes = Some(OpcodePlaces {
                    rebase: (info.rebase_off.get(LE), info.rebase_size.get(LE)),
                    bind: (info.bind_off.get(LE), info.bind_size.get(LE)),
                    weak_bind: (info.weak_bind_off.get(LE), info.weak_bind_size.get(LE)),
                    lazy_bind: (info.lazy_bind_off.get(LE), info.lazy_bind_size.get(LE)),
                });
                if info.export_size.get(LE) != 0 {
                    self.exports = place(info.export_off, info.export_size);
                }
            }
            LoadCommandVariant::LinkeditData(data) => {
                let found = place(data.dataoff, data.datasize);
                match command.cmd() {
                    macho::LC_DYLD_CHAINED_FIXUPS => self.chained = found,
                    macho::LC_DYLD_EXPORTS_TRIE => self.exports = found,
                    macho::LC_FUNCTION_STARTS => self.function_starts = found,
                    macho::LC_CODE_SIGNATURE => self.signature = found,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn segment(&mut self, parts: &Parts, bytes: &[u8], command: u64, gaps: &mut Gaps) {
        let available = (bytes.len() as u64).saturating_sub(parts.offset);
        if parts.stored > available {
            gaps.in_file(
                "a segment",
                command,
                Why::Truncated {
                    needed: parts.stored,
                    available,
                },
            );
        }
        let mut size = parts.size;
        if parts.address.checked_add(size).is_none() {
            gaps.in_file(
                "a segment",
                command,
                Why::Contradiction("it reaches past the last address"),
            );
            size = 0;
        }
        self.segments.push(Segment {
            name: Name::new(parts.name),
            address: parts.address,
            size,
            offset: parts.offset,
            // What the file has beyond the segment's size is not mapped.
            stored: parts.stored.min(available).min(size),
            protection: parts.protection,
        });
    }

    fn section(&mut self, section: Section, command: u64, gaps: &mut Gaps) {
        if section.address.checked_add(section.size).is_none() {
            gaps.in_file(
                "a section",
                command,
                Why::Contradiction("it reaches past the last address"),
            );
        } else {
            self.sections.push(section);
        }
    }
}

fn narrow_section(section: &Section32<Endianness>) -> Section {
    let field = |field: U32<Endianness>| field.get(Endianness::Little);
    Section {
        segment: Name::new(section.segname),
        name: Name::new(section.sectname),
        address: field(section.addr).into(),
        size: field(section.size).into(),
        flags: field(section.flags),
        reserved1: field(section.reserved1),
        reserved2: field(section.reserved2),
    }
}

fn wide_section(section: &Section64<Endianness>) -> Section {
    let field = |field: U32<Endianness>| field.get(Endianness::Little);
    Section {
        segment: Name::new(section.segname),
        name: Name::new(section.sectname),
        address: section.addr.get(Endianness::Little),
        size: section.size.get(Endianness::Little),
        flags: field(section.flags),
        reserved1: field(section.reserved1),
        reserved2: field(section.reserved2),
    }
}

/// A segment's fields, whatever its width.
struct Parts {
    name: [u8; 16],
    address: u64,
    size: u64,
    offset: u64,
    stored: u64,
    protection: u32,
}

impl Parts {
    fn of_32(segment: &SegmentCommand32<Endianness>) -> Self {
        let wide = |field: U32<Endianness>| u64::from(field.get(Endianness::Little));
        Parts {
            name: segment.segname,
            address: wide(segment.vmaddr),
            size: wide(segment.vmsize),
            offset: wide(segment.fileoff),
            stored: wide(segment.filesize),
            protection: segment.initprot.get(Endianness::Little),
        }
    }

    fn of_64(segment: &SegmentCommand64<Endianness>) -> Self {
        let field = |field: U64<Endianness>| field.get(Endianness::Little);
        Parts {
            name: segment.segname,
            address: field(segment.vmaddr),
            size: field(segment.vmsize),
            offset: field(segment.fileoff),
            stored: field(segment.filesize),
            protection: segment.initprot.get(Endianness::Little),
        }
    }
}

fn read_as<'a, Header: MachHeader<Endian = Endianness>>(
    bytes: &'a [u8],
    width: u64,
    gaps: &mut Gaps,
) -> Result<Commands<'a>, ReadError> {
    const LE: Endianness = Endianness::Little;
    let header = Header::parse(bytes, 0)
        .map_err(|error| ReadError::malformed("the Mach-O header", error.to_string()))?;
    let file_type = header.filetype(LE);
    if let Some(refusal) = refused(file_type) {
        return Err(ReadError::Unsupported(refusal));
    }
    let mut commands = Commands {
        file_type,
        flags: header.flags(LE),
        width,
        ..Commands::default()
    };
    let mut offset = size_of::<Header>() as u64;
    let mut iterator = header
        .load_commands(LE, bytes, 0)
        .map_err(|error| ReadError::malformed("the load commands", error.to_string()))?;
    loop {
        match iterator.next() {
            Ok(None) => break,
            Ok(Some(command)) => {
                let size = u64::from(command.cmdsize());
                if let Err(error) = commands.add(command, bytes, offset, gaps) {
                    gaps.in_file("a load command", offset, Why::Damaged(error.to_string()));
                }
                offset += size;
            }
            Err(error) => {
                gaps.in_file("a load command", offset, Why::Damaged(error.to_string()));
                break;
            }
        }
    }
    no_overlap(&commands.segments)?;
    Ok(commands)
}

/// What has no image as the loader makes one.
fn refused(file_type: u32) -> Option<&'static str> {
    Some(match file_type {
        macho::MH_OBJECT => "an object file, which is not linked yet (hint: link it first)",
        macho::MH_DSYM => {
            "debugging symbols without their code (hint: read the file that they are of)"
        }
        macho::MH_CORE => "a core dump",
        macho::MH_FILESET => {
            "a collection of kernel extensions, whose pointers are of another kind"
        }
        macho::MH_DYLIB_STUB => "a stub for the linker, without code",
        _ => return None,
    })
}

/// dyld refuses such an image (dyld 1122, `MachOFile::validSegments`). Here, one part of the file in
/// many segments would multiply the work.
fn no_overlap(segments: &[Segment]) -> Result<(), ReadError> {
    let disjoint = |mut ranges: Vec<(u64, u64)>| {
        ranges.sort_unstable();
        ranges
            .windows(2)
            .all(|pair| pair[0].0 + pair[0].1 <= pair[1].0)
    };
    let in_memory = segments
        .iter()
        .filter(|segment| segment.size > 0)
        .map(|segment| (segment.address, segment.size));
    let in_file = segments
        .iter()
        .filter(|segment| segment.stored > 0)
        .map(|segment| (segment.offset, segment.stored));
    if disjoint(in_memory.collect()) && disjoint(in_file.collect()) {
        return Ok(());
    }
    Err(ReadError::malformed(
        "the list of segments",
        "two segments overlap",
    ))
}

const LIBRARY: &str = "a library's name";
