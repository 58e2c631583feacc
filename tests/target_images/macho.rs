//! Makes Mach-O files: headers, load commands and signatures as the system's own tools lay them out,
//! without any code in them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::signature::Signature;

/// CPU type and subtype (`mach/machine.h`).
pub const ARM64: (u32, u32) = (0x0100_000c, 0);
/// Subtype 2, with the bits of the pointer authentication's version.
pub const ARM64E: (u32, u32) = (0x0100_000c, 0x8000_0002);
pub const X86_64: (u32, u32) = (0x0100_0007, 3);
pub const I386: (u32, u32) = (7, 3);
pub const POWERPC: (u32, u32) = (18, 0);

pub const EXECUTABLE: u32 = 2;
pub const LIBRARY: u32 = 6;
pub const BUNDLE: u32 = 8;

pub const MACOS: u32 = 1;
pub const IOS: u32 = 2;
pub const CATALYST: u32 = 6;
pub const IOS_SIMULATOR: u32 = 7;

/// One slice to be made.
#[derive(Clone)]
pub struct Slice {
    pub processor: (u32, u32),
    pub file_type: u32,
    pub dyld: bool,
    pub restrict: Option<(&'static str, &'static str)>,
    pub encrypted: bool,
    pub platforms: Vec<u32>,
    pub signature: Option<Signature>,
}

impl Slice {
    /// A program as a linker makes it: for macOS, dynamic, signed ad hoc.
    pub fn program(processor: (u32, u32)) -> Self {
        Slice {
            processor,
            file_type: EXECUTABLE,
            dyld: true,
            restrict: None,
            encrypted: false,
            platforms: vec![MACOS],
            signature: Some(Signature::by_linker()),
        }
    }

    /// A dylib of the same kind.
    pub fn library(processor: (u32, u32)) -> Self {
        Slice {
            file_type: LIBRARY,
            dyld: false,
            ..Slice::program(processor)
        }
    }

    pub fn signed(self, signature: Signature) -> Self {
        Slice {
            signature: Some(signature),
            ..self
        }
    }

    pub fn unsigned(self) -> Self {
        Slice {
            signature: None,
            ..self
        }
    }

    /// The bytes of the thin file.
    pub fn build(&self) -> Vec<u8> {
        let is_64_bit = self.processor.0 & 0x0100_0000 != 0;
        let signature = self.signature.as_ref().map(Signature::build);
        let mut commands = self.commands(is_64_bit);
        let header = if is_64_bit { 32 } else { 28 };
        if let Some(signature) = &signature {
            let size: usize = commands.iter().map(Vec::len).sum();
            let offset = align(header + size + 16);
            commands.push(words(&[0x1d, 16, to_u32(offset), to_u32(signature.len())]));
        }
        let size: usize = commands.iter().map(Vec::len).sum();
        let mut file = words(&[
            if is_64_bit { 0xfeed_facf } else { 0xfeed_face },
            self.processor.0,
            self.processor.1,
            self.file_type,
            to_u32(commands.len()),
            to_u32(size),
            0x0020_0085,
        ]);
        file.resize(header, 0);
        file.extend(commands.concat());
        file.resize(align(file.len()), 0);
        file.extend(signature.unwrap_or_default());
        file
    }

    fn commands(&self, is_64_bit: bool) -> Vec<Vec<u8>> {
        let mut commands = vec![segment(is_64_bit, "__TEXT", &["__text"])];
        if let Some((name, section)) = self.restrict {
            commands.push(segment(is_64_bit, name, &[section]));
        }
        if self.dyld {
            commands.push(with_text(0xe, &[12], "/usr/lib/dyld"));
        }
        commands.extend(
            self.platforms
                .iter()
                .map(|platform| words(&[0x32, 24, *platform, 0x000d_0000, 0x000d_0000, 0])),
        );
        commands.push(with_text(
            0xc,
            &[24, 2, 0x0001_0000, 0x0001_0000],
            "/usr/lib/libSystem.B.dylib",
        ));
        if self.encrypted {
            commands.push(words(&[0x2c, 24, 0x4000, 0x4000, 1, 0]));
        }
        commands
    }
}

