//! What a command will really run, and whether the library can be inserted into it.
//!
//! `image` reads one file and says what stands in it; `rules` decide what that means for an
//! inserted library; `verdict` is what they decide. Nothing here starts a process, and nothing but
//! `image` opens a file.
//!
//! A file that cannot be read, or that contradicts itself, is never said to let the library in: its
//! verdict is *unknown*, with the reason.

pub mod image;
pub mod rules;
pub mod slice;
pub mod verdict;
