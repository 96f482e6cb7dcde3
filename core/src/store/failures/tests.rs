use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use super::*;
use crate::{
    Cause,
    store::{
        policy::tests::shelf::Random,
        tests::{at, crowded, nanos},
    },
};

const DOUBLING: Backoff = Backoff {
    first: Duration::from_nanos(10),
    factor: Factor::of(2.0),
    cap: Duration::from_nanos(50),
    jitter: None,
    endless: false,
};

fn failure(number: u32) -> Failure<u32> {
    Failure::new(Cause::Error(Arc::new(number)))
}

fn failing(key: u32, number: u32) -> Failing<u32, u32> {
    Failing { hash: crowded(key), key, failure: failure(number), waits: true }
}

fn place(failures: &Failures<u32, u32>, key: u32) -> Option<u32> {
    failures.place(crowded(key), |k| *k == key)
}

fn find(failures: &Failures<u32, u32>, key: u32, now: u64) -> Option<(u32, u64)> {
    let Some(Kept::Failure(failure)) = failures.find(crowded(key), at(now), |k| *k == key) else { return None };
    assert!(failure.is_cached());
    Some((*failure.error()?, failure.retry_at()?.as_nanos()))
}

fn record(failures: &mut Failures<u32, u32>, key: u32, number: u32, now: u64, backoff: &Backoff) {
    let before = place(failures, key);
    let gone = failures.record(before, failing(key, number), at(now), backoff);
    assert_eq!(gone.is_some(), before.is_some(), "what was kept before comes out");
}

#[test]
fn each_further_delay_is_longer_by_the_factor_up_to_the_cap() {
    let delays = [10, 20, 40, 50, 50].map(nanos);
    let mut delay = DOUBLING.first;
    for expected in delays {
        assert_eq!(delay, expected);
        delay = DOUBLING.after(delay);
    }
    let steady = Backoff { factor: Factor::ONE, ..DOUBLING };
    assert_eq!(steady.after(nanos(10)), nanos(10));
    let half = Backoff { factor: Factor::of(1.5), ..DOUBLING };
    assert_eq!(half.after(nanos(10)), nanos(15));
}

#[test]
fn a_factor_that_shortens_is_held_at_the_first_delay() {
    for factor in [0.0, 0.5, -3.0, f64::NAN, f64::NEG_INFINITY] {
        assert_eq!(Backoff { factor: Factor::of(factor), ..DOUBLING }.after(nanos(15)), nanos(10), "{factor}");
    }
    assert_eq!(Backoff { factor: Factor::of(f64::INFINITY), ..DOUBLING }.after(nanos(10)), nanos(50));
}

/// P11.
#[test]
fn delays_saturate() {
    let boundless = Backoff { first: nanos(1), factor: Factor::of(f64::MAX), cap: Duration::MAX, ..DOUBLING };
    assert_eq!(boundless.after(Duration::MAX), nanos(u64::MAX));
    let endless = Backoff { first: Duration::MAX, factor: Factor::ONE, cap: Duration::MAX, ..DOUBLING };
    assert_eq!(endless.after(Duration::MAX), Duration::MAX);
    let capped = Backoff { first: nanos(1), factor: Factor::of(1e9), cap: nanos(7), ..DOUBLING };
    assert_eq!(capped.after(Duration::MAX), nanos(7));

    let mut failures = Failures::new();
    record(&mut failures, 1, 1, u64::MAX - 1, &endless);
    record(&mut failures, 1, 2, u64::MAX, &endless);
    assert_eq!(find(&failures, 1, u64::MAX), Some((2, u64::MAX)), "never is not reached (D3)");
    assert_eq!(failures.first_due(), None);
    failures.forget_first();
    assert_eq!(failures.len(), 0, "what is never due can be evicted");
}

/// D1, D32.
#[test]
fn a_failure_stands_until_its_retry_time_and_not_at_it() {
    let mut failures = Failures::new();
    record(&mut failures, 1, 7, 100, &DOUBLING);
    assert_eq!(find(&failures, 1, 109), Some((7, 110)));
    assert_eq!(find(&failures, 1, 110), None);
    assert_eq!(find(&failures, 0, 109), None, "another key of the same hash (P9)");
}

/// D31: otherwise it could never grow.
#[test]
fn the_length_of_the_delay_is_remembered_for_as_long_again() {
    let mut failures = Failures::new();
    record(&mut failures, 1, 1, 100, &DOUBLING);
    assert_eq!(failures.first_due(), Some(at(120)));
    record(&mut failures, 1, 2, 115, &DOUBLING);
    assert_eq!((find(&failures, 1, 134), find(&failures, 1, 135)), (Some((2, 135)), None));
    assert_eq!((failures.first_due(), failures.len()), (Some(at(155)), 1));
    failures.forget_first();
    record(&mut failures, 1, 3, 160, &DOUBLING);
    assert_eq!(find(&failures, 1, 160), Some((3, 170)), "forgotten, it begins anew");
}

