//! The race in `destroyImpl`, and what reads `_impl` without a test.
//!
//! Published of AGXMetalG16X 329.2: `destroyImpl` gives `_impl` back to a list under a lock, unlocks, and
//! only then stores NULL to the instance variable; methods load `_impl` and dereference it without a
//! lock or a test. Both are looked for here in any image, by following what registers hold along the
//! paths of a function.
//!
//! `control_flow` divides a function into blocks; `state` says what an instruction makes of what is known,
//! in terms of `value`; `fixpoint` carries it along the paths, `trace` keeps it. `destroy`, `order` and `paths`
//! ask it for the order of lock and store, `tail` whether that order can be changed in place, `reads` for
//! untested dereferences. `liveness` goes backwards and says what is still needed.

mod callee;
mod control_flow;
mod destroy;
mod fixpoint;
mod impls;
mod liveness;
mod order;
mod paths;
mod reads;
mod state;
mod tail;
mod trace;
mod value;

pub use control_flow::{Block, ControlFlow, Edge, Exit, TooLarge, When};
pub use destroy::{Action, Destroy, DestroyStep, NotRecognised, StoreOrder, all as destroys};
pub use fixpoint::Unsettled;
pub use impls::{ImplIvar, Impls};
pub use liveness::{Live, live_before, taken_by_callee};
pub use paths::{Condition, Path};
pub use reads::{Reads, UntestedRead, all as untested_reads, explains};
pub use tail::{Landing, Patched, Tail, TailRefusal, recognise};
pub use trace::NotFollowed;
