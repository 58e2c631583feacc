//! Makes Mach-O images with pointers of every kind. Nothing of the reader is used for it.

#[path = "image/fixups.rs"] // Others include this file by its path.
mod fixups;

use std::collections::BTreeMap;

use fixups::linkedit_command;

/// Where the image begins.
pub const BASE: u64 = 0x1_0000_0000;
/// Where each part begins in memory, from [`BASE`], and in the file.
pub const NAMES: u64 = 0x1000;
pub const STUBS: u64 = 0x3000;
pub const CODE: u64 = 0x3800;
const PAGE: u64 = 0x1000;
/// Bytes of a stub that calls.
const CALL: u64 = 12;
/// `S_SYMBOL_STUBS`, with instructions.
const CALL_STUBS: u32 = 0x8000_0408;

/// How much there is of each part.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub names: u64,
    pub stubs: u64,
    pub code: u64,
    pub data: u64,
    /// Bytes of each room but the last.
    pub room: u64,
    pub linkedit: u64,
}

/// What a few classes need.
pub const SMALL: Plan = Plan {
    names: NAMES,
    stubs: STUBS,
    code: CODE,
    data: 0x4000,
    room: 0x400,
    linkedit: 0x8000,
};

pub const ARM64: (u32, u32) = (0x0100_000c, 0);
pub const ARM64E: (u32, u32) = (0x0100_000c, 2);
pub const X86_64: (u32, u32) = (0x0100_0007, 3);

/// A section of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    Classes,
    Categories,
    Protocols,
    Selectors,
    Const,
}

impl Room {
    const ALL: [Room; 5] = [
        Room::Classes,
        Room::Categories,
        Room::Protocols,
        Room::Selectors,
        Room::Const,
    ];

    fn name(self) -> &'static str {
        match self {
            Room::Classes => "__objc_classlist",
            Room::Categories => "__objc_catlist",
            Room::Protocols => "__objc_protolist",
            Room::Selectors => "__objc_selrefs",
            Room::Const => "__objc_const",
        }
    }

    fn start(self, plan: Plan) -> u64 {
        plan.data + self as u64 * plan.room
    }
}

/// What a pointer is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Null,
    Address(u64),
    /// Signed where the format can.
    Code(u64),
    Import(&'static str),
}

/// A field of a structure.
#[derive(Debug, Clone, Copy)]
pub enum Field {
    Pointer(To),
    Number(u32),
    /// The distance of an address from the field itself.
    Distance(u64),
}

/// By which table the loader adjusts the pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `DYLD_CHAINED_PTR_...`, by its number.
    Chained(u16),
    /// Chained, with each layout of the imports' table.
    Imports(u32),
    Opcodes,
    /// arm64e's first format, begun by opcodes.
    Threaded,
}

#[derive(Debug, Clone)]
pub struct Image {
    pub processor: (u32, u32),
    pub flags: u32,
    pub uuid: Option<[u8; 16]>,
    /// Offset and size of what is encrypted.
    pub encrypted: Option<(u32, u32)>,
    /// Where functions begin, in order.
    pub functions: Vec<u64>,
    plan: Plan,
    bytes: Vec<u8>,
    used: BTreeMap<Room, u64>,
    names: BTreeMap<String, u64>,
    next_name: u64,
    pub pointers: BTreeMap<u64, To>,
    stubs_size: u64,
    /// Symbols that are called, each by a stub of its own.
    calls: Vec<&'static str>,
}

impl Image {
    pub fn new(processor: (u32, u32)) -> Self {
        Image::of_size(processor, SMALL)
    }

    pub fn of_size(processor: (u32, u32), plan: Plan) -> Self {
        Image {
            processor,
            flags: 0x0020_0000,
            uuid: None,
            encrypted: None,
            functions: Vec::new(),
            plan,
            bytes: vec![0; usize::try_from(plan.linkedit).expect("small")],
            used: BTreeMap::new(),
            names: BTreeMap::new(),
            next_name: plan.names,
            pointers: BTreeMap::new(),
            stubs_size: 0,
            calls: Vec::new(),
        }
    }

