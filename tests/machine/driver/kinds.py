"""The kinds of encoders: class, factories, how one is made, how it ends."""

from __future__ import annotations

from dataclasses import dataclass

FAMILY = "AGXG16XFamily"
BUFFER = FAMILY + "CommandBuffer"
MPS_BUFFER = "MPSCommandBuffer"


@dataclass(frozen=True)
class Kind:
    """One kind of encoder of the driver's.

    `deferred` is what `endEncoding` sends last; empty where nothing is. `work` are methods of its own with their encodings,
    for scenarios that need a few of each kind.
    """

    name: str
    class_name: str
    factories: tuple[str, ...]
    initialiser: str
    deferred: str
    work: tuple[str, ...]


COMPUTE = Kind(
    "compute",
    FAMILY + "ComputeContext",
    ("computeCommandEncoder", "computeCommandEncoderWithDescriptor:", "computeCommandEncoderWithDispatchType:"),
    "initWithCommandBuffer:config:",
    "deferredEndEncoding",
    ("setComputePipelineState:", "setBuffer:offset:atIndex:", "dispatchThreads:threadsPerThreadgroup:"),
)
BLIT = Kind(
    "blit",
    FAMILY + "BlitContext",
    ("blitCommandEncoder", "blitCommandEncoderWithDescriptor:"),
    "initWithCommandBuffer:descriptor:",
    "deferredEndEncoding",
    ("fillBuffer:range:value:", "copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:", "updateFence:"),
)
RENDER = Kind(
    "render",
    FAMILY + "RenderContext",
    ("renderCommandEncoderWithDescriptor:",),
    "initWithCommandBuffer:descriptor:",
    "deferredEndEncoding:",
    ("setRenderPipelineState:", "setViewport:", "setBlendColorRed:green:blue:alpha:", "setDepthBias:slopeScale:clamp:"),
)
RESOURCE_STATE = Kind(
    "resource state",
    FAMILY + "ResourceStateContext",
    ("resourceStateCommandEncoder", "resourceStateCommandEncoderWithDescriptor:"),
    "initWithCommandBuffer:descriptor:",
    "",
    ("updateFence:", "waitForFence:"),
)
PARALLEL = Kind(
    "parallel render",
    FAMILY + "ThreadedRenderPass",
    ("parallelRenderCommandEncoderWithDescriptor:",),
    "initWithCommandBuffer:renderPassDescriptor:",
    "",
    ("setColorStoreAction:atIndex:",),
)
KINDS = (COMPUTE, BLIT, RENDER, RESOURCE_STATE, PARALLEL)
