//! Threads, frames and images.

use serde::de::MapAccess;
use serde_json::value::RawValue;

use super::FRAME_LIMIT;
use crate::reports::ips::object::{self, Field, Fields};
use crate::reports::model::{Frame, Image, Thread};
use crate::reports::problem::Problem;

/// A thread, and what of it could not be told to be wanted yet.
#[derive(Default)]
pub(super) struct Entry {
    thread: Thread,
    /// `threadState` and `instructionState` where they stand before `triggered`, as in reports
    /// with register names. They are the greater part of a report: read of one thread only.
    unread: Vec<(&'static str, Box<RawValue>)>,
}

impl Entry {
    /// The thread; its registers and code too, where it is the one that crashed.
    pub(super) fn into_thread(mut self, crashed: bool, problems: &mut Vec<Problem>) -> Thread {
        if crashed || self.thread.triggered {
            for (key, value) in std::mem::take(&mut self.unread) {
                let mut into = State {
                    key,
                    thread: &mut self.thread,
                };
                // The value was read as JSON once, and so is read to its end.
                drop(object::parse(value.get(), &mut into, problems));
            }
        }
        self.thread
    }

    /// Reads a thread's state now, or keeps it until it is known whether it is wanted.
    fn state<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        field: Field<'_, A>,
    ) -> Result<(), A::Error> {
        if self.thread.triggered {
            let mut into = State {
                key,
                thread: &mut self.thread,
            };
            field.object(&mut into)?;
        } else {
            self.unread.push((key, field.map.next_value()?));
        }
        Ok(())
    }
}

impl Fields for Entry {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        let thread = &mut self.thread;
        match field.key {
            "id" => thread.id = field.number()?,
            "name" => thread.name = field.text()?,
            "queue" => thread.queue = field.text()?,
            "triggered" => thread.triggered = field.flag()?,
            "threadState" => self.state("threadState", field)?,
            "instructionState" => self.state("instructionState", field)?,
            "frames" => field.list(&mut thread.frames, FRAME_LIMIT)?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// `threadState` or `instructionState`, read into its thread.
struct State<'a> {
    key: &'static str,
    thread: &'a mut Thread,
}

impl Fields for State<'_> {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        if self.key == "instructionState" {
            return match field.key {
                "instructionStream" => field.optional(&mut self.thread.instructions),
                _ => field.skip(),
            };
        }
        let state = self.thread.state.get_or_insert_default();
        let is_syndrome = field.key == "esr";
        state.take(field)?;
        if is_syndrome {
            let description = state
                .register("esr")
                .and_then(|esr| esr.description.clone());
            self.thread.fault_description = description;
        }
        Ok(())
    }
}

impl Fields for Frame {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "symbol" => self.symbol = field.text()?,
            "symbolLocation" => self.symbol_location = field.number()?,
            "imageIndex" => self.image_index = field.number()?,
            "imageOffset" => self.image_offset = field.number()?,
            "sourceFile" => self.source_file = field.text()?,
            "sourceLine" => self.source_line = field.number()?,
            "inline" => self.inline = field.flag()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Image {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "name" => self.name = field.text()?,
            "path" => self.path = field.text()?,
            "CFBundleIdentifier" => self.identifier = field.text()?,
            "CFBundleShortVersionString" => self.short_version = field.text()?,
            "CFBundleVersion" => self.version = field.text()?,
            "uuid" => self.uuid = field.text()?,
            "base" => self.base = field.number()?,
            "size" => self.size = field.number()?,
            "arch" => self.arch = field.text()?,
            "source" => self.source = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}
