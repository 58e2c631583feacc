//! The driver's C interface, loaded late and locally.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Names the family of the classes of a driver that is loaded.
const FAMILY: &str = "AGX_REHEARSAL_FAMILY";
/// The family of a second driver.
const OTHER_FAMILY: &str = "AGXG14X";

/// An object of the driver. Its methods may be called from any thread.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Object(*mut c_void);

// SAFETY: a pointer that only the driver dereferences; what may be called from where is Metal's contract, which the callers
// keep, or break on purpose.
unsafe impl Send for Object {}
// SAFETY: as above.
unsafe impl Sync for Object {}

impl Object {
    /// Whether this is NULL.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }
}

/// A completion handler, or an observer.
pub type Handler = unsafe extern "C" fn(Object, *mut c_void);

macro_rules! interface {
    ($($field:ident: $symbol:literal, fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions of `include/agx_rehearsal.h`, by their names without the prefix.
        pub struct Driver {
            $(
                #[doc = concat!("`", $symbol, "`")]
                pub $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,
            )*
        }

        impl Driver {
            /// Looks every function up.
            ///
            /// # Safety
            /// `library` is a handle of the rehearsal driver, whose functions have these signatures.
            unsafe fn from_library(library: *mut c_void) -> Result<Self, String> {
                // SAFETY: the caller's promise; a function's address has a function pointer's size.
                unsafe {
                    Ok(Self {
                        $($field: std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(
                            symbol(library, $symbol)?
                        ),)*
                    })
                }
            }
        }
    };
}

interface! {
    set_seed: "agx_rehearsal_set_seed", fn(u64);
    set_fault: "agx_rehearsal_set_fault", fn(*const c_char) -> c_int;
    device_create: "agx_rehearsal_device_create", fn() -> Object;
    queue_create: "agx_rehearsal_queue_create", fn(Object) -> Object;
    pipeline_create: "agx_rehearsal_pipeline_create", fn(Object, u64) -> Object;
    buffer_create: "agx_rehearsal_buffer_create", fn(Object, usize) -> Object;
    event_create: "agx_rehearsal_event_create", fn(Object) -> Object;
    command_buffer: "agx_rehearsal_command_buffer", fn(Object) -> Object;
    mps_command_buffer: "agx_rehearsal_mps_command_buffer", fn(Object) -> Object;
    compute_encoder: "agx_rehearsal_compute_encoder", fn(Object) -> Object;
    blit_encoder: "agx_rehearsal_blit_encoder", fn(Object) -> Object;
    encode: "agx_rehearsal_encode", fn(Object, Object, Object, u32, u32);
    fill_buffer: "agx_rehearsal_fill_buffer", fn(Object, Object, usize, usize, u8);
    end_encoding: "agx_rehearsal_end_encoding", fn(Object);
    commit: "agx_rehearsal_commit", fn(Object);
    wait: "agx_rehearsal_wait", fn(Object);
    signal_event: "agx_rehearsal_signal_event", fn(Object, Object, u64);
    wait_event: "agx_rehearsal_wait_event", fn(Object, Object, u64);
    add_completed_handler: "agx_rehearsal_add_completed_handler", fn(Object, Handler, *mut c_void);
    add_scheduled_handler: "agx_rehearsal_add_scheduled_handler", fn(Object, Handler, *mut c_void);
    release: "agx_rehearsal_release", fn(Object);
    executed: "agx_rehearsal_executed", fn() -> u64;
    checksum: "agx_rehearsal_checksum", fn() -> u64;
    private_compute_encoder: "agx_rehearsal_private_compute_encoder", fn(Object) -> Object;
    encoder: "agx_rehearsal_encoder", fn(Object, c_int) -> Object;
    work: "agx_rehearsal_work", fn(Object, c_int, Object, Object, u32);
    render_encoder: "agx_rehearsal_render_encoder", fn(Object) -> Object;
    compute_encoder_with_dispatch_type: "agx_rehearsal_compute_encoder_with_dispatch_type", fn(Object, usize) -> Object;
    commit_and_continue: "agx_rehearsal_commit_and_continue", fn(Object);
    set_buffers: "agx_rehearsal_set_buffers", fn(Object, *const Object, *const usize, usize);
    observe: "agx_rehearsal_observe", fn(c_int, Option<Handler>, *mut c_void) -> c_int;
    update_fence: "agx_rehearsal_update_fence", fn(Object, Object);
    event_value: "agx_rehearsal_event_value", fn(Object) -> u64;
    live_encoders: "agx_rehearsal_live_encoders", fn() -> i64;
    gpu_faults: "agx_rehearsal_gpu_faults", fn() -> u64;
}

unsafe fn symbol(library: *mut c_void, name: &str) -> Result<*mut c_void, String> {
    let name_c = CString::new(name).map_err(|_| format!("symbol {name:?} holds a NUL"))?;
    // SAFETY: the handle is open and never closed.
    let address = unsafe { libc::dlsym(library, name_c.as_ptr()) };
    if address.is_null() {
        return Err(format!(
            "the driver has no {name}: it is not the one this workload was built with (build both again)"
        ));
    }
    Ok(address)
}

/// Where the driver is when no option says so: where `AGX_REHEARSAL_DRIVER` says, else beside this program.
pub fn default_path() -> PathBuf {
    if let Some(path) = std::env::var_os("AGX_REHEARSAL_DRIVER").filter(|path| !path.is_empty()) {
        return path.into();
    }
    let name = format!(
        "{}agx_rehearsal{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    match std::env::current_exe() {
        Ok(program) => program.with_file_name(name),
        Err(_) => name.into(),
    }
}

impl Driver {
    /// Loads the driver with `dlopen`.
    pub fn load(path: &Path) -> Result<Self, String> {
        if !path.exists() {
            return Err(format!(
                "no rehearsal driver at {} (build it: cargo build -p agx-rehearsal, or give --driver)",
                path.display()
            ));
        }
        let path_c = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| format!("{} holds a NUL", path.display()))?;
        // SAFETY: the driver's constructor registers classes and nothing else. The handle is never closed, because a
        // registered class cannot be taken back.
        unsafe {
            let library = libc::dlopen(path_c.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            if library.is_null() {
                let why = CStr::from_ptr(libc::dlerror()).to_string_lossy();
                return Err(format!("cannot load the rehearsal driver: {why}"));
            }
            Self::from_library(library)
        }
    }

    /// Loads a second copy of the driver, whose classes are of another family: to the process it is another driver.
    pub fn load_other_family(path: &Path) -> Result<Self, String> {
        // The same file would be the same library: a copy is another one. Once loaded, it needs no name.
        let copy = std::env::temp_dir().join(format!(
            "agx-rehearsal-{}{}",
            std::process::id(),
            std::env::consts::DLL_SUFFIX
        ));
        std::fs::copy(path, &copy)
            .map_err(|error| format!("cannot copy the driver to {}: {error}", copy.display()))?;
        // SAFETY: no other thread of this program reads or writes the environment.
        unsafe { std::env::set_var(FAMILY, OTHER_FAMILY) };
        let loaded = Self::load(&copy);
        // SAFETY: as above.
        unsafe { std::env::remove_var(FAMILY) };
        if let Err(error) = std::fs::remove_file(&copy) {
            eprintln!(
                "agx-rehearsal-workload: {} is left: {error}",
                copy.display()
            );
        }
        loaded
    }

    /// Selects fault and seed, and makes a device.
    pub fn device(&self, fault: &str, seed: u64) -> Result<Object, String> {
        let name = CString::new(fault).map_err(|_| format!("fault {fault:?} holds a NUL"))?;
        // SAFETY: a C string, and functions that take nothing of ours.
        unsafe {
            if (self.set_fault)(name.as_ptr()) != 0 {
                return Err(format!("the driver knows no fault {fault:?}"));
            }
            (self.set_seed)(seed);
            let device = (self.device_create)();
            if device.is_null() {
                return Err(
                    "the rehearsal driver has no device: its classes could not be registered"
                        .into(),
                );
            }
            Ok(device)
        }
    }
}
