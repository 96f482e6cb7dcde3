use std::{future::poll_fn, task::Poll};

use futures_util::FutureExt;
use larder::ManualClock;

use super::deliver;
use crate::{
    decide::Kind,
    fakes::{Manners, link},
    host::lock,
    link::Link,
    settings::Settings,
};

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
