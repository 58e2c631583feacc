//! Which slice of a universal file runs, and which images may share a process.

use super::image::{Processor, Slice};

/// The slice that the kernel executes on `host`, where it can execute any.
///
/// `preference` is what `arch -arm64` or `posix_spawnattr_setbinpref_np` ask for; the kernel then
/// takes no other processor. Otherwise it takes the best grade, and the first of equals (xnu,
/// `bsd/kern/mach_fat.c`, `fatfile_getbestarch`).
pub fn chosen(slices: &[Slice], host: Processor, preference: Option<Processor>) -> Option<&Slice> {
    let mut best: Option<(u8, &Slice)> = None;
    for slice in slices {
        if preference.is_some_and(|wanted| family(wanted) != family(slice.processor)) {
            continue;
        }
        let grade = grade(slice.processor, host);
        if grade > 0 && best.is_none_or(|(other, _)| grade > other) {
            best = Some((grade, slice));
        }
    }
    best.map(|(_, slice)| slice)
}

/// How gladly a Mac with the processor `host` executes `code`; 0 is not at all.
///
/// On Apple silicon arm64e is preferred to arm64 (xnu, `bsd/dev/arm/kern_machdep.c`,
/// `grade_binary`), and Intel code runs under Rosetta where nothing else is there.
fn grade(code: Processor, host: Processor) -> u8 {
    match (host, code) {
        (Processor::Arm64 | Processor::Arm64e, Processor::Arm64e) => 3,
        (Processor::Arm64 | Processor::Arm64e, Processor::Arm64)
        | (Processor::X86_64 | Processor::X86_64h, Processor::X86_64h) => 2,
        (
            Processor::Arm64 | Processor::Arm64e | Processor::X86_64 | Processor::X86_64h,
            Processor::X86_64,
        ) => 1,
        _ => 0,
    }
}

/// The processor whose code runs, whatever the subtype.
fn family(processor: Processor) -> Processor {
    match processor {
        Processor::Arm64e => Processor::Arm64,
        Processor::X86_64h => Processor::X86_64,
        other => other,
    }
}

/// Whether dyld loads an image for `library` into a process of `program`.
///
/// arm64 and arm64e pass pointers differently, so neither goes into the other (dyld,
/// `GradedArchitectures`: `arm64e` keeps to itself).
pub fn loads_into(library: Processor, program: Processor) -> bool {
    match program {
        Processor::X86_64h => matches!(library, Processor::X86_64 | Processor::X86_64h),
        other => library == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::image::Unreadable;

    fn slices(processors: &[Processor]) -> Vec<Slice> {
        processors
            .iter()
            .map(|processor| Slice {
                processor: *processor,
                contents: Err(Unreadable::NotAFile),
            })
            .collect()
    }

    fn pick(
        processors: &[Processor],
        host: Processor,
        preference: Option<Processor>,
    ) -> Option<Processor> {
        chosen(&slices(processors), host, preference).map(|slice| slice.processor)
    }

    #[test]
    fn the_kernels_preferences() {
        use Processor::{Arm64, Arm64e, I386, PowerPc, X86_64, X86_64h};
        for (present, host, preference, expected) in [
            (&[X86_64, Arm64][..], Arm64, None, Some(Arm64)),
            (&[X86_64, Arm64, Arm64e], Arm64, None, Some(Arm64e)),
            (&[X86_64, Arm64, Arm64e], Arm64, Some(Arm64), Some(Arm64e)),
            (&[X86_64, Arm64], Arm64, Some(X86_64), Some(X86_64)),
            (&[Arm64], Arm64, Some(X86_64), None),
            (&[X86_64], Arm64, None, Some(X86_64)),
            (&[X86_64h, X86_64], Arm64, None, Some(X86_64)),
            (&[X86_64, X86_64h], X86_64, None, Some(X86_64h)),
            (&[Arm64], X86_64, None, None),
            (&[I386, PowerPc], Arm64, None, None),
            (&[I386, PowerPc], X86_64, None, None),
            (&[], Arm64, None, None),
        ] {
            assert_eq!(
                pick(present, host, preference),
                expected,
                "{present:?} on {host}, {preference:?}"
            );
        }
    }

    #[test]
    fn arm64_and_arm64e_do_not_mix() {
        assert!(loads_into(Processor::Arm64, Processor::Arm64));
        assert!(!loads_into(Processor::Arm64, Processor::Arm64e));
        assert!(!loads_into(Processor::Arm64e, Processor::Arm64));
        assert!(!loads_into(Processor::Arm64, Processor::X86_64));
        assert!(loads_into(Processor::X86_64, Processor::X86_64h));
    }
}
