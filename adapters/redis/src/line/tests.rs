use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use larder::ManualClock;

use super::again_and_again;
use crate::{
    decide::Kind,
    fakes::{Manners, Nothing, link, link_to, run},
    host::{Host, lock},
    settings::Settings,
    wire::{Lost, Reply},
};

const LONG: Duration = Duration::from_secs(60);

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

#[test]
fn t6_a_process_that_writes_faster_than_it_can_say_hears() {
    let clock = ManualClock::new();
    let link = link(&clock, Settings::new());
    let (weak, time, number) = (Arc::downgrade(&link), clock.clone(), Arc::<AtomicU64>::default());
    let note = move || {
        let link = weak.upgrade().expect("it is in use");
        let name = number.fetch_add(1, SeqCst).to_string();
        let (sent, _) = lock(&link.outbox).begin(&name, Kind::Invalidate);
        lock(&link.outbox).failed(&name, sent);
    };
    note();
    // Each that is said finds another one noted.
    let server = Manners::new(move |_| {
        note();
        let way = time.sleep_until(Host::now(&time).saturating_add(Duration::from_millis(1)));
        async move {
            way.await;
            Ok(Reply::Done(true))
        }
    });
    let hears = async {
        let begun = link.hears.listen();
        crate::host::first(begun, again_and_again(&link, &server)).await;
    };
    assert_eq!(run(&clock, LONG, hears), Some(()));
    assert!(link.line().is_some());
}

#[test]
fn t6_a_connection_that_hangs_does_not_hold_up_the_last_writes() {
    let clock = ManualClock::new();
    let link = link(&clock, Settings { deadline: Duration::MAX, ..Settings::new() });
    let (sent, _) = lock(&link.outbox).begin("a", Kind::Invalidate);
    lock(&link.outbox).failed("a", sent);
    link.closing.set();
    // The first one hangs.
    let calls = AtomicU64::new(0);
    let server = Manners::new(move |_| {
        let hangs = calls.fetch_add(1, SeqCst) == 0;
        async move { if hangs { std::future::pending().await } else { Ok(Reply::Done(true)) } }
    });
    assert_eq!(run(&clock, LONG, super::keep(Arc::clone(&link), Box::new(server))), Some(()));
    assert!(!lock(&link.outbox).has_writes());
}

#[test]
fn t5_a_first_tier_that_panics_does_not_deafen() {
    let clock = ManualClock::new();
    let panics = Arc::new(AtomicBool::new(true));
    let link = link_to(&clock, Settings::new(), Nothing { panics: Arc::clone(&panics) });
    let server = Manners::new(|_| async { Ok(Reply::Done(true)) });
    assert_eq!(run(&clock, Duration::from_secs(2), super::keep(Arc::clone(&link), Box::new(server))), None);
    // (It has gone deaf at the end, without a second panic.)
    let stats = link.counters.read();
    assert_eq!((stats.connected, stats.deaf), (1, 0));
}

#[test]
fn t5_a_panic_costs_the_connection_and_no_more() {
    let clock = ManualClock::new();
    let link = link(&clock, Settings::new());
    let server = Manners::new(|_| async { Ok(Reply::Done(true)) });
    let mut server = Arc::into_inner(server).expect("there is one");
    let pings = AtomicU64::new(0);
    server.ping = Box::new(move || {
        assert!(pings.fetch_add(1, SeqCst) != 5, "on purpose");
        Box::pin(async { Ok::<(), Lost>(()) })
    });
    assert_eq!(run(&clock, Duration::from_secs(5), again_and_again(&link, &Arc::new(server))), None);
    let stats = link.counters.read();
    assert_eq!((stats.connected, stats.deaf), (2, 1));
    assert!(link.line().is_some());
}

#[test]
fn t5_answers_may_take_longer_than_half_of_the_limit() {
    let clock = ManualClock::new();
    let limits = Settings { hearing_limit: ms(400), ping_every: ms(100), ..Settings::new() };
    let link = link(&clock, limits);
    let server = Manners::new(|_| async { Ok(Reply::Done(true)) });
    let mut server = Arc::into_inner(server).expect("there is one");
    let time = clock.clone();
    server.ping = Box::new(move || {
        let way = time.sleep_until(Host::now(&time).saturating_add(ms(250)));
        Box::pin(async move {
            way.await;
            Ok::<(), Lost>(())
        })
    });
    assert_eq!(run(&clock, LONG, again_and_again(&link, &Arc::new(server))), None);
    let stats = link.counters.read();
    assert_eq!((stats.connected, stats.deaf, link.line().is_some()), (1, 0, true));
}

#[test]
fn t5_a_connection_without_answers_is_given_up() {
    let clock = ManualClock::new();
    let link = link(&clock, Settings { hearing_limit: ms(400), ping_every: ms(100), ..Settings::new() });
    let server = Manners::new(|_| async { Ok(Reply::Done(true)) });
    let mut server = Arc::into_inner(server).expect("there is one");
    let pings = AtomicU64::new(0);
    server.ping = Box::new(move || {
        let hangs = pings.fetch_add(1, SeqCst) > 2;
        Box::pin(async move { if hangs { std::future::pending().await } else { Ok::<(), Lost>(()) } })
    });
    assert_eq!(run(&clock, ms(700), again_and_again(&link, &Arc::new(server))), None);
    let stats = link.counters.read();
    assert_eq!((stats.connected, stats.deaf, link.line().is_some()), (1, 1, false));
}
