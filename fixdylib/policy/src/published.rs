//! Which selectors each published version hooks, and on which kind of object.
//!
//! Read from the sources of the published versions, selectors as they stand there: some name no method of their class.
//! An `x` for each of [`VERSIONS`], a dot where the version leaves the selector alone.

/// The published versions, in the order of the columns.
pub const VERSIONS: [&str; 11] = [
    "v1", "v2", "v2.2", "v2.3", "v2.4", "v2.4nr", "v2.5", "v2.6", "v2.7", "v2.8", "v2.9",
];

/// What a published version looks a method up on: the class of an object that it makes for the purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Object {
    /// The driver's command buffer.
    Buffer,
    /// `MPSCommandBuffer`.
    MpsBuffer,
    /// The driver's compute encoder.
    Compute,
    /// The driver's blit encoder.
    Blit,
    /// The driver's render encoder.
    Render,
    /// The driver's parallel render encoder.
    ParallelRender,
    /// The driver's resource state encoder.
    ResourceState,
    /// What `accelerationStructureCommandEncoder` returns.
    AccelerationStructure,
}

/// A selector on an object.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Where it is hooked.
    pub object: Object,
    /// The selector.
    pub selector: &'static str,
    columns: &'static [u8; VERSIONS.len()],
}

impl Row {
    /// Whether the version in this column hooks it.
    pub fn is_in(&self, column: usize) -> bool {
        self.columns.get(column) == Some(&b'x')
    }
}

/// The rows of a version.
pub fn of(column: usize) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.is_in(column))
}

/// Whether the version in this column hooks `selector` on `object`.
pub fn hooks(column: usize, object: Object, selector: &str) -> bool {
    of(column).any(|row| row.object == object && row.selector == selector)
}

const fn row(
    object: Object,
    selector: &'static str,
    columns: &'static [u8; VERSIONS.len()],
) -> Row {
    Row {
        object,
        selector,
        columns,
    }
}

