//! What a slot does differently from a cache.

use super::*;
use crate::{jitter::Jitter, source::Touched, store::Life};

/// The rules of a slot, with a delay of 10 that doubles up to 40.
fn lazy() -> Rules {
    Rules {
        takes: Takes::Others,
        keeps_expired: true,
        delays_empty: false,
        stale_while_refresh: Some(Duration::MAX),
        stale_if_error: Some(Duration::MAX),
        backoff: Backoff { endless: true, ..BACKOFF },
        ..rules()
    }
}

fn ahead(margin: u64, inline: bool) -> Rules {
    let margin = Some(Margin { length: nanos(margin), jitter: None });
    let mut early = margin.map_or(Early::new(), |margin| Early::new().by_margin(margin));
    early.inline = inline;
    Rules { early, ..lazy() }
}

fn expired(n: u32) -> Loaded<u32> {
    Loaded::new(n).ttl(Ttl::ExpiresAtOnce)
}

fn refresh_at(rig: &Rig) -> u64 {
    rig.shard.refresh_at(hash(1), &rig.rules, |k| *k == 1).as_nanos()
}

fn count(rig: &Rig) -> Option<(u32, u64)> {
    rig.shard.trouble(hash(1), |k| *k == 1).map(|trouble| (trouble.count, trouble.retry_at.as_nanos()))
}

/// D69.
#[test]
fn one_refreshes_and_the_others_take_the_old_value() {
    let mut rig = Rig::new(lazy());
    rig.insert(1, expired(10));
    let refresher = rig.wait(1);
    assert_eq!((refresher.waiting.first(), refresher.own()), (Status::Expired, 1));
    for age in [0, 7] {
        rig.now = 1000 + age;
        let outcome = match rig.arrive(1) {
            Found::Served(outcome) => outcome,
            Found::LookAfter(outcome, caller) => {
                rig.look_after(caller);
                outcome
            }
            _ => panic!("it is held"),
        };
        assert_eq!((outcome.value, outcome.status), (10, Status::Stale(nanos(age))));
        assert!(outcome.error.is_none());
    }
    rig.leave(refresher);
    let found = rig.arrive_with(1, rig.rules.call(), None);
    assert!(matches!(found, Found::Served(..)), "a caller without a load takes the old value, too");
}

/// D67.
#[test]
fn who_asks_from_inside_takes_the_old_value_whatever_the_age() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..lazy() });
    rig.insert(1, expired(10));
    let refresher = rig.seat(1);
    assert_eq!(refresher.step, Step::Make);
    rig.now = 1005;
    let inside = Caller::new(1, rig.rules.call(), Some(Start::Made), rig.now);
    let inside = rig.come(Caller { waker: refresher.waker.clone(), ..inside });
    assert!(matches!(inside, Found::Served(..)));
    assert_eq!(rig.shard.flights.counts.takeovers, 0);
    assert!(matches!(rig.arrive(1), Found::Seated(_)));
    assert_eq!(rig.shard.flights.counts.takeovers, 1);
}

/// D70, D72.
#[test]
fn a_failure_delays_the_next_refresh_and_is_told_beside_the_value() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(15)), stale_if_error: Some(nanos(15)), ..lazy() });
    rig.insert(1, expired(10));
    rig.load_fails(1, "one");
    assert_eq!((count(&rig), refresh_at(&rig)), (Some((1, 1010)), 1010));
    rig.now = 1009;
    assert_eq!(rig.served(1).error.as_ref().and_then(Failure::error), Some(&"one"));
    rig.now = 1010;
    rig.load_fails(1, "two");
    assert_eq!(count(&rig), Some((2, 1030)));
    rig.now = 1016;
    let Found::Refused(LoadError::Failed(failure)) = rig.arrive(1) else { panic!("beyond the limit") };
    assert_eq!((failure.error(), failure.retry_at()), (Some(&"two"), Some(at(1030))));
    rig.now = 1030;
    rig.load(1, 20);
    assert_eq!((count(&rig), refresh_at(&rig)), (None, u64::MAX));
}

/// D68.
#[test]
fn an_empty_one_is_not_delayed_unless_asked_for() {
    for delays_empty in [false, true] {
        let mut rig = Rig::new(Rules { delays_empty, ..lazy() });
        assert_eq!((count(&rig), refresh_at(&rig)), (None, 0));
        rig.load_fails(1, "one");
        assert_eq!((count(&rig), refresh_at(&rig)), (Some((1, 1010)), 1010));
        let refused = matches!(rig.arrive(1), Found::Refused(LoadError::Failed(failure)) if failure.is_cached());
        assert_eq!(refused, delays_empty);
    }
}

