//! A device with one of everything.

use crate::application::{Done, PIPELINE_TAG};
use crate::arguments::Arguments;
use crate::driver::{Driver, Object};

/// Made once, used by all threads.
pub struct Things {
    /// The device.
    pub device: Object,
    /// The queue.
    pub queue: Object,
    /// The event.
    pub event: Object,
    /// The pipeline.
    pub pipeline: Object,
    /// The buffer.
    pub buffer: Object,
}

impl Things {
    /// Makes a device with this fault, and the rest on it.
    pub fn make(driver: &Driver, arguments: &Arguments, fault: &str) -> Result<Self, String> {
        let device = driver.device(fault, arguments.seed)?;
        // SAFETY: the device is alive.
        unsafe {
            Ok(Self {
                device,
                queue: (driver.queue_create)(device),
                event: (driver.event_create)(device),
                pipeline: (driver.pipeline_create)(device, PIPELINE_TAG),
                buffer: (driver.buffer_create)(device, 4096),
            })
        }
    }

    /// Releases everything, and says what was executed.
    pub fn finish(self, driver: &Driver, mut done: Done) -> Done {
        done.read_executed(driver);
        // SAFETY: nothing uses these any more.
        unsafe {
            for object in [
                self.queue,
                self.event,
                self.pipeline,
                self.buffer,
                self.device,
            ] {
                (driver.release)(object);
            }
            done.live_encoders = (driver.live_encoders)();
        }
        done
    }
}
