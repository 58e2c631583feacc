//! The loader's tables of a made image: chains, opcodes, and what begins chains by opcodes.

use super::{BASE, Image, PAGE, To, short, short64, uleb, words};

impl Image {
    /// Writes the chains, and returns the load command and its payload.
    pub(super) fn chained(&mut self, number: u16, layout: u32) -> (Vec<u8>, Vec<u8>) {
        let starts = self.write_chains(number);
        let mut payload = Vec::new();
        let imports = self.imports();
        let entry = match layout {
            1 => 4,
            2 => 8,
            _ => 16,
        };
        let in_segment = 22 + 2 * starts.len();
        let table = (32 + 20 + in_segment).next_multiple_of(8);
        let names = table + imports.len() * entry;
        words(
            &mut payload,
            &[
                0,
                32,
                short(table),
                short(names),
                short(imports.len()),
                layout,
                0,
                0,
            ],
        );
        // Three segments, of which the second has chains.
        words(&mut payload, &[3, 0, 20, 0, 0]);
        words(&mut payload, &[short(in_segment)]);
        payload.extend_from_slice(&u16::try_from(PAGE).expect("small").to_le_bytes());
        payload.extend_from_slice(&number.to_le_bytes());
        payload.extend_from_slice(&self.plan.data.to_le_bytes());
        words(&mut payload, &[0]);
        payload.extend_from_slice(&u16::try_from(starts.len()).expect("few").to_le_bytes());
        for start in &starts {
            payload.extend_from_slice(&start.to_le_bytes());
        }
        payload.resize(table, 0);
        let mut texts = vec![0];
        for name in &imports {
            let offset = texts.len() as u64;
            texts.extend_from_slice(name.as_bytes());
            texts.push(0);
            // Of the first library.
            match layout {
                1 | 2 => payload.extend_from_slice(&(short64(offset) << 9 | 1).to_le_bytes()),
                _ => payload.extend_from_slice(&(offset << 32 | 1).to_le_bytes()),
            }
            payload.resize(payload.len() + entry - if layout == 3 { 8 } else { 4 }, 0);
        }
        payload.extend_from_slice(&texts);
        (
            linkedit_command(0x8000_0034, self.plan.linkedit, payload.len()),
            payload,
        )
    }

    fn write_chains(&mut self, number: u16) -> Vec<u16> {
        let imports = self.imports();
        let slots: Vec<(u64, To)> = self.pointers.iter().map(|(at, to)| (*at, *to)).collect();
        let mut starts = vec![
            0xffff;
            usize::try_from((self.plan.linkedit - self.plan.data) / PAGE)
                .expect("small")
        ];
        for (index, (at, to)) in slots.iter().enumerate() {
            let within = at - BASE - self.plan.data;
            let page = usize::try_from(within / PAGE).expect("small");
            if starts[page] == 0xffff {
                starts[page] = u16::try_from(within % PAGE).expect("small");
            }
            let next = slots
                .get(index + 1)
                .map(|(next, _)| *next)
                .filter(|next| (next - BASE) / PAGE == (at - BASE) / PAGE)
                .map_or(0, |next| next - at);
            let raw = encode(number, *to, next, &imports);
            self.write(*at, &raw.to_le_bytes());
        }
        starts
    }

    pub(super) fn opcodes(&mut self) -> (Vec<u8>, Vec<u8>) {
        let (mut rebase, mut bind) = (vec![0x11], vec![0x11, 0x51]);
        for (at, to) in self.pointers.clone() {
            let within = at - BASE - self.plan.data;
            match to {
                To::Null => {}
                To::Address(target) | To::Code(target) => {
                    self.write(at, &target.to_le_bytes());
                    rebase.push(0x21);
                    uleb(&mut rebase, within);
                    rebase.push(0x51);
                }
                To::Import(name) => {
                    bind.push(0x40);
                    bind.extend_from_slice(name.as_bytes());
                    bind.extend_from_slice(&[0, 0x71]);
                    uleb(&mut bind, within);
                    bind.push(0x90);
                }
            }
        }
        dyld_info(self.plan.linkedit, rebase, bind)
    }

    pub(super) fn threaded(&mut self) -> (Vec<u8>, Vec<u8>) {
        // One chain: distances are of eleven bits in words of eight bytes.
        let imports = self.imports();
        let slots: Vec<(u64, To)> = self.pointers.iter().map(|(at, to)| (*at, *to)).collect();
        let mut bind = vec![0x11, 0x51, 0xd0];
        uleb(&mut bind, imports.len() as u64);
        for name in &imports {
            bind.push(0x40);
            bind.extend_from_slice(name.as_bytes());
            bind.extend_from_slice(&[0, 0x90]);
        }
        for (index, (at, to)) in slots.iter().enumerate() {
            let next = slots.get(index + 1).map_or(0, |(next, _)| next - at);
            let raw = encode(1, *to, next, &imports);
            self.write(*at, &raw.to_le_bytes());
        }
        if let Some((first, _)) = slots.first() {
            bind.push(0x71);
            uleb(&mut bind, first - BASE - self.plan.data);
            bind.push(0xd1);
        }
        dyld_info(self.plan.linkedit, Vec::new(), bind)
    }
}

/// A slot of a chain.
fn encode(number: u16, to: To, next: u64, imports: &[&str]) -> u64 {
    let arm64e = matches!(number, 1 | 7 | 9 | 10 | 12);
    let stride = if matches!(number, 1 | 9 | 12) { 8 } else { 4 };
    let by_offset = matches!(number, 6 | 7 | 9 | 12);
    let next = (next / stride) << 51;
    let ordinal = |name| {
        let place = imports.iter().position(|import| *import == name);
        place.expect("it is listed") as u64
    };
    let plain = |target: u64| if by_offset { target - BASE } else { target };
    next | match to {
        To::Null => 0,
        // Key IA, with the slot's address.
        To::Code(target) if arm64e => 1 << 63 | 1 << 48 | 0xc0de << 32 | (target - BASE),
        To::Address(target) | To::Code(target) => plain(target),
        To::Import(name) if arm64e => 1 << 62 | ordinal(name),
        To::Import(name) => 1 << 63 | ordinal(name),
    }
}

fn dyld_info(linkedit: u64, mut rebase: Vec<u8>, mut bind: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    rebase.push(0);
    bind.push(0);
    let mut command = Vec::new();
    let start = short64(linkedit);
    let (first, second) = (short(rebase.len()), short(bind.len()));
    words(
        &mut command,
        &[
            0x8000_0022,
            48,
            start,
            first,
            start + first,
            second,
            0,
            0,
            0,
            0,
            0,
            0,
        ],
    );
    rebase.extend_from_slice(&bind);
    (command, rebase)
}

pub(super) fn linkedit_command(command: u32, offset: u64, size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    words(&mut bytes, &[command, 16, short64(offset), short(size)]);
    bytes
}
