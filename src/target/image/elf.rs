//! ELF: processor, kind, and the loader that it asks for.

use object::elf::{
    ET_DYN, ET_EXEC, FileHeader32, FileHeader64, PT_INTERP, ProgramHeader32, ProgramHeader64,
};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, Pod};

use super::source::Window;
use super::{Processor, Unreadable};

/// An ELF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// The processor that its code is for.
    pub processor: Processor,
    /// Whether its addresses have 64 bits (the file's class).
    pub is_64_bit: bool,
    /// Whether the kernel can execute it: an executable, or a shared object (position-independent
    /// executables are of that type as well).
    pub executable: bool,
    /// Whether a loader can map it into a program: a shared object.
    pub shared: bool,
    /// Who maps the libraries.
    pub interpreter: Interpreter,
}

/// The loader that the kernel starts beside the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interpreter {
    /// None: a static program.
    None,
    /// The loader at this path.
    Path(String),
}

/// Reads `file`, of which `head` is the first page.
pub(super) fn parse(file: &Window<'_>, head: &[u8]) -> Result<Elf, Unreadable> {
    match head.get(CLASS) {
        Some(&object::elf::ELFCLASS64) => {
            read::<FileHeader64<Endianness>, ProgramHeader64<Endianness>>(file, head)
        }
        Some(&object::elf::ELFCLASS32) => {
            read::<FileHeader32<Endianness>, ProgramHeader32<Endianness>>(file, head)
        }
        _ => Err(Unreadable::malformed(HEADER, "neither 32 nor 64 bits")),
    }
}

fn read<Header, Segment>(file: &Window<'_>, head: &[u8]) -> Result<Elf, Unreadable>
where
    Header: FileHeader<Endian = Endianness, ProgramHeader = Segment>,
    Segment: ProgramHeader<Elf = Header, Endian = Endianness> + Pod,
{
    let damaged = |error: object::read::Error| Unreadable::malformed(HEADER, error.to_string());
    let header = Header::parse(head).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    let kind = header.e_type(endian);
    Ok(Elf {
        processor: Processor::of_elf(header.e_machine(endian)),
        is_64_bit: header.is_class_64(),
        executable: kind == ET_EXEC || kind == ET_DYN,
        shared: kind == ET_DYN,
        interpreter: interpreter::<Header, Segment>(file, header, endian)?,
    })
}

fn interpreter<Header, Segment>(
    file: &Window<'_>,
    header: &Header,
    endian: Endianness,
) -> Result<Interpreter, Unreadable>
where
    Header: FileHeader<Endian = Endianness, ProgramHeader = Segment>,
    Segment: ProgramHeader<Elf = Header, Endian = Endianness> + Pod,
{
    let count = usize::from(header.e_phnum(endian));
    if count == 0 {
        return Ok(Interpreter::None);
    }
    let entry = size_of::<Segment>();
    if usize::from(header.e_phentsize(endian)) != entry {
        return Err(Unreadable::malformed(SEGMENTS, "entries of another size"));
    }
    // The kernel refuses a longer table (Linux, fs/binfmt_elf.c, load_elf_phdrs).
    let table = file.read(
        header.e_phoff(endian).into(),
        (count * entry) as u64,
        64 * 1024,
        SEGMENTS,
    )?;
    let (segments, _) = object::slice_from_bytes::<Segment>(&table, count)
        .map_err(|()| Unreadable::malformed(SEGMENTS, "too short"))?;
    let Some(segment) = segments
        .iter()
        .find(|segment| segment.p_type(endian) == PT_INTERP)
    else {
        return Ok(Interpreter::None);
    };
    let (offset, size) = segment.file_range(endian);
    // PATH_MAX: the kernel refuses a longer one.
    let path = file.read(offset, size, 4096, INTERPRETER)?;
    let path = path
        .strip_suffix(b"\0")
        .filter(|path| !path.is_empty() && !path.contains(&0))
        .ok_or_else(|| Unreadable::malformed(INTERPRETER, "not a C string"))?;
    match std::str::from_utf8(path) {
        Ok(path) => Ok(Interpreter::Path(path.to_owned())),
        Err(error) => Err(Unreadable::malformed(INTERPRETER, error.to_string())),
    }
}

/// `e_ident[EI_CLASS]`.
const CLASS: usize = 4;
const HEADER: &str = "the ELF header";
const SEGMENTS: &str = "the program headers";
const INTERPRETER: &str = "the path of the program's loader";
