//! Signatures as data, and matching a report or a stderr line against them.
