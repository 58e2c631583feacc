//! Threads, frames and images.

use serde::de::MapAccess;

use super::{FRAME_LIMIT, state};
use crate::reports::ips::object::{Field, Fields};
use crate::reports::model::{Frame, Image, Thread};

impl Fields for Thread {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "id" => self.id = field.number()?,
            "name" => self.name = field.text()?,
            "queue" => self.queue = field.text()?,
            "triggered" => self.triggered = field.flag()?,
            // The registers of the other threads are the greater part of a report; `triggered` is
            // written before them.
            "threadState" if self.triggered => {
                field.optional(&mut self.state)?;
                self.fault_description = self
                    .state
                    .as_ref()
                    .and_then(|state| state.register("esr")?.description.clone());
            }
            "instructionState" if self.triggered => {
                field.object(&mut state::Instructions(&mut self.instructions))?;
            }
            "frames" => field.list(&mut self.frames, FRAME_LIMIT)?,
            _ => field.skip()?,
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
