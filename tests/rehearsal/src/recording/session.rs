//! What a recorder does when it is called: it notes the arguments for whoever is sending, and invents a result.

use super::encoding::Signature;
use super::machine::Frame;
use super::placement::{NATIVE, Piece, Place, Plan, Value, plan};
use super::values::Random;
use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;
use std::sync::OnceLock;

/// Words kept of the arguments, receiver and selector included. The longest signature in the table has 25.
pub const ARGUMENT_WORDS: usize = 64;
/// Words kept of a result.
pub const RESULT_WORDS: usize = 16;

/// `agx_rehearsal_record`: what was sent and what arrived, both ways. A value fills whole words, the rest of its last one is
/// zero.
#[repr(C)]
#[derive(Clone)]
pub struct Record {
    /// How often the method was reached.
    pub calls: u32,
    /// How often other recorded methods were reached meanwhile.
    pub others: u32,
    /// Words of the arguments: receiver, selector, and what follows.
    pub argument_words: u32,
    /// Words of the result.
    pub result_words: u32,
    /// As sent.
    pub sent: [u64; ARGUMENT_WORDS],
    /// As they arrived, in the first call.
    pub received: [u64; ARGUMENT_WORDS],
    /// As the method returned it.
    pub returned: [u64; RESULT_WORDS],
    /// As it came back.
    pub result: [u64; RESULT_WORDS],
}

impl Record {
    /// Nothing sent yet.
    pub const EMPTY: Self = Self {
        calls: 0,
        others: 0,
        argument_words: 0,
        result_words: 0,
        sent: [0; ARGUMENT_WORDS],
        received: [0; ARGUMENT_WORDS],
        returned: [0; RESULT_WORDS],
        result: [0; RESULT_WORDS],
    };
}

/// A method with a recorder.
pub struct Recorder {
    /// Its class.
    pub class: &'static CStr,
    /// Its selector.
    pub selector: &'static CStr,
    /// Its type encoding.
    pub encoding: &'static CStr,
    plan: OnceLock<Option<Plan>>,
}

impl Recorder {
    /// A recorder for a method.
    pub fn new(class: &'static CStr, selector: &'static CStr, encoding: &'static CStr) -> Self {
        Self {
            class,
            selector,
            encoding,
            plan: OnceLock::new(),
        }
    }

    /// How its messages travel; `None` for an encoding that cannot be passed.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan
            .get_or_init(|| {
                let encoding = self.encoding.to_str().ok()?;
                Signature::parse(encoding).map(|it| plan(&it, NATIVE))
            })
            .as_ref()
    }
}

/// A message under way on this thread.
#[derive(Clone, Copy)]
pub struct Session {
    /// The slot whose method is meant.
    pub slot: usize,
    /// The seed of the values.
    pub seed: u64,
    /// Where the recorder writes.
    pub record: *mut Record,
}

thread_local! {
    static SESSION: Cell<Option<Session>> = const { Cell::new(None) };
}

/// Runs `body` with a session on this thread.
pub fn with_session(session: Session, body: impl FnOnce()) {
    let outer = SESSION.replace(Some(session));
    body();
    SESSION.set(outer);
}

/// The bytes of a piece, read from a call's registers and stack.
unsafe fn read(frame: &Frame, piece: &Piece, into: &mut [u8]) {
    let target = &mut into[piece.at..piece.at + piece.size];
    let source: *const u8 = match piece.place {
        Place::Integer(register) => frame.integers[register..].as_ptr().cast(),
        Place::Float(register) => frame.floats[register..].as_ptr().cast(),
        Place::Stack(offset) => frame.stack.cast::<u8>().wrapping_add(offset),
    };
    // SAFETY: a register has at least the bytes of a piece; the caller vouches for the stack.
    unsafe { ptr::copy_nonoverlapping(source, target.as_mut_ptr(), piece.size) }
}

