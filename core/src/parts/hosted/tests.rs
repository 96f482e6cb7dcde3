use alloc::{sync::Arc, vec, vec::Vec};
use core::{future::Future, task::Waker};

use super::*;
use crate::ManualClock;

/// Delays end at their second poll, and then move the clock by this much.
#[derive(Clone, Default)]
struct Script {
    clock: ManualClock,
    step: Duration,
    has_no_timer: bool,
    asked: Arc<spin::Mutex<Vec<Duration>>>,
}

struct Step(Script, bool);

impl Host for Script {
    type Delay = Step;

    fn delay(&self, time: Duration) -> Option<Step> {
        self.asked.lock().push(time);
        (!self.has_no_timer).then(|| Step(self.clone(), false))
    }
}

impl Future for Step {
    type Output = &'static str;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
        if !self.1 {
            self.1 = true;
            return Poll::Pending;
        }
        self.0.clock.advance(self.0.step);
        Poll::Ready("ignored")
    }
}

impl Script {
    fn sleep(&self, nanos: u64) -> HostedSleep<Self, ManualClock> {
        Hosted { host: self.clone(), clock: self.clock.clone() }.sleep_until(Instant::from_nanos(nanos))
    }
}

fn poll(sleep: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    Pin::new(sleep).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

const MILLISECOND: u64 = 1_000_000;

#[test]
fn a_deadline_that_is_over_asks_for_no_delay() {
    let script = Script::default();
    let (mut over, mut unpolled) = (script.sleep(0), script.sleep(7));
    assert!(poll(&mut over));
    assert_eq!(*script.asked.lock(), []);
    script.clock.advance(Duration::from_nanos(5));
    assert!(!poll(&mut unpolled));
    assert_eq!(*script.asked.lock(), [Duration::from_nanos(2)], "what is left at the first poll");
}

#[test]
fn it_ends_by_the_clock_and_not_by_the_delay() {
    // The clock lags: it stands one nanosecond before the deadline when the delay has ended.
    let script = Script { step: Duration::from_nanos(4 * MILLISECOND - 1), ..Script::default() };
    let mut sleep = script.sleep(4 * MILLISECOND);
    assert_eq!([poll(&mut sleep), poll(&mut sleep)], [false; 2]);
    assert_eq!(*script.asked.lock(), [4, 1].map(Duration::from_millis), "not busy waiting for a nanosecond");
    assert!(poll(&mut sleep));
    // The clock runs ahead, and the sleep is polled.
    let script = Script::default();
    let mut sleep = script.sleep(4 * MILLISECOND);
    assert!(!poll(&mut sleep));
    script.clock.set(Instant::from_nanos(4 * MILLISECOND));
    assert!(poll(&mut sleep));
}

#[test]
fn no_delay_is_longer_than_a_day() {
    let script = Script { step: LONGEST, ..Script::default() };
    let mut sleep = script.sleep(u64::MAX);
    let mut later = script.sleep((LONGEST.as_nanos() as u64) + 1);
    assert_eq!([poll(&mut sleep), poll(&mut sleep)], [false; 2]);
    assert_eq!(*script.asked.lock(), vec![LONGEST; 2], "one more when the first has ended");
    assert!(!poll(&mut later));
    assert_eq!(script.asked.lock().last(), Some(&Duration::from_nanos(1)));
}

#[test]
fn without_a_timer_whoever_is_polled_notices() {
    let script = Script { has_no_timer: true, ..Script::default() };
    let mut sleep = script.sleep(5);
    assert_eq!([poll(&mut sleep), poll(&mut sleep)], [false; 2]);
    assert_eq!(script.asked.lock().len(), 2, "there may be one by now");
    script.clock.advance(Duration::from_nanos(5));
    assert!(poll(&mut sleep));
}

#[cfg(feature = "std")]
#[test]
fn without_a_timer_a_thread_that_blocks_looks_by_itself() {
    use crate::parts::{StdClock, block_on};
    // Real time: the thread looks at the clock by itself, and that is what is tested.
    let runtime = Hosted { host: Script { has_no_timer: true, ..Script::default() }, clock: StdClock::new() };
    let deadline = runtime.now().saturating_add(Duration::from_millis(5));
    block_on(runtime.sleep_until(deadline));
    assert!(runtime.now() >= deadline);
    assert!(runtime.host.asked.lock().len() < 100, "not busy waiting");
}
