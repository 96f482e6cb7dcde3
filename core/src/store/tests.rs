//! What the tests of the store share, and the lives of its entries.

use core::time::Duration;

use super::{Allowance, Keeping, Leavers, New, Values, policy::Lru};
use crate::Instant;

pub(super) fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

pub(super) fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// Returns a hash that an even key shares with the next one, so that only the keys tell them apart.
pub(super) fn crowded(key: u32) -> u64 {
    u64::from(key / 2).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

pub(super) fn holding(hold: Duration) -> Keeping {
    Keeping { hold: Some(hold), ..Keeping::default() }
}

/// Returns a store with one value that was put at 100 and expires at `deadline`.
fn with_one(deadline: Instant, hold: Option<Duration>) -> Values<u32, u32, Lru> {
    let mut values = Values::new(Allowance::alone(10), Keeping { hold, ..Keeping::default() });
    let new = New { hash: 0, key: 1, value: 1, weight: 1, now: at(100), end: deadline, begun: at(100), former: None };
    assert_eq!(values.put(None, new, 0, &mut Leavers::new()), Some(1));
    values
}

fn is_fresh(values: &Values<u32, u32, Lru>, now: Instant) -> bool {
    !values.ends(0).reached(now)
}

/// D1.
#[test]
fn a_value_is_fresh_until_its_deadline_and_not_at_it() {
    let values = with_one(at(150), None);
    assert!(is_fresh(&values, at(149)));
    assert!(!is_fresh(&values, at(150)));
}

/// D2.
#[test]
fn a_stale_limit_is_inclusive_and_unset_is_never() {
    let values = with_one(at(150), None);
    let stale = |now, limit| values.ends(0).stale_within(at(now), limit);
    assert_eq!(stale(149, Some(nanos(10))), None, "it is fresh");
    assert_eq!(stale(150, Some(Duration::ZERO)), Some(Duration::ZERO), "zero is the very instant");
    assert_eq!(stale(151, Some(Duration::ZERO)), None);
    assert_eq!(stale(160, Some(nanos(10))), Some(nanos(10)));
    assert_eq!(stale(161, Some(nanos(10))), None);
    assert_eq!(stale(150, None), None);
    assert_eq!(stale(u64::MAX, Some(Duration::MAX)), Some(nanos(u64::MAX - 150)));
}

/// D3.
#[test]
fn a_value_that_never_expires_is_fresh_at_the_end_of_time() {
    let values = with_one(Instant::NEVER, Some(nanos(5)));
    assert!(is_fresh(&values, Instant::NEVER));
    assert_eq!(values.ends(0).stale_within(Instant::NEVER, Some(Duration::MAX)), None);
    assert_eq!(values.first_due(), None);
}

/// D4.
#[test]
fn a_clock_that_jumps_back_lengthens_a_life_and_does_nothing_else() {
    let values = with_one(at(150), None);
    assert!(is_fresh(&values, Instant::ZERO));
    assert_eq!(values.ends(0).stale_within(Instant::ZERO, Some(Duration::MAX)), None);
}

/// D56: a value is held until its deadline and the larger limit have passed, and no longer.
#[test]
fn a_value_is_due_when_it_is_of_no_more_use() {
    let mut values = with_one(at(150), Some(nanos(30)));
    assert_eq!(values.first_due(), Some(at(181)), "at 180 it may still be served (D2)");
    assert_eq!((values.reclaim(at(180), 9, &mut Leavers::new()), values.len()), (0, 1));
    assert_eq!((values.reclaim(at(181), 9, &mut Leavers::new()), values.len()), (1, 0));
    assert_eq!((values.counts.expired, values.counts.removed), (1, 0), "whatever swept it out (D38)");
    assert_eq!(with_one(at(150), Some(Duration::MAX)).first_due(), None, "sums saturate");
}
