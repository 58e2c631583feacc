//! Which dereferences of `_impl` are told to be untested.

use agxrun::audit::race::{explains, untested_reads};

use super::driver::{self, PROCESSORS};
use crate::cross::Tools;

const SOURCE: &str = include_str!("reads.s");

#[test]
fn untested_reads_by_their_distance() {
    let Some(tools) = Tools::find() else { return };
    for processor in PROCESSORS {
        let bytes = driver::link(&tools, processor, SOURCE, &[]);
        driver::with(&bytes, |code, impls| {
            let reads = untested_reads(code, impls);
            let mut found: Vec<(&str, i64, bool, bool, bool)> = reads
                .untested
                .iter()
                .map(|read| {
                    let name = code.name_of(read.function.start).expect("it has a name");
                    (name, read.offset, read.store, read.first, read.of_self)
                })
                .collect();
            found.sort_unstable();
            assert_eq!(
                found,
                [
                    ("-[Context chooses:]", 0x80, false, true, true),
                    ("-[Context chooses:]", 0x88, false, true, true),
                    ("-[Context loadsAgain]", 0x40, false, true, true),
                    ("-[Context passes:]", 0x108, true, true, true),
                    ("-[Context passes:]", 0x1a0, false, false, true),
                    ("-[Context recurs]", 0xa0, false, true, true),
                    ("-[Context roundabout]", 0x2020, false, true, true),
                    ("-[Context roundabout]", 0x9000, true, false, true),
                    (
                        "-[Context setComputePipelineState:]",
                        0x5c8,
                        false,
                        true,
                        true
                    ),
                    (
                        "-[Context setComputePipelineState:]",
                        0x5d0,
                        true,
                        false,
                        true
                    ),
                    ("-[Context testedOnOneWay:]", 0x30, false, true, true),
                    ("_of_another", 0x50, false, true, false),
                ]
            );
            assert_eq!((reads.computed, reads.passed_on), (1, 2));
            assert_eq!(reads.not_followed, []);
            let [read] = explains(&reads.untested, 0x5c8)[..] else {
                panic!("one")
            };
            assert_eq!(
                (read.class, read.selector),
                (Some("Context"), Some("setComputePipelineState:"))
            );
            assert_eq!(read.load, read.function.start + 8);
            assert_eq!(read.dereference.address, read.function.start + 12);
            assert_eq!(read.dereference.text(), "ldr x9, [x8, #0x5c8]");
            assert_eq!(read.calls, Vec::<u64>::new());
            assert_eq!(explains(&reads.untested, 0x5c9), Vec::<&_>::new());

            let [passed] = explains(&reads.untested, 0x1a0)[..] else {
                panic!("one")
            };
            let places: Vec<_> = passed
                .calls
                .iter()
                .chain([&passed.dereference.address])
                .map(|address| code.place_of(*address).expect("it has a name").0)
                .collect();
            assert_eq!(places, ["-[Context passes:]", "_writes", "_reads"]);
        });
    }
}