/// All of them.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    row(Object::Buffer, "computeCommandEncoder", b"..xxxxxxxxx"),
    row(Object::Buffer, "computeCommandEncoderWithDescriptor:", b"..xxxxxxxxx"),
    row(Object::Buffer, "computeCommandEncoderWithDispatchType:", b"..xxxxxxxxx"),
    row(Object::Buffer, "blitCommandEncoder", b"...xxxxxxxx"),
    row(Object::Buffer, "renderCommandEncoderWithDescriptor:", b"...xxxxxxxx"),
    row(Object::Buffer, "resourceStateCommandEncoder", b"...xxxxxxxx"),
    row(Object::Buffer, "accelerationStructureCommandEncoder", b"...xxxxxxxx"),
    row(Object::Buffer, "commit", b"........xxx"),
    row(Object::Buffer, "encodeSignalEvent:value:", b".........xx"),
    row(Object::Buffer, "encodeWaitForEvent:value:", b".........xx"),
    row(Object::Buffer, "parallelRenderCommandEncoderWithDescriptor:", b"..........x"),
    row(Object::Buffer, "blitCommandEncoderWithDescriptor:", b"..........x"),
    row(Object::Buffer, "resourceStateCommandEncoderWithDescriptor:", b"..........x"),
    row(Object::Buffer, "accelerationStructureCommandEncoderWithDescriptor:", b"..........x"),
    row(Object::MpsBuffer, "computeCommandEncoder", b"......x.xxx"),
    row(Object::MpsBuffer, "computeCommandEncoderWithDescriptor:", b"......x.xxx"),
    row(Object::MpsBuffer, "computeCommandEncoderWithDispatchType:", b"......x.xxx"),
    row(Object::MpsBuffer, "blitCommandEncoder", b"......x.xxx"),
    row(Object::MpsBuffer, "renderCommandEncoderWithDescriptor:", b"......x.xxx"),
    row(Object::MpsBuffer, "resourceStateCommandEncoder", b"......x.xxx"),
    row(Object::MpsBuffer, "accelerationStructureCommandEncoder", b"......x.xxx"),
    row(Object::MpsBuffer, "commit", b"........xxx"),
    row(Object::MpsBuffer, "encodeSignalEvent:value:", b".........xx"),
    row(Object::MpsBuffer, "encodeWaitForEvent:value:", b".........xx"),
    row(Object::MpsBuffer, "parallelRenderCommandEncoderWithDescriptor:", b"..........x"),
    row(Object::Compute, "destroyImpl", b"xxxxxxxxxxx"),
    row(Object::Compute, "initWithQueue:", b"xx........."),
    row(Object::Compute, "setComputePipelineState:", b"xxxxxxxxxxx"),
    row(Object::Compute, "dispatchThreads:threadsPerThreadgroup:", b"xxxxxxxxxxx"),
    row(Object::Compute, "dispatchThreadgroups:threadsPerThreadgroup:", b"xxxxxxxxxxx"),
    row(Object::Compute, "endEncoding", b"xxxxxxxxxxx"),
    row(Object::Compute, "setBuffer:offset:atIndex:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setBuffers:offsets:withRange:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setBytes:length:atIndex:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setTexture:atIndex:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setTextures:withRange:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setSamplerState:atIndex:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setSamplerStates:withRange:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setThreadgroupMemoryLength:atIndex:", b"xxxxxxxxxxx"),
    row(Object::Compute, "useResource:usage:", b"xxxxxxxxxxx"),
    row(Object::Compute, "useResources:count:usage:", b"xxxxxxxxxxx"),
    row(Object::Compute, "useHeap:", b"xxxxxxxxxxx"),
    row(Object::Compute, "useHeaps:count:", b"xxxxxxxxxxx"),
    row(Object::Compute, "memoryBarrierWithScope:", b"xxxxxxxxxxx"),
    row(Object::Compute, "memoryBarrierWithResources:count:", b"xxxxxxxxxxx"),
    row(Object::Compute, "executeCommandsInBuffer:withRange:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setStageInRegion:", b"xxxxxxxxxxx"),
    row(Object::Compute, "setImageblockWidth:height:", b"xxxxxxxxxxx"),
    row(Object::Compute, "deferredEndEncoding", b".xxxxxxxxxx"),
    row(Object::Compute, "setBufferOffset:atIndex:", b".xxxxxxxxxx"),
    row(Object::Compute, "setSamplerState:lodMinClamp:lodMaxClamp:atIndex:", b"..........x"),
    row(Object::Compute, "setSamplerStates:lodMinClamps:lodMaxClamps:withRange:", b"..........x"),
    row(Object::Compute, "setStageInRegionWithIndirectBuffer:indirectBufferOffset:", b"..........x"),
    row(Object::Compute, "dispatchThreadgroupsWithIndirectBuffer:indirectBufferOffset:threadsPerThreadgroup:", b".xxxxxxxxxx"),
    row(Object::Compute, "updateFence:", b".xxxxxxxxxx"),
    row(Object::Compute, "waitForFence:", b".xxxxxxxxxx"),
    row(Object::Compute, "executeCommandsInBuffer:indirectBuffer:indirectBufferOffset:", b"..........x"),
    row(Object::Compute, "setVisibleFunctionTable:atBufferIndex:", b"..........x"),
    row(Object::Compute, "setVisibleFunctionTables:withBufferRange:", b"..........x"),
    row(Object::Compute, "setIntersectionFunctionTable:atBufferIndex:", b"..........x"),
    row(Object::Compute, "setIntersectionFunctionTables:withBufferRange:", b"..........x"),
    row(Object::Compute, "setAccelerationStructure:atBufferIndex:", b"..........x"),
    row(Object::Compute, "dispatchWaitFlush", b".xxxxxxxxxx"),
    row(Object::Compute, "dispatchFlushInvalidate", b".xxxxxxxxxx"),
    row(Object::Compute, "dispatchFlushOnly", b".xxxxxxxxxx"),
    row(Object::Compute, "dispatchInvalidateOnly", b".xxxxxxxxxx"),
    row(Object::Compute, "dispatchFenceOnly", b".xxxxxxxxxx"),
    row(Object::Compute, "sampleCountersInBuffer:atSampleIndex:withBarrier:", b"..........x"),
    row(Object::Compute, "dispatchThreadsWithIndirectBuffer:indirectBufferOffset:threadsPerThreadgroup:", b"..........x"),
    row(Object::Compute, "memoryBarrierWithScope:afterStages:beforeStages:", b"..........x"),
    row(Object::Compute, "setBuffer:offset:attributeStride:atIndex:", b"..........x"),
    row(Object::Compute, "setBuffers:offsets:attributeStrides:withRange:", b"..........x"),
    row(Object::Compute, "setFunction:atIndex:", b"..........x"),
    row(Object::Compute, "useHeap:stages:", b"..........x"),
    row(Object::Compute, "useHeaps:count:stages:", b"..........x"),
    row(Object::Compute, "useResource:usage:stages:", b"..........x"),
    row(Object::Compute, "useResources:count:usage:stages:", b"..........x"),
    row(Object::Blit, "endEncoding", b"...xxxxxxxx"),
    row(Object::Blit, "fillBuffer:range:value:", b"...xxxxxxxx"),
    row(Object::Blit, "copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:", b"...xxxxxxxx"),
    row(Object::Blit, "synchronizeResource:", b"...xxxxxxxx"),
    row(Object::Blit, "deferredEndEncoding", b"...xxxxxxxx"),
    row(Object::Blit, "dealloc", b"...xxxxxxxx"),
    row(Object::Blit, "copyFromTexture:sourceSlice:sourceLevel:sourceOrigin:sourceSize:toBuffer:destinationOffset:destinationBytesPerRow:destinationBytesPerImage:", b"..........x"),
    row(Object::Blit, "copyFromBuffer:sourceOffset:sourceBytesPerRow:sourceBytesPerImage:sourceSize:toTexture:destinationSlice:destinationLevel:destinationOrigin:", b"..........x"),
    row(Object::Blit, "copyFromTexture:sourceSlice:sourceLevel:sourceOrigin:sourceSize:toTexture:destinationSlice:destinationLevel:destinationOrigin:", b"..........x"),
    row(Object::Blit, "generateMipmapsForTexture:", b"..........x"),
    row(Object::Blit, "synchronizeTexture:slice:level:", b"..........x"),
    row(Object::Blit, "optimizeContentsForGPUAccess:", b"..........x"),
    row(Object::Blit, "optimizeContentsForGPUAccess:slice:level:", b"..........x"),
    row(Object::Blit, "optimizeContentsForCPUAccess:", b"..........x"),
    row(Object::Blit, "optimizeContentsForCPUAccess:slice:level:", b"..........x"),
    row(Object::Blit, "resetCommandsInBuffer:withRange:", b"..........x"),
    row(Object::Blit, "copyIndirectCommandBuffer:sourceRange:destination:destinationIndex:", b"..........x"),
    row(Object::Blit, "optimizeIndirectCommandBuffer:withRange:", b"..........x"),
    row(Object::Blit, "resolveCounters:inRange:destinationBuffer:destinationOffset:", b"..........x"),
    row(Object::Blit, "sampleCountersInBuffer:atSampleIndex:withBarrier:", b"..........x"),
    row(Object::Blit, "updateFence:", b"..........x"),
    row(Object::Blit, "waitForFence:", b"..........x"),
    row(Object::Blit, "getTextureAccessCounters:region:mipLevel:slice:resetCounters:countersBuffer:countersBufferOffset:", b"..........x"),
    row(Object::Blit, "resetTextureAccessCounters:region:mipLevel:slice:", b"..........x"),
    row(Object::Render, "endEncoding", b"...xxxxxxxx"),
    row(Object::Render, "setRenderPipelineState:", b"...xxxxx..x"),
    row(Object::Render, "setVertexBuffer:offset:atIndex:", b"...xxxxx..x"),
    row(Object::Render, "setFragmentBuffer:offset:atIndex:", b"...xxxxx..x"),
    row(Object::Render, "setVertexBytes:length:atIndex:", b"...xxxxx..x"),
    row(Object::Render, "setFragmentBytes:length:atIndex:", b"...xxxxx..x"),
    row(Object::Render, "setVertexTexture:atIndex:", b"...xxxxx..x"),
    row(Object::Render, "setFragmentTexture:atIndex:", b"...xxxxx..x"),
    row(Object::Render, "drawPrimitives:vertexStart:vertexCount:", b"...xxxxx..x"),
    row(Object::Render, "drawPrimitives:vertexStart:vertexCount:instanceCount:", b"...xxxxx..x"),
    row(Object::Render, "drawIndexedPrimitives:indexCount:indexType:indexBuffer:indexBufferOffset:", b"...xxxxx..."),
    row(Object::Render, "deferredEndEncoding", b"...xxxxxxxx"),
    row(Object::Render, "dealloc", b"...xxxxxxxx"),
    row(Object::ParallelRender, "endEncoding", b"..........x"),
    row(Object::ParallelRender, "dealloc", b"..........x"),
    row(Object::ParallelRender, "renderCommandEncoder", b"..........x"),
    row(Object::ResourceState, "endEncoding", b"...xxxxxxxx"),
    row(Object::ResourceState, "updateTextureMappings:mode:regions:mipLevels:slices:numRegions:", b"...xxxxx..."),
    row(Object::ResourceState, "updateTextureMapping:mode:region:mipLevel:slice:", b"...xxxxx..."),
    row(Object::ResourceState, "updateFence:", b"...xxxxx..."),
    row(Object::ResourceState, "waitForFence:", b"...xxxxx..."),
    row(Object::ResourceState, "dealloc", b"...xxxxxxxx"),
    row(Object::AccelerationStructure, "endEncoding", b"...xxxxxxxx"),
    row(Object::AccelerationStructure, "buildAccelerationStructure:descriptor:scratchBuffer:scratchBufferOffset:", b"...xxxxx..."),
    row(Object::AccelerationStructure, "refitAccelerationStructure:descriptor:destination:scratchBuffer:scratchBufferOffset:", b"...xxxxx..."),
    row(Object::AccelerationStructure, "copyAccelerationStructure:toAccelerationStructure:", b"...xxxxx..."),
    row(Object::AccelerationStructure, "writeCompactedAccelerationStructureSize:toBuffer:offset:", b"...xxxxx..."),
    row(Object::AccelerationStructure, "updateFence:", b"...xxxxx..."),
    row(Object::AccelerationStructure, "waitForFence:", b"...xxxxx..."),
    row(Object::AccelerationStructure, "dealloc", b"...xxxxxxxx"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_hooks_as_many_selectors_as_its_author_says() {
        let counts = VERSIONS.map(|name| {
            let column = VERSIONS.iter().position(|it| *it == name).unwrap();
            of(column).count()
        });
        assert_eq!(counts, [23, 33, 35, 72, 72, 72, 79, 72, 61, 65, 119]);
    }

    #[test]
    fn no_row_stands_twice_and_none_is_empty() {
        for (index, row) in ROWS.iter().enumerate() {
            let same = |other: &&Row| other.object == row.object && other.selector == row.selector;
            assert_eq!(ROWS[index..].iter().filter(same).count(), 1, "{row:?}");
            assert!(row.columns.contains(&b'x'), "{row:?}");
        }
    }
}
