//! Every method of every dumped class stands as dumped, and passes every argument and its result through.

mod workload;

use std::collections::HashSet;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::OnceLock;

#[allow(dead_code, reason = "the driver uses the rest")]
#[path = "../src/recording/table.rs"]
mod table;

/// `struct agx_rehearsal_record`.
#[repr(C)]
struct Record {
    calls: u32,
    others: u32,
    argument_words: u32,
    result_words: u32,
    sent: [u64; 64],
    received: [u64; 64],
    returned: [u64; 16],
    result: [u64; 16],
}

/// The driver, loaded once, with recorders everywhere.
struct Driver(usize);

fn driver() -> &'static Driver {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let path = CString::new(workload::driver().as_os_str().as_bytes()).expect("a path");
        // SAFETY: inside the lock of the first use, and nothing else of this program reads the environment; the driver's
        // constructor registers classes and nothing else.
        let library = unsafe {
            std::env::set_var("AGX_REHEARSAL_RECORD", "1");
            libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL)
        };
        assert!(!library.is_null(), "{path:?} cannot be loaded");
        Driver(library.expose_provenance())
    })
}

impl Driver {
    /// # Safety
    /// `F` is the type of the function with this name.
    unsafe fn function<F: Copy>(&self, name: &CStr) -> F {
        // SAFETY: the handle is open; a function pointer has an address's size.
        unsafe {
            let library = std::ptr::with_exposed_provenance_mut(self.0);
            let address = libc::dlsym(library, name.as_ptr());
            assert!(!address.is_null(), "{name:?} is missing");
            std::mem::transmute_copy(&address)
        }
    }

    fn recorded(&self) -> Vec<[&'static CStr; 3]> {
        type Method = unsafe extern "C" fn(
            usize,
            *mut *const c_char,
            *mut *const c_char,
            *mut *const c_char,
        ) -> c_int;
        // SAFETY: the signatures are those of the header; the strings live as long as the driver.
        unsafe {
            let count: extern "C" fn() -> usize = self.function(c"agx_rehearsal_recorded_methods");
            let method: Method = self.function(c"agx_rehearsal_recorded_method");
            let name = |index| {
                let mut names = [std::ptr::null(); 3];
                let [class, selector, encoding] = &mut names;
                assert_eq!(method(index, class, selector, encoding), 0);
                names.map(|it| CStr::from_ptr(it))
            };
            (0..count()).map(name).collect()
        }
    }

    fn send(&self, class: &CStr, selector: &CStr, seed: u64) -> Result<Record, c_int> {
        type Send = unsafe extern "C" fn(*const c_char, *const c_char, u64, *mut Record) -> c_int;
        let mut record = std::mem::MaybeUninit::uninit();
        // SAFETY: the signature is the header's; the record is written where 0 is returned.
        unsafe {
            let send: Send = self.function(c"agx_rehearsal_send");
            match send(class.as_ptr(), selector.as_ptr(), seed, record.as_mut_ptr()) {
                0 => Ok(record.assume_init()),
                error => Err(error),
            }
        }
    }
}

#[test]
fn every_method_gets_what_is_sent_and_its_result_comes_back() {
    let driver = driver();
    let mut results = HashSet::new();
    for [class, selector, encoding] in driver.recorded() {
        for seed in 1..=3 {
            let record = driver
                .send(class, selector, seed)
                .unwrap_or_else(|error| panic!("{class:?} {selector:?} {encoding:?}: {error}"));
            let told = format!("{class:?} {selector:?} {encoding:?} seed {seed}");
            assert_eq!((record.calls, record.others), (1, 0), "{told}");
            assert!((2..64).contains(&record.argument_words), "{told}");
            assert!(record.result_words < 16, "{told}");
            assert_eq!(record.sent, record.received, "{told}");
            assert_eq!(record.returned, record.result, "{told}");
            if record.result_words > 0 && encoding.to_bytes()[0] == b'Q' {
                assert!(
                    results.insert(record.result[0]),
                    "{told}: the result of another"
                );
            }
        }
    }
    assert!(results.len() > 50, "{}", results.len());
}

#[test]
fn what_has_no_recorder_is_refused() {
    for (class, selector) in [
        (c"NSObject", c"retain"),
        (c"AGXG16XFamilyComputeContext", c"dealloc"),
        (c"AGXG16XFamilyComputeContext", c"noSuchMethod"),
        (c"NoSuchClass", c"endEncoding"),
    ] {
        assert_eq!(
            driver().send(class, selector, 1).err(),
            Some(-1),
            "{class:?} {selector:?}"
        );
    }
}

#[test]
fn every_dumped_class_stands_with_its_superclass_and_its_methods() {
    type Pointer = *const c_void;
    let driver = driver();
    // SAFETY: the runtime's own signatures; what is looked up is registered.
    unsafe {
        let class: unsafe extern "C" fn(*const c_char) -> Pointer =
            driver.function(c"objc_lookUpClass");
        let superclass: unsafe extern "C" fn(Pointer) -> Pointer =
            driver.function(c"class_getSuperclass");
        let name: unsafe extern "C" fn(Pointer) -> *const c_char =
            driver.function(c"class_getName");
        let list: unsafe extern "C" fn(Pointer, *mut u32) -> *mut Pointer =
            driver.function(c"class_copyMethodList");
        let selector: unsafe extern "C" fn(Pointer) -> Pointer = driver.function(c"method_getName");
        let selector_name: unsafe extern "C" fn(Pointer) -> *const c_char =
            driver.function(c"sel_getName");
        let encoding: unsafe extern "C" fn(Pointer) -> *const c_char =
            driver.function(c"method_getTypeEncoding");
        let dump = table::read(table::TEXT).expect("the table");
        assert!(dump.len() > 30, "{}", dump.len());
        for dumped in dump {
            let this = class(dumped.name.as_ptr());
            assert!(!this.is_null(), "{:?}", dumped.name);
            let mut above = superclass(this);
            // On Apple's runtime a root of the driver's own stands below `NSObject`.
            if CStr::from_ptr(name(above)) == c"AGXRehearsalObject" {
                above = superclass(above);
            }
            assert_eq!(CStr::from_ptr(name(above)), dumped.superclass);
            let mut count = 0;
            let methods = list(this, &raw mut count);
            let own: HashSet<_> = (0..count as usize)
                .map(|index| {
                    let method = *methods.add(index);
                    (
                        CStr::from_ptr(selector_name(selector(method))),
                        CStr::from_ptr(encoding(method)),
                    )
                })
                .collect();
            for method in dumped.methods {
                // The root's own `init` and `dealloc` do for a class that the model does not know.
                let inherited = [c"init", c"dealloc", c"initialize"].contains(&method.0);
                assert!(
                    inherited || own.contains(&method),
                    "{:?} {method:?}",
                    dumped.name
                );
            }
            libc::free(methods.cast());
        }
    }
}

#[test]
fn a_damaged_table_is_refused_with_its_line() {
    for (text, part) in [
        ("\tinit\t@@:\n", "line 1"),
        ("A\tNSObject\tx\n\tinit\n", "line 2: fewer"),
        ("A\tNSObject\tx\n\tinit\t@@:\tmore\n", "line 2: more"),
        ("A\tNSObject\tx\n\ta b\t@@:\n", "line 2"),
        ("A\tNSObject\tx\n\tinit\t@\n", "line 2"),
        ("A\0\tNSObject\tx\n", "line 1: a NUL"),
        ("\t\t\n", "line 1"),
    ] {
        let error = table::read(text).expect_err(text);
        assert!(error.contains(part), "{text:?}: {error}");
    }
}
