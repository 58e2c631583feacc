//! Coverage: every method of an image's encoders, command buffers, queues and devices, and what each
//! policy does about it.
//!
//! Which methods a policy hooks is decided by `agx-policy`, which the fix library follows too; here an
//! image takes the place of the living classes. A superclass that is in another image is known by its
//! name alone, so that the methods of the driver's own image are judged, and those that it inherits are
//! not seen.

mod classes;
mod decide;
mod kind;
mod lineage;
mod model;

use super::{Code, Objc};
use crate::target::image::Processor;
use agx_policy::abi::Convention;

pub use kind::Kind;
pub use model::{
    ClassCoverage, ClassPolicy, Coverage, LeftAlone, LeftKind, MethodCoverage, PolicyCoverage,
    UnknownClass,
};

use lineage::Classes;

impl Coverage {
    /// What the policies reach of the classes of an image for `processor`; `code` is its code, where
    /// it can be read.
    pub fn of(processor: Processor, objc: &Objc<'_>, code: Option<&Code<'_>>) -> Self {
        let convention = convention(processor);
        let index = Classes::of(objc);
        let (mut classes, mut unknown) = (Vec::new(), Vec::new());
        for subject in index.subjects(objc) {
            let lineage = index.lineage(&subject);
            match kind::of(&lineage) {
                Some(kind) => {
                    let method = decide::Method {
                        kind,
                        object: classes::object(&subject, &lineage),
                        convention,
                        code,
                    };
                    classes.push(classes::class(&subject, &lineage, &method));
                }
                None => unknown.extend(classes::unknown(&subject, &lineage, &index)),
            }
        }
        Coverage {
            policies: Coverage::count(&classes),
            classes,
            unknown,
        }
    }
}

/// How methods of an image for this processor are called. Only the two of Macs are asked about.
fn convention(processor: Processor) -> Convention {
    match processor {
        Processor::X86_64 | Processor::X86_64h | Processor::I386 => Convention::SysV,
        _ => Convention::AppleArm64,
    }
}
