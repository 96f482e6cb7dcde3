use alloc::{sync::Arc, task::Wake, vec::Vec};

use super::*;

struct Note(u32, Arc<spin::Mutex<Vec<u32>>>);

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.1.lock().push(self.0);
    }
}

#[test]
fn sleeps_end_in_the_order_of_their_deadlines() {
    let clock = ManualClock::new();
    let order = Arc::default();
    let mut sleeps = [30, 10, 20].map(|nanos| clock.sleep_until(Instant::from_nanos(nanos)));
    for (index, sleep) in sleeps.iter_mut().enumerate() {
        let waker = Waker::from(Arc::new(Note(index as u32, Arc::clone(&order))));
        assert!(Pin::new(sleep).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(clock.next_deadline(), Some(Instant::from_nanos(10)));
    clock.advance(Duration::from_nanos(25));
    assert_eq!(*order.lock(), [1, 2]);
    drop(sleeps);
    assert_eq!(clock.next_deadline(), None);
}

#[test]
fn a_deadline_in_the_past_is_ready_and_never_is_not() {
    let clock = ManualClock::new();
    clock.set(Instant::NEVER);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut clock.sleep_until(Instant::ZERO)).poll(&mut cx).is_ready());
    assert!(Pin::new(&mut clock.sleep_until(Instant::NEVER)).poll(&mut cx).is_pending());
}

#[cfg(feature = "std")]
#[test]
fn no_time_is_lost_between_threads() {
    let clock = ManualClock::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10_000).for_each(|_| clock.advance(Duration::from_nanos(1))));
        }
    });
    assert_eq!(clock.now(), Instant::from_nanos(40_000));
}
