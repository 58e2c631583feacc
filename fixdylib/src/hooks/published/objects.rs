//! Which class a published version would have found its methods on.
//!
//! They make a device, a command buffer and an encoder of each kind, and look methods up on the classes of these objects.
//! Those are the driver's own first classes below Metal's and IOGPU's: their subclasses (the sampled encoders) come from
//! factories that no version calls, so that they inherit the hooks and get none. Where validation or capture wraps the
//! driver's objects, the published versions hook the wrapper; here it is the driver's class all the same.

use agx_policy::published::Object;

use crate::runtime::{self, Class};

/// Where the classes of Metal and of IOGPU start, by the start of their names.
const FRAMEWORKS: [&[u8]; 2] = [b"_MTL", b"IOGPU"];

/// A class of the frameworks, and what its subclasses are. The first that is met on the way up decides.
const BASES: [(&[u8], Object); 7] = [
    (b"IOGPUMetalComputeCommandEncoder", Object::Compute),
    (b"IOGPUMetalBlitCommandEncoder", Object::Blit),
    (b"IOGPUMetalRenderCommandEncoder", Object::Render),
    (
        b"IOGPUMetalResourceStateCommandEncoder",
        Object::ResourceState,
    ),
    (
        b"_MTLAccelerationStructureCommandEncoder",
        Object::AccelerationStructure,
    ),
    (b"_MTLParallelRenderCommandEncoder", Object::ParallelRender),
    (b"_MTLCommandBuffer", Object::Buffer),
];

/// Classes that are handed out as they are. That `accelerationStructureCommandEncoder` returns the first of them is
/// inferred from class dumps: AGX has no class of its own for it.
const THEMSELVES: [(&[u8], Object); 2] = [
    (
        b"_MTLSWRaytracingAccelerationStructureCommandEncoder",
        Object::AccelerationStructure,
    ),
    (b"MPSCommandBuffer", Object::MpsBuffer),
];

/// What a compute encoder under another base has.
const COMPUTE_METHOD: &[u8] = b"setComputePipelineState:";

/// What a class with this lineage, itself first, is. `computes` tells whether it has a compute encoder's method itself.
fn classify<'a>(
    mut lineage: impl Iterator<Item = &'a [u8]>,
    computes: impl FnOnce() -> bool,
) -> Option<Object> {
    let is_framework = |name: &[u8]| FRAMEWORKS.iter().any(|start| name.starts_with(start));
    let class = lineage.next()?;
    if let Some((_, object)) = THEMSELVES.iter().find(|(name, _)| *name == class) {
        return Some(*object);
    }
    let mut above = lineage.peekable();
    if is_framework(class) || !above.peek().is_some_and(|name| is_framework(name)) {
        return None;
    }
    let mut encoder = false;
    for name in above {
        if let Some((_, object)) = BASES.iter().find(|(base, _)| *base == name) {
            return Some(*object);
        }
        encoder |= name == b"_MTLCommandEncoder";
    }
    (encoder && computes()).then_some(Object::Compute)
}

/// What the class is, if a published version hooks it.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn object_of(class: Class) -> Option<Object> {
    // SAFETY: promised by the caller, for the lineage too.
    let names = unsafe { runtime::lineage(class) }.map(|it| unsafe { runtime::class_name(it) });
    classify(names.map(std::ffi::CStr::to_bytes), || {
        // SAFETY: as above.
        let methods = unsafe { runtime::own_methods(class) };
        methods
            .iter()
            .any(|it| it.name.to_bytes() == COMPUTE_METHOD)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(lineage: &[&'static str]) -> Option<Object> {
        classify(lineage.iter().map(|name| name.as_bytes()), || false)
    }

    #[test]
    fn the_driver_s_first_classes_are_hooked_and_no_others() {
        const COMPUTE: [&str; 4] = [
            "AGXG16XFamilyComputeContext",
            "IOGPUMetalComputeCommandEncoder",
            "IOGPUMetalCommandEncoder",
            "_MTLCommandEncoder",
        ];
        assert_eq!(object(&COMPUTE), Some(Object::Compute));
        assert_eq!(object(&COMPUTE[1..]), None, "a framework's class");
        let sampled = [&["AGXG16XFamilySampledComputeContext"], &COMPUTE[..]].concat();
        assert_eq!(object(&sampled), None, "inherits the hooks");
        assert_eq!(
            object(&[
                "AGXG16XFamilyThreadedRenderPass",
                "IOGPUMetalParallelRenderCommandEncoder",
                "_MTLParallelRenderCommandEncoder"
            ]),
            Some(Object::ParallelRender)
        );
        assert_eq!(
            object(&[
                "AGXG16XFamilyCommandBuffer",
                "IOGPUMetalCommandBuffer",
                "_MTLCommandBuffer"
            ]),
            Some(Object::Buffer)
        );
        assert_eq!(object(&["MPSCommandBuffer"]), Some(Object::MpsBuffer));
        assert_eq!(object(&["MTLDebugComputeCommandEncoder"]), None);
        assert_eq!(
            object(&["AGXG18PFamilyComputeContext_mtlnext", "_MTL4CommandEncoder"]),
            None
        );
    }

    #[test]
    fn an_encoder_under_no_known_base_goes_by_its_method() {
        let lineage = ["OtherComputeContext", "_MTLCommandEncoder"].map(str::as_bytes);
        assert_eq!(
            classify(lineage.into_iter(), || true),
            Some(Object::Compute)
        );
        assert_eq!(classify(lineage.into_iter(), || false), None);
    }
}
