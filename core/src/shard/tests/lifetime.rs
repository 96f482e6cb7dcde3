//! How long values are fresh, and when they are refreshed ahead of that.

use alloc::collections::BTreeMap;

use super::*;
use crate::jitter::Jitter;
use crate::store::Life;

const NEVER: Instant = Instant::NEVER;

fn jittered(share: f64, seed: u64) -> Rules {
    Rules { jitter: Some(Jitter::new(share, seed)), ..rules() }
}

fn end(rules: &Rules, ttl: u64, key: u32) -> u64 {
    rules.end(nanos(ttl).into(), &key, at(1000)).expect("it is stored").as_nanos() - 1000
}

fn early(share: Option<f64>, beta: Option<f64>) -> Early {
    let early = share.map_or(Early::new(), |share| Early::new().by_share(share));
    beta.map_or(early, |beta| early.by_chance(beta))
}

fn life(since: u64, end: Instant, took: u64) -> Life {
    Life { since: at(since), end, begun: at(since.saturating_sub(took)) }
}

/// D54, C38.
#[test]
fn jitter_shortens_by_up_to_its_share_and_evenly() {
    let rules = jittered(0.1, 7);
    let mut tenths = BTreeMap::<u64, u32>::new();
    for key in 0..10_000 {
        let end = end(&rules, 1_000_000, key);
        assert!((900_000..=1_000_000).contains(&end), "{end}");
        *tenths.entry((1_000_000 - end) / 10_000).or_default() += 1;
    }
    assert!(tenths.values().all(|count| (900..1100).contains(count)), "{tenths:?}");
}

/// D54.
#[test]
fn jitter_is_a_function_of_key_and_seed() {
    let ends = |seed| [1, 2, 3].map(|key| end(&jittered(0.5, seed), 1_000_000, key));
    assert_eq!(ends(7), ends(7));
    assert_ne!(ends(7), ends(8));
    // Fixed numbers: within one process, randomness of the process would go unnoticed.
    #[cfg(target_pointer_width = "64")]
    assert_eq!(ends(7), [960_738, 559_438, 976_534]);
}

/// D54, D3.
#[test]
fn jitter_leaves_something_and_nothing_endless_alone() {
    for key in 0..1000 {
        assert_eq!(end(&jittered(1.0, 7), 1, key), 1, "never zero");
        assert!(end(&jittered(1.0, 7), 1000, key) >= 1);
        assert_eq!(end(&jittered(0.0, 7), 1000, key), 1000);
        let rules = jittered(1.0, 7);
        for ttl in [Ttl::Forever, Ttl::Inherit, Duration::MAX.into(), nanos(u64::MAX).into()] {
            assert_eq!(rules.end(ttl, &key, at(1000)), Some(NEVER));
        }
        assert_eq!(rules.end(Ttl::NotStored, &key, at(1000)), None);
        assert_eq!(rules.end(nanos(0).into(), &key, at(1000)), None);
    }
    let last = jittered(1.0, 7).end(nanos(5).into(), &1, at(u64::MAX - 6));
    assert!(last.is_some_and(|end| (u64::MAX - 5..=u64::MAX - 1).contains(&end.as_nanos())), "at the end of time");
}

/// D55.
#[test]
fn a_share_of_the_lifetime_is_reached_at_its_instant() {
    let early = early(Some(0.8), None);
    let due = |now| early.is_due(life(1000, at(1100), 0), at(now), None);
    assert_eq!([1079, 1080, 1099].map(due), [false, true, true]);
    assert!(!due(500), "a clock that jumped back");
    assert!(!early.is_due(life(0, NEVER, 0), at(u64::MAX - 1), None), "nothing to come before");
    assert!(!Early::new().by_share(1.0).is_due(life(1000, at(1100), 0), at(1099), None));
}

