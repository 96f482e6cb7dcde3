use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use super::Waits;

fn is_woken(notice: &mut event_listener::EventListener) -> bool {
    pin!(notice).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_notice_before_the_first_poll_is_seen() {
    let waits = Waits::default();
    let (mut one, mut other) = (waits.begin("a"), waits.begin("b"));
    waits.wake("a");
    assert!(is_woken(&mut one.notice) && !is_woken(&mut other.notice));
    waits.wake_all();
    assert!(is_woken(&mut other.notice));
}

#[test]
fn t11_nothing_is_left_of_waits_that_are_over() {
    let waits = Waits::default();
    let (one, other) = (waits.begin("a"), waits.begin("a"));
    drop(one);
    assert_eq!(waits.len(), 1);
    waits.wake("a");
    drop(other);
    waits.wake("a");
    assert_eq!(waits.len(), 0);
}
