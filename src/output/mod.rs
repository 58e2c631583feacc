//! What is printed: for people on a terminal, and as JSON.

pub mod attempts;
pub mod baseline;
pub mod building;
pub mod ci;
pub mod crash;
pub mod crashes;
pub mod destination;
pub mod doctor;
pub mod history;
pub mod html;
pub mod inspect;
pub mod inspect_json;
pub mod matrix;
pub mod monitor;
pub mod notices;
pub mod pager;
pub mod policies;
pub mod rehearsal;
pub mod run_json;
pub mod summary;
pub mod table;
pub mod terminal;
pub mod translate;
