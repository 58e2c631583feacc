//! The instructions of an image, its functions, and what they are called.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};

use object::macho::{S_SYMBOL_STUBS, SECTION_TYPE};

use super::arm64::{Instruction, Offset, Operation};
use super::{Binary, Class, ExportKind, Gaps, Method, Objc, Pointer, Section, Why};
use crate::target::image::Processor;

/// The code of an image for arm64 or arm64e.
#[derive(Debug)]
pub struct Code<'b> {
    binary: &'b Binary<'b>,
    objc: &'b Objc<'b>,
    sections: Vec<Range<u64>>,
    /// The starts of all functions, in order, and the end of each section after them.
    starts: Vec<u64>,
    stubs: HashMap<u64, &'b str>,
    /// Where the stubs begin that send one selector each.
    senders: HashSet<u64>,
    names: OnceCell<HashMap<u64, Cow<'b, str>>>,
    gaps: Gaps,
}

/// The addresses of a function's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Function {
    /// Its first instruction.
    pub start: u64,
    /// Where the next one begins, or its section ends.
    pub end: u64,
}

impl Function {
    /// Its addresses.
    pub fn addresses(&self) -> Range<u64> {
        self.start..self.end
    }
}

impl<'b> Code<'b> {
    /// The code of an image; none where it is for another processor.
    pub fn of(binary: &'b Binary<'b>, objc: &'b Objc<'b>) -> Option<Self> {
        if !matches!(binary.processor(), Processor::Arm64 | Processor::Arm64e) {
            return None;
        }
        let mut gaps = Gaps::default();
        let sections = ranges(binary, Section::has_instructions);
        let stubs = stubs(binary, &mut gaps);
        let starts = starts(binary, objc, &sections, &stubs, &mut gaps);
        Some(Code {
            binary,
            objc,
            sections,
            starts,
            stubs,
            senders: objc.stubs.iter().map(|stub| stub.address).collect(),
            names: OnceCell::new(),
            gaps,
        })
    }

    /// The image that it is of.
    pub fn binary(&self) -> &'b Binary<'b> {
        self.binary
    }

    /// The metadata of its image.
    pub fn objc(&self) -> &'b Objc<'b> {
        self.objc
    }

    /// The address ranges that have instructions, in order.
    pub fn sections(&self) -> &[Range<u64>] {
        &self.sections
    }

    /// What could not be read of its tables.
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    /// How many functions are known.
    pub fn function_count(&self) -> usize {
        self.starts
            .iter()
            .filter(|start| self.is_code(**start))
            .count()
    }

    /// The function whose range has `address`; none outside of the code and before the first function
    /// of its section.
    pub fn function_at(&self, address: u64) -> Option<Function> {
        let section = self.section_of(address)?;
        let after = self.starts.partition_point(|start| *start <= address);
        let start = *self.starts.get(after.checked_sub(1)?)?;
        let end = self.starts.get(after).copied().unwrap_or(section.end);
        (start >= section.start).then(|| Function {
            start,
            end: end.min(section.end),
        })
    }