#[test]
fn failures_are_forgotten_in_the_order_in_which_they_are_due() {
    let mut failures = Failures::new();
    for (key, now) in [(1, 30), (2, 10), (3, 40), (4, 20)] {
        record(&mut failures, key, key, now, &DOUBLING);
    }
    for (key, due) in [(2, 30), (4, 40), (1, 50), (3, 60)] {
        assert_eq!(failures.first_due(), Some(at(due)));
        assert_eq!(failures.forget_first().map(|gone| gone.0.key), Some(key));
    }
    assert!(failures.forget_first().is_none());
    assert_eq!((failures.first_due(), failures.len()), (None, 0));
}

/// D30, D31, against a plain map.
#[test]
fn failures_are_kept_as_a_plain_map_would() {
    let mut failures = Failures::new();
    // By key: the number, the delay, when to retry.
    let mut model: BTreeMap<u32, (u32, u64, u64)> = BTreeMap::new();
    let (mut random, mut now) = (Random(3), 0);
    for number in 0..20_000 {
        now += random.below(4);
        let key = random.below(30) as u32;
        match random.below(10) {
            0..5 => {
                record(&mut failures, key, number, now, &DOUBLING);
                let last = model.get(&key).filter(|(_, delay, retry_at)| delay + retry_at > now);
                let delay = last.map_or(10, |(_, delay, _)| (delay * 2).min(50));
                model.insert(key, (number, delay, now + delay));
            }
            5 => {
                let place = place(&failures, key);
                assert_eq!(place.is_some(), model.remove(&key).is_some());
                let gone = place.map(|place| failures.remove(place).0);
                assert_eq!(gone.map(|gone| gone.key), place.map(|_| key));
            }
            6 => {
                let first = model.values().map(|(_, delay, retry_at)| delay + retry_at).min();
                let gone = failures.forget_first().map(|gone| gone.0.key);
                assert_eq!(gone.and_then(|key| model.remove(&key)).map(|(_, delay, retry)| delay + retry), first);
            }
            7 if random.below(50) == 0 => {
                drop(failures.take());
                model.clear();
            }
            _ => {}
        }
        assert_eq!(failures.len(), model.len());
        let first = model.values().map(|(_, delay, retry_at)| delay + retry_at).min();
        assert_eq!(failures.first_due(), first.map(at));
        for key in 0..30 {
            let kept = model.get(&key).filter(|(_, _, retry_at)| *retry_at > now);
            assert_eq!(find(&failures, key, now), kept.map(|(number, _, retry_at)| (*number, *retry_at)));
        }
    }
}

const ENDLESS: Backoff = Backoff { endless: true, ..DOUBLING };

fn zero(key: u32) -> Failing<u32, u32> {
    Failing { hash: crowded(key), key, failure: Failure::new(Cause::AlreadyExpired), waits: true }
}

/// What is known of key 1: the number of the last failure, how many there were, and when to retry.
fn trouble(failures: &Failures<u32, u32>) -> Option<(Option<u32>, u32, u64)> {
    let Trouble { failure, count, retry_at } = failures.trouble(crowded(1), |k| *k == 1)?;
    assert!(failure.as_ref().is_none_or(|failure| failure.retry_at() == Some(retry_at)));
    Some((failure.and_then(|failure| failure.error().copied()), count, retry_at.as_nanos()))
}

#[test]
fn failures_in_a_row_are_counted() {
    let mut failures = Failures::new();
    assert_eq!(trouble(&failures), None);
    for (n, (now, retry_at)) in [(0, 10), (10, 30), (12, 52), (13, 63)].into_iter().enumerate() {
        record(&mut failures, 1, n as u32, now, &DOUBLING);
        assert_eq!(trouble(&failures), Some((Some(n as u32), n as u32 + 1, retry_at)));
    }
    assert!(failures.trouble(crowded(0), |k| *k == 0).is_none(), "another key of the same hash (P9)");
    // After the same time again it counts as forgotten, although it is still kept.
    record(&mut failures, 1, 7, 113, &DOUBLING);
    assert_eq!(trouble(&failures), Some((Some(7), 1, 123)));
}

