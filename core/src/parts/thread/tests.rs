use alloc::{sync::Arc, task::Wake};
use core::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::Waker,
    time::Duration,
};
use std::{panic::catch_unwind, sync::mpsc, thread};

use super::*;

/// Real time, as this timer has no other.
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

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Others may wait for what this thread was to wake, and must take it over.
#[test]
fn a_call_that_ends_wakes_what_it_was_to_wake_later() {
    let counts = [(); 3].map(|()| Arc::<Count>::default());
    let timer = ThreadTimer::new();
    let mut sleeps = [(); 2].map(|()| timer.sleep_until(Instant::NEVER));
    let mut brief = timer.sleep_until(Instant::NEVER);
    let look = |sleep: &mut ThreadSleep, count: &Arc<Count>| {
        let waker = Waker::from(Arc::clone(count));
        assert!(pin!(sleep).poll(&mut Context::from_waker(&waker)).is_pending());
    };
    block_on(poll_fn(|_| {
        look(&mut sleeps[0], &counts[0]);
        block_on(poll_fn(|_| {
            look(&mut sleeps[1], &counts[1]);
            look(&mut brief, &counts[2]);
            Poll::Ready(())
        }));
        assert_eq!(counts[0].0.load(SeqCst), 0, "the call outside goes on");
        Poll::Ready(())
    }));
    assert_eq!(counts.map(|count| count.0.load(SeqCst)), [1; 3]);
}

/// A waker that panics keeps no other from being woken.
#[test]
fn a_waker_that_panics_is_one_of_many() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }
    let count = Arc::<Count>::default();
    let timer = ThreadTimer::new();
    let (mut first, mut last) = (timer.sleep_until(in_a_while(timer)), timer.sleep_until(Instant::NEVER));
    let call = || {
        block_on(poll_fn(|_| {
            let panics = Waker::from(Arc::new(Panics));
            assert!(pin!(&mut first).poll(&mut Context::from_waker(&panics)).is_pending());
            let counts = Waker::from(Arc::clone(&count));
            assert!(pin!(&mut last).poll(&mut Context::from_waker(&counts)).is_pending());
            Poll::Ready(())
        }));
    };
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    assert_eq!(count.0.load(SeqCst), 1);
    // This thread blocks as before.
    assert_eq!(block_on(async { 7 }), 7);
}
