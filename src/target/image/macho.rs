//! Mach-O: the slices of a file, and the load commands of each.

use std::ops::Range;

use object::macho::{
    self, EncryptionInfoCommand32, FatHeader, LinkeditDataCommand, MachHeader32, MachHeader64,
};
use object::read::macho::{
    FatArch, LoadCommandVariant, MachHeader, MachOFatFile32, MachOFatFile64, Section, Segment,
};
use object::{BigEndian, Endianness, FileKind};

use super::signature::{self, Signature};
use super::source::Window;
use super::{Platform, Processor, Unreadable};

/// One program or library of a Mach-O file.
#[derive(Debug)]
pub struct Slice {
    /// The processor that the kernel and dyld choose the slice by.
    pub processor: Processor,
    /// What stands in it. A damaged slice says nothing of its neighbours.
    pub contents: Result<MachO, Unreadable>,
}

/// The load commands of a slice, as far as they decide what may be loaded beside it.
#[derive(Debug)]
pub struct MachO {
    /// Program, library, or something else.
    pub file_type: FileType,
    /// Whether it asks for dyld: without, nothing reads `DYLD_` variables.
    pub asks_for_dyld: bool,
    /// Whether it has a section `__RESTRICT,__restrict`.
    pub restrict_section: bool,
    /// Whether it is encrypted (FairPlay), as programs of the App Store may be.
    pub encrypted: bool,
    /// The platforms that it was built for; several in an image for macOS and Mac Catalyst, none in
    /// an old one.
    pub platforms: Vec<Platform>,
    /// The libraries that dyld loads with it, as it names them.
    pub libraries: Vec<String>,
    /// Its signature, where it has one.
    pub signature: Option<Signature>,
}

/// A file type of Mach-O's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// A program.
    Executable,
    /// A library.
    Library,
    /// A bundle: loaded by name at run time, never inserted.
    Bundle,
    /// Anything else, by its number.
    Other(u32),
}

/// A slice's place in the file, by which it can be read otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The processor that the kernel and dyld choose the slice by.
    pub processor: Processor,
    /// Its bytes, which may reach past the end of the file.
    pub range: Range<u64>,
}

/// The places of the slices of `file`, of which `head` is the first page; nothing where it is not
/// Mach-O.
pub(super) fn extents(file: &Window<'_>, head: &[u8]) -> Result<Option<Vec<Extent>>, Unreadable> {
    let thin = |(cpu_type, subtype)| {
        vec![Extent {
            processor: Processor::of_macho(cpu_type, subtype),
            range: 0..file.size(),
        }]
    };
    let extents = match FileKind::parse(head) {
        Ok(FileKind::MachO32) => {
            thin(Commands::<MachHeader32<Endianness>>::read(file)?.processor())
        }
        Ok(FileKind::MachO64) => {
            thin(Commands::<MachHeader64<Endianness>>::read(file)?.processor())
        }
        Ok(FileKind::MachOFat32) => {
            let fat = MachOFatFile32::parse(head).map_err(|_| table_too_long(head))?;
            listed(fat.arches())?
        }
        Ok(FileKind::MachOFat64) => {
            let fat = MachOFatFile64::parse(head).map_err(|_| table_too_long(head))?;
            listed(fat.arches())?
        }
        _ => return Ok(None),
    };
    Ok(Some(extents))
}

fn listed<Arch: FatArch>(table: &[Arch]) -> Result<Vec<Extent>, Unreadable> {
    check_table(table)?;
    let extent = |arch: &Arch| {
        let (offset, size) = arch.file_range();
        Extent {
            processor: Processor::of_macho(arch.cputype(), arch.cpusubtype()),
            range: offset..offset.saturating_add(size),
        }
    };
    Ok(table.iter().map(extent).collect())
}

/// Reads `file`, of which `head` is the first page; nothing where it is not Mach-O.
pub(super) fn parse(file: &Window<'_>, head: &[u8]) -> Result<Option<Vec<Slice>>, Unreadable> {
    let slices = match FileKind::parse(head) {
        Ok(FileKind::MachO32) => vec![thin::<MachHeader32<Endianness>>(file)?],
        Ok(FileKind::MachO64) => vec![thin::<MachHeader64<Endianness>>(file)?],
        Ok(FileKind::MachOFat32) => {
            let fat = MachOFatFile32::parse(head).map_err(|_| table_too_long(head))?;
            universal(file, fat.arches())?
        }
        Ok(FileKind::MachOFat64) => {
            let fat = MachOFatFile64::parse(head).map_err(|_| table_too_long(head))?;
            universal(file, fat.arches())?
        }
        _ => return Ok(None),
    };
    Ok(Some(slices))
}

