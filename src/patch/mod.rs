//! A copy of the driver whose `destroyImpl` stores NULL before it unlocks.

pub mod signature;
