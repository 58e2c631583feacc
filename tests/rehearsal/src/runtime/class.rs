//! Classes as data: a specification a class, registered superclass first.

use super::family;
use super::{
    Class, Id, Imp, ROOT, Sel, class_addIvar, class_addMethod, class_getInstanceVariable,
    ivar_getOffset, metaclass, objc_allocateClassPair, objc_lookUpClass, objc_registerClassPair,
    sel_registerName,
};
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicIsize, AtomicPtr, Ordering};

/// A registered class of this driver, known to the code that allocates its instances and calls its superclass.
pub struct ClassRef(AtomicPtr<std::ffi::c_void>);

impl ClassRef {
    /// A class not registered yet.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The class; Nil before registration.
    pub fn get(&self) -> Class {
        self.0.load(Ordering::Acquire)
    }
}

/// Alignment of a word, as `class_addIvar` wants it: the power of two.
const WORD_LOG2_ALIGN: u8 = align_of::<usize>().trailing_zeros().to_le_bytes()[0];

/// An instance variable: its place in an object is known once its class stands.
pub struct Ivar {
    name: &'static CStr,
    types: &'static CStr,
    size: usize,
    log2_align: u8,
    offset: AtomicIsize,
}

impl Ivar {
    /// A variable that holds one machine word (`^v`, `@`, `Q`).
    pub const fn word(name: &'static CStr, types: &'static CStr) -> Self {
        Self {
            name,
            types,
            size: size_of::<usize>(),
            log2_align: WORD_LOG2_ALIGN,
            offset: AtomicIsize::new(0),
        }
    }

    /// Where the variable lies in `object`.
    ///
    /// # Safety
    /// `object` is an instance of the registered class that declares this variable, and `T` is a word.
    pub unsafe fn at<T>(&self, object: Id) -> *mut T {
        const { assert!(size_of::<T>() == size_of::<usize>()) };
        // SAFETY: the offset is the runtime's own for this variable, inside the object.
        unsafe {
            object
                .byte_offset(self.offset.load(Ordering::Relaxed))
                .cast()
        }
    }

    /// The variable's value, read once and never from a register of an earlier read.
    ///
    /// # Safety
    /// As for [`Ivar::at`]; `T` is valid for whatever the variable holds.
    pub unsafe fn load<T: Copy>(&self, object: Id) -> T {
        // SAFETY: the caller's promise. Volatile, because other threads may store here: that is the fault under rehearsal.
        unsafe { self.at::<T>(object).read_volatile() }
    }

    /// Stores a value.
    ///
    /// # Safety
    /// As for [`Ivar::at`].
    pub unsafe fn store<T: Copy>(&self, object: Id, value: T) {
        // SAFETY: the caller's promise; volatile as in `load`.
        unsafe { self.at::<T>(object).write_volatile(value) }
    }

    /// Takes a pointer out and leaves NULL.
    ///
    /// # Safety
    /// As for [`Ivar::at`]; the variable holds a pointer.
    pub unsafe fn take(&self, object: Id) -> *mut std::ffi::c_void {
        // SAFETY: the caller's promise.
        unsafe {
            let value = self.load(object);
            self.store(object, ptr::null_mut::<std::ffi::c_void>());
            value
        }
    }
}

/// One method: selector, type encoding, implementation.
pub struct Method {
    /// Its selector.
    pub selector: &'static CStr,
    /// Its type encoding.
    pub types: &'static CStr,
    /// Its implementation.
    pub imp: Imp,
}

impl Method {
    /// A method whose implementation has the C signature that `types` encodes.
    pub fn new(selector: &'static CStr, types: &'static CStr, imp: *const ()) -> Self {
        Self {
            selector,
            types,
            imp: imp.cast(),
        }
    }
}

/// What a class is made of.
pub struct ClassSpec {
    /// The name it is registered under.
    pub name: &'static CStr,
    /// Its superclass; `None` makes a root class.
    pub superclass: Option<&'static CStr>,
    /// Instance variables of its own.
    pub ivars: Vec<&'static Ivar>,
    /// Instance methods of its own.
    pub methods: Vec<Method>,
    /// Class methods of its own.
    pub class_methods: Vec<Method>,
    /// Where the class is kept once it stands.
    pub registered: &'static ClassRef,
}

