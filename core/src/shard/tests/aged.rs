//! Answers that were published before, that have expired before they came, or that stand in for a failure.

use super::*;

/// Values may be served for 100 after they have expired.
fn held() -> Rules {
    Rules { stale_if_error: Some(nanos(100)), hold: Some(nanos(100)), ..rules() }
}

fn stale(value: u32, since: u64) -> Loaded<u32> {
    Loaded::new(value).stale(nanos(since))
}

/// What is seen of a key: its value, status and age, and how long it is fresh.
fn seen(rig: &Rig, key: u32) -> Option<(u32, Status, u64, TimeLeft)> {
    rig.peek(key).map(|found| (found.value, found.status, found.age.as_nanos() as u64, found.time_left))
}

/// D110.
#[test]
fn its_age_and_its_life_count_from_when_it_was_published() {
    let mut rig = Rig::new(held());
    let outcome = rig.load(1, Loaded::new(5).ttl(nanos(30)).aged(nanos(10)));
    let left = TimeLeft::For(nanos(20));
    assert_eq!((outcome.status, outcome.age, outcome.time_left), (Status::Miss, nanos(10), left));
    rig.insert(2, Loaded::new(6).ttl(nanos(30)).aged(nanos(10)));
    for (key, value) in [(1, 5), (2, 6)] {
        assert_eq!(seen(&rig, key), Some((value, Status::Hit, 10, left)));
    }
    rig.now += 19;
    assert!(rig.contains(1));
    rig.now += 1;
    assert_eq!(seen(&rig, 1), Some((5, Status::Stale(nanos(0)), 30, TimeLeft::For(nanos(0)))));
    // Older than its life, so it comes expired.
    let outcome = rig.load(3, Loaded::new(7).ttl(nanos(30)).aged(nanos(40)));
    assert_eq!((outcome.status, outcome.age), (Status::Stale(nanos(10)), nanos(40)));
    assert_eq!(seen(&rig, 3), Some((7, Status::Stale(nanos(10)), 40, TimeLeft::For(nanos(0)))));
}

/// D110: all callers that wait get it, and it is held for as long as a limit may need it.
#[test]
fn what_comes_expired_is_delivered_and_held() {
    let mut rig = Rig::new(held());
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.answer(&mut first, 1, stale(5, 60));
    for caller in [&mut first, &mut second] {
        let outcome = rig.outcome(caller);
        assert_eq!((outcome.value, outcome.status), (5, Status::Stale(nanos(60))));
        assert!(outcome.generation.is_some());
    }
    assert_eq!(rig.shard.counts.stale, 2, "each is counted as what it was told");
    rig.now += 40;
    assert_eq!(soften(&mut rig, 1, 100).expect("it is within the limit").status, Status::Stale(nanos(100)));
    rig.now += 1;
    assert!(soften(&mut rig, 1, 100).is_err());
    assert!(matches!(rig.arrive(1), Found::Seated(_)), "a caller that wants a fresh one loads again");
}

/// D110: beyond all limits, without one, or from before the clock began: nothing is held, and the stored value is gone.
#[test]
fn what_is_of_no_use_is_delivered_alone() {
    for (hold, since) in [(Some(nanos(100)), 101), (None, 1), (Some(nanos(9999)), 1002)] {
        let mut rig = Rig::new(Rules { hold, ..held() });
        rig.insert(1, Loaded::new(4).ttl(nanos(1)));
        rig.now += 1;
        let outcome = rig.load(1, stale(5, since));
        assert_eq!((outcome.value, outcome.generation), (5, None));
        assert_eq!(outcome.status, Status::Stale(nanos(since.min(1001))));
        assert!(rig.peek(1).is_none());
    }
}

/// D110: the same as for an expired value in a slot.
#[test]
fn what_comes_expired_takes_the_place_of_nothing_fresh() {
    let mut rig = Rig::new(held());
    let generation = rig.insert(1, Loaded::new(4).ttl(nanos(50)));
    let reload = Call { reload: true, ..rig.rules.call() };
    let mut caller = rig.seat_with(1, reload, Some(Start::Made));
    rig.finish(&mut caller, 1, stale(5, 10));
    assert_eq!(rig.outcome(&mut caller).value, 5);
    assert_eq!((rig.served(1).value, rig.served(1).generation), (4, generation));
    rig.now += 50;
    rig.load(1, stale(6, 90));
    assert_eq!(seen(&rig, 1).map(|seen| seen.0), Some(6), "an answer is newer than what has expired");
}

