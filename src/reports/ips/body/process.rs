//! Facts of the process and of the system.

use serde::de::MapAccess;

use crate::reports::ips::object::{Field, Fields};
use crate::reports::model::{Bundle, Process, System};

impl Fields for Process {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "procName" | "process_name" => self.name = field.text()?,
            "pid" => self.pid = field.number()?,
            "procPath" => self.path = field.text()?,
            "parentProc" => self.parent_name = field.text()?,
            "parentPid" => self.parent_pid = field.number()?,
            "responsibleProc" => self.responsible_name = field.text()?,
            "responsiblePid" => self.responsible_pid = field.number()?,
            "procLaunch" => self.launched = field.date()?,
            "captureTime" => self.captured = field.date()?,
            "bundleInfo" => drop(field.object(&mut self.bundle)?),
            "procRole" => self.role = field.text()?,
            "coalitionName" => self.coalition_name = field.text()?,
            "coalitionID" => self.coalition_id = field.number()?,
            "userID" => self.user_id = field.number()?,
            "translated" => self.translated = field.flag()?,
            "isCorpse" => self.is_corpse = field.flag()?,
            "isNonFatal" => self.is_non_fatal = field.flag()?,
            "cpuType" => self.cpu_type = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Bundle {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "CFBundleIdentifier" => self.identifier = field.text()?,
            "CFBundleShortVersionString" => self.short_version = field.text()?,
            "CFBundleVersion" => self.version = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// Whether a key of the body belongs to [`System`]; the process's stand beside them.
pub(super) fn is_of_system(key: &str) -> bool {
    matches!(
        key,
        "osVersion"
            | "bridgeVersion"
            | "modelCode"
            | "basebandVersion"
            | "crashReporterKey"
            | "bootSessionUUID"
            | "sleepWakeUUID"
            | "uptime"
            | "wakeTime"
            | "sip"
    )
}

impl Fields for System {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "osVersion" => drop(field.object(&mut Release(self))?),
            "bridgeVersion" => drop(field.object(&mut Bridge(self))?),
            "modelCode" => self.model = field.text()?,
            "basebandVersion" => self.baseband = field.text()?,
            "crashReporterKey" => self.reporter_key = field.text()?,
            "bootSessionUUID" => self.boot_session = field.text()?,
            "sleepWakeUUID" => self.sleep_wake = field.text()?,
            "uptime" => self.uptime = field.number()?,
            "wakeTime" => self.since_wake = field.number()?,
            "sip" => self.integrity_protection = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// `osVersion`.
struct Release<'a>(&'a mut System);

impl Fields for Release<'_> {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "train" => self.0.release = field.text()?,
            "build" => self.0.build = field.text()?,
            "releaseType" => self.0.release_type = field.text()?,
            "isEmbedded" => self.0.is_embedded = field.flag()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// `bridgeVersion`.
struct Bridge<'a>(&'a mut System);

impl Fields for Bridge<'_> {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "train" => self.0.bridge_release = field.text()?,
            "build" => self.0.bridge_build = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}
