use core::time::Duration;

use super::{ASIDE, AT_ONCE, Delays, Health, TRIES, Victim};
use crate::Instant;

fn health() -> Health {
    Health::new(Delays { first: Duration::from_millis(100), cap: Duration::from_millis(350) })
}

fn at(ms: u64) -> Instant {
    Instant::ZERO.saturating_add(Duration::from_millis(ms))
}

/// Makes one flush of this round fail.
fn fail(health: &mut Health, round: u64, ms: u64) {
    assert!(health.fail(round as u32, round, at(ms)).is_none_or(|back| back.is_empty()));
}

#[test]
fn what_is_not_known_is_asked_with_care() {
    let mut health = health();
    assert_eq!(health.most(None), Ok(AT_ONCE));
    health.succeed();
    assert_eq!(health.most(None), Ok(usize::MAX));
    health.rest();
    assert_eq!(health.most(None), Ok(AT_ONCE));
}

/// C116, D78: only after a few consecutive failures.
#[test]
fn c116_some_fail_in_a_row() {
    let mut health = health();
    for round in 1..TRIES as u64 {
        fail(&mut health, round, 0);
        fail(&mut health, round, 0);
        assert_eq!((health.most(None), health.outage.is_some()), (Ok(1), false), "others are tried");
    }
    assert_eq!(health.rest().len(), 0, "they are passed over still");
    health.succeed();
    assert_eq!((health.is_bad(), health.most(None)), (false, Ok(usize::MAX)));
    assert_eq!(health.rest().len(), TRIES - 1);
    (1..=TRIES as u64).for_each(|round| fail(&mut health, round, 50));
    assert_eq!((health.most(None), health.most(Some(at(149)))), (Err(Victim::Ask), Err(Victim::Failed)));
    assert_eq!(health.most(Some(at(150))), Ok(1), "one is tried");
    health.succeed();
    assert!(health.outage.is_none() && !health.is_bad());
}

/// C116: flushes begun before count as one failure, and so does each that is tried after a delay.
#[test]
fn c116_delays_grow() {
    let mut health = health();
    (1..=20).for_each(|round| fail(&mut health, round, 0));
    let mut now = 0;
    for (nth, delay) in [100, 200, 350, 350].into_iter().enumerate() {
        assert_eq!(health.most(Some(at(now + delay - 1))), Err(Victim::Failed));
        now += delay;
        assert_eq!(health.most(Some(at(now))), Ok(1));
        // However many callers have waited for it and are told.
        (0..3).for_each(|_| fail(&mut health, 30 + nth as u64, now));
    }
    // A clock that jumps back lengthens the delay, which still ends.
    assert_eq!(health.most(Some(at(0))), Err(Victim::Failed));
    assert_eq!(health.most(Some(Instant::from_nanos(u64::MAX - 1))), Ok(1));
}

/// Entries that fail are passed over, up to a limit.
#[test]
fn what_fails_is_passed_over() {
    let mut health = health();
    for round in 0..ASIDE as u64 {
        fail(&mut health, round, 10_000 * round);
    }
    let back = health.fail(99, 99, at(10_000_000));
    assert_eq!(back, Some((0..ASIDE as u32).collect()));
    assert_eq!(health.aside, [99]);
}
