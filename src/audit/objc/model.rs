//! What Objective-C metadata says, once it has been read.

use std::collections::{HashMap, HashSet};

use super::Gaps;
use crate::audit::Library;

/// The Objective-C metadata of an image.
#[derive(Debug)]
pub struct Objc<'a> {
    /// The classes, as the image lists them.
    pub classes: Vec<Class<'a>>,
    /// The categories, as the image lists them.
    pub categories: Vec<Category<'a>>,
    /// The protocols, as the image lists them.
    pub protocols: Vec<Protocol<'a>>,
    /// The selectors that its code sends, or names otherwise.
    pub selector_references: Vec<SelectorReference<'a>>,
    /// The stubs that send one selector each.
    pub stubs: Vec<Stub<'a>>,
    /// What could not be read.
    pub gaps: Gaps,
}

/// A class that the image defines.
#[derive(Debug, Clone)]
pub struct Class<'a> {
    /// Its name; none where a gap says why.
    pub name: Option<&'a str>,
    /// Where `class_t` stands.
    pub address: u64,
    /// Where its metaclass stands; none where a gap says why.
    pub metaclass: Option<u64>,
    /// None of a root class, and where a gap says why.
    pub superclass: Option<ClassRef<'a>>,
    /// Whether it says of itself that it has no superclass.
    pub root: bool,
    /// Whether Swift made it.
    pub swift: Option<Swift>,
    /// Where its own instance variables begin in an object, in bytes.
    pub instance_start: u32,
    /// How many bytes an object has, as far as the compiler knew.
    pub instance_size: u32,
    /// The methods of its objects, in the list's order.
    pub instance_methods: Vec<Method<'a>>,
    /// The methods of the class itself, in the list's order.
    pub class_methods: Vec<Method<'a>>,
    /// Its own instance variables.
    pub ivars: Vec<Ivar<'a>>,
    /// The names of the protocols that it says to conform to.
    pub protocols: Vec<&'a str>,
}

/// By which of Swift's ABIs a class was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swift {
    /// Before Swift 5.
    Legacy,
    /// Since.
    Stable,
}

/// A class, as another one names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassRef<'a> {
    /// One of this image.
    Local {
        /// Where it stands.
        address: u64,
        /// Its name; none where a gap says why.
        name: Option<&'a str>,
    },
    /// One of another image.
    Imported {
        /// Its symbol, such as `_OBJC_CLASS_$_NSObject`.
        symbol: &'a str,
        /// Where the loader looks for it.
        library: Library,
    },
    /// An address outside of the image, as in one that was taken out of the shared cache.
    Outside {
        /// The address.
        address: u64,
    },
}

impl<'a> ClassRef<'a> {
    /// The class's name, where it is known.
    pub fn name(&self) -> Option<&'a str> {
        match self {
            ClassRef::Local { name, .. } => *name,
            ClassRef::Imported { symbol, .. } => Some(
                symbol
                    .strip_prefix("_OBJC_CLASS_$_")
                    .or_else(|| symbol.strip_prefix("_OBJC_METACLASS_$_"))
                    .unwrap_or(symbol),
            ),
            ClassRef::Outside { .. } => None,
        }
    }
}

/// A method of a class, a category or a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method<'a> {
    /// Its selector; none where a gap says why.
    pub selector: Option<&'a str>,
    /// Its type encoding; none where a gap says why.
    pub types: Option<&'a str>,
    /// Where its code begins; none in a protocol, and where a gap says why.
    pub implementation: Option<u64>,
    /// Where the list's field for the code stands.
    pub slot: u64,
    /// How the list is laid out.
    pub layout: Layout,
}

/// How a list of methods is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Three pointers.
    Absolute,
    /// Three distances; the selector's leads to a reference.
    Relative,
    /// Three distances; the selector's leads to its name.
    Direct,
}

/// An instance variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ivar<'a> {
    /// Its name; none where a gap says why.
    pub name: Option<&'a str>,
    /// Its type encoding; none where a gap says why.
    pub types: Option<&'a str>,
    /// Bytes from the object's start, before the runtime moves it because a superclass has grown;
    /// none of a bit field without a name.
    pub offset: Option<u32>,
    /// Where the variable with the offset stands, which code reads.
    pub offset_variable: Option<u64>,
    /// Bytes.
    pub size: u32,
    /// Bytes.
    pub alignment: u64,
}

/// Methods that an image adds to a class.
#[derive(Debug, Clone)]
pub struct Category<'a> {
    /// Its name; none where a gap says why.
    pub name: Option<&'a str>,
    /// Where `category_t` stands.
    pub address: u64,
    /// The class; none where a gap says why, and of a category of a class that was missing when it
    /// was linked.
    pub class: Option<ClassRef<'a>>,
    /// Methods for its objects.
    pub instance_methods: Vec<Method<'a>>,
    /// Methods for the class itself.
    pub class_methods: Vec<Method<'a>>,
    /// The names of the protocols that it adds.
    pub protocols: Vec<&'a str>,
}

/// A protocol that the image defines; several images may define the same.
#[derive(Debug, Clone)]
pub struct Protocol<'a> {
    /// Its name; none where a gap says why.
    pub name: Option<&'a str>,
    /// Where `protocol_t` stands.
    pub address: u64,
    /// The names of the protocols that it includes.
    pub protocols: Vec<&'a str>,
    /// What a class that conforms must have.
    pub required: ProtocolMethods<'a>,
    /// What a class that conforms may have.
    pub optional: ProtocolMethods<'a>,
}

/// The methods of a protocol.
#[derive(Debug, Clone, Default)]
pub struct ProtocolMethods<'a> {
    /// Those of objects.
    pub instance: Vec<Method<'a>>,
    /// Those of classes.
    pub class: Vec<Method<'a>>,
}

/// A pointer to a selector that code loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectorReference<'a> {
    /// Where it stands.
    pub address: u64,
    /// The selector; none where a gap says why.
    pub selector: Option<&'a str>,
}

/// A piece of code that sends one selector (`_objc_msgSend$...`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stub<'a> {
    /// Where it begins.
    pub address: u64,
    /// Where the selector's reference stands.
    pub reference: u64,
    /// The selector; none where a gap says why.
    pub selector: Option<&'a str>,
}

impl<'a> Objc<'a> {
    /// The classes above `class` within the image and, last, the name of the one outside of it. Ends
    /// where the chain comes back to itself.
    pub fn ancestors(&self, class: &Class<'a>) -> Vec<ClassRef<'a>> {
        let by_address: HashMap<u64, &Class<'a>> = self
            .classes
            .iter()
            .map(|class| (class.address, class))
            .collect();
        let mut seen = HashSet::from([class.address]);
        let mut chain = Vec::new();
        let mut next = class.superclass;
        while let Some(superclass) = next {
            next = None;
            if let ClassRef::Local { address, .. } = superclass {
                if !seen.insert(address) {
                    break;
                }
                next = by_address.get(&address).and_then(|class| class.superclass);
            }
            chain.push(superclass);
        }
        chain
    }
}
