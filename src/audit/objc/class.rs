//! Classes: `class_t` and the part of it that the compiler wrote, `class_ro_t`.

use super::model::{Class, Method, Swift};
use super::reader::Reader;
use super::{ivar, method};

/// The classes that the image lists.
pub(super) fn list<'a>(reader: &mut Reader<'_, 'a>) -> Vec<Class<'a>> {
    // The lists of classes that load early name some of them again, and no others.
    reader
        .listed("the list of classes", &["__objc_classlist"])
        .into_iter()
        .filter_map(|address| read(reader, address))
        .collect()
}

/// A class's name.
pub(super) fn name<'a>(reader: &mut Reader<'_, 'a>, address: u64) -> Option<&'a str> {
    let (compiled, _) = compiled(reader, address)?;
    reader.text_by(NAME, Fields::at(reader, compiled).name)
}

fn read<'a>(reader: &mut Reader<'_, 'a>, address: u64) -> Option<Class<'a>> {
    let (compiled, bits) = compiled(reader, address)?;
    let fields = Fields::at(reader, compiled);
    let flags = reader.number(CLASS, compiled)?;
    let metaclass = reader.required_address("a class's metaclass", address);
    let width = reader.width;
    Some(Class {
        name: reader.text_by(NAME, fields.name),
        address,
        metaclass,
        superclass: reader.class_by("a superclass", address.wrapping_add(width)),
        root: flags & RO_ROOT != 0,
        swift: match bits & 3 {
            0 => None,
            1 => Some(Swift::Legacy),
            _ => Some(Swift::Stable),
        },
        instance_start: reader.number(CLASS, compiled.wrapping_add(4))?,
        instance_size: reader.number(CLASS, compiled.wrapping_add(8))?,
        instance_methods: method::by(reader, fields.methods),
        class_methods: metaclass.map_or_else(Vec::new, |metaclass| methods(reader, metaclass)),
        ivars: ivar::by(reader, fields.ivars),
        protocols: reader.protocol_names(fields.protocols),
    })
}

fn methods<'a>(reader: &mut Reader<'_, 'a>, class: u64) -> Vec<Method<'a>> {
    match compiled(reader, class) {
        Some((compiled, _)) => {
            let fields = Fields::at(reader, compiled);
            method::by(reader, fields.methods)
        }
        None => Vec::new(),
    }
}

/// Where `class_ro_t` stands, and the bits beside the pointer to it.
fn compiled(reader: &mut Reader<'_, '_>, class: u64) -> Option<(u64, u64)> {
    let slot = class.wrapping_add(4 * reader.width);
    let data = reader.required_address("a class's data", slot)?;
    // Swift's classes are marked there.
    let mask = reader.width - 1;
    Some((data & !mask, data & mask))
}

/// The pointers of `class_ro_t`.
struct Fields {
    name: u64,
    methods: u64,
    protocols: u64,
    ivars: u64,
}

impl Fields {
    fn at(reader: &Reader<'_, '_>, compiled: u64) -> Self {
        let width = reader.width;
        // Flags, start and size, with padding where pointers are wide; then the layout of strong
        // references, name, methods, protocols, instance variables.
        let head = if width == 8 { 16 } else { 12 };
        let field = |index| compiled.wrapping_add(head + index * width);
        Fields {
            name: field(1),
            methods: field(2),
            protocols: field(3),
            ivars: field(4),
        }
    }
}

const RO_ROOT: u32 = 1 << 1;
const CLASS: &str = "a class";
const NAME: &str = "a class's name";
