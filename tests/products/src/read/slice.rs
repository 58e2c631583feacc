//! One architecture's header, load commands, sections and symbols.

use anyhow::{Context as _, Result, bail, ensure};
use object::macho::{self, MachHeader64, SegmentCommand64};
use object::read::macho::{
    LoadCommandVariant, MachHeader as _, Nlist as _, Section as _, Segment as _,
};
use object::{Architecture, Endianness};

use super::bind::{Bind, binds};
use super::cursor::part;
use super::{Import, Slice, signature};

type Section = macho::Section64<Endianness>;

/// Library ordinals in a symbol's description that stand for no library (mach-o/loader.h).
const SELF: u8 = 0;
const DYNAMIC_LOOKUP: u8 = 0xfe;
const EXECUTABLE: u8 = 0xff;

/// What the load commands say, before it is put together.
#[derive(Default)]
struct Commands<'data> {
    built_for: Option<(u32, u32)>,
    install_name: Option<String>,
    has_uuid: bool,
    libraries: Vec<String>,
    run_paths: Vec<String>,
    segments: Vec<&'data SegmentCommand64<Endianness>>,
    sections: Vec<&'data Section>,
    symbols: Option<&'data macho::SymtabCommand<Endianness>>,
    binds: Vec<Bind>,
    signature: Option<(usize, usize)>,
}

/// Reads the slice that `data` is.
pub fn read_slice(data: &[u8]) -> Result<Slice<'_>> {
    let header = MachHeader64::<Endianness>::parse(data, 0)?;
    let endian = header.endian()?;
    let commands = commands(data, header, endian)?;
    let (imports, exports) = symbols(data, endian, &commands)?;
    Ok(Slice {
        data,
        architecture: match header.cputype(endian) {
            macho::CPU_TYPE_ARM64 => Architecture::Aarch64,
            macho::CPU_TYPE_X86_64 => Architecture::X86_64,
            other => bail!("code for processor type {other:#x}"),
        },
        file_type: header.filetype(endian),
        flags: header.flags(endian),
        built_for: commands.built_for,
        install_name: commands.install_name,
        has_uuid: commands.has_uuid,
        libraries: commands.libraries,
        run_paths: commands.run_paths,
        imports,
        exports,
        sections: commands.sections.iter().map(|it| full_name(it)).collect(),
        initialisers: commands
            .sections
            .iter()
            .map(|it| initialisers(it, endian))
            .sum(),
        interposed: interposed(
            endian,
            &commands.segments,
            &commands.sections,
            &commands.binds,
        )?,
        signature: match commands.signature {
            None => Err("it is not signed".to_owned()),
            Some((offset, size)) => {
                signature::check(data, offset, size).map_err(|error| format!("{error:#}"))
            }
        },
    })
}

