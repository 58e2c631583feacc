use super::*;

const ENCODER: u64 = 0x1000;
const BUFFER: u64 = 0x2000;

fn policy(name: &str) -> &'static Policy {
    agx_policy::find(name).expect("a policy")
}

/// A created encoder of `BUFFER`, retained.
fn created(policy: &Policy) -> Tables {
    let mut tables = Tables::new();
    assert_eq!(tables.made(policy, ENCODER, BUFFER), Made::New);
    assert!(tables.retained(ENCODER));
    tables
}

#[test]
fn a_call_on_an_unknown_encoder_goes_by_the_version() {
    let admit = |name| Tables::new().admit(policy(name), ENCODER, 1);
    for (name, admission) in [
        ("v1", Admission::RegisterAndRun),
        ("v2", Admission::AdoptAndRun),
        ("v2.2", Admission::Run),
        ("v2.3", Admission::Run),
        ("v2.4", Admission::AdoptAndRun),
        ("v2.4nr", Admission::AdoptAndRun),
        ("v2.5", Admission::AdoptAndRun),
        ("v2.6", Admission::CountAndRun),
        ("v2.7", Admission::AdoptAndRun),
        ("v2.8", Admission::AdoptAndRun),
        ("v2.9", Admission::Drop(Counter::DroppedUntracked)),
    ] {
        assert_eq!(admit(name), admission, "{name}");
    }
}

#[test]
fn v2_retains_once_for_each_thread_and_gives_all_back_at_the_end() {
    let v2 = policy("v2");
    let mut tables = Tables::new();
    assert_eq!(tables.admit(v2, ENCODER, 1), Admission::AdoptAndRun);
    assert!(tables.retained(ENCODER));
    assert_eq!(tables.admit(v2, ENCODER, 1), Admission::Run);
    assert_eq!(tables.admit(v2, ENCODER, 2), Admission::RetainAndRun);
    assert!(!tables.retained(ENCODER), "not the first");
    assert_eq!(tables.ended(v2, ENCODER), End::Release(2));
    assert_eq!(tables.admit(v2, ENCODER, 1), Admission::AdoptAndRun);
}

#[test]
fn v2_calls_nothing_on_a_destroyed_encoder_until_it_is_constructed() {
    let v2 = policy("v2");
    let mut tables = Tables::new();
    tables.mark_destroyed(ENCODER);
    assert_eq!(
        tables.admit(v2, ENCODER, 1),
        Admission::Drop(Counter::DroppedEnded)
    );
    tables.constructed(ENCODER);
    assert_eq!(tables.admit(v2, ENCODER, 1), Admission::AdoptAndRun);
}

#[test]
fn the_last_call_out_releases_an_encoder_that_ended() {
    let v2_4 = policy("v2.4");
    let mut tables = created(v2_4);
    assert!(tables.entered(ENCODER) && tables.entered(ENCODER));
    assert_eq!(tables.left(ENCODER), 0);
    assert_eq!(tables.ended(v2_4, ENCODER), End::Defer);
    assert_eq!(tables.left(ENCODER), 1);
    assert_eq!(tables.left(ENCODER), 0);
    assert!(!tables.entered(ENCODER), "no longer tracked");
}

#[test]
fn a_destroyed_encoder_is_released_whatever_is_inside() {
    let v2_4 = policy("v2.4");
    let mut tables = created(v2_4);
    assert!(tables.entered(ENCODER));
    assert_eq!(tables.destroyed(ENCODER), 1);
    assert_eq!(tables.left(ENCODER), 0);
}

#[test]
fn v2_9_drops_calls_on_an_encoder_that_ended_until_it_is_handed_out_again() {
    let v2_9 = policy("v2.9");
    let mut tables = created(v2_9);
    assert_eq!(tables.admit(v2_9, ENCODER, 1), Admission::Run);
    assert_eq!(tables.ended(v2_9, ENCODER), End::Release(1));
    assert_eq!(
        tables.admit(v2_9, ENCODER, 1),
        Admission::Drop(Counter::DroppedEnded)
    );
    assert_eq!(tables.made(v2_9, ENCODER, BUFFER), Made::New);
    assert_eq!(tables.admit(v2_9, ENCODER, 1), Admission::Run);
}

#[test]
fn a_factory_that_calls_another_makes_one_encoder() {
    let v2_5 = policy("v2.5");
    let mut tables = created(v2_5);
    assert_eq!(tables.made(v2_5, ENCODER, BUFFER + 16), Made::Known);
    assert_eq!(tables.buffer_of(ENCODER), BUFFER);
}

#[test]
fn open_encoders_are_known_by_their_command_buffer() {
    let v2_8 = policy("v2.8");
    let mut tables = created(v2_8);
    assert!(tables.has_open(BUFFER) && !tables.has_open(BUFFER + 16));
    assert_eq!(tables.next_to_end(BUFFER, false), Some(ENCODER));
    assert_eq!(tables.next_to_end(BUFFER, false), None);
    assert_eq!(tables.ended(v2_8, ENCODER), End::Release(1));
    assert!(!tables.has_open(BUFFER));
}

#[test]
fn a_forced_end_of_v2_9_leaks_the_retain_and_the_entry() {
    let v2_9 = policy("v2.9");
    let mut tables = created(v2_9);
    assert_eq!(tables.next_to_end(BUFFER, true), Some(ENCODER));
    assert!(tables.entered(ENCODER));
    assert_eq!(tables.left(ENCODER), 0);
    assert_eq!(tables.ended(v2_9, ENCODER), End::Leak);
    assert_eq!(
        tables.admit(v2_9, ENCODER, 1),
        Admission::Drop(Counter::DroppedEnded)
    );
    assert_eq!(tables.made(v2_9, ENCODER, BUFFER), Made::Reopened);
    assert_eq!(
        tables.ended(v2_9, ENCODER),
        End::Release(1),
        "its one retain"
    );
}
