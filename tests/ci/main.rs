//! What CI systems are told, read back as they read it: JUnit XML by two readers and a schema, GitHub's commands and
//! Markdown; baselines, retries, snapshots around a step that cannot be wrapped, and the action's scripts.

#[path = "../common/mod.rs"]
mod common;

mod action;
mod baseline;
mod crashes;
mod github;
mod junit;
mod readers;
mod retries;
