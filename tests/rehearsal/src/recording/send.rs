//! Sends any recorded method with values of its types, and tells what became of them.

use super::encoding::Type;
use super::machine::{Frame, call};
use super::placement::{Piece, Place, Plan, Value};
use super::session::{Record, Session, pack, with_session};
use super::values::{Random, stand_in_for_impl};
use crate::runtime::{
    Id, allocate, class_getInstanceVariable, implementation, ivar_getOffset, objc_lookUpClass,
    sel_registerName,
};
use std::ffi::CStr;

/// Why a message was not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// No recorded method of this class has this selector.
    NotRecorded,
    /// The encoding holds what cannot be passed.
    NotPassable,
}

/// A message's registers and stack, with all that they point at.
struct Call {
    frame: Frame,
    stack: Vec<u64>,
    copies: Vec<Vec<u64>>,
    result: Vec<u64>,
}

impl Call {
    fn new(plan: &Plan, arguments: &[Vec<u8>]) -> Self {
        let mut this = Self {
            // SAFETY: integers and a pointer, for which zeros will do.
            frame: unsafe { std::mem::zeroed() },
            stack: vec![0; plan.stack_bytes.div_ceil(8)],
            copies: Vec::new(),
            result: vec![0; plan.result.size.div_ceil(8)],
        };
        for (value, bytes) in plan.arguments.iter().zip(arguments) {
            this.place(value, bytes);
        }
        if plan.result.by_reference {
            let room = this.result.as_mut_ptr().expose_provenance();
            this.put(&plan.result.pieces[0], &room.to_le_bytes(), false);
        }
        this.frame.stack = this.stack.as_ptr();
        this.frame.number = this.stack.len() as u64;
        this
    }

    fn place(&mut self, value: &Value, bytes: &[u8]) {
        let signed = matches!(value.kind, Type::Scalar(b'c' | b's' | b'i' | b'l', _));
        if !value.by_reference {
            for piece in &value.pieces {
                self.put(piece, &bytes[piece.at..piece.at + piece.size], signed);
            }
            return;
        }
        let mut copy = vec![0; bytes.len().div_ceil(8)];
        pack(&[bytes.to_vec()], &mut copy);
        let pointer = copy.as_mut_ptr().expose_provenance();
        self.copies.push(copy);
        self.put(&value.pieces[0], &pointer.to_le_bytes(), false);
    }

    /// Narrow integers are extended by the caller: that is Apple's rule on arm64 and Clang's habit on x86-64.
    fn put(&mut self, piece: &Piece, bytes: &[u8], signed: bool) {
        let place = match piece.place {
            Place::Stack(offset) => {
                for (at, byte) in (offset..).zip(bytes) {
                    self.stack[at / 8] |= u64::from(*byte) << (at % 8 * 8);
                }
                return;
            }
            Place::Integer(register) => &mut self.frame.integers[register],
            Place::Float(register) => &mut self.frame.floats[register][0],
        };
        let negative = signed && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut word = [if negative { 0xff } else { 0 }; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        *place = u64::from_le_bytes(word);
    }

    /// The result as it came back.
    fn returned(&self, result: &Value) -> Vec<u8> {
        let mut bytes = vec![0; result.size];
        if result.by_reference {
            let words = self.result.iter().flat_map(|word| word.to_le_bytes());
            for (byte, value) in bytes.iter_mut().zip(words) {
                *byte = value;
            }
            return bytes;
        }
        for piece in &result.pieces {
            let word = match piece.place {
                Place::Integer(register) => self.frame.integer_results[register],
                Place::Float(register) => self.frame.float_results[register][0],
                Place::Stack(_) => 0,
            };
            bytes[piece.at..piece.at + piece.size]
                .copy_from_slice(&word.to_le_bytes()[..piece.size]);
        }
        bytes
    }
}

/// A fresh instance for one message, never deallocated: what a hook knows of an address must not be met again.
///
/// # Safety
/// `class` is a registered class.
unsafe fn receiver(class: Id) -> Id {
    // SAFETY: the caller's promise; the variable is a word of the fresh object.
    unsafe {
        let object = allocate(class);
        let variable = class_getInstanceVariable(class, c"_impl".as_ptr());
        if !variable.is_null() {
            let place: *mut *const u8 = object.byte_offset(ivar_getOffset(variable)).cast();
            place.write(stand_in_for_impl());
        }
        object
    }
}

/// Sends `selector` to a fresh instance of `class`.
pub fn send(class: &CStr, selector: &CStr, seed: u64) -> Result<Record, SendError> {
    let slot = super::slot_of(class, selector).ok_or(SendError::NotRecorded)?;
    let recorder = super::recorder(slot).ok_or(SendError::NotRecorded)?;
    let plan = recorder.plan().ok_or(SendError::NotPassable)?;
    // SAFETY: both are C strings; the class of a recorder is registered.
    let (object, selector_word) = unsafe {
        (
            receiver(objc_lookUpClass(class.as_ptr())),
            sel_registerName(selector.as_ptr()),
        )
    };
    let mut random = Random::new(seed, class, selector);
    let mut arguments = vec![
        object.expose_provenance().to_le_bytes().to_vec(),
        selector_word.expose_provenance().to_le_bytes().to_vec(),
    ];
    let values = plan.arguments.iter().skip(2);
    arguments.extend(values.map(|value| random.value(&value.kind)));
    let mut record = Record::EMPTY;
    let words = pack(&arguments, &mut record.sent);
    record.argument_words = u32::try_from(words).unwrap_or(u32::MAX);
    let mut message = Call::new(plan, &arguments);
    let session = Session {
        slot,
        seed,
        record: &raw mut record,
    };
    with_session(session, || {
        // SAFETY: the object is alive, and the frame is laid out by the method's own encoding.
        unsafe {
            let function = implementation(object, selector_word);
            call(function.cast(), &raw mut message.frame);
        }
    });
    let result = message.returned(&plan.result);
    let words = pack(&[result], &mut record.result);
    record.result_words = u32::try_from(words).unwrap_or(u32::MAX);
    Ok(record)
}
