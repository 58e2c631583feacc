//! Which machine this is.

use std::sync::OnceLock;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod platform;

/// The machine on which this runs, as it names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the network; `unknown` where it has none.
    pub host: String,
    /// Its system with the version, such as `macOS 15.1 (24B83)`.
    pub os: String,
    /// Its model and processor, such as `Mac15,9, Apple M3 Max`.
    pub hardware: Option<String>,
}

impl Machine {
    /// It; asked once, without starting a process.
    pub fn this() -> &'static Self {
        static THIS: OnceLock<Machine> = OnceLock::new();
        THIS.get_or_init(|| {
            let parts = [platform::model(), platform::processor()];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            Self {
                host: platform::host().unwrap_or_else(|| "unknown".to_owned()),
                os: platform::os().unwrap_or_else(|| std::env::consts::OS.to_owned()),
                hardware: (!parts.is_empty()).then(|| parts.join(", ")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_and_a_system() {
        let machine = Machine::this();
        assert!(!machine.host.is_empty() && machine.host != "unknown");
        assert!(
            machine.os.chars().any(|c| c.is_ascii_digit()),
            "{}",
            machine.os
        );
        let texts = [
            Some(&machine.host),
            Some(&machine.os),
            machine.hardware.as_ref(),
        ];
        for text in texts.into_iter().flatten() {
            assert_eq!(text.trim(), text);
        }
    }
}
