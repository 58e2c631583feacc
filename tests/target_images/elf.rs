//! Makes ELF files: a header and a segment that names the loader.

/// One file to be made.
#[derive(Clone, Copy)]
pub struct Elf {
    pub is_64_bit: bool,
    pub machine: u16,
    pub kind: u16,
    pub interpreter: Option<&'static str>,
}

pub const X86_64: u16 = 62;
pub const AARCH64: u16 = 183;
pub const I386: u16 = 3;

impl Elf {
    /// A position-independent program for this loader.
    pub fn program(machine: u16, interpreter: &'static str) -> Self {
        Elf {
            is_64_bit: machine != I386,
            machine,
            kind: 3,
            interpreter: Some(interpreter),
        }
    }

    pub fn build(&self) -> Vec<u8> {
        let (header, entry) = if self.is_64_bit { (64, 56) } else { (52, 32) };
        let path = self
            .interpreter
            .map(|path| format!("{path}\0").into_bytes())
            .unwrap_or_default();
        let count = u16::from(self.interpreter.is_some());
        let word = |value: usize| {
            let bytes = (value as u64).to_le_bytes();
            bytes[..if self.is_64_bit { 8 } else { 4 }].to_vec()
        };
        let mut file = vec![
            0x7f,
            b'E',
            b'L',
            b'F',
            if self.is_64_bit { 2 } else { 1 },
            1,
            1,
        ];
        file.resize(16, 0);
        file.extend(self.kind.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(word(0));
        file.extend(word(if count == 0 { 0 } else { header }));
        file.extend(word(0));
        file.extend(0_u32.to_le_bytes());
        for field in [header, entry, usize::from(count), 0, 0, 0] {
            file.extend(u16::try_from(field).expect("small").to_le_bytes());
        }
        if count == 1 {
            let offset = header + entry;
            file.extend(3_u32.to_le_bytes());
            if self.is_64_bit {
                file.extend(4_u32.to_le_bytes());
            }
            for value in [offset, 0, 0, path.len(), path.len()] {
                file.extend(word(value));
            }
            file.resize(offset, 0);
        }
        file.extend(path);
        file
    }
}
