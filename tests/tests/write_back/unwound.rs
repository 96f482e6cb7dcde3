//! A call whose poll has unwound goes on when it is polled again, or waits for ever; it never panics by itself. (D107)

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::*;

on_every_runtime! {
    d107_calls_that_go_on
    d107_calls_that_cannot_go_on
}

/// Polls a call until the back end's panic comes out, and once more.
#[track_caller]
fn unwinds<T>(name: &str, call: impl Future<Output = T>) -> Poll<T> {
    let mut call = Box::pin(call);
    let panic = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut call).is_ready()));
    assert!(panic.is_err_and(|panic| panic.is::<Bang>()), "{name}: it unwinds by the back end");
    let poll = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut call)));
    let poll = poll.unwrap_or_else(|_| panic!("{name}: it panics"));
    let last = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut call).is_pending()));
    assert!(matches!(last, Ok(true)), "{name}: it is over");
    poll
}

/// Page 1 is dirty, and only its next flush panics.
fn dirty<R: Host>(sim: &mut Sim, disk: &Disk, pages: &Pages<R>) {
    sim.write(pages, 1, 11);
    let panics = core::cell::Cell::new(true);
    disk.flushes_by(move |_, _| if panics.take() { ready().panics(1) } else { ready() });
}

/// D107, P16: the next poll does what is left to do.
fn d107_calls_that_go_on<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    dirty(&mut sim, &disk, &pages);
    assert!(matches!(unwinds("remove", pages.remove(&1)), Poll::Ready(Ok(Some(value))) if *value == 11));
    assert_eq!((disk.page(1), pages.len()), (Some(11), 0));
    let (_, other) = beside::<R>(&sim, &disk, "b");
    dirty(&mut sim, &disk, &pages);
    assert!(unwinds("flush_then_depend_on", other.flush_then_depend_on(&pages)).is_ready());
    wakers::now(pages.flush()).expect("it is written");
    dirty(&mut sim, &disk, &pages);
    // An invalidation that waits for the flush of another caller.
    dirty(&mut sim, &disk, &pages);
    let gate = Gate::default();
    let held = gate.clone();
    disk.flushes_by(move |_, _| held.script().panics(1));
    let mut flush = pages.flush();
    assert!(wakers::poll_once(&mut flush).is_pending());
    gate.open_quietly();
    assert!(matches!(unwinds("invalidate", pages.invalidate()), Poll::Ready(Ok(()))));
    assert_eq!((pages.len(), disk.discarded()), (0, vec![1]));
    drop(flush);
    dirty(&mut sim, &disk, &pages);
    assert!(unwinds("close", pages.close()).is_ready());
    assert!(pages.is_closed());
    // An insertion whose room is made by a flush that panics.
    let (mut sim, disk, pages) = start::<R>(1);
    dirty(&mut sim, &disk, &pages);
    let inserts = unwinds("insert", pages.insert(2, V::new(20), Room::Wait));
    assert!(matches!(inserts, Poll::Ready(Ok(handle)) if *handle.value() == 20 && handle.is_dirty()));
    assert_eq!((disk.page(1), value(&pages, 2)), (Some(11), Some(20)));
    wakers::now(pages.flush()).expect("it is written");
}

/// D107: what has come since all entries were dropped must stay.
fn d107_calls_that_cannot_go_on<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    let panics = || core::future::poll_fn(|_| -> Poll<()> { std::panic::panic_any(Bang(3)) });
    disk.first(move |io, _| (io == Io::Discard).then(|| Box::pin(panics()) as Pin<Box<dyn Future<Output = ()>>>));
    let mut invalidates = pages.invalidate();
    let panic = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut invalidates).is_ready()));
    assert!(panic.is_err_and(|panic| panic.is::<Bang>()));
    disk.nothing_first();
    sim.write(&pages, 1, 12);
    assert!(wakers::poll_once(&mut invalidates).is_pending());
    assert_eq!((value(&pages, 1), pages.dirty()), (Some(12), 1));
    wakers::now(pages.flush()).expect("it is written");
}
