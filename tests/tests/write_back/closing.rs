//! A close that comes while another call is between two of its steps. (D84)
use super::*;

use larder::WriteBackError;

use super::hostile::{Hostile, Key, LEAVING, Slow, Value, wakers_run};

on_every_runtime! {
    d84_before_a_call_waits_for_room
    d84_before_a_call_waits_for_another_place
}

fn one_entry<R: Host>(sim: &Sim) -> Hostile<R> {
    WriteBack::builder(R::on(sim.clock()), Slow::default()).capacity(1).build().expect("valid")
}

/// Polls an insertion of key 2; at the n-th drop of that key, another caller closes the cache. Returns whether that
/// happened.
fn close_on_the_way<R: Host>(pages: &Hostile<R>, nth: u32, mut inserts: impl Future<Output = Done<R>> + Unpin) -> bool {
    let closes = pages.clone();
    LEAVING.set(Some((2, nth, Box::new(move || wakers_run(closes.close()).expect("it works")))));
    let poll = wakers::poll_once(&mut inserts);
    let is_closed = pages.is_closed();
    assert!(if is_closed { matches!(poll, Poll::Ready(Err(WriteBackError::Closed))) } else { poll.is_pending() });
    LEAVING.take();
    is_closed
}

type Done<R> = Result<Pinned<Key, Value, Boom, R>, WriteBackError<Key, Boom>>;

/// D84: closing has called all who waited by then, so who comes after that looks by himself.
fn d84_before_a_call_waits_for_room<R: Host>() {
    let closed = (0..9).take_while(|nth| {
        let sim = Sim::new();
        let pages = one_entry::<R>(&sim);
        let _held = wakers_run(pages.get_or_load(&Key(1))).expect("there is room");
        close_on_the_way(&pages, *nth, pages.insert(Key(2), Value(2), Room::Wait))
    });
    assert!((1..9).contains(&closed.count()));
}

/// The same where a place was lost to a pin.
fn d84_before_a_call_waits_for_another_place<R: Host>() {
    let closed = (0..9).take_while(|nth| {
        let sim = Sim::new();
        let pages = one_entry::<R>(&sim);
        wakers_run(pages.get_or_load(&Key(1))).expect("there is room").set(Value(11));
        let mut inserts = pages.insert(Key(2), Value(2), Room::Wait);
        assert!(wakers::poll_once(&mut inserts).is_pending());
        let _held = pages.try_get(&Key(1)).expect("it is being flushed");
        wakers_run(pages.flush()).expect("it works");
        close_on_the_way(&pages, *nth, inserts)
    });
    assert!((1..9).contains(&closed.count()));
}