    /// The address of a text.
    pub fn text(&mut self, text: &str) -> u64 {
        if let Some(address) = self.names.get(text) {
            return *address;
        }
        let address = BASE + self.next_name;
        self.write(address, text.as_bytes());
        self.next_name += text.len() as u64 + 1;
        assert!(self.next_name <= self.plan.stubs, "the texts have room");
        self.names.insert(text.to_owned(), address);
        address
    }

    /// Where the next structure of a room will stand.
    pub fn next(&self, room: Room) -> u64 {
        BASE + room.start(self.plan) + self.used.get(&room).copied().unwrap_or(0)
    }

    pub fn put(&mut self, room: Room, fields: &[Field]) -> u64 {
        let start = self.next(room);
        let mut at = start;
        for field in fields {
            match *field {
                Field::Number(number) => {
                    self.write(at, &number.to_le_bytes());
                    at += 4;
                }
                Field::Distance(target) => {
                    let distance = i32::try_from(target.cast_signed() - at.cast_signed());
                    self.write(at, &distance.expect("near").to_le_bytes());
                    at += 4;
                }
                Field::Pointer(to) => {
                    if to != To::Null {
                        self.pointers.insert(at, to);
                    }
                    at += 8;
                }
            }
        }
        // The next one begins where a pointer may stand.
        let end = at.next_multiple_of(8);
        self.used.insert(room, end - BASE - room.start(self.plan));
        start
    }

    pub fn stubs(&mut self, bytes: &[u8]) {
        self.write(BASE + self.plan.stubs, bytes);
        self.stubs_size = bytes.len() as u64;
    }

    /// The address of a stub that goes to another image's function, made where there is none yet.
    #[allow(dead_code, reason = "for drivers, which other tests make")]
    pub fn call(&mut self, symbol: &'static str) -> u64 {
        let number = self.calls.iter().position(|call| *call == symbol);
        let number = number.unwrap_or_else(|| {
            self.calls.push(symbol);
            self.calls.len() - 1
        });
        let stub = BASE + self.calls_at() + CALL * number as u64;
        assert!(stub + CALL <= BASE + self.plan.code, "the stubs have room");
        if number + 1 == self.calls.len() {
            let slot = self.put(Room::Const, &[Field::Pointer(To::Import(symbol))]);
            let pages = short64((slot >> 12) - (stub >> 12));
            let code = [
                0x9000_0010 | (pages & 3) << 29 | pages >> 2 << 5, // adrp x16
                0xf940_0210 | short64((slot & 0xfff) / 8) << 10,   // ldr x16, [x16]
                0xd61f_0200,                                       // br x16
            ];
            self.code(stub, &code);
        }
        stub
    }

    /// Writes instructions.
    #[allow(dead_code, reason = "as above")]
    pub fn code(&mut self, address: u64, code: &[u32]) {
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.write(address, &bytes);
    }

    /// Where the stubs of calls begin, from [`BASE`]: in the second half of the stubs' part.
    fn calls_at(&self) -> u64 {
        self.plan.stubs.midpoint(self.plan.code)
    }

    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        let at = usize::try_from(address - BASE).expect("small");
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub fn build(&self, style: Style) -> Vec<u8> {
        let mut image = self.clone();
        let (commands, linkedit) = match style {
            Style::Chained(number) => image.chained(number, 1),
            Style::Imports(layout) => image.chained(6, layout),
            Style::Opcodes => image.opcodes(),
            Style::Threaded => image.threaded(),
        };
        image.finish(&commands, &linkedit)
    }

    fn imports(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for to in self.pointers.values() {
            if let To::Import(name) = to
                && !names.contains(name)
            {
                names.push(*name);
            }
        }
        names
    }

    /// The distances from one function to the next.
    fn function_starts(&self) -> Vec<u8> {
        let (mut list, mut before) = (Vec::new(), BASE);
        for start in &self.functions {
            uleb(&mut list, start - before);
            before = *start;
        }
        if !list.is_empty() {
            list.push(0);
        }
        list
    }