fn commands<'data>(
    data: &'data [u8],
    header: &'data MachHeader64<Endianness>,
    endian: Endianness,
) -> Result<Commands<'data>> {
    let mut read = Commands::default();
    let mut all = header.load_commands(endian, data, 0)?;
    while let Some(command) = all.next()? {
        let string = |at| -> Result<String> {
            Ok(String::from_utf8_lossy(command.string(endian, at)?).into_owned())
        };
        match command.variant()? {
            LoadCommandVariant::Segment64(segment, rest) => {
                read.segments.push(segment);
                read.sections.extend(segment.sections(endian, rest)?);
            }
            LoadCommandVariant::BuildVersion(it) => {
                read.built_for = Some((it.platform.get(endian), it.minos.get(endian)));
            }
            LoadCommandVariant::IdDylib(it) => read.install_name = Some(string(it.dylib.name)?),
            LoadCommandVariant::Dylib(it) => read.libraries.push(string(it.dylib.name)?),
            LoadCommandVariant::Rpath(it) => read.run_paths.push(string(it.path)?),
            LoadCommandVariant::Uuid(_) => read.has_uuid = true,
            LoadCommandVariant::Symtab(it) => read.symbols = Some(it),
            LoadCommandVariant::DyldInfo(it) => {
                ensure!(
                    it.weak_bind_size.get(endian) == 0,
                    "it has symbols to be coalesced"
                );
                for (offset, size) in [
                    (it.bind_off, it.bind_size),
                    (it.lazy_bind_off, it.lazy_bind_size),
                ] {
                    let opcodes =
                        part(data, offset.get(endian) as usize, size.get(endian) as usize);
                    read.binds.extend(binds(opcodes?)?);
                }
            }
            LoadCommandVariant::LinkeditData(it) => {
                let place = (
                    it.dataoff.get(endian) as usize,
                    it.datasize.get(endian) as usize,
                );
                match it.cmd.get(endian) {
                    macho::LC_CODE_SIGNATURE => read.signature = Some(place),
                    macho::LC_DYLD_CHAINED_FIXUPS => {
                        bail!("its fix-ups are chained (hint: link with -no_fixup_chains)")
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(read)
}

/// Imports and exports, by the symbol table.
fn symbols(
    data: &[u8],
    endian: Endianness,
    commands: &Commands<'_>,
) -> Result<(Vec<Import>, Vec<String>)> {
    let table = commands.symbols.context("it has no symbol table")?;
    let table = table.symbols::<MachHeader64<Endianness>, _>(endian, data)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    for symbol in table.iter() {
        let kind = symbol.n_type();
        if symbol.is_stab() || kind & macho::N_EXT == 0 || kind & macho::N_PEXT != 0 {
            continue;
        }
        let name = String::from_utf8_lossy(symbol.name(endian, table.strings())?).into_owned();
        if symbol.is_undefined() {
            let library = library(symbol.library_ordinal(endian), &commands.libraries);
            imports.push(Import {
                library: library.with_context(|| name.clone())?,
                symbol: name,
            });
        } else {
            exports.push(name);
        }
    }
    imports.sort();
    Ok((imports, exports))
}

/// The library of a two-level name.
fn library(ordinal: u8, libraries: &[String]) -> Result<String> {
    Ok(match ordinal {
        SELF => "(itself)".to_owned(),
        DYNAMIC_LOOKUP => "(any library)".to_owned(),
        EXECUTABLE => "(the program)".to_owned(),
        _ => libraries
            .get(usize::from(ordinal) - 1)
            .with_context(|| format!("there is no library {ordinal}"))?
            .clone(),
    })
}

fn full_name(section: &Section) -> String {
    format!(
        "{},{}",
        String::from_utf8_lossy(section.segment_name()),
        String::from_utf8_lossy(section.name())
    )
}

/// How many functions of this section dyld calls: addresses in the one kind, offsets from the header in the other.
fn initialisers(section: &Section, endian: Endianness) -> usize {
    let size = usize::try_from(section.size.get(endian)).unwrap_or(usize::MAX);
    match section.flags.get(endian) & macho::SECTION_TYPE {
        macho::S_MOD_INIT_FUNC_POINTERS => size / 8,
        macho::S_INIT_FUNC_OFFSETS => size / 4,
        _ => 0,
    }
}

/// The functions that dyld replaces: the second address of each pair in `__interpose` (mach-o/dyld-interposing.h).
fn interposed(
    endian: Endianness,
    segments: &[&SegmentCommand64<Endianness>],
    sections: &[&Section],
    binds: &[Bind],
) -> Result<Vec<String>> {
    const PAIR: u64 = 16;
    let mut found = Vec::new();
    for section in sections.iter().filter(|it| it.name() == b"__interpose") {
        let (start, size) = (section.addr.get(endian), section.size.get(endian));
        for pair in (0..size / PAIR).map(|index| start + index * PAIR) {
            let replaced = binds.iter().find(|bind| {
                segments.get(bind.segment).is_some_and(|segment| {
                    segment.vmaddr.get(endian).wrapping_add(bind.offset) == pair + PAIR / 2
                })
            });
            let replaced = replaced.with_context(|| {
                format!("the pair at {pair:#x} replaces nothing that is imported")
            })?;
            found.push(replaced.symbol.clone());
        }
    }
    found.sort();
    Ok(found)
}
