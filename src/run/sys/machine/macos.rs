//! The machine, as sysctl(3) describes it.

use std::ffi::CStr;

/// A text of the kernel's; `None` where it has none of this name.
fn text(name: &CStr) -> Option<String> {
    let mut size = 0;
    // SAFETY: without a buffer the call only stores the size that it would need.
    let asked = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            std::ptr::null_mut(),
            &raw mut size,
            std::ptr::null_mut(),
            0,
        )
    };
    (asked == 0).then_some(())?;
    let mut bytes = vec![0_u8; size];
    // SAFETY: the buffer is writable and `size` long; the call stores in `size` how much it wrote, at most that.
    let read = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            bytes.as_mut_ptr().cast(),
            &raw mut size,
            std::ptr::null_mut(),
            0,
        )
    };
    (read == 0).then_some(())?;
    bytes.truncate(size);
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches('\0').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn host() -> Option<String> {
    text(c"kern.hostname")
}

pub(super) fn os() -> Option<String> {
    let version = text(c"kern.osproductversion")?;
    Some(match text(c"kern.osversion") {
        Some(build) => format!("macOS {version} ({build})"),
        None => format!("macOS {version}"),
    })
}

pub(super) fn model() -> Option<String> {
    text(c"hw.model")
}

pub(super) fn processor() -> Option<String> {
    text(c"machdep.cpu.brand_string")
}