/// The count of a slot goes on, whenever the next failure comes, and no failure is ever due.
#[test]
fn an_endless_count_goes_on() {
    let mut failures = Failures::new();
    for (n, (now, retry_at)) in [(0, 10), (1000, 1020), (1 << 40, (1 << 40) + 40)].into_iter().enumerate() {
        record(&mut failures, 1, n as u32, now, &ENDLESS);
        assert_eq!(trouble(&failures), Some((Some(n as u32), n as u32 + 1, retry_at)));
        assert_eq!(failures.first_due(), None);
        assert_eq!(find(&failures, 1, retry_at), None);
    }
    let place = place(&failures, 1).expect("it is kept");
    failures.remove(place);
    record(&mut failures, 1, 9, 1 << 41, &ENDLESS);
    assert_eq!(trouble(&failures), Some((Some(9), 1, (1 << 41) + 10)), "a success ends it");
}

/// D74: it lengthens the delay and is no failure; the count begins again.
#[test]
fn an_answer_that_was_over_already_delays_and_does_not_count() {
    let mut failures = Failures::new();
    record(&mut failures, 1, 1, 0, &ENDLESS);
    let before = place(&failures, 1);
    failures.record(before, zero(1), at(10), &ENDLESS);
    assert_eq!(trouble(&failures), Some((None, 0, 30)));
    let found = failures.find(crowded(1), at(29), |k| *k == 1).expect("it delays");
    let Kept::Failure(found) = found else { panic!("its loads are shared") };
    assert!(found.is_expired_answer() && found.retry_at() == Some(at(30)));
    record(&mut failures, 1, 2, 30, &ENDLESS);
    assert_eq!(trouble(&failures), Some((Some(2), 1, 70)));
}

/// D68: kept for its count, it makes no load wait.
#[test]
fn what_does_not_wait_is_not_found() {
    let mut failures = Failures::new();
    failures.record(None, Failing { waits: false, ..failing(1, 1) }, at(0), &ENDLESS);
    assert_eq!((find(&failures, 1, 0), trouble(&failures)), (None, Some((Some(1), 1, 10))));
}

/// The counter stops at its end. (P11)
#[test]
fn the_count_saturates() {
    let mut failures = Failures::new();
    record(&mut failures, 1, 1, 0, &ENDLESS);
    failures.table.rows_mut()[0].count = u32::MAX - 1;
    for now in 1..4 {
        record(&mut failures, 1, 1, now, &ENDLESS);
        assert_eq!(trouble(&failures).map(|(_, count, _)| count), Some(u32::MAX));
    }
}

/// Each delay is shortened by a different part, and the next one grows from the whole delay.
#[test]
fn jitter_shortens_delays_and_not_what_they_grow_from() {
    let whole = Backoff { first: nanos(1000), cap: nanos(8000), ..ENDLESS };
    let jittered = Backoff { jitter: Some(Jitter::new(0.5, 7)), ..whole };
    let mut failures = Failures::new();
    let mut parts = Vec::new();
    for (n, delay) in [1000, 2000, 4000, 8000, 8000, 8000].into_iter().enumerate() {
        let now = 10_000 * n as u64;
        record(&mut failures, 1, 1, now, &jittered);
        let (_, _, retry_at) = trouble(&failures).expect("it is kept");
        assert!((now + delay / 2..=now + delay).contains(&retry_at), "{retry_at}");
        parts.push((retry_at - now) as f64 / delay as f64);
    }
    parts.dedup();
    assert_eq!(parts.len(), 6, "{parts:?}");
    let never = Backoff { first: nanos(0), cap: nanos(0), ..jittered };
    record(&mut failures, 2, 1, 5, &never);
    assert_eq!(find(&failures, 2, 5), None, "no delay stays none");
}

fn is_private(failures: &Failures<u32, u32>, key: u32, now: u64) -> bool {
    matches!(failures.find(crowded(key), at(now), |k| *k == key), Some(Kept::Private))
}

/// D104: the loads of a key are not shared until its end, and no longer.
#[test]
fn that_a_key_is_private_is_kept_like_a_failure() {
    let mut failures = Failures::new();
    record(&mut failures, 1, 1, 0, &DOUBLING);
    let before = place(&failures, 1);
    assert!(failures.keep_private(before, (crowded(1), 1), at(50)).is_some(), "the failure is gone");
    assert!(failures.keep_private(None, (crowded(2), 2), Instant::NEVER).is_none());
    assert_eq!((failures.len(), failures.first_due()), (2, Some(at(50))));
    for key in [1, 2] {
        assert!(is_private(&failures, key, 49));
        assert_eq!(find(&failures, key, 49), None, "nothing has failed");
    }
    assert!(!is_private(&failures, 1, 50) && is_private(&failures, 2, u64::MAX));
    let mut new = Failures::new();
    record(&mut new, 1, 9, 49, &DOUBLING);
    record(&mut failures, 1, 9, 49, &DOUBLING);
    assert_eq!(find(&failures, 1, 49), find(&new, 1, 49), "a failure after it is the first");
    failures.forget_first();
    failures.forget_first();
    assert_eq!((failures.len(), is_private(&failures, 2, 0)), (0, false));
}