    fn finish(&self, fixups: &[u8], linkedit: &[u8]) -> Vec<u8> {
        let mut commands = Vec::new();
        let (fixups_size, starts) = (linkedit.len() as u64, self.function_starts());
        let linkedit = [linkedit, &starts].concat();
        let texts = self.next_name - self.plan.names;
        let mut text = vec![
            ("__objc_methname", self.plan.names, texts, 2),
            (
                "__objc_stubs",
                self.plan.stubs,
                self.stubs_size,
                0x8000_0400,
            ),
            (
                "__text",
                self.plan.code,
                self.plan.data - self.plan.code,
                0x8000_0400,
            ),
        ];
        if !self.calls.is_empty() {
            let size = CALL * self.calls.len() as u64;
            text.insert(2, ("__stubs", self.calls_at(), size, CALL_STUBS));
        }
        segment(&mut commands, ("__TEXT", 0, self.plan.data, 5), &text);
        let rooms: Vec<_> = Room::ALL
            .iter()
            .map(|room| {
                (
                    room.name(),
                    room.start(self.plan),
                    self.used.get(room).copied().unwrap_or(0),
                    0,
                )
            })
            .collect();
        segment(
            &mut commands,
            (
                "__DATA",
                self.plan.data,
                self.plan.linkedit - self.plan.data,
                3,
            ),
            &rooms,
        );
        segment(
            &mut commands,
            ("__LINKEDIT", self.plan.linkedit, linkedit.len() as u64, 1),
            &[],
        );
        commands.extend_from_slice(fixups);
        if let Some(uuid) = self.uuid {
            words(&mut commands, &[0x1b, 24]);
            commands.extend_from_slice(&uuid);
        }
        if let Some((offset, size)) = self.encrypted {
            // LC_ENCRYPTION_INFO_64, in FairPlay's first form.
            words(&mut commands, &[0x2c, 24, offset, size, 1, 0]);
        }
        if !starts.is_empty() {
            let at = self.plan.linkedit + fixups_size;
            commands.extend_from_slice(&linkedit_command(0x26, at, starts.len()));
        }
        // LC_LOAD_DYLIB.
        words(&mut commands, &[0xc, 40, 24, 0, 0, 0]);
        commands.extend_from_slice(b"/lib/objc\0\0\0\0\0\0\0");

        let mut bytes = Vec::new();
        let (cpu, subtype) = self.processor;
        words(
            &mut bytes,
            &[
                0xfeed_facf,
                cpu,
                subtype,
                6,
                5 + short(
                    usize::from(self.uuid.is_some())
                        + usize::from(self.encrypted.is_some())
                        + usize::from(!starts.is_empty()),
                ),
                short(commands.len()),
                self.flags,
                0,
            ],
        );
        bytes.extend_from_slice(&commands);
        assert!(bytes.len() <= usize::try_from(self.plan.names).expect("small"));
        bytes.extend_from_slice(&self.bytes[bytes.len()..]);
        bytes.extend_from_slice(&linkedit);
        bytes
    }
}

fn segment(commands: &mut Vec<u8>, of: (&str, u64, u64, u32), sections: &[(&str, u64, u64, u32)]) {
    let (name, start, size, protection) = of;
    words(commands, &[0x19, short(72 + 80 * sections.len())]);
    commands.extend_from_slice(&padded(name));
    for field in [BASE + start, size, start, size] {
        commands.extend_from_slice(&field.to_le_bytes());
    }
    words(
        commands,
        &[protection, protection, short(sections.len()), 0],
    );
    for (section, start, size, flags) in sections {
        commands.extend_from_slice(&padded(section));
        commands.extend_from_slice(&padded(name));
        commands.extend_from_slice(&(BASE + start).to_le_bytes());
        commands.extend_from_slice(&size.to_le_bytes());
        // The size of one, of stubs; there are no indirect symbols.
        let each = if *flags == CALL_STUBS {
            short64(CALL)
        } else {
            0
        };
        words(commands, &[short64(*start), 3, 0, 0, *flags, 0, each, 0]);
    }
}

fn padded(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

pub fn words(bytes: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
}

pub fn uleb(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = (value & 0x7f).to_le_bytes()[0];
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return;
        }
        bytes.push(byte | 0x80);
    }
}

pub fn short(size: usize) -> u32 {
    u32::try_from(size).expect("small")
}

fn short64(size: u64) -> u32 {
    u32::try_from(size).expect("small")
}