/// D74.
#[test]
fn what_is_over_when_it_comes_is_kept() {
    for (ttl, paced) in [(Ttl::ExpiresAtOnce, false), (nanos(0).into(), true)] {
        let mut rig = Rig::new(lazy());
        let outcome = rig.load(1, Loaded::new(10).ttl(ttl));
        assert_eq!((outcome.status, outcome.time_left), (Status::Miss, TimeLeft::For(nanos(0))));
        assert!(outcome.generation.is_some());
        assert_eq!(count(&rig), paced.then_some((0, 1010)), "{ttl:?}");
        assert_eq!(refresh_at(&rig), if paced { 1010 } else { 1000 });
        assert_eq!(matches!(rig.arrive(1), Found::Served(..)), paced);
        let look = rig.shard.look(hash(1), at(1000), |k| *k == 1).expect("it is kept");
        assert!(look.error.is_none() && look.status == Status::Stale(nanos(0)));
    }
    let mut rig = Rig::new(lazy());
    rig.insert(1, 10);
    rig.insert(1, Loaded::new(20).ttl(Ttl::NotStored));
    assert!(rig.peek(1).is_none());
    // The rules of a cache do not apply, whatever says so.
    for ttl in [Ttl::ExpiresAtOnce, nanos(0).into(), Ttl::NotStored] {
        let mut rig = Rig::new(rules());
        rig.insert(1, 10);
        assert_eq!(rig.insert(1, Loaded::new(20).ttl(ttl)), None);
        assert!(rig.peek(1).is_none() && count(&rig).is_none(), "{ttl:?}");
        assert!(rig.load(1, Loaded::new(30).ttl(ttl)).generation.is_none());
        assert!(rig.peek(1).is_none());
        rig.rules.ttl = ttl;
        rig.load(1, 40);
        assert_eq!((rig.insert(1, 50), rig.peek(1).is_none()), (None, true));
    }
}

/// D100.
#[test]
fn ahead_of_its_end_a_value_is_a_hit_and_handed_out_once() {
    let mut rig = Rig::new(ahead(10, false));
    rig.insert(1, Loaded::new(10).ttl(nanos(100)));
    assert_eq!(refresh_at(&rig), 1090);
    rig.now = 1089;
    assert!(matches!(rig.arrive_stale(1), (Status::Hit, None)));
    rig.now = 1090;
    assert_eq!(rig.served(1).status, Status::Hit, "a plain call begins nothing");
    let (status, ticket) = rig.arrive_stale(1);
    assert_eq!((status, ticket.is_some()), (Status::Hit, true));
    assert!(matches!(rig.arrive_stale(1), (Status::Hit, None)));
    assert_eq!(rig.shard.counts.hits, 4);
}

/// D100.
#[test]
fn inline_the_first_refreshes_and_has_the_old_value_if_that_fails() {
    let mut rig = Rig::new(ahead(10, true));
    rig.insert(1, Loaded::new(10).ttl(nanos(100)));
    assert!(rig.shard.hit(hash(1), at(1089), |k| *k == 1).is_none(), "a hit takes more than a look");
    rig.now = 1089;
    assert_eq!(rig.served(1).status, Status::Hit);
    rig.now = 1090;
    let refresher = rig.wait(1);
    let Found::LookAfter(outcome, caller) = rig.arrive(1) else { panic!("the others have the value") };
    rig.look_after(caller);
    assert_eq!((outcome.status, rig.served(1).status), (Status::Hit, Status::Hit), "the others");
    let call = rig.rules.call();
    let outcome = soften_with(&mut rig, 1, call).expect("it is fresh");
    assert_eq!((outcome.value, outcome.status, outcome.error.is_some()), (10, Status::Hit, true));
    for takes in [Takes::Ticket, Takes::Fresh] {
        let outcome =
            soften_with(&mut rig, 1, Call { takes, ..call }).expect("it is fresh, though another call has stored it");
        assert_eq!((outcome.status, outcome.error.is_some()), (Status::Hit, true));
    }
    assert!(soften_with(&mut rig, 1, Call { reload: true, ..call }).is_err(), "it wants a newer one");
    rig.leave(refresher);
    rig.load_fails(1, "down");
    assert_eq!(rig.served(1).status, Status::Hit, "not before the delay is over");
}

