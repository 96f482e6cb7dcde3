use std::time::Duration;

use larder::Instant;

use super::{Hearing, Next};

const fn at(time: u64) -> Instant {
    Instant::from_nanos(time * 1_000_000)
}

fn hearing() -> Hearing {
    let mut hearing = Hearing::new(Duration::from_millis(400), Duration::from_millis(100));
    hearing.connected(at(1_000));
    hearing
}

#[test]
fn t5_a_process_hears_until_the_limit_after_its_last_answered_ping_was_asked() {
    let mut hearing = hearing();
    assert_eq!(hearing.next(at(1_000)), Next::Wait(at(1_100)));
    assert_eq!(hearing.next(at(1_100)), Next::Ping(at(1_400)));
    // An answer that came late counts from when it was asked for.
    hearing.answered(at(1_100));
    assert_eq!(hearing.next(at(1_399)), Next::Ping(at(1_500)));
    assert_eq!(hearing.trusted_until(), at(1_500));
    assert_eq!(hearing.next(at(1_499)), Next::Ping(at(1_500)));
    assert_eq!(hearing.next(at(1_500)), Next::Deaf);
}

#[test]
fn an_older_answer_takes_nothing_back() {
    let mut hearing = hearing();
    hearing.answered(at(1_200));
    hearing.answered(at(1_100));
    assert_eq!(hearing.trusted_until(), at(1_600));
}

#[test]
fn a_stopped_process_is_deaf_when_it_goes_on() {
    assert_eq!(hearing().next(at(900_000)), Next::Deaf);
}

#[test]
fn a_clock_that_jumps_back_does_no_harm() {
    assert_eq!(hearing().next(at(0)), Next::Wait(at(1_100)));
}

#[test]
fn the_pauses_between_tries_grow_and_are_spread() {
    let mut hearing = hearing();
    let pauses: Vec<_> = (0..8).map(|_| hearing.pause(0.5).as_millis()).collect();
    assert_eq!(pauses, [20, 40, 80, 160, 320, 500, 500, 500]);
    assert_eq!(hearing.pause(0.0), Duration::from_millis(250));
    assert_eq!(hearing.pause(1.0), Duration::from_millis(750));
    // A connection that was made and lost at once is no success: only an answered ping is.
    hearing.connected(at(2_000));
    assert_eq!(hearing.pause(0.5), Duration::from_millis(500));
    hearing.answered(at(2_100));
    assert_eq!(hearing.pause(0.5), Duration::from_millis(20));
}