fn thin<Header: MachHeader<Endian = Endianness>>(file: &Window<'_>) -> Result<Slice, Unreadable> {
    let commands = Commands::<Header>::read(file)?;
    let (cpu_type, subtype) = commands.processor();
    Ok(Slice {
        processor: Processor::of_macho(cpu_type, subtype),
        contents: commands.parse(file),
    })
}

/// The kernel looks for the table in the first page only, and so does this (xnu,
/// `bsd/kern/mach_fat.c`, `fatfile_getarch`).
fn table_too_long(head: &[u8]) -> Unreadable {
    let count = object::pod::from_bytes::<FatHeader>(head)
        .map_or(0, |(header, _)| header.nfat_arch.get(BigEndian));
    Unreadable::TooLarge {
        what: TABLE,
        size: u64::from(count),
        limit: (super::FIRST_PAGE - size_of::<FatHeader>()) / size_of::<macho::FatArch32>(),
    }
}

fn universal<Arch: FatArch>(file: &Window<'_>, table: &[Arch]) -> Result<Vec<Slice>, Unreadable> {
    check_table(table)?;
    Ok(table.iter().map(|arch| member(file, arch)).collect())
}

fn check_table<Arch: FatArch>(table: &[Arch]) -> Result<(), Unreadable> {
    if table.is_empty() {
        return Err(Unreadable::malformed(TABLE, "it lists no slice"));
    }
    let mut ranges: Vec<(u64, u64)> = table.iter().map(FatArch::file_range).collect();
    ranges.sort_unstable();
    // The kernel refuses such a file (`fatfile_validate_fatarches`); a slice that holds the table
    // itself would never end.
    let mut end = (size_of::<FatHeader>() + size_of_val(table)) as u64;
    for (offset, size) in ranges {
        if offset < end {
            return Err(Unreadable::Contradiction {
                what: "slices of the universal file overlap",
            });
        }
        end = offset.saturating_add(size);
    }
    Ok(())
}

fn member<Arch: FatArch>(file: &Window<'_>, arch: &Arch) -> Slice {
    let (offset, size) = arch.file_range();
    let listed = (arch.cputype(), arch.cpusubtype());
    Slice {
        processor: Processor::of_macho(listed.0, listed.1),
        contents: file
            .part(offset, size, "a slice of the universal file")
            .and_then(|slice| member_contents(&slice, listed)),
    }
}

fn member_contents(slice: &Window<'_>, listed: (u32, u32)) -> Result<MachO, Unreadable> {
    let head = slice.read_up_to(0, MAGIC, HEADER)?;
    match FileKind::parse(head.as_slice()) {
        Ok(FileKind::MachO32) => checked::<MachHeader32<Endianness>>(slice, listed),
        Ok(FileKind::MachO64) => checked::<MachHeader64<Endianness>>(slice, listed),
        _ => Err(Unreadable::malformed(HEADER, "not Mach-O")),
    }
}

fn checked<Header: MachHeader<Endian = Endianness>>(
    slice: &Window<'_>,
    listed: (u32, u32),
) -> Result<MachO, Unreadable> {
    let commands = Commands::<Header>::read(slice)?;
    let (cpu_type, subtype) = commands.processor();
    if Processor::of_macho(cpu_type, subtype) != Processor::of_macho(listed.0, listed.1) {
        return Err(Unreadable::Contradiction {
            what: "the table of slices and the slice's own header name different processors",
        });
    }
    commands.parse(slice)
}

/// A slice's header and load commands, in memory.
struct Commands<Header> {
    bytes: Vec<u8>,
    header: Header,
    endian: Endianness,
}

impl<Header: MachHeader<Endian = Endianness>> Commands<Header> {
    fn read(slice: &Window<'_>) -> Result<Self, Unreadable> {
        let mut bytes = slice.read_up_to(0, FIRST_READ, COMMANDS)?;
        let header = *Header::parse(bytes.as_slice(), 0)
            .map_err(|error| Unreadable::malformed(HEADER, error.to_string()))?;
        let endian = header
            .endian()
            .map_err(|error| Unreadable::malformed(HEADER, error.to_string()))?;
        let size = size_of::<Header>() as u64 + u64::from(header.sizeofcmds(endian));
        if size > bytes.len() as u64 {
            bytes = slice.read(0, size, LONGEST_COMMANDS, COMMANDS)?;
        }
        Ok(Commands {
            bytes,
            header,
            endian,
        })
    }

    /// CPU type and subtype.
    fn processor(&self) -> (u32, u32) {
        (
            self.header.cputype(self.endian),
            self.header.cpusubtype(self.endian),
        )
    }

