use std::{collections::VecDeque, time::Duration};

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
    assert_eq!(hearing.next(at(1_100)), Next::Ping);
    hearing.asked(at(1_100));
    // Nor is a ping that has no answer waited for: the next one follows.
    assert_eq!(hearing.next(at(1_100)), Next::Wait(at(1_200)));
    hearing.asked(at(1_200));
    assert_eq!(hearing.next(at(1_399)), Next::Ping);
    // An answer that came late counts from when it was asked for.
    hearing.answered(at(1_100));
    assert_eq!(hearing.next(at(1_399)), Next::Ping);
    assert_eq!(hearing.trusted_until(), at(1_500));
    assert_eq!(hearing.next(at(1_499)), Next::Ping);
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

/// Each ping is answered so much later; returns when it no longer hears.
fn deaf_at(hearing: &mut Hearing, way: u64) -> Option<u64> {
    let mut asked = VecDeque::new();
    for now in 1_000..10_000 {
        while asked.front().is_some_and(|asked| asked + way <= now) {
            asked.pop_front().into_iter().for_each(|asked| hearing.answered(at(asked)));
        }
        match hearing.next(at(now)) {
            Next::Deaf => return Some(now),
            Next::Ping => {
                hearing.asked(at(now));
                asked.push_back(now);
            }
            Next::Wait(until) => assert!(until > at(now)),
        }
    }
    None
}

#[test]
fn t5_answers_may_take_as_long_as_the_limit_and_a_ping() {
    for way in [0, 50, 150, 250, 299] {
        assert_eq!(deaf_at(&mut hearing(), way), None, "{way}");
    }
    for way in [301, 400, 5_000] {
        assert_eq!(deaf_at(&mut hearing(), way), Some(1_400), "{way}");
    }
}

#[test]
fn t11_only_so_many_pings_are_on_their_way() {
    let mut hearing = Hearing::new(Duration::from_secs(3_600), Duration::from_millis(1));
    hearing.connected(at(1_000));
    hearing.answered(at(1_000));
    let mut asked = 0;
    for now in 1_001..9_000 {
        if hearing.next(at(now)) == Next::Ping {
            hearing.asked(at(now));
            asked += 1;
        }
    }
    assert_eq!(asked, 64);
    assert_eq!(hearing.next(at(9_000)), Next::Wait(at(3_601_000)));
    hearing.answered(at(1_001));
    assert_eq!(hearing.next(at(9_000)), Next::Ping);
    // Those that were lost with their connection will not come back.
    hearing.connected(at(9_000));
    hearing.answered(at(9_000));
    for now in 9_001..9_065 {
        assert_eq!(hearing.next(at(now)), Next::Ping);
        hearing.asked(at(now));
    }
}
