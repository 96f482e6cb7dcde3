//! Answers that are only for the caller that began the load.

use super::*;
use crate::store::Kept;

fn alone(value: u32, for_: u64) -> Loaded<u32> {
    Loaded::new(value).ttl(Ttl::private(nanos(for_)))
}

/// Lifetimes pass through every miss by value.
#[test]
fn it_takes_no_more_room_than_a_duration() {
    assert_eq!(size_of::<Ttl>(), size_of::<Duration>());
}

fn is_private(rig: &Rig, key: u32) -> bool {
    matches!(rig.shard.failures.find(hash(key), at(rig.now), |k| *k == key), Some(Kept::Private))
}

/// D104: any caller drives it, but the answer waits for the one that began it; the others begin their own loads.
#[test]
fn it_waits_for_its_own_caller() {
    let mut rig = Rig::new(Rules { attempts: 2, ..rules() });
    let (mut first, mut second, mut third) = (rig.wait(1), rig.wait(1), rig.wait(1));
    assert_eq!(rig.answer(&mut second, 1, alone(5, 10)), Step::Make);
    assert_eq!((second.own(), rig.told(&second), rig.told(&first)), (2, None, Some(Ok(5))));
    assert!(rig.wakes_somebody());
    rig.rest(&mut second);
    assert_eq!(rig.poll(&mut third), Step::Wait);
    assert_eq!(third.own(), 3);
    let outcome = rig.outcome(&mut first);
    assert_eq!((outcome.value, outcome.led, outcome.attempt), (5, true, Some(1)));
    assert_eq!((outcome.generation, outcome.time_left), (None, TimeLeft::For(nanos(0))));
    rig.check_sums(&[&second, &third]);
    assert!(is_private(&rig, 1) && rig.peek(1).is_none());
    // One leaves, and its load with it.
    rig.leave(second);
    assert_eq!((rig.live(&third), rig.shard.flights.counts.dropped), (1, 1));
    rig.check_sums(&[&third]);
    rig.answer(&mut third, 3, alone(6, 10));
    assert_eq!(rig.outcome(&mut third).value, 6);
    assert_eq!((rig.census(), rig.shard.failures.len()), ((0, 0, 0), 1));
}

/// D104: like D25, it has no number, and no caller finds it.
#[test]
fn for_a_while_who_asks_loads_alone() {
    let mut rig = Rig::new(Rules { attempts: 1, ..rules() });
    rig.load(1, alone(5, 10));
    rig.now += 9;
    let callers: Vec<Caller> = (0..3).map(|_| rig.wait(1)).collect();
    assert!(callers.iter().all(|caller| caller.waiting.is_alone));
    assert!(rig.shard.flights.find(hash(1), |k| *k == 1).is_none());
    rig.now += 1;
    let (mut first, mut joined) = (rig.wait(1), rig.wait(1));
    assert!(!first.waiting.is_alone && !joined.waiting.is_alone && joined.own() == 0);
    for mut caller in callers {
        rig.answer(&mut caller, 1, alone(6, 10));
        assert_eq!(
            (rig.outcome(&mut caller).attempt, is_private(&rig, 1)),
            (None, false),
            "it tells nothing to others"
        );
    }
    rig.answer(&mut first, 1, 7);
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut joined).value), (7, 7));
    assert_eq!((rig.served(1).value, rig.shard.failures.len(), rig.census()), (7, 0, (0, 0, 0)));
}

/// D104: a caller held back by the bound begins when a load ends or leaves, and not before.
#[test]
fn who_waits_for_its_turn_is_woken_for_it() {
    let mut rig = Rig::new(Rules { attempts: 1, lock_age: Some(nanos(3)), ..rules() });
    let (mut first, mut second, mut third) = (rig.wait(1), rig.wait(1), rig.wait(1));
    rig.answer(&mut first, 1, alone(5, 100));
    rig.outcome(&mut first);
    assert_eq!((rig.poll(&mut second), rig.poll(&mut third)), (Step::Wait, Step::Wait));
    assert_eq!((second.own(), third.own()), (2, 0));
    rig.now += 50;
    assert_eq!((rig.poll(&mut third), third.own()), (Step::Wait, 0), "no caller takes over");
    rig.leave(second);
    assert!(rig.wakes_somebody());
    rig.poll(&mut third);
    assert_eq!(third.own(), 3);
    rig.answer(&mut third, 3, 6);
    assert_eq!((rig.outcome(&mut third).value, rig.served(1).value), (6, 6));
}

/// D94: a load that is left is not worth finishing, as its answer would be for no caller.
#[test]
fn it_is_not_handed_to_a_spawner() {
    let mut rig = Rig::new(rules());
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.answer(&mut first, 1, alone(5, 100));
    rig.outcome(&mut first);
    rig.poll(&mut second);
    second.waiting.may_hand_over = true;
    assert!(rig.leave(second));
    assert!(rig.effects.take_handed().is_none());
    assert_eq!(rig.census(), (0, 0, 0));
}

/// D49: what the keys of a large load took is given back when it is not polled any more.
#[test]
fn a_load_of_many_keys_leaves_no_memory_behind() {
    let mut rig = Rig::new(rules());
    let by = || crate::flight::PolledBy::here(core::task::Waker::noop());
    for key in 0..1000 {
        rig.shard.enter_alone((hash(key), key), by(), 7, true);
    }
    for key in (0..1000).rev() {
        assert_eq!(rig.shard.leave_alone(hash(key), 7), Some(key));
    }
    assert!(rig.shard.polled_alone.capacity() <= 4);
}
