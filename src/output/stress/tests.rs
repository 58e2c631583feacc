use super::progress::{Goal, Standing, left, line};
use super::words::sentence;
use super::*;
use crate::stats::Sequential;

const QUESTION: Question = Question {
    confidence: 0.95,
    max_rate: None,
    require_fix: false,
};

const COURSE: Course = Course {
    stopped: None,
    decision: None,
    bound: None,
    left: None,
    elapsed: Duration::from_secs(60),
};

fn tally(kinds: &[(Kind, u64)]) -> Tally {
    Tally {
        kinds: kinds.iter().copied().collect(),
        ..Tally::default()
    }
}

#[test]
fn the_gravest_of_what_was_seen_is_the_exit_code() {
    for (kinds, expected) in [
        (&[(Kind::Clean, 3)][..], 0),
        (&[(Kind::Clean, 3), (Kind::Failure, 1)], 1),
        (&[(Kind::LostWork, 1), (Kind::Failure, 1)], 87),
        (&[(Kind::NotInjected, 1), (Kind::Clean, 1)], 0),
        (&[(Kind::NotInjected, 2)], 88),
        (&[(Kind::Hang, 1), (Kind::LostWork, 1)], 124),
        (&[(Kind::GpuError, 1), (Kind::Hang, 1)], 86),
        (&[(Kind::Crash, 1), (Kind::Clean, 99)], 86),
        (&[(Kind::Assertion, 1), (Kind::Clean, 99)], 86),
        (&[(Kind::Refused, 1)], 125),
        (&[(Kind::Interrupted, 1)], 1),
        (&[], 1),
    ] {
        let code = code(&tally(kinds), &End::Done, QUESTION, None);
        assert_eq!(code, expected, "{kinds:?}");
    }
    let strict = Question {
        require_fix: true,
        ..QUESTION
    };
    let some_without = tally(&[(Kind::NotInjected, 1), (Kind::Clean, 1)]);
    assert_eq!(code(&some_without, &End::Done, strict, None), 88);
    let mut known = tally(&[(Kind::Crash, 2)]);
    known.known = 2;
    assert_eq!(code(&known, &End::Done, QUESTION, None), 0, "the baseline");
}

#[test]
fn how_a_series_ended_comes_before_what_it_saw_and_a_test_before_single_crashes() {
    let crashed = tally(&[(Kind::Crash, 1), (Kind::Clean, 200)]);
    let limit = Question {
        max_rate: Some(0.05),
        ..QUESTION
    };
    let of = |end: &End, decision| code(&crashed, end, limit, decision);
    assert_eq!(of(&End::Done, Some(Decision::Below)), 0);
    assert_eq!(of(&End::Done, Some(Decision::NotBelow)), 86);
    assert_eq!(of(&End::Done, None), 86);
    let clean = tally(&[(Kind::Clean, 5)]);
    assert_eq!(code(&clean, &End::Done, limit, None), 1, "not decided");
    let storage = End::Storage {
        reason: String::new(),
    };
    assert_eq!(of(&storage, None), 125);
    assert_eq!(of(&End::Interrupted { signal: 15 }, None), 143);
    for (own, expected) in [(Some(127), 127), (Some(86), 125), (None, 125)] {
        let launch = End::Launch {
            code: own,
            reason: String::new(),
        };
        assert_eq!(of(&launch, None), expected);
    }
}

#[test]
fn the_sentence_says_no_more_than_the_runs_show() {
    let told = |kinds: &[(Kind, u64)], max_rate, decision, bound| {
        let question = Question {
            max_rate,
            ..QUESTION
        };
        let course = Course { bound, ..COURSE };
        let rate = RateView::of(&tally(kinds), question, course);
        sentence(&rate, max_rate, decision)
    };
    for (kinds, expected) in [
        (
            &[(Kind::Clean, 59)][..],
            "0 of 59: below 5.0 % with 95 % confidence",
        ),
        (
            &[(Kind::Crash, 1), (Kind::Failure, 9), (Kind::NotInjected, 5)],
            "1 of 10: 10.0 %, from 0.25 % to 44.6 % with 95 % confidence",
        ),
        (
            &[(Kind::NotInjected, 5)],
            "no run counts: nothing is known of how often it crashes",
        ),
    ] {
        assert_eq!(told(kinds, None, None, None), expected);
    }
    let limit = Some(0.05);
    let clean = [(Kind::Clean, 20)];
    assert_eq!(
        told(&clean, limit, None, Some(0.1392)),
        "0 of 20: too few runs to say whether it is below 5.0 % with 95 % confidence; what is shown is below 14.0 %"
    );
    assert_eq!(
        told(&clean, limit, Some(Decision::Below), Some(0.05)),
        "0 of 20: below 5.0 % with 95 % confidence"
    );
}

#[test]
fn what_is_missing_of_an_answer_is_told_with_its_time() {
    assert_eq!(words::left(30, COURSE), "");
    let course = Course {
        left: Some(41),
        ..COURSE
    };
    assert_eq!(
        words::left(30, course),
        "; 41 runs more without a crash would say so, about 1 min 22 s at this pace"
    );
    assert_eq!(
        words::left(0, course),
        "; 41 runs more without a crash would say so",
        "no pace, no time"
    );
}

#[test]
fn a_clock_that_was_set_is_told_either_way() {
    let told = |seconds| words::notice(&Notice::ClockJumped { slot: 4, seconds });
    assert!(
        told(-90.0)
            .starts_with("the clock was set back by 1 min 30 s during run 5: start times are not")
    );
    assert!(told(3.0).starts_with("the clock went 3.0 s too far during run 5"));
}

fn standing(tally: &Tally, total: f64) -> Standing<'_> {
    Standing {
        tally,
        total,
        elapsed: Duration::from_secs(40),
    }
}

#[test]
fn progress_tells_runs_rate_bound_and_what_is_left() {
    let goal = Goal {
        runs: Some(100),
        duration: None,
        test: None,
        confidence: 0.95,
        jobs: 2,
    };
    let nothing = Tally::default();
    assert_eq!(
        line(&goal, &standing(&nothing, 0.0)),
        "0 of 100 runs, no crash"
    );
    let some = tally(&[(Kind::Clean, 19), (Kind::Crash, 1), (Kind::NotInjected, 5)]);
    assert_eq!(
        line(&goal, &standing(&some, 50.0)),
        "25 of 100 runs, 1 crash (5.0 %), below 21.7 % so far, 5 excluded, 1 min 15 s left"
    );
    let limited = Goal {
        duration: Some(Duration::from_secs(60)),
        ..goal
    };
    let sooner = left(&limited, &standing(&some, 50.0));
    assert_eq!(sooner, Some(Duration::from_secs(20)));
}

#[test]
fn a_test_goes_on_as_long_as_it_would_without_another_crash() {
    let test = Sequential::new(0.05, 0.95).expect("within reach");
    let goal = Goal {
        runs: None,
        duration: None,
        test: Some(&test),
        confidence: 0.95,
        jobs: 1,
    };
    let clean = tally(&[(Kind::Clean, 31)]);
    // 61 runs without a crash, a second each.
    let left = left(&goal, &standing(&clean, 31.0));
    assert_eq!(left, Some(Duration::from_secs(30)));
}
