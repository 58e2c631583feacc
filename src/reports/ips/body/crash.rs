//! What ended the process, and what was noted beside it.

use serde::de::MapAccess;

use super::state;
use crate::reports::ips::object::{Field, Fields};
use crate::reports::model::{
    Exception, ExternalModifications, GpuEvent, ImageMessages, TaskCalls, Termination,
};

impl Fields for Exception {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "type" => self.kind = field.text()?,
            "signal" => self.signal = field.text()?,
            "subtype" => self.subtype = field.text()?,
            "codes" => self.codes = field.text()?,
            "rawCodes" => self.raw_codes = state::numbers(&field.texts()?),
            "message" => self.message = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Termination {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "namespace" => self.namespace = field.text()?,
            "code" => self.code = field.number()?,
            "indicator" => self.indicator = field.text()?,
            "byProc" => self.by_process = field.text()?,
            "byPid" => self.by_pid = field.number()?,
            "reasons" | "details" => self.reasons.extend(field.texts()?),
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for GpuEvent {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "restart_reason_desc" => self.restart_reason = field.text()?,
            "signature" => self.signature = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// `asi`: an object whose keys are image names.
#[derive(Default)]
pub(super) struct Messages(pub(super) Vec<ImageMessages>);

impl Fields for Messages {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        let image = field.key.to_owned();
        let messages = field.texts()?;
        self.0.push(ImageMessages { image, messages });
        Ok(())
    }
}

impl Fields for ExternalModifications {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "targeted" => drop(field.object(&mut self.targeted)?),
            "caller" => drop(field.object(&mut self.caller)?),
            "system" => drop(field.object(&mut self.system)?),
            "warnings" => self.warnings = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for TaskCalls {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "task_for_pid" => self.task_for_pid = field.number()?,
            "thread_create" => self.thread_create = field.number()?,
            "thread_set_state" => self.thread_set_state = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}
