//! Encoders of every kind, one after the other in one command buffer, each with a little work.

use crate::application::{Done, PIPELINE_TAG};
use crate::driver::{Driver, Object};

/// What a kind's work adds, by `agx_rehearsal.h`.
struct Kind {
    /// Its number there.
    number: i32,
    commands: u64,
    /// Of the checksum: multiples of 64 times the pipeline's tag, of the work's number, and the rest.
    tags: u64,
    numbers: u64,
    rest: u64,
}

const fn kind(number: i32, commands: u64, tags: u64, numbers: u64, rest: u64) -> Kind {
    Kind {
        number,
        commands,
        tags,
        numbers,
        rest,
    }
}

/// In an order in which no two of the same class follow each other, so that nothing is coalesced.
const KINDS: [Kind; 9] = [
    kind(2, 4, 3, 10, 0x4_001c),
    kind(6, 1, 1, 2, 0),
    kind(3, 8, 6, 20, 2 * 0x4_001c),
    kind(4, 3, 0, 2, 0x9_0099),
    kind(5, 2, 0, 1, 0x1_02c1),
    kind(1, 2, 0, 2, 203),
    kind(7, 4, 3, 10, 0x4_001c),
    kind(8, 1, 0, 0, 0x5_000f),
    kind(0, 1, 1, 2, 0),
];

/// Encodes the work with this number.
///
/// # Safety
/// The objects are alive, and no encoder of the command buffer is open.
pub unsafe fn encode(
    driver: &Driver,
    command_buffer: Object,
    pipeline: Object,
    buffer: Object,
    number: u32,
) {
    for kind in &KINDS {
        // SAFETY: the caller's promise; each encoder is ended before the next is made.
        unsafe {
            let encoder = (driver.encoder)(command_buffer, kind.number);
            (driver.work)(encoder, kind.number, pipeline, buffer, number);
            (driver.end_encoding)(encoder);
        }
    }
}

/// What [`encode`] asks for.
pub fn asked(number: u32) -> Done {
    let mut done = Done::default();
    for kind in &KINDS {
        done.asked += kind.commands;
        done.asked_checksum = done
            .asked_checksum
            .wrapping_add(kind.tags * 64 * PIPELINE_TAG)
            .wrapping_add(kind.numbers * u64::from(number))
            .wrapping_add(kind.rest);
    }
    done
}
