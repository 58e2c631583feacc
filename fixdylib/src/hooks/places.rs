//! In which domain each encoder is tracked, where there are many.
//!
//! A factory tracks its encoder in the domain of the object that it was asked of; work on the encoder asks the encoder,
//! which may have no instance variable to say the same: a wrapper's, or that of a class which keeps its command buffer
//! elsewhere. So who tracks an encoder notes its place, and everybody looks here first.
//!
//! Read without a lock. An address is written by one thread at a time: by who hands the encoder out or first sees it,
//! and then under the lock of its domain.

use std::sync::atomic::{AtomicU64, Ordering};

/// Places remembered; as many as one domain tracks.
const ROOM: usize = 4096;
/// Places searched behind the hash.
const WINDOW: usize = 16;

/// From the low end: the domain (7 bits), [`ENDED`], the address without its highest byte, which tells no objects apart.
static PLACES: [AtomicU64; ROOM] = [const { AtomicU64::new(0) }; ROOM];

const DOMAIN: u64 = 0x7f;
/// Tracked no longer.
const ENDED: u64 = 0x80;

/// An encoder's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is tracked in this domain.
    Tracked(usize),
    /// It was.
    Ended(usize),
}

/// Where the search for an encoder begins.
#[inline]
fn home(encoder: u64) -> usize {
    // Objects are multiples of sixteen bytes; the product's upper bits depend on all bits of the address.
    ((encoder << 8 >> 12).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize
}

fn window(encoder: u64) -> impl Iterator<Item = &'static AtomicU64> {
    let home = home(encoder);
    (0..WINDOW).map(move |step| &PLACES[(home + step) & (ROOM - 1)])
}

fn find(encoder: u64) -> Option<(&'static AtomicU64, u64)> {
    window(encoder)
        .map(|place| (place, place.load(Ordering::Acquire)))
        .find(|(_, word)| *word != 0 && (word ^ encoder << 8) <= (DOMAIN | ENDED))
}

/// Where an encoder is tracked, or was.
pub fn of(encoder: u64) -> Option<Place> {
    let (_, word) = find(encoder)?;
    let domain = (word & DOMAIN) as usize;
    Some(if word & ENDED == 0 {
        Place::Tracked(domain)
    } else {
        Place::Ended(domain)
    })
}

/// The domain in which an encoder is tracked, if that is noted where the search begins; else [`of`] may know it.
#[inline]
pub fn at_home(encoder: u64) -> Option<usize> {
    let word = PLACES[home(encoder) & (ROOM - 1)].load(Ordering::Acquire);
    let domain = word ^ encoder << 8;
    (domain <= DOMAIN).then_some(domain as usize)
}

/// Notes that an encoder is about to be tracked in `domain`; false without room.
pub fn tracks(encoder: u64, domain: usize) -> bool {
    let word = encoder << 8 | domain as u64 & DOMAIN;
    if let Some((place, _)) = find(encoder) {
        place.store(word, Ordering::Release);
        return true;
    }
    // Ended ones make room once there is no other.
    [true, false].into_iter().any(|unused| {
        window(encoder).any(|place| {
            let found = place.load(Ordering::Relaxed);
            let free = found == 0 || !unused && found & ENDED != 0;
            free && place
                .compare_exchange(found, word, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        })
    })
}

/// Notes that an encoder is tracked no longer.
pub fn ended(encoder: u64) {
    if let Some((place, _)) = find(encoder) {
        place.fetch_or(ENDED, Ordering::AcqRel);
    }
}

/// In the child of a `fork`: what was tracked is the parent's. Async-signal-safe.
pub fn reset_after_fork() {
    for place in &PLACES {
        // Memory that was not used stays untouched.
        if place.load(Ordering::Relaxed) != 0 {
            place.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, as the table is one.
    #[test]
    fn places_are_kept_until_they_are_needed() {
        assert_eq!(of(0x1230), None);
        assert!(tracks(0x1230, 5) && tracks(0x1240, 63));
        assert_eq!(of(0x1230), Some(Place::Tracked(5)));
        assert_eq!((at_home(0x1230), at_home(0x1250)), (Some(5), None));
        ended(0x1230);
        assert_eq!(of(0x1230), Some(Place::Ended(5)));
        assert_eq!(at_home(0x1230), None);
        assert_eq!(of(0x1240), Some(Place::Tracked(63)));
        assert!(tracks(0x1230, 6));
        assert_eq!(of(0x1230), Some(Place::Tracked(6)));

        let many = |from: u64| (from..from + 4 * ROOM as u64).map(|it| it << 4);
        let noted: Vec<u64> = many(0x10_0000).filter(|it| tracks(*it, 1)).collect();
        assert!(noted.len() > ROOM / 2, "{}", noted.len());
        assert!(noted.iter().all(|it| of(*it) == Some(Place::Tracked(1))));
        assert_eq!(of(0x1240), Some(Place::Tracked(63)), "nothing is lost");
        let at_home = noted.iter().filter_map(|it| at_home(*it));
        assert!(at_home.clone().all(|domain| domain == 1) && at_home.count() > ROOM / 4);
        for it in &noted {
            ended(*it);
        }
        assert!(many(0x20_0000).filter(|it| tracks(*it, 2)).count() > ROOM / 2);

        reset_after_fork();
        assert_eq!((of(0x1230), of(0x1240)), (None, None));
    }
}
