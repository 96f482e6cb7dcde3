use std::{
    future::{pending, poll_fn, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use futures_util::FutureExt;
use larder::ManualClock;

use super::{deliver, say};
use crate::{
    decide::{Kind, Release},
    fakes::{Manners, link, run},
    host::lock,
    link::Link,
    scripts::Script,
    settings::Settings,
    wire::{Lost, Reply},
};

const LEASE: Duration = Duration::from_secs(60);

/// A write that nobody has acknowledged.
fn note(link: &Link, name: &str) {
    let mut outbox = lock(&link.outbox);
    let (sent, _) = outbox.begin(name, Kind::Invalidate);
    outbox.failed(name, sent);
}

#[test]
fn t6_what_is_dropped_before_it_was_sent_is_sent_again() {
    let link = link(&ManualClock::new(), Settings::new());
    for number in 0..64 {
        note(&link, &number.to_string());
    }
    // (With many futures that are awake, not all are polled at once.)
    let line = Manners::new(|_| {
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    })
    .line();
    assert_eq!(deliver(&link, &line).now_or_never(), None);
    assert_eq!(lock(&link.outbox).take_due(usize::MAX).len(), 64);
}

/// A lease that a lookup has left.
fn leave(link: &Link, name: usize) {
    let until = link.now().saturating_add(LEASE);
    let (name, token) = (name.to_string(), "t".into());
    lock(&link.outbox).release(Release { name, token, cool_down: Duration::ZERO, until });
    link.work.notify(usize::MAX);
}

#[test]
fn t2_a_slow_server_is_told_once_that_a_lease_is_over() {
    let clock = ManualClock::new();
    let link = link(&clock, Settings { lease: LEASE, ..Settings::new() });
    let server = Manners::new(|_| pending());
    for name in 0..10 {
        leave(&link, name);
    }
    let line = server.line();
    assert_eq!(run(&clock, Duration::from_secs(2), say(&link, &line)), None);
    assert_eq!(server.calls.load(SeqCst), 10);
    // It is said again on the next connection, and no more of them at once than the server answers.
    for name in 10..1_000 {
        leave(&link, name);
    }
    assert_eq!(run(&clock, Duration::from_secs(2), say(&link, &line)), None);
    assert_eq!(server.calls.load(SeqCst), 10 + 64);
    let answers = Manners::new(|_| ready(Ok(Reply::Done(true))));
    assert_eq!(run(&clock, Duration::from_secs(2), say(&link, &answers.line())), None);
    assert_eq!((answers.calls.load(SeqCst), lock(&link.outbox).has_work()), (1_000, false));
    // When the server has forgotten them, nobody waits for it.
    leave(&link, 0);
    assert_eq!(run(&clock, LEASE * 2, say(&link, &line)), None);
    assert_eq!((server.calls.load(SeqCst), lock(&link.outbox).has_work()), (10 + 64 + 1, false));
}

#[test]
fn t2_a_lease_that_the_server_would_not_take_back_is_given_back_later() {
    let clock = ManualClock::new();
    let link = link(&clock, Settings { lease: LEASE, ping_every: Duration::from_millis(100), ..Settings::new() });
    let refuses = Arc::new(AtomicBool::new(true));
    let is_so = Arc::clone(&refuses);
    let server = Manners::new(move |_| ready(if is_so.load(SeqCst) { Err(Lost) } else { Ok(Reply::Done(true)) }));
    leave(&link, 1);
    let line = server.line();
    assert_eq!(run(&clock, Duration::from_secs(1), say(&link, &line)), None);
    let calls = server.calls.load(SeqCst);
    assert!((5..=12).contains(&calls), "{calls}: no faster than it is pinged");
    refuses.store(false, SeqCst);
    assert_eq!(run(&clock, Duration::from_secs(1), say(&link, &line)), None);
    assert_eq!((server.calls.load(SeqCst), lock(&link.outbox).has_work()), (calls + 1, false));
}

#[test]
fn t6_leases_that_nobody_takes_back_hold_up_no_write() {
    let clock = ManualClock::new();
    let link = link(&clock, Settings::new());
    let server = Manners::new(|call| async move {
        if call.script == Script::Release { pending().await } else { Ok(Reply::Done(true)) }
    });
    let line = server.line();
    for name in 0..100 {
        leave(&link, name);
    }
    let written = async {
        link.host.sleep_until(link.now().saturating_add(Duration::from_millis(10))).await;
        note(&link, "a");
        link.work.notify(usize::MAX);
        while lock(&link.outbox).has_writes() {
            link.host.sleep_until(link.now().saturating_add(Duration::from_millis(1))).await;
        }
    };
    let took = link.now();
    assert_eq!(run(&clock, LEASE, crate::host::first(written, say(&link, &line))), Some(()));
    assert!(link.now().saturating_since(took) < Duration::from_millis(50));
}
