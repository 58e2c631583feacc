//! What is new in an image against another build's audit.
//!
//! Classes are found again by their names, and where the builds are of two families of the driver by
//! the names without the family. Addresses differ in every build and are not compared.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::family;
use super::model::{Audit, FileAudit, ImageAudit, PartAudit};
use super::race::{RaceAudit, StoreOrderKind};
use crate::audit::coverage::{ClassCoverage, Coverage, MethodCoverage};

/// An audit against another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The other audit, or the file that was audited for it.
    pub path: String,
    /// Version of the agxrun that made the other one.
    pub agxrun: String,
    /// What is new in each image, in the audit's order.
    pub images: Vec<Changes>,
}

/// What is new in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The image's file.
    pub path: String,
    /// The processor that it is for.
    pub arch: String,
    /// The other image's file; none where the other audit has none that this one could be held against,
    /// and then nothing was compared.
    pub other: Option<String>,
    /// The other image's UUID.
    pub other_uuid: Option<String>,
    /// Whether both are the same build.
    pub same_build: bool,
    /// Classes that the other one does not have.
    pub new_classes: Vec<ClassChange>,
    /// Classes that only the other one has.
    pub gone_classes: Vec<ClassChange>,
    /// Methods, of classes that both have, that the other one does not have.
    pub new_methods: Vec<MethodChange>,
    /// Methods, of classes that both have, that only the other one has.
    pub gone_methods: Vec<MethodChange>,
    /// Methods with another type encoding.
    pub changed_types: Vec<TypesChange>,
    /// Methods that other policies hook than before.
    pub changed_coverage: Vec<CoverageChange>,
    /// Methods `destroyImpl` that store NULL to `_impl` at another time than before. Looked at where
    /// both images' code is.
    pub changed_orders: Vec<OrderChange>,
    /// Addresses of faults that are foretold of this image alone; looked at as before.
    pub new_faults: Vec<u64>,
    /// Addresses of faults that are foretold of the other one alone; looked at as before.
    pub gone_faults: Vec<u64>,
}

/// A class that one of two images has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassChange {
    /// Its name.
    pub class: String,
    /// Its superclass's name, where it is known.
    pub superclass: Option<String>,
    /// Its instance methods.
    pub own: usize,
    /// Of those, the ones that are work.
    pub work: usize,
}

/// A method that one of two images has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodChange {
    /// Its class.
    pub class: String,
    /// Its selector.
    pub selector: String,
    /// Whether it is the class's own, not its objects'.
    pub class_method: bool,
    /// Its type encoding.
    pub types: Option<String>,
    /// Whether it is work.
    pub work: bool,
    /// The policies that hook it.
    pub hooked: Vec<String>,
}

/// A method with another type encoding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypesChange {
    /// Its class.
    pub class: String,
    /// Its selector.
    pub selector: String,
    /// Whether it is the class's own, not its objects'.
    pub class_method: bool,
    /// The other image's type encoding.
    pub before: Option<String>,
    /// This one's.
    pub after: Option<String>,
}

/// A method that other policies hook than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageChange {
    /// Its class.
    pub class: String,
    /// Its selector.
    pub selector: String,
    /// Whether it is the class's own, not its objects'.
    pub class_method: bool,
    /// Policies that hook it now and did not.
    pub gained: Vec<String>,
    /// Policies that hooked it and do not now.
    pub lost: Vec<String>,
}

/// A `destroyImpl` that stores NULL to `_impl` at another time than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderChange {
    /// Its class.
    pub class: String,
    /// When the other image's does.
    pub before: StoreOrderKind,
    /// When this one's does.
    pub after: StoreOrderKind,
}

impl Comparison {
    /// What is new in `now` against `before`, which was read from `path`.
    pub fn of(before: &Audit, path: &str, now: &[FileAudit]) -> Self {
        let images = now.iter().flat_map(|file| {
            let parts = file.parts.iter();
            parts.filter_map(move |part| Some((file, part, part.image.as_ref()?)))
        });
        Comparison {
            path: path.to_owned(),
            agxrun: before.agxrun.clone(),
            images: images
                .map(|(file, part, image)| Changes {
                    path: file.path.clone(),
                    arch: part.arch.clone(),
                    ..match counterpart(before, file, part, image) {
                        Some((file, other)) => Changes {
                            other: Some(file.path.clone()),
                            ..Changes::of(other, image)
                        },
                        None => Changes::default(),
                    }
                })
                .collect(),
        }
    }

    /// How many images were held against another one.
    pub fn compared(&self) -> usize {
        let compared = |changes: &&Changes| changes.other.is_some();
        self.images.iter().filter(compared).count()
    }
}

/// The image of the other audit for the same processor: of the file of the same name, else of the same
/// name in another family, else the only one.
fn counterpart<'a>(
    before: &'a Audit,
    file: &FileAudit,
    part: &PartAudit,
    image: &ImageAudit,
) -> Option<(&'a FileAudit, &'a ImageAudit)> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let wanted = last(&file.path);
    let candidates: Vec<_> = before
        .images()
        .filter(|(_, other, _)| other.arch == part.arch)
        .collect();
    let found = candidates
        .iter()
        .find(|(file, ..)| last(&file.path) == wanted)
        .or_else(|| {
            let mut drivers = candidates
                .iter()
                .filter(|(.., other)| other.family.is_some());
            drivers
                .next()
                .filter(|_| image.family.is_some() && drivers.next().is_none())
        })
        .or(match &candidates[..] {
            [only] => Some(only),
            _ => None,
        });
    found.map(|(file, _, image)| (*file, *image))
}

