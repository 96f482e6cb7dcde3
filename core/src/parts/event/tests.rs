use alloc::{sync::Arc, task::Wake};
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
