//! Functions of random words.
