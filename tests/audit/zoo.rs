//! Two classes, a category and a protocol, in the layout that is asked for.

use crate::image::{BASE, CODE, Field, Image, Room, STUBS, To};
use Field::{Distance, Number, Pointer};

pub const LAYOUTS: [Lists; 3] = [Lists::Absolute, Lists::Relative, Lists::Direct];

/// How lists of methods are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    Absolute,
    Relative,
    Direct,
    /// Selectors by their place in the shared cache.
    Cache,
}

/// What is there to be found.
pub struct Zoo {
    pub image: Image,
    pub animal: u64,
    pub dog: u64,
}

/// Where the methods' code is.
pub const BARK: u64 = BASE + CODE;
pub const ALLOC: u64 = BASE + CODE + 0x10;
pub const DESTROY: u64 = BASE + CODE + 0x20;
pub const SIT: u64 = BASE + CODE + 0x30;

pub fn zoo(processor: (u32, u32), lists: Lists) -> Zoo {
    let mut image = Image::new(processor);
    let protocol = protocol(&mut image, lists);
    image.put(Room::Protocols, &[Pointer(To::Address(protocol))]);
    let protocols = image.put(
        Room::Const,
        &[Number(1), Number(0), Pointer(To::Address(protocol))],
    );

    let animal_methods = methods(
        &mut image,
        lists,
        &[("destroyImpl", "v16@0:8", Some(DESTROY))],
    );
    let ivars = ivars(
        &mut image,
        &[("_impl", "^{Impl=}", 8), ("_lock", "{lock=I}", 16)],
    );
    let animal = class(
        &mut image,
        "Animal",
        NS_OBJECT,
        &Parts {
            methods: animal_methods,
            ivars: To::Address(ivars),
            ..Parts::default()
        },
    );
    let dog_methods = methods(
        &mut image,
        lists,
        &[
            ("bark", "v16@0:8", Some(BARK)),
            ("sit:", "v24@0:8q16", Some(SIT)),
        ],
    );
    let dog_class_methods = methods(&mut image, lists, &[("alloc", "@16@0:8", Some(ALLOC))]);
    let dog = class(
        &mut image,
        "Dog",
        Above::Local(animal),
        &Parts {
            methods: dog_methods,
            class_methods: dog_class_methods,
            protocols: To::Address(protocols),
            ..Parts::default()
        },
    );
    image.put(
        Room::Classes,
        &[Pointer(To::Address(animal)), Pointer(To::Address(dog))],
    );

    let tricks = image.text("Tricks");
    let category_methods = methods(&mut image, lists, &[("bark", "v16@0:8", Some(SIT))]);
    let category = image.put(
        Room::Const,
        &[
            Pointer(To::Address(tricks)),
            Pointer(To::Import("_OBJC_CLASS_$_NSString")),
            Pointer(category_methods),
            Pointer(To::Null),
            Pointer(To::Null),
        ],
    );
    image.put(Room::Categories, &[Pointer(To::Address(category))]);
    stubs(&mut image);
    Zoo { image, animal, dog }
}

/// What a class has.
#[derive(Clone, Copy)]
pub struct Parts {
    pub methods: To,
    pub class_methods: To,
    pub protocols: To,
    pub ivars: To,
}

/// What a class is under.
#[derive(Clone, Copy)]
pub enum Above {
    Local(u64),
    /// Another image's class, by the symbols of class and metaclass.
    Imported(&'static str, &'static str),
}

pub const NS_OBJECT: Above =
    Above::Imported("_OBJC_CLASS_$_NSObject", "_OBJC_METACLASS_$_NSObject");

impl Default for Parts {
    fn default() -> Self {
        Parts {
            methods: To::Null,
            class_methods: To::Null,
            protocols: To::Null,
            ivars: To::Null,
        }
    }
}

