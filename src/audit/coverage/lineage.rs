//! The classes above a class: those of the image, then those that are known by name alone.

use std::collections::{HashMap, HashSet};

use agx_policy::hierarchy;

use crate::audit::{Category, Class, ClassRef, Method, Objc};

/// An image's classes, by what leads to them.
pub(super) struct Classes<'o, 'a> {
    by_address: HashMap<u64, &'o Class<'a>>,
    by_name: HashMap<&'a str, &'o Class<'a>>,
    /// What each protocol includes.
    protocols: HashMap<&'a str, Vec<&'a str>>,
    categories: Vec<(Of<'a>, Vec<&'o Category<'a>>)>,
    category_index: HashMap<Of<'a>, usize>,
}

/// How many classes above each other are looked at. Drivers have half a dozen; a file may have a chain
/// of all its classes, or one that comes back to itself.
const DEEPEST: usize = 64;

/// Whose a category is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of<'a> {
    Local(u64),
    Named(&'a str),
}

/// A class with what categories of the image add to it. It may be another image's.
pub(super) struct Subject<'o, 'a> {
    /// The class itself, where it is this image's.
    pub class: Option<&'o Class<'a>>,
    /// The name of another image's class.
    name: Option<&'a str>,
    /// What is added, as the image lists it.
    pub categories: &'o [&'o Category<'a>],
}

/// A class and those above it.
pub(super) struct Lineage<'o, 'a> {
    /// Those of the image, the nearest first.
    pub local: Vec<&'o Class<'a>>,
    /// The name of the first one outside of it.
    pub outside: Option<&'a str>,
    /// The names of the protocols that one of them says to conform to, and those that these include.
    protocols: HashSet<&'a str>,
}

impl<'o, 'a> Classes<'o, 'a> {
    pub(super) fn of(objc: &'o Objc<'a>) -> Self {
        let mut this = Classes {
            by_address: HashMap::new(),
            by_name: HashMap::new(),
            protocols: HashMap::new(),
            categories: Vec::new(),
            category_index: HashMap::new(),
        };
        for class in &objc.classes {
            this.by_address.insert(class.address, class);
            if let Some(name) = class.name {
                this.by_name.entry(name).or_insert(class);
            }
        }
        for protocol in &objc.protocols {
            if let Some(name) = protocol.name {
                let includes = this.protocols.entry(name).or_default();
                includes.extend(&protocol.protocols);
            }
        }
        for category in &objc.categories {
            let of = match category.class {
                Some(ClassRef::Local { address, .. }) => Of::Local(address),
                Some(other) => match other.name() {
                    Some(name) => Of::Named(name),
                    None => continue,
                },
                None => continue,
            };
            let at = *this.category_index.entry(of).or_insert_with(|| {
                this.categories.push((of, Vec::new()));
                this.categories.len() - 1
            });
            this.categories[at].1.push(category);
        }
        this
    }

    /// The image's own classes in its order, then those of other images to which it adds something.
    pub(super) fn subjects<'s>(
        &'s self,
        objc: &'s Objc<'a>,
    ) -> impl Iterator<Item = Subject<'s, 'a>> {
        let added = |of: Of<'a>| {
            self.category_index
                .get(&of)
                .map_or(&[][..], |at| &self.categories[*at].1[..])
        };
        let own = objc.classes.iter().map(move |class| Subject {
            class: Some(class),
            name: class.name,
            categories: added(Of::Local(class.address)),
        });
        let others = self.categories.iter().filter_map(|(of, list)| match of {
            Of::Named(name) => Some(Subject {
                class: None,
                name: Some(name),
                categories: list,
            }),
            Of::Local(_) => None,
        });
        own.chain(others)
    }

    /// The classes above, the class itself first, as many as [`DEEPEST`].
    pub(super) fn lineage<'s>(&'s self, subject: &Subject<'s, 'a>) -> Lineage<'s, 'a> {
        let mut local = Vec::new();
        let mut outside = subject.name.filter(|_| subject.class.is_none());
        let mut next = subject.class;
        while let Some(class) = next.filter(|_| local.len() < DEEPEST) {
            local.push(class);
            next = match class.superclass {
                Some(ClassRef::Local { address, .. }) => self.by_address.get(&address).copied(),
                // Images of one cache name each other's classes by address; names are all that is left.
                Some(other) => {
                    outside = other.name();
                    None
                }
                None => None,
            };
        }
        let mut waiting: Vec<&'a str> = subject
            .categories
            .iter()
            .flat_map(|category| &category.protocols)
            .chain(local.iter().flat_map(|class| &class.protocols))
            .copied()
            .collect();
        let mut protocols = HashSet::new();
        while let Some(protocol) = waiting.pop() {
            if protocols.insert(protocol) {
                waiting.extend(self.protocols.get(protocol).into_iter().flatten());
            }
        }
        Lineage {
            local,
            outside,
            protocols,
        }
    }

    /// Whether one of the image's classes has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }
}

impl<'a> Subject<'_, 'a> {
    /// Its name, or where it stands.
    pub(super) fn name(&self) -> String {
        match (self.name, self.class) {
            (Some(name), _) => name.to_owned(),
            (None, Some(class)) => format!("(unnamed, at {:#x})", class.address),
            (None, None) => "(unnamed)".to_owned(),
        }
    }

    /// Instance methods, or those of the class itself, each with its category's name: those that the
    /// runtime finds first, that is categories', the last one first.
    pub(super) fn methods(
        &self,
        of_class: bool,
    ) -> impl Iterator<Item = (&Method<'a>, Option<&'a str>)> {
        let added = self.categories.iter().rev().flat_map(move |category| {
            let methods = if of_class {
                &category.class_methods
            } else {
                &category.instance_methods
            };
            let name = category.name.unwrap_or("(unnamed)");
            methods.iter().map(move |method| (method, Some(name)))
        });
        let own = self.class.into_iter().flat_map(move |class| {
            let methods = if of_class {
                &class.class_methods
            } else {
                &class.instance_methods
            };
            methods.iter().map(|method| (method, None))
        });
        added.chain(own)
    }
}

impl Lineage<'_, '_> {
    /// The names of all, the class's own first: those of the image, and above them those that are known
    /// to stand there.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let local = self.local.iter().filter_map(|class| class.name);
        let outside = self.outside.into_iter().flat_map(|name| {
            let above = hierarchy::above(name).map(|above| -> &str { above });
            std::iter::once(name).chain(above)
        });
        local.chain(outside)
    }

    /// The superclass's name.
    pub(super) fn superclass(&self) -> Option<&str> {
        match self.local.len() {
            0 => self.outside.and_then(hierarchy::superclass),
            1 => self.outside,
            _ => self.local[1].name,
        }
    }

    pub(super) fn conforms_to(&self, protocol: &str) -> bool {
        self.protocols.contains(protocol)
    }

    pub(super) fn has_ivar(&self, name: &str) -> bool {
        let ivars = self.local.iter().flat_map(|class| &class.ivars);
        ivars.filter_map(|ivar| ivar.name).any(|it| it == name)
    }
}