/// D55: inclusive, though the product may come out a little more than the share is.
#[test]
fn d55_every_share_is_reached_at_its_instant() {
    for part in 1..=100_u32 {
        for lives in [100, 60_000_000_000, 100_000_000, 3_600_000_000_000, 86_400_000_000_000] {
            let early = early(Some(f64::from(part) / 100.0), None);
            let due = |now| early.is_due(life(1000, at(1000 + lives), 0), at(now), None);
            let first = 1000 + lives / 100 * u64::from(part);
            assert_eq!([first - 1, first].map(due), [false, true], "{part}% of {lives}");
        }
    }
    let brief = early(Some(0.001), None);
    assert!(!brief.is_due(life(1000, at(1100), 0), at(1000), None), "not as soon as it begins");
}

/// D55: `now - took * beta * ln(random) >= end`.
#[test]
fn by_chance_it_is_as_far_ahead_as_the_load_took() {
    let ahead = |took, beta, random| {
        let early = early(None, Some(beta));
        let due = |left: u64| early.is_due(life(took, at(1 << 60), took), at((1 << 60) - left), Some(random));
        // A value that is due so far ahead of its end stays due from then on.
        let (mut yes, mut no) = (0, 1 << 60);
        while no - yes > 1 {
            let middle = yes + (no - yes) / 2;
            if due(middle) { yes = middle } else { no = middle }
        }
        yes
    };
    assert_eq!(ahead(1000, 1.0, 1.0), 0);
    assert_eq!(ahead(1000, 1.0, 0.5), 693);
    assert_eq!(ahead(1000, 2.0, 0.5), 1386);
    assert_eq!(ahead(3000, 1.0, 0.5), 2079);
    assert_eq!(ahead(1000, 1.0, f64::from_bits(1)), 744_440, "the smallest number there is");
    for (random, same) in [(0.0, 744_440), (-1.0, 744_440), (f64::NAN, 744_440), (7.0, 0), (f64::INFINITY, 0)] {
        assert_eq!(ahead(1000, 1.0, random), same, "{random}");
    }
    assert_eq!(ahead(0, 1.0, 0.5), 0, "what took no time, as what was inserted");
    assert_eq!(ahead(1000, f64::MAX, 1.0), 0);
    assert!(!early(None, Some(1.0)).is_due(life(50, at(100), 50), at(99), None), "nothing was drawn");
    assert!(!early(None, Some(1.0)).is_due(life(50, NEVER, 50), at(99), Some(0.0)), "it has no end");
}

/// D55, D57: a hit and a ticket, one for each key, and only for a call that takes them.
#[test]
fn a_fresh_value_is_refreshed_once() {
    let mut rig = Rig::new(Rules { ttl: nanos(100).into(), early: early(Some(0.8), None), ..rules() });
    rig.insert(1, 10);
    rig.now = 1079;
    assert!(matches!(rig.arrive_stale(1), (Status::Hit, None)));
    rig.now = 1080;
    let _ = rig.served(1);
    assert_eq!(rig.census(), (0, 0, 0), "plain calls begin nothing");
    let (status, ticket) = rig.arrive_stale(1);
    assert!(status == Status::Hit && ticket.is_some());
    assert!(matches!(rig.arrive_stale(1), (Status::Hit, None)));
    assert_eq!(rig.shard.counts.hits, 4);
}

/// D55: the number drawn for the call decides, and the load took 50 of the 50 that are left.
#[test]
fn chance_is_the_calls() {
    let mut rig = Rig::new(Rules { ttl: nanos(100).into(), early: early(None, Some(1.0)), ..rules() });
    let mut caller = rig.seat(1);
    rig.now = 1050;
    rig.finish(&mut caller, 1, 10);
    let _ = rig.outcome(&mut caller);
    rig.now = 1100;
    for (random, asked) in [(None, false), (Some(1.0), false), (Some(0.37), false), (Some(0.36), true)] {
        let call = Call { takes: Takes::Ticket, random, ..rig.rules.call() };
        let (outcome, has_ticket) = match rig.arrive_with(1, call, Some(Start::Made)) {
            Found::Served(outcome) => (outcome, false),
            Found::Ticket(outcome, _) => (outcome, true),
            _ => panic!("it is there"),
        };
        assert_eq!((outcome.status, has_ticket), (Status::Hit, asked), "{random:?}");
    }
}