/// Makes the load of this caller fail, and bring a value to be served instead.
fn fail_with(rig: &mut Rig, caller: &mut Caller, instead: Loaded<u32>) -> Option<Loaded<u32>> {
    rig.drive(caller, 1);
    let mut news = Some(News::new(instead, Judgement::default()));
    let at = At { now: at(rig.now), rules: &rig.rules };
    let seat = caller.waiting.seat.at_attempt(1);
    rig.effects = Effects::default();
    rig.shard.hold_instead(&seat, &mut news, at, &mut rig.effects);
    assert!(!rig.effects.lacks_room() && !rig.wakes_somebody(), "no caller is told yet");
    rig.finish_with_failure(caller, 1, failure("down"));
    news.map(|news| Loaded::new(news.into_value()))
}

/// D111: each caller gets the value within its own limit, and the error beyond it.
#[test]
fn d111_a_failure_brings_what_is_served_instead() {
    let mut rig = Rig::new(held());
    let fussy = Call { stale_if_error: Some(nanos(20)), ..rig.rules.call() };
    let strict = Call { stale_if_error: None, ..rig.rules.call() };
    let (mut first, mut second) = (rig.wait(1), rig.wait_with(1, fussy));
    let mut third = rig.wait_with(1, strict);
    assert!(fail_with(&mut rig, &mut first, stale(5, 30)).is_none());
    let outcome = rig.outcome(&mut first);
    assert_eq!((outcome.value, outcome.status), (5, Status::Stale(nanos(30))));
    assert_eq!(outcome.error.as_ref().map(name_of), Some("down"));
    assert_eq!((rig.error(&mut second), rig.error(&mut third)), (Some("down"), Some("down")));
    rig.now += 70;
    assert_eq!(soften(&mut rig, 1, 100).expect("it is held").status, Status::Stale(nanos(100)));
}

/// D111: a value that does not say when it expired has expired when the load failed.
#[test]
fn d111_what_does_not_say_how_stale_it_is() {
    for instead in [Loaded::new(5), Loaded::new(5).ttl(nanos(70)).aged(nanos(10))] {
        let mut rig = Rig::new(Rules { ttl: Ttl::Forever, ..held() });
        let mut caller = rig.wait(1);
        fail_with(&mut rig, &mut caller, instead);
        assert_eq!(rig.outcome(&mut caller).status, Status::Stale(nanos(0)));
        assert!(!rig.contains(1));
    }
    for ttl in [Ttl::NotStored, Ttl::private(nanos(7)), Ttl::stale(nanos(101))] {
        let mut rig = Rig::new(held());
        let mut caller = rig.wait(1);
        assert!(fail_with(&mut rig, &mut caller, Loaded::new(5).ttl(ttl)).is_some());
        assert!(rig.peek(1).is_none() && rig.error(&mut caller) == Some("down"));
    }
}

/// D111: a held value with a later end stays, and a removed one does not come back (P8).
#[test]
fn d111_only_in_the_place_of_what_is_no_better() {
    let mut rig = Rig::new(held());
    rig.insert(1, Loaded::new(4).ttl(nanos(10)));
    rig.now += 20;
    let mut caller = rig.wait(1);
    assert!(fail_with(&mut rig, &mut caller, stale(5, 11)).is_some());
    assert_eq!(rig.outcome(&mut caller).value, 4);
    let mut caller = rig.wait(1);
    assert!(fail_with(&mut rig, &mut caller, stale(6, 9)).is_none());
    assert_eq!(rig.outcome(&mut caller).value, 6);
    let mut caller = rig.wait(1);
    rig.remove(1);
    assert!(fail_with(&mut rig, &mut caller, stale(7, 9)).is_some());
    assert!(rig.peek(1).is_none() && rig.error(&mut caller) == Some("down"));
    assert_eq!(rig.census(), (0, 0, 0));
}

/// D111: nor does a value that is too heavy remove anything.
#[test]
fn d111_too_heavy() {
    let mut rig = Rig::new(held());
    rig.insert(1, Loaded::new(4).ttl(nanos(10)));
    rig.now += 20;
    let mut caller = rig.wait(1);
    assert!(fail_with(&mut rig, &mut caller, stale(5, 1).weight(101)).is_some());
    assert_eq!(rig.outcome(&mut caller).value, 4);
}
