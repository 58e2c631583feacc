//! What a Mach-O file says of itself.

mod bind;
mod cursor;
pub mod signature;
mod slice;

use anyhow::{Context as _, Result, ensure};
use object::read::macho::{FatArch as _, MachOFatFile32};
use object::{Architecture, FileKind};

pub use slice::read_slice;

/// One symbol that is found at run time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The library's install name.
    pub library: String,
    /// The symbol, with its leading underscore.
    pub symbol: String,
}

/// The code and data for one architecture.
#[derive(Debug, Clone)]
pub struct Slice<'data> {
    /// Its bytes.
    pub data: &'data [u8],
    /// What it is for.
    pub architecture: Architecture,
    /// `filetype` of the header (`MH_DYLIB`, `MH_EXECUTE`).
    pub file_type: u32,
    /// `flags` of the header.
    pub flags: u32,
    /// `platform` and `minos` of `LC_BUILD_VERSION`; the version as `0xMMMMmmpp`.
    pub built_for: Option<(u32, u32)>,
    /// `LC_ID_DYLIB`.
    pub install_name: Option<String>,
    /// Whether it has an `LC_UUID`, by which crash reports name it.
    pub has_uuid: bool,
    /// The libraries that are loaded with it, in their order.
    pub libraries: Vec<String>,
    /// The places of the file where dyld looks for libraries (`LC_RPATH`).
    pub run_paths: Vec<String>,
    /// What it takes from them, by the symbol table.
    pub imports: Vec<Import>,
    /// What it gives.
    pub exports: Vec<String>,
    /// Names of its sections, `SEGMENT,section`.
    pub sections: Vec<String>,
    /// How many functions dyld calls as it loads the file.
    pub initialisers: usize,
    /// The functions that its `__interpose` table replaces, sorted.
    pub interposed: Vec<String>,
    /// Its signature, or what is wrong with it.
    pub signature: Result<signature::Signature, String>,
}

/// The slices of a file, of which a plain one has one.
pub fn read(file: &[u8]) -> Result<Vec<Slice<'_>>> {
    match FileKind::parse(file).context("not an object file")? {
        FileKind::MachO64 => Ok(vec![read_slice(file)?]),
        FileKind::MachOFat32 => {
            let fat = MachOFatFile32::parse(file)?;
            fat.arches()
                .iter()
                .map(|arch| {
                    let slice = read_slice(arch.data(file)?)?;
                    ensure!(
                        slice.architecture == arch.architecture(),
                        "the universal header says {:?} of a slice for {:?}",
                        arch.architecture(),
                        slice.architecture
                    );
                    Ok(slice)
                })
                .collect()
        }
        other => anyhow::bail!("{other:?} is not what macOS loads"),
    }
}