/// A method of a class, by which both images are searched.
type MethodKey<'c> = (&'c str, bool);

impl Changes {
    /// What is new in `after`; the file's own fields are left empty.
    pub fn of(before: &ImageAudit, after: &ImageAudit) -> Self {
        let mut changes = Changes {
            other_uuid: before.uuid.clone(),
            same_build: before.uuid.is_some() && before.uuid == after.uuid,
            ..Changes::default()
        };
        let old = by_name(&before.coverage);
        let new = by_name(&after.coverage);
        for class in &after.coverage.classes {
            match old.get(&family::without(&class.name)) {
                Some(other) => changes.class(other, class),
                None => changes.new_classes.push(ClassChange::of(class)),
            }
        }
        changes.gone_classes = before
            .coverage
            .classes
            .iter()
            .filter(|class| !new.contains_key(&family::without(&class.name)))
            .map(ClassChange::of)
            .collect();
        if let (Some(before), Some(after)) = (&before.race, &after.race) {
            changes.race(before, after);
        }
        changes
    }

    /// Whether nothing is new.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many changes there are.
    pub fn count(&self) -> usize {
        self.new_classes.len()
            + self.gone_classes.len()
            + self.new_methods.len()
            + self.gone_methods.len()
            + self.changed_types.len()
            + self.changed_coverage.len()
            + self.changed_orders.len()
            + self.new_faults.len()
            + self.gone_faults.len()
    }

    fn race(&mut self, before: &RaceAudit, after: &RaceAudit) {
        let old: HashMap<String, StoreOrderKind> = before
            .destroys
            .iter()
            .filter_map(|it| Some((family::without(it.class.as_deref()?), it.order)))
            .collect();
        self.changed_orders = after
            .destroys
            .iter()
            .filter_map(|destroy| {
                let class = destroy.class.as_deref()?;
                let before = *old.get(&family::without(class))?;
                (before != destroy.order).then(|| OrderChange {
                    class: class.to_owned(),
                    before,
                    after: destroy.order,
                })
            })
            .collect();
        let addresses = |race: &RaceAudit| -> BTreeSet<u64> {
            race.predicted_faults.iter().map(|it| it.address).collect()
        };
        let (old, new) = (addresses(before), addresses(after));
        self.new_faults = new.difference(&old).copied().collect();
        self.gone_faults = old.difference(&new).copied().collect();
    }

    fn class(&mut self, before: &ClassCoverage, after: &ClassCoverage) {
        let old = methods(before);
        let new = methods(after);
        let change = |class: &ClassCoverage,
                      (selector, class_method): MethodKey<'_>,
                      method: &MethodCoverage| {
            MethodChange {
                class: class.name.clone(),
                selector: selector.to_owned(),
                class_method,
                types: method.types.clone(),
                work: method.work,
                hooked: method.hooked.clone(),
            }
        };
        for (key, method) in in_order(after) {
            let Some(other) = old.get(&key) else {
                self.new_methods.push(change(after, key, method));
                continue;
            };
            let (selector, class_method) = (key.0.to_owned(), key.1);
            if other.types != method.types {
                self.changed_types.push(TypesChange {
                    class: after.name.clone(),
                    selector: selector.clone(),
                    class_method,
                    before: other.types.clone(),
                    after: method.types.clone(),
                });
            }
            if other.hooked != method.hooked {
                let without = |these: &[String], those: &[String]| {
                    let missing = these.iter().filter(|name| !those.contains(name));
                    missing.cloned().collect()
                };
                self.changed_coverage.push(CoverageChange {
                    class: after.name.clone(),
                    selector,
                    class_method,
                    gained: without(&method.hooked, &other.hooked),
                    lost: without(&other.hooked, &method.hooked),
                });
            }
        }
        for (key, method) in in_order(before) {
            if !new.contains_key(&key) {
                self.gone_methods.push(change(before, key, method));
            }
        }
    }
}

impl ClassChange {
    fn of(class: &ClassCoverage) -> Self {
        ClassChange {
            class: class.name.clone(),
            superclass: class.superclass.clone(),
            own: class.own,
            work: class.work,
        }
    }
}

fn by_name(coverage: &Coverage) -> HashMap<String, &ClassCoverage> {
    let classes = coverage.classes.iter();
    classes
        .map(|class| (family::without(&class.name), class))
        .collect()
}

/// The methods that the runtime would find, in the class's order.
fn in_order(class: &ClassCoverage) -> impl Iterator<Item = (MethodKey<'_>, &MethodCoverage)> {
    class
        .methods
        .iter()
        .filter(|method| !method.is_replaced())
        .filter_map(|method| {
            let selector = method.selector.as_deref()?;
            Some(((selector, method.class_method), method))
        })
}

fn methods(class: &ClassCoverage) -> HashMap<MethodKey<'_>, &MethodCoverage> {
    in_order(class).collect()
}