/// D21: a bound set by the caller, and a value that is good enough for it.
#[test]
fn patience_ends_by_the_fresh_value_of_who_refreshes_it_ahead_of_time() {
    for then in [OnTimeout::Stale, OnTimeout::Fail] {
        for reload in [false, true] {
            let mut rig = Rig::new(Rules { lock_timeout: Some((nanos(5), then)), ..ahead(10, true) });
            rig.insert(1, Loaded::new(10).ttl(nanos(100)));
            rig.now = 1090;
            let mut caller = rig.wait_with(1, Call { reload, ..rig.rules.call() });
            rig.now = 1095;
            assert_eq!(rig.poll(&mut caller), Step::Told);
            match rig.hear(&mut caller) {
                Ok(outcome) => {
                    assert!(!reload || then == OnTimeout::Stale, "a fresh value is what `Stale` takes (D23)");
                    assert_eq!(outcome.status, Status::Hit);
                }
                Err(LoadError::LockTimeout) => assert!(reload && then == OnTimeout::Fail),
                Err(_) => panic!("it is time to leave"),
            }
            assert_eq!(rig.shard.counts.timeouts, 1);
        }
    }
}

/// D100: when a refresh is due, by the length of a life and of the margin.
#[test]
fn a_margin_starts_before_the_end_and_after_the_beginning() {
    let start = |life: u64, margin: u64, share: f64, seed: u64| {
        let jitter = (share > 0.0).then_some(Jitter::new(share, seed));
        let life = Life { since: at(1000), end: at(1000 + life), begun: at(1000) };
        Margin { length: nanos(margin), jitter }.start(life).as_nanos() - 1000
    };
    for (life, margin, at) in
        [(100, 10, 90), (100, 99, 1), (100, 100, 50), (100, 1000, 50), (1, 1, 1), (0, 10, 0), (3, 9, 2)]
    {
        assert_eq!(start(life, margin, 0.0, 0), at, "{margin} before the end of {life}");
    }
    for seed in 0..200 {
        assert!((86..=90).contains(&start(100, 10, 0.5, seed)), "up to half of the margin");
        assert!((25..=50).contains(&start(100, 100, 1.0, seed)), "half of what is left before it at the most");
        assert!(start(2, 1, 1.0, seed) > 0);
    }
    let endless = Life { since: at(0), end: Instant::NEVER, begun: at(0) };
    assert_eq!(Margin { length: Duration::MAX, jitter: None }.start(endless), Instant::NEVER);
    let last = Life { since: at(0), end: at(u64::MAX - 1), begun: at(0) };
    let jitter = Some(Jitter::new(1.0, 1));
    assert!(Margin { length: Duration::MAX, jitter }.start(last).as_nanos() > 0);
    let back = Life { since: at(2000), end: at(1000), begun: at(2000) };
    assert_eq!(Margin { length: nanos(10), jitter }.start(back), at(1000), "a clock that jumped back");
}

/// D73: what watchers are told.
#[test]
fn what_is_touched() {
    let mut rig = Rig::new(lazy());
    rig.remove(1);
    assert_eq!(rig.effects.touched, None);
    rig.load_fails(1, "down");
    rig.remove(1);
    assert_eq!(rig.effects.touched, Some(Touched::Deadline), "the next load need not wait");
    rig.insert(1, 10);
    assert_eq!(rig.effects.touched, Some(Touched::Value));
    let expire = |rig: &mut Rig| {
        rig.effects = Effects::default();
        rig.shard.expire(hash(1), at(rig.now), |k| *k == 1, &mut rig.effects);
        rig.effects.touched
    };
    assert_eq!(expire(&mut rig), Some(Touched::Deadline));
    rig.load_fails(1, "down");
    assert_eq!(rig.effects.touched, None);
    rig.now = 1010;
    rig.load(1, Loaded::new(20).ttl(Ttl::NotStored));
    assert_eq!(rig.effects.touched, Some(Touched::Value));
    rig.load(1, Loaded::new(30).ttl(Ttl::NotStored));
    assert_eq!((rig.effects.touched, expire(&mut rig)), (None, None));
    rig.load(1, 40);
    assert_eq!(rig.effects.touched, Some(Touched::Value));
    rig.remove(1);
    assert_eq!(rig.effects.touched, Some(Touched::Value));
}