    /// All functions, in order.
    pub fn functions(&self) -> impl Iterator<Item = Function> + '_ {
        self.starts
            .iter()
            .filter_map(|start| self.function_at(*start))
    }

    /// The instructions in `range`, as far as the image stores them.
    pub fn instructions(&self, range: Range<u64>) -> impl Iterator<Item = Instruction> + use<'b> {
        let size = range.end.saturating_sub(range.start);
        let bytes = self.binary.bytes_at(range.start, size).or_else(|_| {
            let rest = self.binary.rest_at(range.start)?;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            Ok::<_, Why>(&rest[..rest.len().min(size)])
        });
        // Who asks for a range sees by its end that less came.
        let words = bytes.unwrap_or_default().chunks_exact(4);
        words.zip(0u64..).map(move |(bytes, number)| {
            let word = bytes.first_chunk().map_or(0, |it| u32::from_le_bytes(*it));
            Instruction::new(range.start + number * 4, word)
        })
    }

    /// The instruction at `address`.
    pub fn instruction_at(&self, address: u64) -> Option<Instruction> {
        let word = self.binary.u32_at(address).ok()?;
        self.is_code(address)
            .then(|| Instruction::new(address, word))
    }

    /// Whether instructions stand at `address`.
    pub fn is_code(&self, address: u64) -> bool {
        self.section_of(address).is_some()
    }

    /// The symbol that the stub at `address` goes to, with its underscore.
    pub fn stub_at(&self, address: u64) -> Option<&'b str> {
        self.stubs.get(&address).copied()
    }

    /// The stubs: where each begins, and its symbol.
    pub fn stubs(&self) -> impl Iterator<Item = (u64, &'b str)> + '_ {
        self.stubs.iter().map(|(address, name)| (*address, *name))
    }

    /// Whether a stub that sends a selector begins at `address`.
    pub fn sends_a_selector(&self, address: u64) -> bool {
        self.senders.contains(&address)
    }

    /// Whether `address` is in a stub: of an import, or of a selector.
    pub fn is_in_stub(&self, address: u64) -> bool {
        self.function_at(address).is_some_and(|function| {
            self.stubs.contains_key(&function.start) || self.sends_a_selector(function.start)
        })
    }

    /// What is known to begin at `address`: a method such as `-[Class selector]`, a stub by its
    /// import's symbol, or a symbol.
    pub fn name_of(&self, address: u64) -> Option<&str> {
        let names = self.names.get_or_init(|| names(self));
        names.get(&address).map(AsRef::as_ref)
    }

    /// The name of the function that has `address` and how far within it is; none where neither the
    /// function nor its name is known.
    pub fn place_of(&self, address: u64) -> Option<(&str, u64)> {
        let function = self.function_at(address)?;
        Some((self.name_of(function.start)?, address - function.start))
    }

    fn section_of(&self, address: u64) -> Option<&Range<u64>> {
        let after = self
            .sections
            .partition_point(|section| section.start <= address);
        let section = &self.sections[after.checked_sub(1)?];
        section.contains(&address).then_some(section)
    }
}

/// The addresses of the sections that are `wanted`, in order, in whole words. A file may say that its
/// sections overlap: no word is in two ranges.
pub(super) fn ranges(binary: &Binary<'_>, wanted: fn(&Section) -> bool) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = binary
        .sections()
        .iter()
        .filter(|section| wanted(section))
        .map(|section| section.address.saturating_add(3) & !3..section.addresses().end & !3)
        .collect();
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in &mut ranges {
        range.start = range.start.max(end);
        end = end.max(range.end);
    }
    ranges.retain(|range| range.start < range.end);
    ranges
}

/// The methods of all classes and categories: class's name, whether of the class itself, method.
pub(super) fn methods<'b>(
    objc: &'b Objc<'b>,
) -> impl Iterator<Item = (&'b str, bool, &'b Method<'b>)> {
    let of_class = |class: &'b Class<'b>| {
        lists(
            class.name.unwrap_or("?"),
            &class.instance_methods,
            &class.class_methods,
        )
    };
    let categories = objc.categories.iter().flat_map(|category| {
        let class = category.class.and_then(|class| class.name());
        lists(
            class.unwrap_or("?"),
            &category.instance_methods,
            &category.class_methods,
        )
    });
    objc.classes.iter().flat_map(of_class).chain(categories)
}

fn lists<'b>(
    class: &'b str,
    instance: &'b [Method<'b>],
    own: &'b [Method<'b>],
) -> impl Iterator<Item = (&'b str, bool, &'b Method<'b>)> {
    let instance = instance.iter().map(move |method| (class, false, method));
    instance.chain(own.iter().map(move |method| (class, true, method)))
}

/// `-[Class selector]`, or with `+`.
pub(super) fn method_name(class: &str, of_class: bool, selector: Option<&str>) -> String {
    let sign = if of_class { '+' } else { '-' };
    format!("{sign}[{class} {}]", selector.unwrap_or("?"))
}

fn names<'b>(code: &Code<'b>) -> HashMap<u64, Cow<'b, str>> {
    let mut names: HashMap<u64, Cow<'b, str>> = HashMap::new();
    // What comes later is the better name.
    if let Ok(symbols) = code.binary.symbols() {
        for symbol in symbols {
            if let (Some(name), Some(address)) = (symbol.name, symbol.address)
                && code.is_code(address)
            {
                names.entry(address).or_insert(Cow::Borrowed(name));
            }
        }
    }
    code.binary.exports(|export| {
        if let ExportKind::Address(address) = export.kind
            && code.is_code(address)
        {
            names
                .entry(address)
                .or_insert_with(|| Cow::Owned(export.name.to_owned()));
        }
    });
    for (address, name) in &code.stubs {
        names.insert(*address, Cow::Borrowed(name));
    }
    for stub in &code.objc.stubs {
        let selector = stub.selector.unwrap_or("?");
        names.insert(stub.address, format!("_objc_msgSend${selector}").into());
    }
    for (class, of_class, method) in methods(code.objc) {
        if let Some(address) = method.implementation {
            let name = method_name(class, of_class, method.selector);
            names.insert(address, name.into());
        }
    }
    names
}

