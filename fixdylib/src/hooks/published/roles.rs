//! What a published version does around a method, by the object and the selector of its row.

use std::sync::atomic::{AtomicU8, Ordering};

use agx_policy::published::Object;

use crate::hooks::forward;
use crate::hooks::tally::Part;

/// What happens around a hooked method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Encoder: work.
    Work,
    /// Encoder: ends it.
    End,
    /// Encoder: gives `_impl` back.
    Destroy,
    /// Encoder: dies.
    Dealloc,
    /// Encoder under construction.
    Init,
    /// The driver's command buffer: hands out an encoder.
    Factory,
    /// `MPSCommandBuffer`: hands out an encoder.
    MpsFactory,
    /// The driver's command buffer: hands out a parallel render encoder.
    ParallelFactory,
    /// Parallel render encoder: hands out one of its own.
    SubFactory,
    /// The driver's command buffer: commits.
    Commit,
    /// `MPSCommandBuffer`: commits. The driver's commit comes from inside it.
    MpsCommit,
    /// Command buffer: signals an event.
    Signal,
    /// Command buffer: waits for an event.
    Wait,
}

const ROLES: [Role; 13] = [
    Role::Work,
    Role::End,
    Role::Destroy,
    Role::Dealloc,
    Role::Init,
    Role::Factory,
    Role::MpsFactory,
    Role::ParallelFactory,
    Role::SubFactory,
    Role::Commit,
    Role::MpsCommit,
    Role::Signal,
    Role::Wait,
];

const _: () = {
    let mut at = 0;
    while at < ROLES.len() {
        assert!(ROLES[at] as usize == at, "the list follows the enum");
        at += 1;
    }
};

/// The role of each slot, by its number.
static OF_SLOT: [AtomicU8; forward::SLOTS] = [const { AtomicU8::new(0) }; forward::SLOTS];

/// Notes the role of a slot, before its hook is installed.
pub fn set(slot: usize, role: Role) {
    OF_SLOT[slot].store(role as u8, Ordering::Relaxed);
}

/// The role of a slot.
pub fn get(slot: usize) -> Role {
    ROLES[usize::from(OF_SLOT[slot].load(Ordering::Relaxed)) % ROLES.len()]
}

/// What the calls of a slot are to the encoder that they concern.
pub fn part(slot: usize) -> Part {
    match get(slot) {
        Role::Work => Part::Uses,
        Role::End | Role::Destroy | Role::Dealloc => Part::Ends,
        Role::Init => Part::Constructs,
        Role::Factory | Role::MpsFactory | Role::ParallelFactory => Part::Makes,
        Role::SubFactory => Part::UsesAndMakes,
        Role::Commit | Role::MpsCommit | Role::Signal | Role::Wait => Part::None,
    }
}

/// The role of a row of the published lists.
pub fn of(object: Object, selector: &str) -> Role {
    let makes_encoders = selector.contains("ommandEncoder");
    match object {
        Object::Buffer | Object::MpsBuffer => {
            let mps = object == Object::MpsBuffer;
            match selector {
                "encodeSignalEvent:value:" => Role::Signal,
                "encodeWaitForEvent:value:" => Role::Wait,
                "commit" if mps => Role::MpsCommit,
                "commit" => Role::Commit,
                _ if mps => Role::MpsFactory,
                _ if selector.starts_with("parallel") => Role::ParallelFactory,
                _ => Role::Factory,
            }
        }
        Object::ParallelRender if makes_encoders => Role::SubFactory,
        _ => match selector {
            "endEncoding" | "deferredEndEncoding" => Role::End,
            "destroyImpl" => Role::Destroy,
            "dealloc" => Role::Dealloc,
            "initWithQueue:" => Role::Init,
            _ => Role::Work,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agx_policy::published::ROWS;

    #[test]
    fn every_row_of_a_command_buffer_has_a_role_of_command_buffers_and_no_other_row_has() {
        for row in ROWS {
            let buffer = matches!(row.object, Object::Buffer | Object::MpsBuffer);
            let role = of(row.object, row.selector);
            let of_buffers = matches!(
                role,
                Role::Factory
                    | Role::MpsFactory
                    | Role::ParallelFactory
                    | Role::Commit
                    | Role::MpsCommit
                    | Role::Signal
                    | Role::Wait
            );
            assert_eq!(of_buffers, buffer, "{row:?}: {role:?}");
        }
    }

    #[test]
    fn roles_of_each_kind() {
        for (object, selector, role) in [
            (Object::Buffer, "blitCommandEncoder", Role::Factory),
            (
                Object::Buffer,
                "parallelRenderCommandEncoderWithDescriptor:",
                Role::ParallelFactory,
            ),
            (Object::MpsBuffer, "commit", Role::MpsCommit),
            (
                Object::ParallelRender,
                "renderCommandEncoder",
                Role::SubFactory,
            ),
            (Object::ParallelRender, "endEncoding", Role::End),
            (Object::Compute, "deferredEndEncoding", Role::End),
            (Object::Compute, "initWithQueue:", Role::Init),
            (Object::Blit, "dealloc", Role::Dealloc),
            (Object::Render, "setRenderPipelineState:", Role::Work),
        ] {
            assert_eq!(of(object, selector), role, "{selector}");
        }
    }
}
