use agx_policy::dump::Dump;
use agx_policy::rules;

use super::*;

const TEXT: &str = include_str!("../../../../tests/rehearsal/data/driver-classes.tsv");

/// The shapes of all methods of the dump that are hooked.
fn shapes() -> Vec<Shape> {
    let dump = Dump::parse(TEXT).expect("the dump");
    let mut shapes = Vec::new();
    for class in &dump.classes {
        let Some(family) = dump.family(class) else {
            continue;
        };
        for method in &class.methods {
            let encoding = method.encoding.as_bytes();
            if rules::decide_encoded(family, method.selector, encoding).is_ok() {
                shapes.push(agx_policy::abi::classify(encoding).expect(method.selector));
            }
        }
    }
    shapes
}

#[test]
fn the_pools_hold_two_drivers_and_a_quarter_more() {
    let mut wanted = [0; POOLS.len()];
    for shape in shapes() {
        let pool = POOLS.iter().position(|it| it.carries(shape));
        wanted[pool.expect("a pool for each shape")] += 1;
    }
    for (pool, wanted) in POOLS.iter().zip(wanted) {
        assert!(
            wanted * 2 * 5 / 4 <= pool.capacity,
            "{wanted} methods, {} forwarders with {} words of stack",
            pool.capacity,
            pool.stack_words
        );
    }
}

#[test]
fn a_forwarder_is_known_by_its_address() {
    for (number, pool) in POOLS.iter().enumerate() {
        for index in [0, 1, pool.capacity - 1] {
            let code = pool.forwarder(index);
            for (other, it) in POOLS.iter().enumerate() {
                assert_eq!(it.index_of(code), (other == number).then_some(index));
            }
            assert_eq!(pool.index_of(code.wrapping_byte_add(1)), None);
        }
        assert_eq!(pool.index_of(pool.forwarder(pool.capacity)), None);
        assert_eq!(pool.index_of(std::ptr::null()), None);
    }
}

#[test]
fn slots_follow_each_other() {
    let mut next = 0;
    for pool in &POOLS {
        assert_eq!(pool.first, next);
        next += pool.capacity;
    }
    assert_eq!(next, SLOTS);
}