fn starts<'b>(
    binary: &'b Binary<'b>,
    objc: &'b Objc<'b>,
    sections: &[Range<u64>],
    stubs: &HashMap<u64, &'b str>,
    gaps: &mut Gaps,
) -> Vec<u64> {
    let mut starts: Vec<u64> = Vec::new();
    match binary.function_starts() {
        Ok(list) => starts.extend(list),
        Err(why) => gaps.at("the list of functions", binary.base(), why),
    }
    match binary.symbols() {
        Ok(symbols) => starts.extend(symbols.filter_map(|symbol| symbol.address)),
        Err(why) => gaps.at("the symbol table", binary.base(), why),
    }
    starts.extend(methods(objc).filter_map(|(_, _, method)| method.implementation));
    starts.extend(stubs.keys());
    starts.extend(objc.stubs.iter().map(|stub| stub.address));
    // A symbol may name a place in data; code is all that counts.
    starts.retain(|start| {
        let after = sections.partition_point(|section| section.start <= *start);
        start.is_multiple_of(4) && after > 0 && sections[after - 1].contains(start)
    });
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The stubs by which code calls what other images have.
fn stubs<'b>(binary: &'b Binary<'b>, gaps: &mut Gaps) -> HashMap<u64, &'b str> {
    let mut stubs = HashMap::new();
    let mut sections: Vec<&Section> = binary
        .sections()
        .iter()
        .filter(|section| section.flags & SECTION_TYPE == S_SYMBOL_STUBS)
        .collect();
    sections.sort_by_key(|section| section.address);
    let mut end = 0;
    for section in sections {
        let size = u64::from(section.reserved2);
        if section.address < end || !STUB_SIZES.contains(&size) {
            let why =
                Why::Contradiction("it overlaps another, or has no size that a stub can have");
            gaps.at("a section of stubs", section.address, why);
            continue;
        }
        end = section.addresses().end;
        let room = binary.rest_at(section.address).map_or(0, <[u8]>::len) as u64;
        for number in 0..u32::try_from(section.size.min(room) / size).unwrap_or(u32::MAX) {
            let address = section.address + u64::from(number) * size;
            match stub(binary, section, number, address, size) {
                Ok(name) => {
                    stubs.insert(address, name);
                }
                Err(why) => gaps.at("a stub", address, why),
            }
        }
    }
    stubs
}

/// Bytes of a stub: those of arm64 have 12, those of arm64e 16.
const STUB_SIZES: RangeInclusive<u64> = 8..=64;

fn stub<'b>(
    binary: &'b Binary<'b>,
    section: &Section,
    number: u32,
    address: u64,
    size: u64,
) -> Result<&'b str, Why> {
    // The indirect symbols are those of the linker; `strip` may have left them without names.
    let symbol = binary.indirect_symbol(section, number);
    if let Ok(name) = symbol.and_then(|symbol| symbol.name.ok_or(Why::Null(address))) {
        return Ok(name);
    }
    let slot = pointer_of_stub(binary, address, size)
        .ok_or(Why::Contradiction("its instructions are not a stub's"))?;
    match binary.pointer_at(slot)? {
        Pointer::Import { import, .. } => Ok(import.name),
        _ => Err(Why::Contradiction("its pointer leads to no import")),
    }
}

/// The pointer that a stub loads: `adrp`, then `ldr` or `add`.
fn pointer_of_stub(binary: &Binary<'_>, address: u64, size: u64) -> Option<u64> {
    let mut page = None;
    for offset in (0..size).step_by(4) {
        let at = address + offset;
        let instruction = Instruction::new(at, binary.u32_at(at).ok()?);
        match (instruction.operation(), page) {
            (
                Operation::Page {
                    register,
                    page: base,
                },
                _,
            ) => page = Some((register, base)),
            (Operation::Load(access), Some((register, base))) if access.base == register => {
                let Offset::Immediate(within) = access.offset else {
                    return None;
                };
                return base.checked_add_signed(within);
            }
            (
                Operation::AddImmediate {
                    source, immediate, ..
                },
                Some((register, base)),
            ) if source == register => return base.checked_add(immediate),
            _ => {}
        }
    }
    None
}
