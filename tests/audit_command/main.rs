//! `agxrun audit`: what it finds in driver images that are made here, what it says of them, and what it
//! says of files that are none.

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "the reader's tests use the rest")]
#[path = "../audit/encode.rs"]
mod encode;
#[allow(dead_code, reason = "as above")]
#[path = "../audit/image.rs"]
mod image;
#[allow(dead_code, reason = "as above")]
#[path = "../audit/zoo.rs"]
mod zoo;

mod bad;
mod coverage;
mod crash;
mod driver;
mod explained;
mod found;
mod printed;