    fn parse(&self, slice: &Window<'_>) -> Result<MachO, Unreadable> {
        let damaged =
            |error: object::read::Error| Unreadable::malformed(COMMANDS, error.to_string());
        let mut found = MachO {
            file_type: match self.header.filetype(self.endian) {
                macho::MH_EXECUTE => FileType::Executable,
                macho::MH_DYLIB => FileType::Library,
                macho::MH_BUNDLE => FileType::Bundle,
                other => FileType::Other(other),
            },
            asks_for_dyld: false,
            restrict_section: false,
            encrypted: false,
            platforms: Vec::new(),
            libraries: Vec::new(),
            signature: None,
        };
        let mut signature = None;
        let mut commands = self
            .header
            .load_commands(self.endian, self.bytes.as_slice(), 0)
            .map_err(damaged)?;
        while let Some(command) = commands.next().map_err(damaged)? {
            match command.variant().map_err(damaged)? {
                LoadCommandVariant::Segment32(segment, sections) => {
                    found.restrict_section |=
                        has_restrict_section(segment, sections, self.endian).map_err(damaged)?;
                }
                LoadCommandVariant::Segment64(segment, sections) => {
                    found.restrict_section |=
                        has_restrict_section(segment, sections, self.endian).map_err(damaged)?;
                }
                LoadCommandVariant::LoadDylinker(_) => found.asks_for_dyld = true,
                LoadCommandVariant::Dylib(library) => {
                    let name = command
                        .string(self.endian, library.dylib.name)
                        .map_err(damaged)?;
                    found
                        .libraries
                        .push(String::from_utf8_lossy(name).into_owned());
                }
                LoadCommandVariant::EncryptionInfo32(_)
                | LoadCommandVariant::EncryptionInfo64(_) => {
                    // The longer form only adds padding at its end.
                    let info: &EncryptionInfoCommand32<Endianness> =
                        command.data().map_err(damaged)?;
                    found.encrypted |= info.cryptid.get(self.endian) != 0;
                }
                LoadCommandVariant::BuildVersion(version) => {
                    let platform = Platform::of(version.platform.get(self.endian));
                    found.platforms.push(platform);
                }
                LoadCommandVariant::VersionMin(_) => {
                    found.platforms.extend(old_platform(command.cmd()));
                }
                LoadCommandVariant::LinkeditData(data)
                    if command.cmd() == macho::LC_CODE_SIGNATURE
                        && signature.replace(data).is_some() =>
                {
                    return Err(Unreadable::Contradiction {
                        what: "two load commands name a signature",
                    });
                }
                _ => {}
            }
        }
        if let Some(place) = signature {
            found.signature = Some(self.signature(slice, place)?);
        }
        Ok(found)
    }

    fn signature(
        &self,
        slice: &Window<'_>,
        place: &LinkeditDataCommand<Endianness>,
    ) -> Result<Signature, Unreadable> {
        let part = slice.part(
            place.dataoff.get(self.endian).into(),
            place.datasize.get(self.endian).into(),
            "the signature",
        )?;
        signature::parse(&part)
    }
}

/// dyld looks for the section `__restrict` in the segment `__RESTRICT` (dyld 1122,
/// `MachOFile::isRestricted`); the segment alone restricts nothing.
fn has_restrict_section<S: Segment<Endian = Endianness>>(
    segment: &S,
    sections: &[u8],
    endian: Endianness,
) -> object::read::Result<bool> {
    if segment.name() != b"__RESTRICT" {
        return Ok(false);
    }
    let sections = segment.sections(endian, sections)?;
    Ok(sections
        .iter()
        .any(|section| section.name() == b"__restrict"))
}

/// The platform of the load commands that `LC_BUILD_VERSION` replaced.
fn old_platform(command: u32) -> Option<Platform> {
    let number = match command {
        macho::LC_VERSION_MIN_MACOSX => macho::PLATFORM_MACOS,
        macho::LC_VERSION_MIN_IPHONEOS => macho::PLATFORM_IOS,
        macho::LC_VERSION_MIN_TVOS => macho::PLATFORM_TVOS,
        macho::LC_VERSION_MIN_WATCHOS => macho::PLATFORM_WATCHOS,
        _ => return None,
    };
    Some(Platform::of(number))
}

/// Nearly every program's load commands fit, so that one read gets them.
const FIRST_READ: usize = 16 * 1024;
/// The load commands of the largest programs have some ten kilobytes.
const LONGEST_COMMANDS: usize = 1024 * 1024;

/// What `FileKind::parse` looks at.
const MAGIC: usize = 16;

const HEADER: &str = "the Mach-O header";
const COMMANDS: &str = "the load commands";
const TABLE: &str = "the universal file's table of slices";
