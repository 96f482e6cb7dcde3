use alloc::{sync::Arc, task::Wake, vec::Vec};
use core::sync::atomic::{AtomicU32, Ordering};

use super::*;

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_listener_is_woken_once_for_each_time_it_listens() {
    let (notify, count) = (EventNotify::default(), Arc::new(Count::default()));
    let (mut listener, waker) = (None, Waker::from(Arc::clone(&count)));
    for round in 1..=3 {
        notify.listen(&mut listener, &waker);
        // Listening again before it is notified changes nothing.
        notify.listen(&mut listener, &waker);
        notify.notify_all();
        notify.notify_all();
        assert_eq!(count.0.load(Ordering::SeqCst), round);
    }
}

#[test]
fn who_has_withdrawn_is_not_woken() {
    let (notify, count) = (EventNotify::default(), Arc::new(Count::default()));
    let (mut stays, mut leaves) = (None, None);
    let waker = Waker::from(Arc::clone(&count));
    notify.listen(&mut stays, &waker);
    notify.listen(&mut leaves, &waker);
    notify.withdraw(&mut leaves);
    notify.withdraw(&mut leaves);
    notify.notify_all();
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
}

#[test]
fn the_waker_of_the_last_call_counts() {
    let notify = EventNotify::default();
    let [old, new] = [(); 2].map(|()| Arc::new(Count::default()));
    let mut listener = None;
    notify.listen(&mut listener, &Waker::from(Arc::clone(&old)));
    notify.listen(&mut listener, &Waker::from(Arc::clone(&new)));
    notify.notify_all();
    assert_eq!([old, new].map(|count| count.0.load(Ordering::SeqCst)), [0, 1]);
}

/// A waker that does this, once.
struct Does(spin::Mutex<Option<alloc::boxed::Box<dyn FnOnce() + Send>>>);

impl Wake for Does {
    fn wake(self: Arc<Self>) {
        let once = self.0.lock().take();
        once.into_iter().for_each(|work| work());
    }
}

fn does(work: impl FnOnce() + Send + 'static) -> Waker {
    Waker::from(Arc::new(Does(spin::Mutex::new(Some(alloc::boxed::Box::new(work))))))
}

/// D15, C86: in the order in which they first listened, however often they have come again.
#[test]
fn c86_in_order_of_arrival() {
    let (notify, order) = (EventNotify::default(), Arc::<spin::Mutex<Vec<u32>>>::default());
    let mut listeners = [const { None }; 4];
    let note = |number| {
        let order = Arc::clone(&order);
        does(move || order.lock().push(number))
    };
    for (number, listener) in listeners.iter_mut().enumerate() {
        notify.listen(listener, &note(number as u32));
    }
    notify.notify_all();
    for number in [2_usize, 0, 3, 1] {
        notify.listen(&mut listeners[number], &note(number as u32));
    }
    notify.notify_all();
    assert_eq!(*order.lock(), [0, 1, 2, 3, 0, 1, 2, 3]);
}

/// C13, C83: a waker may do anything with the event that wakes it.
#[test]
fn c13_a_waker_drops_another_listener() {
    let notify = Arc::new(EventNotify::default());
    let (mut first, other) = (None, Arc::new(spin::Mutex::new(None)));
    let count = Arc::new(Count::default());
    let (there, at) = (Arc::clone(&other), Arc::clone(&notify));
    notify.listen(
        &mut first,
        &does(move || {
            let mut listener = there.lock().take();
            at.withdraw(&mut listener);
            at.listen(&mut listener, Waker::noop());
            drop(listener);
            at.notify_all();
        }),
    );
    let mut listener = None;
    notify.listen(&mut listener, &Waker::from(Arc::clone(&count)));
    *other.lock() = listener;
    notify.notify_all();
    assert!(other.lock().is_none());
}

/// C16: the others are woken, this time and later.
#[test]
fn c16_a_waker_panics() {
    let (notify, count) = (EventNotify::default(), Arc::new(Count::default()));
    let (mut bad, mut good) = (None, None);
    for round in 1..=3 {
        notify.listen(&mut bad, &does(|| panic!("on purpose")));
        notify.listen(&mut good, &Waker::from(Arc::clone(&count)));
        let notified = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| notify.notify_all()));
        assert!(notified.is_err());
        assert_eq!(count.0.load(Ordering::SeqCst), round);
    }
    notify.withdraw(&mut bad);
}

/// D14, D44: a listener that withdraws gets its waker back; one that is dropped is woken, and its waker dropped, by
/// the next notification.
#[test]
fn d44_wakers_are_dropped_by_nobody_else() {
    let (notify, count) = (EventNotify::default(), Arc::new(Count::default()));
    let waker = Waker::from(Arc::clone(&count));
    let (mut leaves, mut goes) = (None, None);
    notify.listen(&mut leaves, &waker);
    notify.listen(&mut goes, &waker);
    assert!(notify.listen(&mut leaves, &waker).is_some_and(|displaced| displaced.will_wake(&waker)));
    assert!(notify.withdraw(&mut leaves).is_some_and(|kept| kept.will_wake(&waker)));
    drop(goes);
    assert_eq!((count.0.load(Ordering::SeqCst), Arc::strong_count(&count)), (0, 3));
    notify.notify_all();
    assert_eq!((count.0.load(Ordering::SeqCst), Arc::strong_count(&count)), (1, 2));
}
