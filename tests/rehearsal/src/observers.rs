//! Functions of the program's that the driver calls from certain points: a rehearsal can then let another thread come exactly there,
//! which on a Mac is a matter of chance.

use crate::runtime::Id;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

/// A point in the driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Point {
    /// `endEncoding`, in the base class, before the command buffer lets go of the encoder.
    Ending = 0,
    /// `commit`, before the command buffer is validated.
    Committing = 1,
}

/// Called with the object whose method has come to the point.
pub type Function = unsafe extern "C" fn(Id, *mut c_void);

#[derive(Clone, Copy)]
struct Observer {
    function: Function,
    /// Address of the program's own.
    context: usize,
}

static OBSERVERS: [Mutex<Option<Observer>>; 2] = [Mutex::new(None), Mutex::new(None)];

/// Sets the observer of a point, or takes it away.
pub fn set(point: Point, observer: Option<(Function, *mut c_void)>) {
    let observer = observer.map(|(function, context)| Observer {
        function,
        context: context.expose_provenance(),
    });
    *OBSERVERS[point as usize]
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = observer;
}

/// Tells a point's observer, with no lock of ours held.
///
/// # Safety
/// `object` is alive.
pub unsafe fn tell(point: Point, object: Id) {
    let observer = *OBSERVERS[point as usize]
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(it) = observer {
        // SAFETY: whoever set the function promised that it may be called from here.
        unsafe { (it.function)(object, std::ptr::with_exposed_provenance_mut(it.context)) }
    }
}
