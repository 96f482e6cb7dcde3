//! A clock at its very end. (P11)
use super::*;

use larder::Instant;

use super::hostile::{CAPACITY, Key, Value, hostile};

on_every_runtime! {
    no_patience_is_none_at_the_end_of_the_clock
    any_age_is_reached_at_the_end_of_the_clock
    c116_an_outage_ends_though_the_clock_stands_still
}

/// D1, D22: a call with no time to wait for room ends at once, even where the clock has come to its end.
fn no_patience_is_none_at_the_end_of_the_clock<R: Host>() {
    let sim = Sim::new();
    let pages = hostile::<R>(&sim);
    sim.clock().set(Instant::NEVER);
    let _pinned: Vec<_> = (0..CAPACITY)
        .map(|key| hostile::wakers_run(pages.insert(Key(key), Value(1), Room::Wait)).expect("there is room"))
        .collect();
    let late = pages.insert(Key(40), Value(1), Room::Within(Duration::ZERO));
    assert!(hostile::wakers_run(late).is_err());
}

/// D1: what was changed at the end of the clock has reached the age of zero.
fn any_age_is_reached_at_the_end_of_the_clock<R: Host>() {
    let sim = Sim::new();
    let pages = hostile::<R>(&sim);
    sim.clock().set(Instant::NEVER);
    drop(hostile::wakers_run(pages.insert(Key(1), Value(1), Room::Wait)).expect("there is room"));
    hostile::wakers_run(pages.get_or_load(&Key(2))).expect("there is room").set(Value(2));
    hostile::wakers_run(pages.get_or_load(&Key(3)))
        .expect("there is room")
        .update(|value| value.0 = 3)
        .expect("no other caller changes it");
    assert!(hostile::wakers_run(pages.flush_older_than(Duration::ZERO)).is_ok());
    assert_eq!(pages.dirty(), 0);
}

/// C116, D1: a delay that is over at once is over though the clock stands still, and any delay at its very end: who needs
/// room tries one entry then. (D78)
fn c116_an_outage_ends_though_the_clock_stands_still<R: Host>() {
    for (now, delay) in [(Instant::from_nanos(7), 0), (Instant::NEVER, 0), (Instant::NEVER, 100)] {
        let mut sim = Sim::new();
        let disk = Disk::new(&sim.time, "a");
        sim.clock().set(now);
        let pages = pages::<R>(&sim, &disk, |p| p.capacity(1).error_backoff(ms(delay), ms(delay)));
        sim.write(&pages, 1, 11);
        disk.flushes_by(|_, _| ready().fails(1));
        for flushes in 1..4 {
            let load = sim.load(&pages, 2);
            assert_eq!((sim.saw(load), disk.flushes()), ("0: E1".into(), flushes), "{delay}");
        }
        disk.flushes_by(|_, _| ready());
        let load = sim.load(&pages, 2);
        assert_eq!((sim.saw(load), disk.page(1)), ("0: V20".into(), Some(11)));
    }
}
