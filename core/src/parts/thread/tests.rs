use core::{future::poll_fn, pin::pin, task::Waker, time::Duration};
use std::{sync::mpsc, thread};

use super::*;

const SOON: Duration = Duration::from_millis(5);

fn in_a_while(timer: ThreadTimer) -> Instant {
    timer.now().saturating_add(SOON)
}

#[test]
fn a_sleep_ends_at_its_deadline_though_nobody_wakes_the_thread() {
    let timer = ThreadTimer::new();
    let deadline = in_a_while(timer);
    block_on(timer.sleep_until(deadline));
    assert!(timer.now() >= deadline);
}

#[test]
fn of_several_sleeps_the_earliest_wakes() {
    let timer = ThreadTimer::new();
    let deadline = in_a_while(timer);
    let (mut late, mut soon) = (timer.sleep_until(Instant::NEVER), timer.sleep_until(deadline));
    block_on(poll_fn(|cx| {
        assert!(pin!(&mut late).poll(cx).is_pending());
        pin!(&mut soon).poll(cx)
    }));
    assert!(timer.now() >= deadline);
}

#[test]
fn another_thread_wakes_it() {
    let (sender, receiver) = mpsc::channel::<Waker>();
    let waking = thread::spawn(move || receiver.recv().expect("a waker").wake());
    let mut polls = 0;
    block_on(poll_fn(|cx| {
        polls += 1;
        if polls == 1 {
            sender.send(cx.waker().clone()).expect("it listens");
            return Poll::Pending;
        }
        Poll::Ready(())
    }));
    waking.join().expect("it has woken");
}

/// Calls from inside must neither swallow a wake that was meant for the outside, nor its deadline.
#[test]
fn a_call_from_inside_leaves_the_one_outside_as_it_was() {
    let mut polls = 0;
    block_on(poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        block_on(poll_fn(|_| Poll::Ready(())));
        if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
    }));
    let timer = ThreadTimer::new();
    let deadline = in_a_while(timer);
    let mut sleep = timer.sleep_until(deadline);
    block_on(poll_fn(|cx| {
        let poll = pin!(&mut sleep).poll(cx);
        block_on(async {});
        poll
    }));
    assert!(timer.now() >= deadline);
}

#[test]
fn a_thread_has_one_waker_and_each_its_own() {
    let mine = || block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
    let first = mine();
    assert!(first.will_wake(&mine()));
    let other = thread::spawn(mine_there).join().expect("a waker");
    assert!(!first.will_wake(&other));

    fn mine_there() -> Waker {
        block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())))
    }
}
