//! Tests of the runtime's own lock and notification.

use std::panic::{AssertUnwindSafe, catch_unwind};

use larder::{Lock, Notify, Runtime};

use super::{Bang, Stage, Subject};
use crate::wakers::{Counting, Order, calling, panicking};

type NotifyOf<E> = <<E as Subject>::Runtime as Runtime>::Notify;
type ListenerOf<E> = <NotifyOf<E> as Notify>::Listener;

/// Listeners are woken in the order in which they first listened, each once for each time it listens, and those who
/// have withdrawn not at all.
pub async fn listeners_are_woken_in_order<E: Subject>(_: Stage<E>) {
    let (notify, order) = (NotifyOf::<E>::default(), Order::default());
    let wakers: Vec<_> = (0..5).map(|number| order.waker(number)).collect();
    let mut listeners: Vec<_> = (0..5).map(|_| ListenerOf::<E>::default()).collect();
    for again in [[0, 1, 2, 3, 4], [3, 4, 2, 1, 0], [4, 0, 3, 1, 2]] {
        for number in again {
            assert!(notify.listen(&mut listeners[number], &wakers[number]).is_none());
        }
        // The last waker counts, and the one before it is handed back.
        let displaced = notify.listen(&mut listeners[0], &order.waker(9));
        assert!(displaced.is_some_and(|waker| waker.will_wake(&wakers[0])));
        let displaced = notify.listen(&mut listeners[0], &wakers[0]);
        assert!(displaced.is_some_and(|waker| !waker.will_wake(&wakers[0])));
        notify.notify_all();
        notify.notify_all();
        assert_eq!(order.take(), [0, 1, 2, 3, 4]);
    }
    for number in [3, 4, 2, 1, 0] {
        notify.listen(&mut listeners[number], &wakers[number]);
    }
    for number in [3, 4, 2] {
        let withdrawn = notify.withdraw(&mut listeners[number]);
        assert!(withdrawn.is_some_and(|waker| waker.will_wake(&wakers[number])));
        assert!(notify.withdraw(&mut listeners[number]).is_none());
    }
    notify.notify_all();
    assert_eq!(order.take(), [0, 1]);
}

/// A waker may panic, or do with the notification whatever a caller may do: it is called without a lock.
pub async fn wakers_may_do_anything<E: Subject>(_: Stage<E>) {
    let (notify, order) = (std::rc::Rc::new(NotifyOf::<E>::default()), Order::default());
    let mut listeners: Vec<_> = (0..3).map(|_| ListenerOf::<E>::default()).collect();
    for _ in 0..2 {
        notify.listen(&mut listeners[0], &order.waker(0));
        notify.listen(&mut listeners[1], &panicking());
        notify.listen(&mut listeners[2], &order.waker(2));
        let panic = catch_unwind(AssertUnwindSafe(|| notify.notify_all())).expect_err("a waker panics");
        assert_eq!(panic.downcast_ref(), Some(&Bang(16)));
        assert_eq!(order.take(), [0, 2]);
    }
    let (counter, counts) = Counting::new();
    notify.listen(&mut listeners[2], &counts);
    let (inside, mut other) = (notify.clone(), ListenerOf::<E>::default());
    let look = move || {
        inside.listen(&mut other, &counts);
        inside.notify_all();
        inside.listen(&mut other, &counts);
        drop(inside.withdraw(&mut other));
    };
    calling(look, |waker| {
        notify.listen(&mut listeners[0], waker);
        notify.notify_all();
    });
    assert_eq!(counter.wakes(), 2, "the one from outside, and the one from inside");
}

/// A lock can be taken after a panic under it.
pub async fn a_lock_stays_usable<E: Subject>(_: Stage<E>) {
    let lock = <<E::Runtime as Runtime>::Lock<u32> as Lock<u32>>::new(1);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        lock.with(|number| {
            *number += 1;
            std::panic::panic_any(Bang(1));
        });
    }));
    assert!(panic.is_err());
    assert_eq!(lock.with(|number| *number), 2);
}
