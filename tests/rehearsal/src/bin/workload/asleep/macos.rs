//! By the run state that Mach tells.

/// A thread's port.
pub type ThreadId = libc::mach_port_t;

/// `TH_STATE_WAITING`.
const WAITING: libc::integer_t = 3;

/// The calling thread.
pub fn current() -> ThreadId {
    // SAFETY: takes the calling thread, which is alive.
    unsafe { libc::pthread_mach_thread_np(libc::pthread_self()) }
}

/// Whether the thread waits; a thread that is gone does not.
pub fn is_asleep(thread: ThreadId) -> bool {
    // SAFETY: integers, for which zeros will do.
    let mut info: libc::thread_basic_info = unsafe { std::mem::zeroed() };
    let mut count = libc::THREAD_BASIC_INFO_COUNT;
    // SAFETY: the buffer has as many words as `count` says.
    let result = unsafe {
        libc::thread_info(
            thread,
            libc::THREAD_BASIC_INFO as libc::thread_flavor_t,
            (&raw mut info).cast(),
            &raw mut count,
        )
    };
    result == libc::KERN_SUCCESS && info.run_state == WAITING
}
