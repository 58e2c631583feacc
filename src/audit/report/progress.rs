//! Who is told how far an audit is.

/// What is being done with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Load commands and the loader's tables.
    Tables,
    /// Objective-C metadata.
    Metadata,
    /// Where functions begin.
    Functions,
    /// What policies reach.
    Coverage,
    /// Ways past hooks, in so many bytes of code.
    Bypass {
        /// Bytes.
        bytes: u64,
    },
    /// What code does with `_impl`.
    Race,
}

/// Is told how far an audit is.
pub trait Progress {
    /// A file is begun.
    fn file(&mut self, path: &std::path::Path);
    /// A stage of the file begins.
    fn stage(&mut self, stage: Stage);
    /// So many bytes more of the stage are done.
    fn advance(&mut self, bytes: u64);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn file(&mut self, _: &std::path::Path) {}
    fn stage(&mut self, _: Stage) {}
    fn advance(&mut self, _: u64) {}
}