/// A value as it arrived.
unsafe fn read_value(frame: &Frame, value: &Value) -> Vec<u8> {
    let mut bytes = vec![0; if value.by_reference { 8 } else { value.size }];
    for piece in &value.pieces {
        // SAFETY: the caller's promise.
        unsafe { read(frame, piece, &mut bytes) }
    }
    if value.by_reference {
        let pointer = ptr::with_exposed_provenance::<u8>(word(&bytes));
        bytes = vec![0; value.size];
        // SAFETY: the convention passes a pointer to all of the value.
        unsafe { ptr::copy_nonoverlapping(pointer, bytes.as_mut_ptr(), value.size) }
    }
    bytes
}

fn word(bytes: &[u8]) -> usize {
    let mut word = [0; 8];
    let size = bytes.len().min(8);
    word[..size].copy_from_slice(&bytes[..size]);
    usize::from_le_bytes(word)
}

/// Values as words, each value beginning with a new one; what does not fit is left out. The number of words.
pub fn pack(values: &[Vec<u8>], into: &mut [u64]) -> usize {
    let words = values.iter().flat_map(|value| value.chunks(8));
    let mut count = 0;
    for (bytes, slot) in words.zip(into) {
        *slot = word(bytes) as u64;
        count += 1;
    }
    count
}

/// Writes a result where the caller looks for it.
unsafe fn write_result(frame: &mut Frame, result: &Value, bytes: &[u8]) {
    if result.by_reference {
        let mut pointer = vec![0; 8];
        // SAFETY: the piece is a register.
        unsafe { read(frame, &result.pieces[0], &mut pointer) }
        let room = ptr::with_exposed_provenance_mut::<u8>(word(&pointer));
        // SAFETY: the convention gives room for all of the result.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), room, bytes.len()) }
        // System V hands the pointer back; AAPCS64 does not look.
        frame.integer_results[0] = word(&pointer) as u64;
        return;
    }
    for piece in &result.pieces {
        let bytes = &bytes[piece.at..piece.at + piece.size];
        match piece.place {
            Place::Integer(register) => frame.integer_results[register] = word(bytes) as u64,
            Place::Float(register) => frame.float_results[register] = [word(bytes) as u64, 0],
            Place::Stack(_) => {}
        }
    }
}

/// The result of a sent message, from a sequence of its own.
fn invent(recorder: &Recorder, seed: u64, result: &Value) -> Vec<u8> {
    Random::new(!seed, recorder.class, recorder.selector).value(&result.kind)
}

/// Called by every slot's code. Outside of a session a recorded method does nothing and returns zeros.
///
/// # Safety
/// `frame` holds the registers and the stack of a message to the method whose slot it names.
pub unsafe extern "C-unwind" fn record(frame: *mut Frame) {
    // SAFETY: the caller's promise; the entry's frame is this call's alone.
    let frame = unsafe { &mut *frame };
    frame.integer_results = Default::default();
    frame.float_results = Default::default();
    let slot = usize::try_from(frame.number).unwrap_or(usize::MAX);
    let Some(recorder) = super::recorder(slot) else {
        return;
    };
    let Some(plan) = recorder.plan() else { return };
    let mut bytes = vec![0; plan.result.size];
    if let Some(session) = SESSION.get() {
        // SAFETY: the sender keeps its record until the session has ended.
        let record = unsafe { &mut *session.record };
        if session.slot == slot {
            bytes = invent(recorder, session.seed, &plan.result);
            if record.calls == 0 {
                // SAFETY: the frame is that of a message with this plan.
                let read = |value| unsafe { read_value(frame, value) };
                let arrived: Vec<_> = plan.arguments.iter().map(read).collect();
                pack(&arrived, &mut record.received);
                pack(std::slice::from_ref(&bytes), &mut record.returned);
            }
            record.calls += 1;
        } else {
            record.others += 1;
        }
    }
    // SAFETY: as above.
    unsafe { write_result(frame, &plan.result, &bytes) }
}
