//! Why an end of `destroyImpl` is left as it is.

use super::patched::Patched;
use crate::audit::arm64::{Instruction, Register};
use crate::audit::race::{NotFollowed, NotRecognised};

/// Why instructions are not put into another order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TailRefusal {
    /// Where the function begins and ends is not known.
    #[error("where its code begins and ends is not known")]
    NoFunction,
    /// It could not be followed.
    #[error("its instructions were not followed: {0}")]
    NotFollowed(#[from] NotFollowed),
    /// What it does is not known.
    #[error("{0}")]
    NotRecognised(NotRecognised),
    /// `_impl` is NULL before the lock is released: there is no race of this kind.
    #[error(
        "it stores NULL to _impl before it unlocks ({}): there is no race to repair",
        list(stores)
    )]
    NoRace {
        /// The stores.
        stores: Vec<u64>,
    },
    /// It takes no lock.
    #[error("it stores NULL to _impl without a lock ({})", list(stores))]
    NoLock {
        /// The stores.
        stores: Vec<u64>,
    },
    /// It depends on the path.
    #[error(
        "it stores NULL to _impl before the unlock on some paths only ({})",
        list(stores)
    )]
    Mixed {
        /// The stores.
        stores: Vec<u64>,
    },
    /// It was repaired before.
    #[error("it is patched already, {by} ({})", list(stores))]
    AlreadyPatched {
        /// In which way.
        by: Patched,
        /// The stores.
        stores: Vec<u64>,
    },
    /// More than one instruction stores NULL.
    #[error("it stores NULL to _impl in several places ({first:#x}, {second:#x})")]
    SeveralStores {
        /// The first.
        first: u64,
        /// The second.
        second: u64,
    },
    /// Something else stands where the published code has this.
    #[error("`{}` at {:#x} is not {expected}", found.text(), found.address)]
    OtherShape {
        /// What stands there.
        found: Instruction,
        /// What should.
        expected: &'static str,
    },
    /// The paths unlock different locks, or set theirs up in different ways.
    #[error("the paths set up the lock differently: `{}` at {:#x}, `{}` at {:#x}",
        first.text(), first.address, second.text(), second.address)]
    DifferentLockArguments {
        /// Path 1's.
        first: Instruction,
        /// Path 2's.
        second: Instruction,
    },
    /// The paths call different functions to unlock.
    #[error("the calls at {first:#x} and {second:#x} unlock by different functions")]
    DifferentUnlocks {
        /// Path 1's.
        first: u64,
        /// Path 2's.
        second: u64,
    },
    /// The lock is found by way of `_impl`, or of x0.
    #[error("`{}` at {:#x} needs x{register} or x0, which have other values there in another order",
        argument.text(), argument.address)]
    LockFromImpl {
        /// What sets the lock up.
        argument: Instruction,
        /// What holds `_impl`.
        register: Register,
    },
    /// Other code branches to one of its instructions.
    #[error("the branch at {from:#x} goes to {to:#x}, which is within it")]
    OtherBranch {
        /// The branch.
        from: u64,
        /// Where it goes.
        to: u64,
    },
    /// Code forms the address of one of its instructions.
    #[error("the code at {from:#x} forms the address {to:#x}, which is within it")]
    AddressTaken {
        /// The instruction that forms it.
        from: u64,
        /// The address.
        to: u64,
    },
    /// A pointer leads to one of its instructions.
    #[error("the pointer at {slot:#x} leads to {to:#x}, which is within it")]
    PointerInto {
        /// Where the pointer stands.
        slot: u64,
        /// Where it leads.
        to: u64,
    },
    /// A branch of the function goes to an address that it computes.
    #[error("the branch at {at:#x} goes to an address that it computes")]
    ComputedBranch {
        /// The branch.
        at: u64,
    },
    /// The epilogue needs the register that would be cleared.
    #[error("x{register}, which would be zero, may be read behind {epilogue:#x}")]
    ImplLive {
        /// The register.
        register: Register,
        /// Where the epilogue begins.
        epilogue: u64,
    },
    /// The epilogue needs the flags.
    #[error("the flags may be read behind {epilogue:#x}")]
    FlagsLive {
        /// Where the epilogue begins.
        epilogue: u64,
    },
    /// The function ends with the store.
    #[error("the function ends at {at:#x}, where its epilogue should begin")]
    RunsOut {
        /// Where.
        at: u64,
    },
}

fn list(addresses: &[u64]) -> String {
    let texts: Vec<String> = addresses
        .iter()
        .map(|address| format!("{address:#x}"))
        .collect();
    texts.join(", ")
}
