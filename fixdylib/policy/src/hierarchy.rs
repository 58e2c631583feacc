//! The classes above a driver's, for a driver that is looked at without the frameworks that have them.
//!
//! From class dumps of macOS 14.6 (AGX) and 15.6 (Metal, IOGPU), and for Metal 4 of macOS 26.4.

/// A class of Metal or IOGPU, and its superclass.
pub const SUPERCLASSES: [(&str, &str); 33] = [
    ("IOGPUMetal4CommandBuffer", "_MTL4CommandBuffer"),
    ("IOGPUMetal4CommandQueue", "_MTL4CommandQueue"),
    (
        "IOGPUMetal4ComputeCommandEncoder",
        "_MTL4ComputeCommandEncoder",
    ),
    (
        "IOGPUMetal4MachineLearningCommandEncoder",
        "_MTL4MachineLearningCommandEncoder",
    ),
    (
        "IOGPUMetal4RenderCommandEncoder",
        "_MTL4RenderCommandEncoder",
    ),
    ("IOGPUMetalBlitCommandEncoder", "IOGPUMetalCommandEncoder"),
    ("IOGPUMetalCommandBuffer", "_MTLCommandBuffer"),
    ("IOGPUMetalCommandEncoder", "_MTLCommandEncoder"),
    ("IOGPUMetalCommandQueue", "_MTLCommandQueue"),
    (
        "IOGPUMetalComputeCommandEncoder",
        "IOGPUMetalCommandEncoder",
    ),
    ("IOGPUMetalDebugCommandEncoder", "_MTLDebugCommandEncoder"),
    ("IOGPUMetalDevice", "_MTLDevice"),
    (
        "IOGPUMetalParallelRenderCommandEncoder",
        "_MTLParallelRenderCommandEncoder",
    ),
    ("IOGPUMetalRenderCommandEncoder", "IOGPUMetalCommandEncoder"),
    (
        "IOGPUMetalResourceStateCommandEncoder",
        "IOGPUMetalCommandEncoder",
    ),
    ("MPSCommandBuffer", "NSObject"),
    ("MTLToolsCommandBuffer", "MTLToolsObject"),
    ("MTLToolsCommandEncoder", "MTLToolsObject"),
    ("MTLToolsObject", "NSObject"),
    ("_MTL4CommandBuffer", "_MTLObjectWithLabel"),
    ("_MTL4CommandEncoder", "_MTLObjectWithLabel"),
    ("_MTL4CommandQueue", "_MTLObjectWithLabel"),
    ("_MTL4ComputeCommandEncoder", "_MTL4CommandEncoder"),
    ("_MTL4MachineLearningCommandEncoder", "_MTL4CommandEncoder"),
    ("_MTL4RenderCommandEncoder", "_MTL4CommandEncoder"),
    (
        "_MTLAccelerationStructureCommandEncoder",
        "_MTLCommandEncoder",
    ),
    ("_MTLCommandBuffer", "_MTLObjectWithLabel"),
    ("_MTLCommandEncoder", "_MTLObjectWithLabel"),
    ("_MTLCommandQueue", "_MTLObjectWithLabel"),
    ("_MTLDebugCommandEncoder", "_MTLCommandEncoder"),
    ("_MTLDevice", "NSObject"),
    ("_MTLParallelRenderCommandEncoder", "_MTLObjectWithLabel"),
    (
        "_MTLSWRaytracingAccelerationStructureCommandEncoder",
        "_MTLObjectWithLabel",
    ),
];

/// The superclass of a class of Metal or IOGPU, where it is known.
pub fn superclass(class: &str) -> Option<&'static str> {
    SUPERCLASSES
        .iter()
        .find(|(name, _)| *name == class)
        .map(|(_, superclass)| *superclass)
}

/// The known classes above `class`, the nearest first.
pub fn above(class: &str) -> impl Iterator<Item = &'static str> {
    std::iter::successors(superclass(class), |name| superclass(name)).take(SUPERCLASSES.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::Dump;
    use crate::rules;

    #[test]
    fn it_is_the_dumps_hierarchy() {
        let text = include_str!("../../../tests/rehearsal/data/driver-classes.tsv");
        let dump = Dump::parse(text).expect("the dump");
        let mut compared = 0;
        for class in &dump.classes {
            if let Some(superclass) = superclass(class.name) {
                assert_eq!(superclass, class.superclass, "{}", class.name);
                compared += 1;
            }
            // A class of the driver may be under any of the frameworks'.
            let of_framework =
                |name: &str| name.starts_with("IOGPUMetal") || name.starts_with("_MTL");
            if of_framework(class.name) && class.name != "_MTLObjectWithLabel" {
                assert!(superclass(class.name).is_some(), "{}", class.name);
            }
        }
        assert!(compared > 20, "{compared}");
    }

    #[test]
    fn every_root_is_in_it_and_no_chain_is_circular() {
        for (root, _) in rules::ROOTS {
            assert!(superclass(root).is_some(), "{root}");
        }
        for (class, _) in SUPERCLASSES {
            let last = above(class).last();
            assert!(
                matches!(last, Some("NSObject" | "_MTLObjectWithLabel")),
                "{class}: {last:?}"
            );
        }
        assert_eq!(above("NSObject").count(), 0);
    }
}