/// The address of `class_t`, which stands after its metaclass.
pub fn class(image: &mut Image, name: &str, superclass: Above, parts: &Parts) -> u64 {
    let name = To::Address(image.text(name));
    let part = |image: &mut Image, flags, size, methods, protocols, ivars| {
        let fields = [
            Number(flags),
            Number(8),
            Number(size),
            Number(0),
            Pointer(To::Null),
            Pointer(name),
            Pointer(methods),
            Pointer(protocols),
            Pointer(ivars),
            Pointer(To::Null),
            Pointer(To::Null),
        ];
        To::Address(image.put(Room::Const, &fields))
    };
    let of_class = part(image, 0, 24, parts.methods, parts.protocols, parts.ivars);
    let of_metaclass = part(image, 1, 40, parts.class_methods, parts.protocols, To::Null);
    let (above, above_metaclass) = match superclass {
        Above::Local(class) => (To::Code(class), To::Address(class - 40)),
        Above::Imported(class, metaclass) => (To::Import(class), To::Import(metaclass)),
    };
    let metaclass = image.put(
        Room::Const,
        &[
            Pointer(To::Import("_OBJC_METACLASS_$_NSObject")),
            Pointer(above_metaclass),
            Pointer(To::Null),
            Pointer(To::Null),
            Pointer(of_metaclass),
        ],
    );
    image.put(
        Room::Const,
        &[
            Pointer(To::Code(metaclass)),
            Pointer(above),
            Pointer(To::Null),
            Pointer(To::Null),
            Pointer(of_class),
        ],
    )
}

fn protocol(image: &mut Image, lists: Lists) -> u64 {
    let name = To::Address(image.text("Barking"));
    let required = methods(image, lists, &[("bark", "v16@0:8", None)]);
    let optional = methods(image, lists, &[("sit:", "v24@0:8q16", None)]);
    image.put(
        Room::Const,
        &[
            Pointer(To::Null),
            Pointer(name),
            Pointer(To::Null),
            Pointer(required),
            Pointer(To::Null),
            Pointer(optional),
            Pointer(To::Null),
            Pointer(To::Null),
            Number(96),
            Number(0),
        ],
    )
}

/// A list of methods: selector, types, where the code is.
pub fn methods(image: &mut Image, lists: Lists, methods: &[(&str, &str, Option<u64>)]) -> To {
    let head = match lists {
        Lists::Absolute => 24,
        Lists::Relative => 0x8000_000c,
        Lists::Direct | Lists::Cache => 0xc000_000c,
    };
    let mut fields = vec![Number(head), Number(crate::image::short(methods.len()))];
    for (selector, types, code) in methods {
        let (name, types) = (image.text(selector), image.text(types));
        if lists == Lists::Absolute {
            fields.extend([
                Pointer(To::Address(name)),
                Pointer(To::Address(types)),
                Pointer(code.map_or(To::Null, To::Code)),
            ]);
            continue;
        }
        let field = match lists {
            Lists::Relative => Distance(image.put(Room::Selectors, &[Pointer(To::Address(name))])),
            Lists::Direct => Distance(name),
            // Nothing but the cache knows what is there.
            Lists::Absolute | Lists::Cache => Number(0x0123_4567),
        };
        fields.extend([field, Distance(types), code.map_or(Number(0), Distance)]);
    }
    To::Address(image.put(Room::Const, &fields))
}

/// A list of instance variables: name, types, offset.
pub fn ivars(image: &mut Image, ivars: &[(&str, &str, u32)]) -> u64 {
    let mut entries = vec![Number(32), Number(crate::image::short(ivars.len()))];
    for (name, types, offset) in ivars {
        let (name, types) = (image.text(name), image.text(types));
        let variable = image.put(Room::Const, &[Number(*offset), Number(0)]);
        entries.extend([
            Pointer(To::Address(variable)),
            Pointer(To::Address(name)),
            Pointer(To::Address(types)),
            Number(3),
            Number(8),
        ]);
    }
    image.put(Room::Const, &entries)
}

/// A stub that sends `bark`.
fn stubs(image: &mut Image) {
    let bark = image.text("bark");
    let reference = image.put(Room::Selectors, &[Pointer(To::Address(bark))]);
    let stub = BASE + STUBS;
    if image.processor == crate::image::X86_64 {
        let mut bytes = vec![0x48, 0x8b, 0x35];
        let distance = u32::try_from(reference - stub - 7).expect("near");
        bytes.extend_from_slice(&distance.to_le_bytes());
        bytes.extend_from_slice(&[0xff, 0x25, 0, 0, 0, 0]);
        image.stubs(&bytes);
        return;
    }
    let pages = u32::try_from((reference >> 12) - (stub >> 12)).expect("near");
    let load = u32::try_from((reference & 0xfff) / 8).expect("small");
    let words = [
        0x9000_0001 | (pages & 3) << 29 | pages >> 2 << 5,
        0xf940_0021 | load << 10,
        0xd420_0020,
    ];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    image.stubs(&bytes);
}
