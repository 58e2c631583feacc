use super::*;
use crate::policies;

const TEXT: &str = include_str!("../../../tests/rehearsal/data/driver-classes.tsv");

fn coverage(policy: &str, convention: Convention) -> Coverage {
    let dump = Dump::parse(TEXT).expect("the dump");
    of(&dump, policies::find(policy).expect("a policy"), convention)
}

#[test]
fn the_work_of_the_six_concrete_encoders() {
    let coverage = coverage("v2.9", Convention::SysV);
    let work: Vec<_> = coverage.encoders().map(|it| (it.object, it.work)).collect();
    assert_eq!(
        work,
        [
            (Object::Compute, 64),
            (Object::Blit, 33),
            (Object::Render, 157),
            (Object::ParallelRender, 5),
            (Object::ResourceState, 6),
            (Object::AccelerationStructure, 38),
        ]
    );
}

#[test]
fn version_2_9_reaches_72_of_303() {
    let coverage = coverage("v2.9", Convention::SysV);
    assert_eq!(coverage.encoder_work(), (72, 303));
    let numbers: Vec<_> = coverage
        .objects
        .iter()
        .map(|it| [it.hooks, it.own_hooks, it.inherited_hooks, it.work_reached])
        .collect();
    assert_eq!(
        numbers,
        [
            [51, 44, 0, 41],
            [24, 24, 0, 21],
            [12, 11, 0, 9],
            [3, 3, 0, 1],
            [2, 1, 1, 0], // it inherits `dealloc`
            [2, 2, 0, 0],
            [14, 14, 0, 13],
            [11, 2, 0, 1],
        ]
    );
    // Seven of the compute encoder, one of the render encoder, and nine of the proxy, which forwards them.
    assert_eq!(coverage.unmatched(), 17);
    assert!(
        coverage.objects[2]
            .unmatched
            .contains(&"deferredEndEncoding")
    );
}

#[test]
fn version_3_reaches_all_work_in_both_conventions() {
    for convention in [Convention::SysV, Convention::AppleArm64] {
        let coverage = coverage("v3", convention);
        assert_eq!(coverage.encoder_work(), (303, 303), "{convention:?}");
        for it in &coverage.objects {
            assert_eq!(it.work_reached, it.work, "{convention:?} {it:?}");
        }
        assert_eq!(coverage.unreached, [], "{convention:?}");
        assert_eq!(coverage.unmatched(), 0);
    }
}

#[test]
fn what_cannot_be_forwarded_is_named_with_its_reason() {
    let text = "_MTLCommandEncoder	NSObject	x
	setVector:	v@:![16,16f]
	dealloc	v@:
";
    let dump = Dump::parse(text).expect("readable");
    let coverage = of(&dump, policies::default_policy(), Convention::SysV);
    assert_eq!(
        coverage.unreached,
        [Unreached {
            class: "_MTLCommandEncoder".into(),
            selector: "setVector:".into(),
            encoding: "v@:![16,16f]".into(),
            reason: Reason::Vector,
        }]
    );
    assert_eq!((coverage.hooked, coverage.objects.len()), (0, 0));
}

#[test]
fn tools_wrappers_and_queues_are_none_of_ours() {
    let dump = Dump::parse(TEXT).expect("the dump");
    for class in &dump.classes {
        let is_ours = dump.family(class).is_some();
        let named = ["MTLTools", "MTLDebug", "_MTLDevice", "_MTLCommandQueue"]
            .iter()
            .any(|it| class.name.starts_with(it));
        assert!(!(is_ours && named), "{}", class.name);
    }
}
