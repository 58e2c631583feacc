//! Watchdog time-outs: 409.
//!
//! Fields from the sample in `blacktop/ipsw:pkg/crashlog/ips_test.go` (`WindowServer`, macOS 26.5):
//! `termination` says which service did not answer, and is read with the common fields.

use serde::Serialize;

use super::Stackshot;

/// A service that did not answer the watchdog in time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Watchdog {
    /// `displayState`, such as `OFF`.
    pub display_state: Option<String>,
    /// `thermalPressureLevel`, such as `ThermalPressureLevelNominal (0)`.
    pub thermal_pressure: Option<String>,
    /// `reportNotes`.
    pub notes: Vec<String>,
    /// `stackshot`: what every thread did then.
    pub stackshot: Option<Box<Stackshot>>,
}
