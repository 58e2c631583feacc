//! Which classes have an instance variable `_impl`, and where.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::state::Surroundings;
use super::tail::Landings;
use crate::audit::{Binary, Class, ClassRef, Code, Method, Objc, Pointer};

/// An instance variable `_impl`, as a class has or inherits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImplIvar<'a> {
    /// The class that declares it; none where a gap says why.
    pub owner: Option<&'a str>,
    /// Bytes from the object's start, before the runtime moves it.
    pub offset: Option<u32>,
    /// Where the variable with the offset stands.
    pub variable: Option<u64>,
}

/// All of an image.
#[derive(Debug)]
pub struct Impls<'a> {
    /// By where the class stands.
    by_class: HashMap<u64, ImplIvar<'a>>,
    variables: HashSet<u64>,
    /// What leads into the image's code, which all of its methods share; only once it is asked for.
    landings: OnceCell<Landings>,
}

impl<'a> Impls<'a> {
    /// Those of the classes that the image defines.
    pub fn of(objc: &Objc<'a>) -> Self {
        let classes: HashMap<u64, &Class<'a>> = objc
            .classes
            .iter()
            .map(|class| (class.address, class))
            .collect();
        let mut known: HashMap<u64, Option<ImplIvar<'a>>> = HashMap::new();
        for class in &objc.classes {
            let mut chain = HashSet::new();
            let mut next = Some(class);
            let mut found = None;
            while let Some(class) = next {
                if let Some(resolved) = known.get(&class.address) {
                    found = *resolved;
                    break;
                }
                // A cycle ends without one.
                if !chain.insert(class.address) {
                    break;
                }
                found = own(class);
                if found.is_some() {
                    break;
                }
                next = match class.superclass {
                    Some(ClassRef::Local { address, .. }) => classes.get(&address).copied(),
                    _ => None,
                };
            }
            known.extend(chain.into_iter().map(|address| (address, found)));
        }
        let by_class: HashMap<u64, ImplIvar<'a>> = known
            .into_iter()
            .filter_map(|(address, ivar)| Some((address, ivar?)))
            .collect();
        let variables = objc
            .classes
            .iter()
            .filter_map(|class| own(class)?.variable)
            .collect();
        Impls {
            by_class,
            variables,
            landings: OnceCell::new(),
        }
    }

    /// Whether no class has one.
    pub fn is_empty(&self) -> bool {
        self.by_class.is_empty()
    }

    /// What leads to instructions of the image.
    pub(super) fn landings(&self, code: &Code<'a>) -> &Landings {
        self.landings.get_or_init(|| Landings::of(code))
    }

    /// That of the class at `address`.
    pub(super) fn of_class(&self, address: u64) -> Option<ImplIvar<'a>> {
        self.by_class.get(&address).copied()
    }

    /// The variables with offsets.
    pub(super) fn variables(&self) -> &HashSet<u64> {
        &self.variables
    }
}

fn own<'a>(class: &Class<'a>) -> Option<ImplIvar<'a>> {
    let ivar = class.ivars.iter().find(|ivar| ivar.name == Some("_impl"))?;
    Some(ImplIvar {
        owner: class.name,
        offset: ivar.offset,
        variable: ivar.offset_variable,
    })
}

/// A method of objects, of a class or of a category of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectMethod<'a> {
    pub class: Option<&'a str>,
    pub class_address: u64,
    pub method: &'a Method<'a>,
}

/// The methods of objects of all classes that the image defines.
pub(super) fn object_methods<'a>(objc: &'a Objc<'a>) -> impl Iterator<Item = ObjectMethod<'a>> {
    let of_classes = objc.classes.iter().flat_map(|class| {
        class.instance_methods.iter().map(|method| ObjectMethod {
            class: class.name,
            class_address: class.address,
            method,
        })
    });
    let of_categories = objc.categories.iter().flat_map(|category| {
        let class = match category.class {
            Some(ClassRef::Local { address, name }) => Some((address, name)),
            _ => None,
        };
        category.instance_methods.iter().filter_map(move |method| {
            let (class_address, class) = class?;
            Some(ObjectMethod {
                class,
                class_address,
                method,
            })
        })
    });
    of_classes.chain(of_categories)
}

/// What the image says around a function's instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct InImage<'c, 'a> {
    pub binary: &'a Binary<'a>,
    pub impls: &'c Impls<'a>,
    /// That of the method's own object; none in a function that is no method of one.
    pub own: Option<ImplIvar<'a>>,
}

impl<'c, 'a> InImage<'c, 'a> {
    pub(super) fn new(code: &Code<'a>, impls: &'c Impls<'a>, own: Option<ImplIvar<'a>>) -> Self {
        InImage {
            binary: code.binary(),
            impls,
            own,
        }
    }
}

impl Surroundings for InImage<'_, '_> {
    fn impl_at(&self) -> Option<i64> {
        self.own?.offset.map(i64::from)
    }

    fn is_own(&self, variable: u64) -> bool {
        self.own.is_some_and(|own| own.variable == Some(variable))
    }

    fn is_impl_offset(&self, address: u64) -> bool {
        self.impls.variables.contains(&address)
    }

    fn pointer(&self, address: u64) -> Option<u64> {
        let section = self.binary.section_at(address)?;
        let once = section.segment == "__DATA_CONST"
            || section.segment == "__AUTH_CONST"
            || section.name == "__got"
            || section.name == "__auth_got";
        match self.binary.pointer_at(address) {
            Ok(Pointer::Address { address, .. }) if once => Some(address),
            _ => None,
        }
    }
}