/// Why a class does not stand.
#[derive(Debug)]
pub enum RegisterError {
    /// The superclass is not registered.
    NoSuperclass(&'static CStr, &'static CStr),
    /// The name is taken by another library's class.
    NameTaken(&'static CStr),
    /// The runtime refused a method or a variable.
    Refused(&'static CStr, &'static CStr),
    /// A method finds no free recorder.
    NoSlot(&'static CStr, &'static CStr),
    /// The class dump cannot be read.
    Table(String),
}

impl std::fmt::Display for RegisterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuperclass(class, superclass) => {
                write!(f, "class {class:?} has no superclass {superclass:?}")
            }
            Self::NameTaken(class) => {
                write!(
                    f,
                    "class {class:?} is already registered by another library (run the rehearsal in a process of its own)"
                )
            }
            Self::Refused(class, member) => {
                write!(f, "the runtime refused {member:?} of class {class:?}")
            }
            Self::NoSlot(class, selector) => write!(
                f,
                "no recorder is left for {selector:?} of class {class:?} (raise `SLOTS`)"
            ),
            Self::Table(why) => f.write_str(why),
        }
    }
}

/// Registers one class, or, for a driver of another family, takes a base class that stands already: a second driver in a process
/// brings its own classes and shares Metal's.
pub fn register(spec: &ClassSpec) -> Result<(), RegisterError> {
    let name = family::name_of(spec.name);
    // SAFETY: a C string; a class that is found is registered.
    let standing = unsafe { objc_lookUpClass(name.as_ptr()) };
    if !standing.is_null() && family::shares(spec.name) {
        return stand_on(spec, standing);
    }
    // SAFETY: every string is a C string that lives as long as the process, every implementation has the signature of its
    // encoding (stated where the table is written), and the class is not used before `objc_registerClassPair`.
    unsafe {
        let superclass = match spec.superclass {
            None => ptr::null_mut(),
            Some(name) => {
                let class = objc_lookUpClass(family::name_of(parent(spec.name, name)).as_ptr());
                if class.is_null() {
                    return Err(RegisterError::NoSuperclass(spec.name, name));
                }
                class
            }
        };
        let class = objc_allocateClassPair(superclass, name.as_ptr(), 0);
        if class.is_null() {
            return Err(RegisterError::NameTaken(spec.name));
        }
        for ivar in &spec.ivars {
            if class_addIvar(
                class,
                ivar.name.as_ptr(),
                ivar.size,
                ivar.log2_align,
                ivar.types.as_ptr(),
            ) == 0
            {
                return Err(RegisterError::Refused(spec.name, ivar.name));
            }
        }
        let groups = [
            (class, &spec.methods),
            (metaclass(class), &spec.class_methods),
        ];
        for (owner, method) in groups
            .iter()
            .flat_map(|(owner, list)| list.iter().map(move |method| (*owner, method)))
        {
            let selector: Sel = sel_registerName(method.selector.as_ptr());
            if class_addMethod(owner, selector, method.imp, method.types.as_ptr()) == 0 {
                return Err(RegisterError::Refused(spec.name, method.selector));
            }
        }
        objc_registerClassPair(class);
        stand_on(spec, class)
    }
}

/// The class to stand on: what stands on `NSObject` in the dump stands on the driver's own root.
fn parent(name: &CStr, superclass: &'static CStr) -> &'static CStr {
    if superclass == c"NSObject" && name != ROOT {
        ROOT
    } else {
        superclass
    }
}

/// Notes where a registered class and its variables are.
fn stand_on(spec: &ClassSpec, class: Class) -> Result<(), RegisterError> {
    for ivar in &spec.ivars {
        // SAFETY: the class is registered, the name a C string.
        unsafe {
            let placed = class_getInstanceVariable(class, ivar.name.as_ptr());
            if placed.is_null() {
                return Err(RegisterError::Refused(spec.name, ivar.name));
            }
            ivar.offset.store(ivar_getOffset(placed), Ordering::Relaxed);
        }
    }
    spec.registered.0.store(class, Ordering::Release);
    Ok(())
}
