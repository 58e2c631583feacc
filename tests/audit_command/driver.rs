//! Driver images: the classes of the public dump as an image has them.
#![allow(dead_code)] // each test binary uses a part of it

use std::collections::HashMap;

use agx_policy::dump::{Class, Dump};

use crate::encode::{RET, b, b_eq, bl};
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

/// Where `_impl` is in a compute encoder.
pub const IMPL: u32 = 0x318;

/// A driver to be made: classes of the dump, changed at will.
pub struct Driver {
    pub classes: Vec<Class<'static>>,
    pub processor: (u32, u32),
    pub style: Style,
    pub uuid: [u8; 16],
    pub lists: Lists,
    /// What the methods of the compute encoder do; none does anything without it.
    pub code: Option<Code>,
    /// What categories add to classes, this image's or others': category, class, selectors.
    pub categories: Vec<(&'static str, &'static str, Vec<&'static str>)>,
}

/// The code of the compute encoder's methods that matter.
#[derive(Clone, Copy)]
pub struct Code {
    /// Whether `destroyImpl` stores NULL before it unlocks.
    pub repaired: bool,
    /// Whether another method calls it without the runtime, and one asks the runtime for methods' code.
    pub bypasses: bool,
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
            code: None,
            categories: Vec::new(),
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
                    next += size(method.selector);
                    (method.selector, method.encoding, Some(at))
                })
                .collect();
            if let Some(code) = self
                .code
                .filter(|_| of.name.ends_with("FamilyComputeContext"))
            {
                code.write(&mut image, &entries);
            }
            let of_methods = match entries.len() {
                0 => To::Null,
                _ => methods(&mut image, self.lists, &entries),
            };
            let of_ivars = if of.name.ends_with("FamilyComputeContext") {
                To::Address(ivars(&mut image, &[("_impl", "^v", IMPL)]))
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
        for (name, class, selectors) in &self.categories {
            let class = match made.get(class) {
                Some(address) => To::Address(*address),
                None => To::Import(leak(format!("_OBJC_CLASS_$_{class}"))),
            };
            let entries: Vec<_> = selectors
                .iter()
                .map(|selector| {
                    image.functions.push(next);
                    next += FUNCTION;
                    (*selector, "v@:@", Some(next - FUNCTION))
                })
                .collect();
            let list = methods(&mut image, self.lists, &entries);
            let name = To::Address(image.text(name));
            let fields = [name, class, list, To::Null, To::Null].map(Field::Pointer);
            let category = image.put(Room::Const, &fields);
            image.put(Room::Categories, &[Field::Pointer(To::Address(category))]);
        }
        image.functions.sort_unstable();
        image
    }
}

/// Where a function stands that reads what it is given, from `destroyImpl` on.
const HELPER: u64 = 0x50;

/// Bytes of a method's code.
fn size(selector: &str) -> u64 {
    if selector == "destroyImpl" {
        0x60
    } else {
        FUNCTION
    }
}

impl Code {
    fn write(self, image: &mut Image, methods: &[(&str, &str, Option<u64>)]) {
        let at = |selector: &str| {
            let found = methods.iter().find(|method| method.0 == selector);
            found
                .and_then(|method| method.2)
                .expect("it has the method")
        };
        let destroy = at("destroyImpl");
        let code = self.destroy(image, destroy);
        image.code(destroy, &code);
        image.code(at("setComputePipelineState:"), &[LOAD_IMPL, READ_IMPL, RET]);
        image.code(
            at("setBytes:length:atIndex:"),
            &[LOAD_IMPL, SKIP_IF_NULL, READ_IMPL, RET],
        );
        let helper = destroy + HELPER;
        image.functions.push(helper);
        image.code(helper, &[READ_GIVEN, RET]);
        let passes = at("updateFence:");
        image.code(passes, &[LOAD_IMPL_TO_PASS, bl(passes + 4, helper), RET]);
        if self.bypasses {
            let calls = at("deferredEndEncoding");
            image.code(calls, &[bl(calls, destroy), RET]);
            let asks = at("endEncoding");
            let stub = image.call("_class_getMethodImplementation");
            image.code(asks, &[bl(asks, stub), RET]);
        }
    }

    /// As published, with other registers; or with the store in its place.
    fn destroy(self, image: &mut Image, start: u64) -> Vec<u32> {
        let lock = image.call("_os_unfair_lock_lock");
        let unlock = image.call("_os_unfair_lock_unlock");
        let free = image.call("_free");
        let at = |number: u64| start + 4 * number;
        let mut code = vec![
            0xaa00_03f3, // mov x19, x0
            0xf941_8e74, // ldr x20, [x19, #0x318]
            LOCK,
            bl(at(3), lock),
            0x7100_1d1f, // cmp w8, #7
        ];
        if self.repaired {
            code.extend([
                b_eq(at(5), at(11)) | HIGHER,
                GIVE,
                STORE,
                LOCK,
                bl(at(9), unlock),
                b(at(10), at(16)),
                STORE,
                LOCK,
                bl(at(13), unlock),
                MOVE,
                bl(at(15), free),
                RET,
            ]);
        } else {
            code.extend([
                b_eq(at(5), at(10)) | HIGHER,
                GIVE,
                LOCK,
                bl(at(8), unlock),
                b(at(9), at(14)),
                LOCK,
                bl(at(11), unlock),
                MOVE,
                bl(at(13), free),
                STORE,
                RET,
            ]);
        }
        code
    }
}

/// `add x0, x19, #0x40`
const LOCK: u32 = 0x9101_0260;
/// `str x20, [x9, #0x100]`
const GIVE: u32 = 0xf900_8134;
/// `str xzr, [x19, #0x318]`
const STORE: u32 = 0xf901_8e7f;
/// `mov x0, x20`
const MOVE: u32 = 0xaa14_03e0;
/// `ldr x8, [x0, #0x318]`
const LOAD_IMPL: u32 = 0xf941_8c08;
/// `ldr x0, [x0, #0x318]`
const LOAD_IMPL_TO_PASS: u32 = 0xf941_8c00;
/// `ldr x9, [x0, #0x10]`
const READ_GIVEN: u32 = 0xf940_0809;
/// `ldr x9, [x8, #0x5c8]`
const READ_IMPL: u32 = 0xf942_e509;
/// `cbz x8, .+8`
const SKIP_IF_NULL: u32 = 0xb400_0048;
/// The condition of `b.hi`.
const HIGHER: u32 = 8;

/// The classes that an image lists.
pub fn listed(image: &Image) -> Vec<u64> {
    let list = BASE + LARGE.data..BASE + LARGE.data + LARGE.room;
    let pointers = image.pointers.range(list);
    let address = |to: &To| match to {
        To::Address(address) => *address,
        other => panic!("no class: {other:?}"),
    };
    pointers.map(|(_, to)| address(to)).collect()
}

/// Imports are named for as long as the test goes on.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
