//! Times: the kernel's nanoseconds, and the text form of reports.

use std::time::Duration;

use chrono::{DateTime, Local, TimeZone, Utc};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_nanosleep};

/// Local time of `ns` nanoseconds since the epoch.
pub fn local_time(ns: u64) -> DateTime<Local> {
    Utc.timestamp_nanos(i64::try_from(ns).unwrap_or(i64::MAX))
        .with_timezone(&Local)
}

/// `2025-01-02 12:34:56.1234 +0100`, as in `captureTime` and `procLaunch`.
pub fn precise(time: &DateTime<Local>) -> String {
    let fraction = time.timestamp_subsec_micros() / 100;
    format!(
        "{}.{fraction:04} {}",
        time.format("%Y-%m-%d %H:%M:%S"),
        time.format("%z")
    )
}

/// `2025-01-02 12:34:56.00 +0100`, as in the header's `timestamp`, which has a resolution of a second.
pub fn coarse(time: &DateTime<Local>) -> String {
    time.format("%Y-%m-%d %H:%M:%S.00 %z").to_string()
}

/// Returns `delay` after the moment `boot_ns` (nanoseconds since boot), at once if that has passed. This is the report's
/// lateness itself, which is being modelled; nothing is waited for.
pub fn wait_until(boot_ns: u64, delay: Duration) {
    let due = TimeSpec::from(Duration::from_nanos(boot_ns) + delay);
    let absolute = nix::time::ClockNanosleepFlags::TIMER_ABSTIME;
    while clock_nanosleep(ClockId::CLOCK_BOOTTIME, absolute, &due)
        .is_err_and(|e| e == nix::Error::EINTR)
    {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fraction_has_four_digits() {
        let time = local_time(1_735_817_696_012_345_678);
        let text = precise(&time);
        let (_, fraction) = text.split_once('.').expect("a fraction");
        assert!(fraction.starts_with("0123 "), "{text}");
    }

    fn since_boot() -> u64 {
        let now = nix::time::clock_gettime(ClockId::CLOCK_BOOTTIME).expect("a clock");
        u64::try_from(Duration::from(now).as_nanos()).expect("less than 500 years")
    }

    #[test]
    fn waits_until_the_time_is_due() {
        let start = since_boot();
        wait_until(start, Duration::from_millis(2));
        assert!(since_boot() >= start + 2_000_000);
        wait_until(0, Duration::ZERO);
    }
}
