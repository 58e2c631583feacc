//! Driver images: the classes of the public dump as an image has them.
#![allow(dead_code)] // each test binary uses a part of it

use std::collections::HashMap;

use agx_policy::dump::{Class, Dump};

use crate::image::{ARM64E, BASE, Field, Image, NAMES, Plan, Room, Style, To};
use crate::zoo::{Above, Lists, Parts, class, ivars, methods};

const DUMP: &str = include_str!("../rehearsal/data/driver-classes.tsv");

/// The build that the published disassembly is of.
pub const UUID: [u8; 16] = [
    0x0c, 0xe4, 0x53, 0xff, 0x9f, 0x17, 0x32, 0x1f, 0xbc, 0x18, 0x38, 0x35, 0x73, 0xa4, 0x82, 0x21,
];

/// What a driver's classes need.
const LARGE: Plan = Plan {
    names: NAMES,
    stubs: 0x2_0000,
    code: 0x2_1000,
    data: 0x3_0000,
    room: 0x1000,
    linkedit: 0x8_0000,
};

/// Bytes of each method's code.
pub const FUNCTION: u64 = 0x20;

/// A driver to be made: classes of the dump, changed at will.
pub struct Driver {
    pub classes: Vec<Class<'static>>,
    pub processor: (u32, u32),
    pub style: Style,
    pub uuid: [u8; 16],
    pub lists: Lists,
}

pub fn dump() -> Dump<'static> {
    Dump::parse(DUMP).expect("the dump")
}

impl Driver {
    /// The driver's own classes; those above are other images'.
    pub fn own() -> Self {
        let mut driver = Self::whole();
        driver.classes.retain(|class| class.name.starts_with("AGX"));
        driver
    }

    /// All classes of the dump in one image.
    pub fn whole() -> Self {
        Self {
            classes: dump().classes,
            processor: ARM64E,
            style: Style::Chained(9),
            uuid: UUID,
            lists: Lists::Absolute,
        }
    }

    /// The same with the names of another family.
    pub fn of_family(mut self, family: &str) -> Self {
        for class in &mut self.classes {
            class.name = leak(class.name.replace("G16X", family));
            class.superclass = leak(class.superclass.replace("G16X", family));
        }
        self.uuid[15] ^= 1;
        self
    }

    pub fn class(&mut self, name: &str) -> &mut Class<'static> {
        let found = self.classes.iter_mut().find(|class| class.name == name);
        found.expect("it has the class")
    }

    pub fn build(&self) -> Vec<u8> {
        self.image().build(self.style)
    }

    pub fn image(&self) -> Image {
        let mut image = Image::of_size(self.processor, LARGE);
        image.uuid = Some(self.uuid);
        let mut next = BASE + LARGE.code;
        let mut made: HashMap<&str, u64> = HashMap::new();
        let mut list = Vec::new();
        for of in &self.classes {
            let entries: Vec<_> = of
                .methods
                .iter()
                .map(|method| {
                    image.functions.push(next);
                    let at = next;
                    next += FUNCTION;
                    (method.selector, method.encoding, Some(at))
                })
                .collect();
            let of_methods = match entries.len() {
                0 => To::Null,
                _ => methods(&mut image, self.lists, &entries),
            };
            let of_ivars = if of.name.ends_with("FamilyComputeContext") {
                To::Address(ivars(&mut image, &[("_impl", "^v", 0x318)]))
            } else {
                To::Null
            };
            let above = match made.get(of.superclass) {
                Some(address) => Above::Local(*address),
                None => Above::Imported(
                    leak(format!("_OBJC_CLASS_$_{}", of.superclass)),
                    leak(format!("_OBJC_METACLASS_$_{}", of.superclass)),
                ),
            };
            let parts = Parts {
                methods: of_methods,
                ivars: of_ivars,
                ..Parts::default()
            };
            let address = class(&mut image, of.name, above, &parts);
            made.insert(of.name, address);
            list.push(Field::Pointer(To::Address(address)));
        }
        image.put(Room::Classes, &list);
        image
    }
}

/// Imports are named for as long as the test goes on.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
