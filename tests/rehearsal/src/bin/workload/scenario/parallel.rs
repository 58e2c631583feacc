//! Parts of one render pass, each encoded by a thread of its own: what parallel render encoders are for.

use super::things::Things;
use crate::application::Done;
use crate::arguments::Arguments;
use crate::driver::Driver;
use crate::mix::{PARALLEL_RENDER, RENDER, asked_of_render};
use std::thread;

/// Works of each thread, one after the other in its encoder.
const WORKS: u32 = 10;

/// `passes` render passes in turn, each with an encoder for every thread.
pub fn render_in_parallel(
    driver: &Driver,
    arguments: &Arguments,
    fault: &str,
    passes: u64,
) -> Result<Done, String> {
    let things = Things::make(driver, arguments, fault)?;
    let mut done = Done::default();
    for _ in 0..passes {
        // SAFETY: every object is alive until the end of this block, and each part is one thread's.
        unsafe {
            let command_buffer = (driver.command_buffer)(things.queue);
            let pass = (driver.encoder)(command_buffer, PARALLEL_RENDER);
            let parts: Vec<_> = (0..arguments.threads)
                .map(|_| (driver.parallel_part)(pass))
                .collect();
            thread::scope(|scope| {
                for part in parts {
                    let (pipeline, buffer) = (things.pipeline, things.buffer);
                    scope.spawn(move || {
                        for number in 0..WORKS {
                            (driver.work)(part, RENDER, pipeline, buffer, number);
                        }
                        (driver.end_encoding)(part);
                    });
                }
            });
            (driver.end_encoding)(pass);
            (driver.commit)(command_buffer);
            (driver.wait)(command_buffer);
            (driver.release)(command_buffer);
        }
        for _ in 0..arguments.threads {
            for number in 0..WORKS {
                done.add(&asked_of_render(number));
            }
        }
    }
    Ok(things.finish(driver, done))
}
