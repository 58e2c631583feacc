//! The platform that a Mach-O image was built for.

use std::fmt;

use object::macho;

/// A platform of `LC_BUILD_VERSION` (`mach-o/loader.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// macOS.
    MacOs,
    /// iOS's frameworks on macOS.
    MacCatalyst,
    /// Another platform, by its number.
    Other(u32),
}

impl Platform {
    pub(super) fn of(number: u32) -> Self {
        match number {
            macho::PLATFORM_MACOS => Platform::MacOs,
            macho::PLATFORM_MACCATALYST => Platform::MacCatalyst,
            other => Platform::Other(other),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Platform::MacOs => "macOS",
            Platform::MacCatalyst => "Mac Catalyst",
            Platform::Other(number) => match *number {
                macho::PLATFORM_IOS => "iOS",
                macho::PLATFORM_TVOS => "tvOS",
                macho::PLATFORM_WATCHOS => "watchOS",
                macho::PLATFORM_BRIDGEOS => "bridgeOS",
                macho::PLATFORM_IOSSIMULATOR => "the iOS simulator",
                macho::PLATFORM_TVOSSIMULATOR => "the tvOS simulator",
                macho::PLATFORM_WATCHOSSIMULATOR => "the watchOS simulator",
                macho::PLATFORM_DRIVERKIT => "DriverKit",
                macho::PLATFORM_XROS => "visionOS",
                macho::PLATFORM_XROSSIMULATOR => "the visionOS simulator",
                other => return write!(formatter, "platform {other}"),
            },
        })
    }
}
