use proptest::prelude::*;

use super::*;

fn holding(domains: &[Domain]) -> Held {
    let mut held = Held::new();
    for domain in domains {
        assert!(held.add(*domain));
    }
    held
}

#[test]
fn the_one_taken_last_is_at_the_end() {
    let mut held = Held::new();
    assert!(!held.ends_with(Domain(3)));
    for domain in [Domain(3), Domain(9), Domain(5), Domain(3)] {
        assert!(held.add(domain) && held.ends_with(domain));
    }
    assert_eq!(held.domains(), [Domain(9), Domain(5), Domain(3)]);
    held.retain(|it| it != Domain(5));
    assert_eq!(held.domains(), [Domain(9), Domain(3)]);
    held.remove(Domain(3));
    assert!(held.ends_with(Domain(9)));
}

#[test]
fn only_what_comes_later_is_waited_for() {
    let (low, high) = (Domain(3), Domain(9));
    assert_eq!(Held::new().rule(low), Rule::Wait);
    assert_eq!(holding(&[low]).rule(low), Rule::Nested);
    assert_eq!(holding(&[low]).rule(high), Rule::Wait);
    assert_eq!(holding(&[high]).rule(low), Rule::WaitWithLimit);
    assert_eq!(
        holding(&[low, high]).rule(Domain(5)),
        Rule::WaitWithLimit,
        "all that are held count, not the last"
    );
    assert_eq!(holding(&[low, high]).rule(Domain::POOL), Rule::Wait);
    assert_eq!(holding(&[low, Domain::POOL]).rule(high), Rule::Try);
}

#[test]
fn a_thread_with_no_room_left_only_tries() {
    let seven: Vec<Domain> = (0..7).map(Domain).collect();
    let mut held = holding(&seven);
    assert_eq!(held.rule(Domain(50)), Rule::Try);
    assert!(!held.add(Domain(50)));
    held.remove(Domain(2));
    assert_eq!(held.rule(Domain(50)), Rule::Wait);
    assert_eq!(held.domains().len(), 6);
}

#[test]
fn objects_spread_over_the_domains() {
    let mut hits = [0; SHARDS];
    for object in 0..6_400_u64 {
        hits[Domain::of(0x6000_0020_0000 + object * 0x240).index()] += 1;
    }
    assert!(hits.iter().all(|hits| (50..200).contains(hits)), "{hits:?}");
}

/// Threads that take and give domains, and wait as a rule tells them to. A thread that waits does nothing else.
struct World {
    held: Vec<Held>,
    waits_for: Vec<Option<(Domain, Rule)>>,
    rule: fn(&Held, Domain) -> Rule,
}

impl World {
    fn new(threads: usize, rule: fn(&Held, Domain) -> Rule) -> Self {
        Self {
            held: std::iter::repeat_with(Held::new).take(threads).collect(),
            waits_for: vec![None; threads],
            rule,
        }
    }

    fn holder(&self, domain: Domain) -> Option<usize> {
        self.held
            .iter()
            .position(|held| held.domains().contains(&domain))
    }

    fn take(&mut self, thread: usize, domain: Domain) {
        let rule = (self.rule)(&self.held[thread], domain);
        if self.waits_for[thread].is_some() || rule == Rule::Nested {
            return;
        }
        if self.holder(domain).is_none() {
            assert!(self.held[thread].add(domain) || rule == Rule::Try);
        } else if rule != Rule::Try {
            self.waits_for[thread] = Some((domain, rule));
        }
    }

    fn give(&mut self, thread: usize, which: usize) {
        let domains = self.held[thread].domains();
        if self.waits_for[thread].is_some() || domains.is_empty() {
            return;
        }
        let domain = domains[which % domains.len()];
        self.held[thread].remove(domain);
        let next = (0..self.held.len())
            .find(|other| self.waits_for[*other].is_some_and(|(wanted, _)| wanted == domain));
        if let Some(next) = next {
            self.waits_for[next] = None;
            assert!(self.held[next].add(domain));
        }
    }

    fn has_circle_of_unlimited_waits(&self) -> bool {
        (0..self.held.len()).any(|start| {
            let mut thread = start;
            for _ in 0..=self.held.len() {
                let Some((domain, Rule::Wait)) = self.waits_for[thread] else {
                    return false;
                };
                let Some(holder) = self.holder(domain) else {
                    return false;
                };
                thread = holder;
            }
            true
        })
    }
}

fn histories() -> impl Strategy<Value = Vec<(usize, bool, u8)>> {
    // One domain of nine is the pool.
    prop::collection::vec((0_usize..5, prop::bool::weighted(0.7), 0_u8..9), 1..80)
}

fn domain(number: u8) -> Domain {
    if number == 8 {
        Domain::POOL
    } else {
        Domain(number)
    }
}

fn runs_into_a_circle(rule: fn(&Held, Domain) -> Rule, history: &[(usize, bool, u8)]) -> bool {
    let mut world = World::new(5, rule);
    history.iter().any(|(thread, takes, number)| {
        if *takes {
            world.take(*thread, domain(*number));
        } else {
            world.give(*thread, usize::from(*number));
        }
        world.has_circle_of_unlimited_waits()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_circle_of_threads_waits_without_limit(history in histories()) {
        prop_assert!(!runs_into_a_circle(Held::rule, &history));
    }
}

#[test]
fn a_rule_that_always_waits_runs_into_a_circle() {
    let always = |held: &Held, wanted: Domain| match held.rule(wanted) {
        Rule::Nested => Rule::Nested,
        _ => Rule::Wait,
    };
    let crossed = [(0, true, 0), (1, true, 1), (0, true, 1), (1, true, 0)];
    assert!(runs_into_a_circle(always, &crossed));
    assert!(!runs_into_a_circle(Held::rule, &crossed));
}