/// A universal file of `slices`, each at a multiple of its alignment.
pub fn universal(slices: &[Slice]) -> Vec<u8> {
    universal_of(
        &slices
            .iter()
            .map(|slice| (slice.processor, slice.build()))
            .collect::<Vec<_>>(),
    )
}

/// A universal file of made slices, whatever their table entries say.
pub fn universal_of(slices: &[((u32, u32), Vec<u8>)]) -> Vec<u8> {
    let mut file = big_words(&[0xcafe_babe, to_u32(slices.len())]);
    let mut offset = 0x4000;
    for ((cpu_type, subtype), bytes) in slices {
        let size = to_u32(bytes.len());
        file.extend(big_words(&[*cpu_type, *subtype, offset, size, 14]));
        offset += size.next_multiple_of(0x4000);
    }
    for (_, bytes) in slices {
        file.resize(file.len().next_multiple_of(0x4000), 0);
        file.extend(bytes);
    }
    file
}

/// Fills `file` with a universal file of two slices of `size` bytes each, nearly all of it holes, with
/// the signatures at their ends.
pub fn large(file: File, size: u32) -> File {
    let size = size.next_multiple_of(0x4000);
    let write = |bytes: &[u8], offset: u64| {
        file.write_all_at(bytes, offset)
            .expect("the disk takes a sparse file");
    };
    let mut table = big_words(&[0xcafe_babe, 2]);
    for (index, processor) in [X86_64, ARM64].into_iter().enumerate() {
        let start = 0x4000 + to_u32(index) * size;
        table.extend(big_words(&[processor.0, processor.1, start, size, 14]));
        let slice = Slice::program(processor);
        let bytes = slice.build();
        let signature = slice.signature.expect("programs are signed").build();
        let (head, _) = bytes.split_at(bytes.len() - signature.len());
        let mut head = head.to_vec();
        let place = size - to_u32(signature.len());
        let command = head
            .windows(8)
            .position(|bytes| bytes == [0x1d, 0, 0, 0, 16, 0, 0, 0])
            .expect("the load command of the signature");
        head[command + 8..command + 12].copy_from_slice(&place.to_le_bytes());
        write(&head, start.into());
        write(&signature, (start + place).into());
    }
    write(&table, 0);
    file
}

fn segment(is_64_bit: bool, name: &str, sections: &[&str]) -> Vec<u8> {
    let (command, fixed, entry) = if is_64_bit {
        (0x19, 72, 80)
    } else {
        (1, 56, 68)
    };
    let size = fixed + entry * sections.len();
    let mut bytes = words(&[command, to_u32(size)]);
    bytes.extend(padded(name));
    bytes.resize(fixed - 8, 0);
    bytes.extend(words(&[to_u32(sections.len()), 0]));
    for section in sections {
        let start = bytes.len();
        bytes.extend(padded(section));
        bytes.extend(padded(name));
        bytes.resize(start + entry, 0);
    }
    bytes
}

/// A load command that ends in a string.
fn with_text(command: u32, fields: &[u32], text: &str) -> Vec<u8> {
    let start = 8 + 4 * fields.len();
    let size = align(start + text.len() + 1);
    let mut bytes = words(&[command, to_u32(size)]);
    let mut fields = fields.to_vec();
    fields[0] = to_u32(start);
    bytes.extend(words(&fields));
    bytes.extend(text.as_bytes());
    bytes.resize(size, 0);
    bytes
}

fn padded(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(16, 0);
    bytes
}

fn align(size: usize) -> usize {
    size.next_multiple_of(8)
}

fn words(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Universal tables and signatures are big-endian.
pub fn big_words(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_be_bytes())
        .collect()
}

pub fn to_u32(size: usize) -> u32 {
    u32::try_from(size).expect("a test file is small")
}
