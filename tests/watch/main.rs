//! Following reports as they appear and keeping copies of them, under a writer that does all that
//! writers do: real processes, real folders. Nothing here waits for a time: the limits only end a
//! test that hangs.

mod follower;
mod monitor;
mod sandbox;
mod writer;
