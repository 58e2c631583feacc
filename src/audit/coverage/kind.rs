//! What the objects of a class are, by the classes above it.

use std::fmt;

use agx_policy::rules::{self, Family};
use serde::{Deserialize, Serialize};

use super::lineage::Lineage;

/// What the objects of a class are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Compute encoders.
    Compute,
    /// Blit encoders.
    Blit,
    /// Render encoders.
    Render,
    /// Parallel render encoders.
    ParallelRender,
    /// Resource state encoders.
    ResourceState,
    /// Acceleration structure encoders.
    AccelerationStructure,
    /// Other encoders, and what is common to all.
    Encoder,
    /// Command buffers.
    CommandBuffer,
    /// A proxy that passes calls on to a command buffer.
    CommandBufferProxy,
    /// Command queues.
    CommandQueue,
    /// Devices.
    Device,
    /// What wraps another object for validation, capture or counting.
    Wrapper,
}

impl Kind {
    /// Whether its objects take work for the GPU, so that hooking them is asked for.
    pub fn takes_work(self) -> bool {
        !matches!(self, Kind::CommandQueue | Kind::Device | Kind::Wrapper)
    }

    /// Whether they are encoders.
    pub fn is_encoder(self) -> bool {
        self.family() == Some(Family::Encoder)
    }

    /// What the rules of hooking take it for; none where they leave it alone.
    pub fn family(self) -> Option<Family> {
        match self {
            Kind::Compute
            | Kind::Blit
            | Kind::Render
            | Kind::ParallelRender
            | Kind::ResourceState
            | Kind::AccelerationStructure
            | Kind::Encoder => Some(Family::Encoder),
            Kind::CommandBuffer => Some(Family::Buffer),
            Kind::CommandBufferProxy => Some(Family::Proxy),
            Kind::CommandQueue | Kind::Device | Kind::Wrapper => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::Compute => "compute",
            Kind::Blit => "blit",
            Kind::Render => "render",
            Kind::ParallelRender => "parallel render",
            Kind::ResourceState => "resource state",
            Kind::AccelerationStructure => "acceleration structure",
            Kind::Encoder => "encoder",
            Kind::CommandBuffer => "command buffer",
            Kind::CommandBufferProxy => "command buffer proxy",
            Kind::CommandQueue => "command queue",
            Kind::Device => "device",
            Kind::Wrapper => "wrapper",
        })
    }
}

/// The classes that say what is below them.
const ROOTS: [(&str, Kind); 18] = [
    ("IOGPUMetalComputeCommandEncoder", Kind::Compute),
    ("_MTL4ComputeCommandEncoder", Kind::Compute),
    ("IOGPUMetalBlitCommandEncoder", Kind::Blit),
    ("IOGPUMetalRenderCommandEncoder", Kind::Render),
    ("_MTL4RenderCommandEncoder", Kind::Render),
    ("_MTLParallelRenderCommandEncoder", Kind::ParallelRender),
    ("IOGPUMetalResourceStateCommandEncoder", Kind::ResourceState),
    (
        "_MTLAccelerationStructureCommandEncoder",
        Kind::AccelerationStructure,
    ),
    (
        "_MTLSWRaytracingAccelerationStructureCommandEncoder",
        Kind::AccelerationStructure,
    ),
    ("_MTLCommandEncoder", Kind::Encoder),
    ("_MTL4CommandEncoder", Kind::Encoder),
    ("_MTLCommandBuffer", Kind::CommandBuffer),
    ("_MTL4CommandBuffer", Kind::CommandBuffer),
    ("MPSCommandBuffer", Kind::CommandBufferProxy),
    ("_MTLCommandQueue", Kind::CommandQueue),
    ("_MTL4CommandQueue", Kind::CommandQueue),
    ("_MTLDevice", Kind::Device),
    (rules::WRAPPER_ROOT, Kind::Wrapper),
];

/// The protocols by which a class under none of the [`ROOTS`] is known, as the fix library knows it.
const PROTOCOLS: [(&str, Kind); 6] = [
    ("MTLCommandEncoder", Kind::Encoder),
    ("MTL4CommandEncoder", Kind::Encoder),
    ("MTLCommandBuffer", Kind::CommandBuffer),
    ("MTL4CommandBuffer", Kind::CommandBuffer),
    ("MTLCommandQueue", Kind::CommandQueue),
    ("MTLDevice", Kind::Device),
];

/// What the objects of a class are; none for a class that has nothing to do with encoding.
pub(super) fn of(lineage: &Lineage<'_, '_>) -> Option<Kind> {
    let by_name = |name: &str| ROOTS.iter().find(|(root, _)| *root == name);
    if let Some((_, kind)) = lineage.names().find_map(by_name) {
        return Some(*kind);
    }
    let (_, kind) = PROTOCOLS
        .iter()
        .find(|(protocol, _)| lineage.conforms_to(protocol))?;
    if lineage.has_ivar(&rules::WRAPPED.to_string_lossy()) {
        return Some(Kind::Wrapper);
    }
    Some(*kind)
}
