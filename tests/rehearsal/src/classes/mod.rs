//! The driver's classes, a file a family. [`register_all`] lists them superclass first; a new class is one more line there.
//!
//! Names, superclasses, selectors and type encodings are those of published class dumps. The methods here are what the model needs;
//! the others of the dump have recorders (`crate::recording`).

pub mod acceleration;
pub mod blit;
pub mod coalescing;
pub mod command;
pub mod command_buffer;
pub mod completion;
pub mod compute;
pub mod debug;
pub mod device;
pub mod encoder;
pub mod events;
pub mod factories;
pub mod mps;
pub mod parallel_render;
pub mod queue;
pub mod render;
pub mod resource_state;
pub mod resources;
pub mod sampled;
pub mod tools;

use crate::runtime::class::RegisterError;
use crate::{recording, runtime};

/// `MTLSize`: width, height, depth. Anonymous in the runtime's encodings: `{?=QQQ}`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Size {
    /// Width, in threads or threadgroups.
    pub width: usize,
    /// Height.
    pub height: usize,
    /// Depth.
    pub depth: usize,
}

impl Size {
    /// Number of elements.
    pub fn volume(self) -> u64 {
        (self.width * self.height * self.depth) as u64
    }
}

/// `NSRange`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Range {
    /// First element.
    pub location: usize,
    /// Number of elements.
    pub length: usize,
}

/// Registers every class of the driver: the modelled ones, and what the class dump has besides.
pub fn register_all() -> Result<(), RegisterError> {
    let specs = runtime::first_classes().into_iter();
    let specs = specs.chain([
        resources::object_with_label(),
        device::metal(),
        device::iogpu(),
        device::agx(),
        queue::metal(),
        queue::iogpu(),
        queue::agx(),
        command_buffer::metal(),
        command_buffer::iogpu(),
        coalescing::agx_command_buffer(),
        encoder::metal(),
        encoder::iogpu(),
        encoder::iogpu_compute(),
        compute::agx(),
        encoder::iogpu_blit(),
        blit::agx(),
        resources::pipeline_base(),
        resources::pipeline(),
        resources::buffer_base(),
        resources::buffer(),
        resources::shared_event(),
        resources::error(),
        mps::command_buffer(),
        tools::object(),
        tools::encoder(),
        tools::compute(),
        tools::command_buffer(),
    ]);
    let specs = specs.chain([
        render::iogpu(),
        render::agx(),
        resource_state::iogpu(),
        resource_state::agx(),
        sampled::compute(),
        sampled::render(),
        parallel_render::metal(),
        parallel_render::iogpu(),
        parallel_render::agx(),
        acceleration::metal(),
        debug::metal(),
        debug::iogpu(),
        debug::agx(),
    ]);
    recording::classes::register_all(specs)
}
