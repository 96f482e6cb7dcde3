//! What a caller is told, and what it does when a deadline passes.

mod ages;
mod patience;

use super::*;

/// Polls a caller that has to wait; returns until when.
fn sleeps_until(rig: &mut Rig, caller: &mut Caller) -> u64 {
    assert_eq!(rig.poll(caller), Step::Wait);
    rig.effects.until.as_nanos()
}

fn patient(rules: Rules, patience: u64, then: OnTimeout) -> Rules {
    Rules { lock_timeout: Some((nanos(patience), then)), ..rules }
}

/// D7.
#[test]
fn who_began_has_the_status_of_its_first_look_and_all_others_lock_hit() {
    let rules = Rules { lock_age: Some(nanos(5)), stale_if_error: Some(nanos(99)), ..rules() };
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 10;
    let mut first = rig.wait(1);
    rig.now += 3;
    let mut joined = rig.wait(1);
    rig.now += 2;
    let mut second = rig.wait(1);
    rig.now += 4;
    rig.answer(&mut first, 2, Loaded::new(6).ttl(nanos(100)));
    rig.now += 50;
    let told = [&mut first, &mut second, &mut joined].map(|caller| rig.outcome(caller));
    assert_eq!(told.each_ref().map(|outcome| outcome.status), [Status::Expired, Status::Expired, Status::LockHit]);
    assert_eq!(told.each_ref().map(|outcome| outcome.led), [true, true, false]);
    assert_eq!(told.each_ref().map(|outcome| outcome.waited.as_nanos()), [9, 4, 6], "each from its own first poll");
    for outcome in &told {
        assert_eq!((outcome.value, outcome.attempt, outcome.age), (6, Some(2), Duration::ZERO));
        assert_eq!(outcome.time_left, TimeLeft::For(nanos(100)));
    }
    let counts = rig.shard.counts;
    assert_eq!((counts.expired, counts.joined, counts.misses), (2, 1, 0));
}

/// The fast path for most callers that joined tells the same, as long as others are still to hear of it.
#[test]
fn who_collects_is_told_what_all_are_told() {
    let mut rig = Rig::new(rules());
    let (mut first, mut second, mut third) = (rig.wait(1), rig.wait(1), rig.wait(1));
    assert!(rig.shard.collect(&mut second.waiting).is_none(), "it is not there");
    rig.now += 4;
    rig.answer(&mut first, 1, Loaded::new(6).ttl(nanos(100)));
    let outcome = rig.shard.collect(&mut second.waiting).expect("it is there");
    assert_eq!((outcome.value, outcome.status, outcome.led, outcome.attempt), (6, Status::LockHit, false, Some(1)));
    assert_eq!((outcome.waited, outcome.time_left), (nanos(4), TimeLeft::For(nanos(100))));
    assert!(!second.is_seated());
    let outcome = rig.shard.collect(&mut third.waiting).expect("the last caller takes it along");
    assert_eq!((outcome.value, third.is_seated()), (6, false));
    assert_eq!((rig.census(), rig.shard.counts.joined, rig.shard.counts.misses), ((0, 0, 0), 2, 1));

    let (mut first, mut second, mut third) = (rig.wait(2), rig.wait(2), rig.wait(2));
    rig.fail(&mut first, 1, "down");
    assert!(rig.shard.collect(&mut second.waiting).is_none(), "nor is a failure told so");
    assert_eq!((rig.error(&mut second), rig.error(&mut third)), (Some("down"), Some("down")));
}

/// D18: an answer beats a timeout of the same instant.
#[test]
fn the_load_is_driven_before_any_deadline_is_looked_at() {
    let mut rig = Rig::new(Rules { budget: Some(nanos(5)), ..patient(rules(), 5, OnTimeout::Fail) });
    let mut caller = rig.wait(1);
    rig.now += 5;
    assert_eq!(rig.visit(&mut caller), Step::Poll);
    rig.finish(&mut caller, 1, 6);
    assert_eq!(rig.told(&caller), Some(Ok(6)));
}

/// D18: also if several callers wait, though none was woken.
#[test]
fn each_load_is_polled_once_before_a_deadline_counts_woken_or_not() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(3)), ..patient(rules(), 5, OnTimeout::Fail) });
    let mut first = rig.wait(1);
    rig.now += 3;
    let (mut second, mut third) = (rig.wait(1), rig.wait(1));
    rig.now += 1;
    rig.wake_load(&first);
    rig.poll(&mut second);
    assert_eq!(rig.visit(&mut first), Step::Wait, "another has polled what was woken");
    rig.now += 1;
    rig.wake_load(&first);
    rig.poll(&mut second);
    assert_eq!((rig.visit(&mut first), rig.effects.number), (Step::Poll, 1));
    assert_eq!((rig.pend(&mut first), rig.effects.number), (Step::Poll, 2));
    assert_eq!(rig.pend(&mut first), Step::Told);
    assert!(matches!(rig.hear(&mut first), Err(LoadError::LockTimeout)));
    rig.now += 2;
    rig.wake_load(&third);
    rig.poll(&mut second);
    rig.now += 1;
    assert_eq!(rig.visit(&mut third), Step::Poll);
    rig.finish(&mut third, 1, 6);
    assert_eq!(rig.outcome(&mut third).value, 6, "an answer beats it");
}

/// P11, D5: a deadline that seems to have passed is checked with the present time, and no other is.
#[test]
fn the_clock_is_read_again_when_a_deadline_may_have_passed() {
    let mut rig = Rig::new(patient(rules(), 5, OnTimeout::Fail));
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    let look = |rig: &mut Rig, caller: &mut Caller, now| {
        let mut waiting = core::mem::replace(&mut caller.waiting, Waiting::new(0, at(0)));
        waiting.after = 1;
        let visit = Visit { is_present: false, ..visit_of(caller, &rig.rules, now, false) };
        let step = rig.shard.visit(&mut waiting, &visit, &mut rig.effects);
        caller.waiting = waiting;
        step
    };
    assert_eq!(look(&mut rig, &mut second, 1004), Step::Wait);
    assert_eq!(look(&mut rig, &mut second, 1005), Step::ReadClock);
    rig.now = 1002;
    assert_eq!(sleeps_until(&mut rig, &mut second), 1005, "the clock has jumped back");
}
