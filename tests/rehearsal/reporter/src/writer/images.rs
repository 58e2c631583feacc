//! The program files mapped into a process.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;

use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use object::{Object, ObjectSegment};

use crate::memory;
use crate::procfs::Mapping;

/// Bytes of an ELF64 header. They hold the offsets of all tables, and so differ between two builds of a file.
const ELF_HEADER: usize = 64;

/// An ELF file, read in place. The writer lives for one report, so what it maps stays mapped.
pub type Elf = object::File<'static, &'static [u8]>;

/// One mapped ELF file.
pub struct Image {
    /// Address of its first byte.
    pub base: u64,
    /// One past the last address mapped from it.
    pub end: u64,
    /// Path, as the process mapped it.
    pub path: String,
    /// The file itself, where it is still the one that was mapped.
    pub elf: Option<Elf>,
}

impl Image {
    /// Last component of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What is added to an address stated in the file, to get the address in the process.
    pub fn bias(&self) -> u64 {
        let first = self.elf.as_ref().and_then(|elf| {
            elf.segments()
                .find(|segment| segment.file_range().0 == 0)
                .map(|s| s.address())
        });
        self.base.wrapping_sub(first.unwrap_or(0))
    }

    /// The linker's build id in the form of a UUID: its first 16 bytes, lower case. Zeros without one.
    pub fn uuid(&self) -> String {
        let id = self
            .elf
            .as_ref()
            .and_then(|elf| elf.build_id().ok().flatten())
            .unwrap_or_default();
        let mut bytes = [0; 16];
        let len = id.len().min(bytes.len());
        bytes[..len].copy_from_slice(&id[..len]);
        format_uuid(bytes)
    }
}

/// `01234567-89ab-cdef-0123-456789abcdef`.
pub fn format_uuid(bytes: [u8; 16]) -> String {
    let n = u128::from_be_bytes(bytes);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        (n >> 80) & 0xffff,
        (n >> 64) & 0xffff,
        (n >> 48) & 0xffff,
        n & 0xffff_ffff_ffff
    )
}

/// The images of a process, by address.
pub struct Images(Vec<Image>);

impl Images {
    /// The ELF files among `maps`, opened while `pid` stands still.
    pub fn open(pid: i32, maps: &[Mapping]) -> Self {
        let images = spans(maps).into_iter();
        Self(
            images
                .map(|span| Image {
                    elf: open(pid, &span),
                    ..span
                })
                .collect(),
        )
    }

    /// All of them.
    pub fn all(&self) -> &[Image] {
        &self.0
    }

    /// Index of the image that `address` lies in.
    pub fn find(&self, address: u64) -> Option<usize> {
        let after = self.0.partition_point(|image| image.base <= address);
        let index = after.checked_sub(1)?;
        (address < self.0[index].end).then_some(index)
    }
}

/// Address ranges of the files that have code mapped, by address; none of them opened.
fn spans(maps: &[Mapping]) -> Vec<Image> {
    let mut spans: Vec<(Image, bool)> = Vec::new();
    for mapping in maps {
        if !mapping.path.starts_with('/') && mapping.path != "[vdso]" {
            continue;
        }
        match spans.last_mut() {
            // The same file goes on, unless it starts over: it can be mapped twice (`dlmopen`).
            Some((image, code))
                if image.path == mapping.path && (mapping.offset != 0 || !*code) =>
            {
                image.end = mapping.end;
                *code |= mapping.executable;
            }
            _ => {
                let base = mapping.start.wrapping_sub(mapping.offset);
                let path = mapping.path.clone();
                spans.push((
                    Image {
                        base,
                        end: mapping.end,
                        path,
                        elf: None,
                    },
                    mapping.executable,
                ));
            }
        }
    }
    spans
        .into_iter()
        .filter_map(|(image, code)| code.then_some(image))
        .collect()
}

/// The image's file, if it is the one in memory. One that was replaced since would give wrong names.
fn open(pid: i32, image: &Image) -> Option<Elf> {
    let header = memory::read(pid, image.base, ELF_HEADER);
    let data = if image.path == "[vdso]" {
        let len = usize::try_from(image.end - image.base).ok()?;
        Vec::leak(memory::read(pid, image.base, len))
    } else {
        map_file(Path::new(&image.path))?
    };
    // Where memory cannot be read, the path is all there is to go by.
    if !header.is_empty() && !data.starts_with(&header) {
        return None;
    }
    Elf::parse(data).ok()
}

/// A whole file as memory, for the rest of this program's life.
fn map_file(path: &Path) -> Option<&'static [u8]> {
    let file = File::open(path).ok()?;
    let len = NonZeroUsize::new(usize::try_from(file.metadata().ok()?.len()).ok()?)?;
    // SAFETY: a private, read-only mapping at an address of the kernel's choice. Were the file cut short meanwhile, reading
    // would end this program with SIGBUS; the crashed process would still die of its own signal.
    let start = unsafe {
        mmap(
            None,
            len,
            ProtFlags::PROT_READ,
            MapFlags::MAP_PRIVATE,
            &file,
            0,
        )
    };
    let start = start.ok()?.cast::<u8>();
    // SAFETY: the mapping is `len` bytes long and never undone.
    Some(unsafe { std::slice::from_raw_parts(start.as_ptr(), len.get()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procfs;

    #[test]
    fn a_file_is_one_image_and_data_is_none() {
        let maps = procfs::parse_maps(
            "1000-2000 r--p 0 fe:00 7 /bin/x\n2000-3000 r-xp 1000 fe:00 7 /bin/x\n\
             3000-4000 rw-p 2000 fe:00 7 /bin/x\n4000-5000 rw-p 0 00:00 0 [heap]\n\
             5000-6000 r--p 0 fe:00 8 /usr/lib/locale\n7000-8000 r-xp 0 fe:00 7 /bin/x\n",
        );
        let spans = spans(&maps);
        let found: Vec<_> = spans.iter().map(|i| (i.base, i.end, i.name())).collect();
        assert_eq!(found, [(0x1000, 0x4000, "x"), (0x7000, 0x8000, "x")]);
    }

    #[test]
    fn this_program_is_found_by_one_of_its_addresses() {
        let pid = std::process::id().cast_signed();
        let images = Images::open(pid, &procfs::maps(pid));
        let index = images
            .find(format_uuid as *const () as u64)
            .expect("an image");
        let image = &images.all()[index];
        assert!(image.elf.is_some());
        assert_eq!(
            Path::new(&image.path),
            procfs::executable(pid).expect("own program")
        );
        assert!(images.find(0x5c8).is_none());
    }

    #[test]
    fn a_uuid_has_five_groups() {
        let bytes = std::array::from_fn(|i| u8::try_from(i).expect("small") * 0x11);
        assert_eq!(format_uuid(bytes), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
