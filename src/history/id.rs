//! What tells one run from all others.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use chrono::{DateTime, Local};

/// 128 bits that no other run has: this process and moment under keys that std takes from the system's source of randomness.
pub(super) fn new_id(started: DateTime<Local>) -> String {
    let keys = RandomState::new();
    let half = |number: u8| {
        let mut hasher = keys.build_hasher();
        hasher.write_u32(std::process::id());
        hasher.write_i64(started.timestamp_micros());
        hasher.write_u8(number);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_different_and_have_one_form() {
        let ids: std::collections::HashSet<String> =
            (0..1000).map(|_| new_id(Local::now())).collect();
        assert_eq!(ids.len(), 1000);
        let is_id = |id: &String| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(ids.iter().all(is_id));
    }
}
