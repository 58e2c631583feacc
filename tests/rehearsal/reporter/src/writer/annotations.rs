//! Sentences that a program left for its crash report: `asi`, "application specific information".

use object::read::elf::{ElfFile64, FileHeader, SectionHeader as _, Sym};
use object::{Endianness, elf};

use crate::images::{Elf, Image};
use crate::memory;

/// Apple's convention, which the rehearsal driver follows: a data symbol `gCRAnnotations` that begins with a version and a
/// pointer to the message, 64 bits each (`CrashReporterClient.h`).
const ANNOTATIONS: &str = "gCRAnnotations";
/// Distance of the message pointer in [`ANNOTATIONS`].
const MESSAGE: u64 = 8;

/// glibc keeps what it printed before `abort` (a failed assertion, a broken heap) here, for debuggers: a pointer to a
/// 32-bit size and the text (`struct abort_msg_s` in include/stdlib.h).
const ABORT_MESSAGE: &str = "__abort_msg";
/// Distance of the text from the size.
const ABORT_TEXT: u64 = 4;

/// What `image` of `pid` has to say about the crash.
pub fn of_image(pid: i32, image: &Image) -> Option<String> {
    let annotated = || {
        let message = address_of(image, ANNOTATIONS)?.checked_add(MESSAGE)?;
        memory::read_string(pid, memory::read_u64(pid, message)?)
    };
    let aborted = || {
        let message = memory::read_u64(pid, address_of(image, ABORT_MESSAGE)?)?;
        memory::read_string(pid, message.checked_add(ABORT_TEXT)?)
    };
    let sentence = annotated().or_else(aborted)?;
    let sentence = sentence.trim_end();
    (!sentence.is_empty()).then(|| sentence.to_owned())
}

/// Where the exported data symbol `name` lies in the process.
fn address_of(image: &Image, name: &str) -> Option<u64> {
    let Elf::Elf64(elf) = image.elf.as_ref()? else {
        return None;
    };
    Some(exported(elf, name)?.wrapping_add(image.bias()))
}

/// The address stated for an exported symbol, through the file's hash table: a large library exports 100,000 symbols, and
/// the process waits for this.
fn exported(elf: &ElfFile64<'static, Endianness, &'static [u8]>, name: &str) -> Option<u64> {
    let endian = elf.elf_header().endian().ok()?;
    let (data, sections) = (elf.data(), elf.elf_section_table());
    let symbols = sections.symbols(endian, data, elf::SHT_DYNSYM).ok()?;
    let versions = sections
        .versions(endian, data)
        .ok()
        .flatten()
        .unwrap_or_default(); // a library need not version its symbols
    let hash =
        |section: &elf::SectionHeader64<Endianness>| section.gnu_hash(endian, data).ok().flatten();
    let (table, _) = sections.iter().find_map(hash)?;
    let key = elf::gnu_hash(name.as_bytes());
    let (_, symbol) = table.find(endian, name.as_bytes(), key, None, &symbols, &versions)?;
    (symbol.st_shndx(endian) != elf::SHN_UNDEF).then(|| symbol.st_value(endian))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Images;
    use crate::procfs;

    #[test]
    fn the_c_library_exports_what_is_looked_for() {
        let pid = std::process::id().cast_signed();
        let images = Images::open(pid, &procfs::maps(pid));
        let libc = images
            .all()
            .iter()
            .find(|image| image.name().starts_with("libc.so"));
        let libc = libc.expect("a dynamic test program");
        let malloc = address_of(libc, "malloc").expect("an exported function");
        assert!((libc.base..libc.end).contains(&malloc));
        assert!(address_of(libc, ABORT_MESSAGE).is_some());
        assert_eq!(address_of(libc, ANNOTATIONS), None);
        assert_eq!(of_image(pid, libc), None);
    }
}
