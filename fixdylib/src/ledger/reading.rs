//! What the process itself asks of its ledger, through the C interface.

use std::sync::atomic::Ordering;

use agx_ledger::layout::{BODY, CENSUS_CAPACITY, STRINGS_CAPACITY, state};

use super::{census, header, whole};

/// The first class in the census on which a method with this selector is hooked, if `wanted` takes it. Without a ledger
/// there is no census.
pub fn class_with_hook(selector: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let start = whole()?;
    let used = header().census_at.used.load(Ordering::Acquire) as usize;
    (0..used.min(CENSUS_CAPACITY)).find_map(|index| {
        let record = census::record(start, u32::try_from(index).ok()?); // below `CENSUS_CAPACITY`
        if record.state.load(Ordering::Acquire) != state::HOOKED {
            return None;
        }
        let text = |field: &[std::sync::atomic::AtomicU32; 2]| {
            let [at, len] = [0, 1].map(|part: usize| field[part].load(Ordering::Relaxed) as usize);
            if at.checked_add(len)? > STRINGS_CAPACITY {
                return None;
            }
            // SAFETY: within the strings, which were written before the record was published and do not change.
            Some(unsafe { std::slice::from_raw_parts(start.add(BODY.strings + at), len) })
        };
        let class = text(&record.class)?;
        (text(&record.selector)? == selector && wanted(class)).then(|| class.to_vec())
    })
}
