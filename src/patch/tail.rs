//! The methods `destroyImpl` and their tails, as the audit finds them.

use super::layout::Parts;
use super::{Kind, Refusal, published};
use crate::audit::Code;
use crate::audit::arm64::Instruction;
use crate::audit::race::{self, Destroy, Impls, Patched, Tail, TailRefusal};

/// The methods of an image.
pub struct Tails<'c, 'a> {
    code: &'c Code<'a>,
    impls: Impls<'a>,
    /// Each, with what the audit says of it; nothing of a class without `_impl`.
    pub methods: Vec<(Method, Option<Destroy<'a>>)>,
}

/// A method `destroyImpl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Such as `-[AGXG16XFamilyComputeContext destroyImpl]`.
    pub name: String,
    /// Where it begins; 0 where that is not known.
    pub address: u64,
    /// Whether it is a compute context's.
    pub compute: bool,
}

impl Method {
    fn of(class: Option<&str>, address: u64) -> Self {
        let class = class.unwrap_or("?");
        Method {
            name: format!("-[{class} {DESTROY}]"),
            address,
            compute: class.contains("Compute"),
        }
    }
}

const DESTROY: &str = "destroyImpl";

impl<'c, 'a> Tails<'c, 'a> {
    /// Those of the image that `code` is of.
    pub fn of(code: &'c Code<'a>) -> Self {
        let impls = Impls::of(code.objc());
        let mut methods: Vec<(Method, Option<Destroy<'a>>)> = race::destroys(code, &impls)
            .into_iter()
            .map(|destroy| {
                let start = destroy.function.map_or(0, |function| function.start);
                (Method::of(destroy.class, start), Some(destroy))
            })
            .collect();
        for class in &code.objc().classes {
            let of_class = class.instance_methods.iter();
            for method in of_class.filter(|method| method.selector == Some(DESTROY)) {
                let method = Method::of(class.name, method.implementation.unwrap_or(0));
                if methods.iter().all(|(known, _)| *known != method) {
                    methods.push((method, None));
                }
            }
        }
        Tails {
            code,
            impls,
            methods,
        }
    }

    /// The parts of a method's tail.
    pub fn parts(&self, destroy: Option<&Destroy<'a>>, kind: Kind) -> Result<Parts, Refusal> {
        if kind == Kind::Published {
            return published_parts(destroy);
        }
        let tail = self.recognise(destroy)?;
        Ok(Parts {
            condition: tail.condition_branch,
            first: tail.path1.start,
            lock_argument: tail.lock_argument[0],
            unlock: tail.unlock_target,
            free_argument: tail.free_move,
            free: tail.free_target,
            store: tail.store,
            epilogue: tail.epilogue,
            pointer: tail.impl_register,
        })
    }

    /// By which patch a method has its form, where it has one; whether it has the race; or neither.
    pub fn known(&self, destroy: Option<&Destroy<'a>>) -> Known {
        match self.recognise(destroy) {
            Ok(_) => Known::Race,
            Err(Refusal::Tail(TailRefusal::AlreadyPatched { by, .. })) => {
                Known::Patched(match by {
                    Patched::Cleared => Kind::Rebuilt,
                    Patched::Published => Kind::Published,
                })
            }
            Err(why) => Known::Unrecognised(why.to_string()),
        }
    }

    fn recognise(&self, destroy: Option<&Destroy<'a>>) -> Result<Tail, Refusal> {
        let destroy = destroy.ok_or(Refusal::NoImpl)?;
        Ok(race::recognise(self.code, &self.impls, destroy)?)
    }
}

/// The tail of the published build, if it is of this method: its words are compared before anything is
/// changed.
fn published_parts(destroy: Option<&Destroy<'_>>) -> Result<Parts, Refusal> {
    let edits = &published::EDITS;
    let condition = edits[0].before();
    let function = destroy.and_then(|destroy| destroy.function);
    if !function.is_some_and(|it| it.addresses().contains(&condition.address)) {
        return Err(Refusal::LeftByPublished);
    }
    let argument: Instruction = edits[1].before();
    Ok(Parts {
        condition,
        first: argument.address,
        lock_argument: argument,
        unlock: published::UNLOCK,
        free_argument: edits[6].before(),
        free: published::FREE,
        store: edits[8].before(),
        epilogue: published::EPILOGUE,
        pointer: published::POINTER,
    })
}

/// What is known of a method's tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is patched.
    Patched(Kind),
    /// It has the race, and could be patched.
    Race,
    /// Neither is recognised, and why.
    Unrecognised(String),
}
