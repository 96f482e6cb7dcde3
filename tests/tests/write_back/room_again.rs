//! Callers that make room for their place, or have lost it to a pin and wait for another: what they hear meanwhile.

use core::{cell::Cell, future::poll_fn, task::Poll};

use super::*;

on_every_runtime! {
    who_inserts_is_refused_when_his_key_comes
    who_has_loaded_takes_his_key_when_it_comes
    closing_ends_his_wait
    what_comes_while_room_is_made_is_not_loaded
    who_has_not_begun_to_load_takes_his_key_when_it_comes
    who_joins_a_load_while_it_is_polled_hears_that_it_waits_for_room
}

/// Three pinned entries, and a load and an insertion of key 9 that had places: the insertion has lost its place after
/// 35, the load loses it after `load`. Returns both callers, what the insertion brings, and the pins.
type Scene<R> = (Sim, Disk, Pages<R>, (usize, Kept<R>), (usize, Kept<R>), Vec<Kept<R>>);

fn both_have_lost_their_places<R: Host>(load: u64) -> Scene<R> {
    let (mut sim, disk, pages) = start::<R>(3);
    sim.load(&pages, 1);
    sim.write(&pages, 2, 22);
    sim.write(&pages, 3, 33);
    disk.loads_by(move |_, _| after(load));
    disk.flushes_by(|_, _| after(30));
    let loads = sim.pin_later(&pages, 9);
    let mut pins = vec![sim.pin(&pages, 1)];
    sim.to(5);
    let kept = Kept::<R>::default();
    let (keeper, inserts) = (kept.clone(), pages.clone());
    let inserts = sim.call(async move {
        match inserts.insert(9, V::new(99), Room::Wait).await {
            Ok(handle) => {
                keeper.borrow_mut().push(handle);
                Answer::Done
            }
            Err(error) => Answer::Text(why(&error)),
        }
    });
    pins.extend([2, 3].map(|key| sim.pin(&pages, key)));
    sim.to(60);
    assert_eq!((sim.saw(loads.0), sim.saw(inserts)), ("waits".into(), "waits".into()));
    (sim, disk, pages, loads, (inserts, kept), pins)
}

/// D83: the insertion is refused at once, as if it had not had a place yet.
fn who_inserts_is_refused_when_his_key_comes<R: Host>() {
    let (mut sim, disk, pages, loads, inserts, pins) = both_have_lost_their_places::<R>(20);
    pins[0].take();
    sim.run();
    assert_eq!((sim.saw(loads.0), sim.saw(inserts.0)), ("60: done".into(), "60: Pinned [9]".into()));
    drop(pins);
    loads.1.take();
    assert_all_is_free(&mut sim, &disk, &pages, 3);
}

/// A hit needs no room: what was inserted is newer than what the caller has loaded. (P3, P8)
fn who_has_loaded_takes_his_key_when_it_comes<R: Host>() {
    let (mut sim, disk, pages, loads, inserts, pins) = both_have_lost_their_places::<R>(50);
    pins[0].take();
    sim.run();
    assert_eq!((sim.saw(inserts.0), sim.saw(loads.0)), ("60: done".into(), "60: done".into()));
    assert_eq!(loads.1.borrow()[0].value(), V::new(99));
    drop((pins, loads.1.take(), inserts.1.take()));
    assert_all_is_free(&mut sim, &disk, &pages, 3);
}

/// D84: a caller that waits for room to store something gets an error; a load that has begun ends as usual.
fn closing_ends_his_wait<R: Host>() {
    let (mut sim, _disk, pages, loads, inserts, pins) = both_have_lost_their_places::<R>(50);
    sim.close(&pages);
    assert_eq!((sim.saw(inserts.0), sim.saw(loads.0)), ("60: Closed".into(), "waits".into()));
    pins[0].take();
    sim.run();
    assert_eq!(sim.saw(loads.0), "60: done");
}

/// P3, D77: this holds even if the caller joins in the same poll in which the load comes to wait.
fn who_joins_a_load_while_it_is_polled_hears_that_it_waits_for_room<R: Host>() {
    type Joiner = Pin<Box<dyn Future<Output = String>>>;
    let (mut sim, disk, pages) = start::<R>(1);
    sim.load(&pages, 1);
    let (is_near, joined) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None::<Joiner>)));
    let (counter, waker) = wakers::Counting::new();
    let (when, joins, asks, with) = (is_near.clone(), joined.clone(), pages.clone(), waker.clone());
    disk.first(move |_, _| {
        let (when, joins, asks, with) = (when.clone(), joins.clone(), asks.clone(), with.clone());
        Some(Box::pin(poll_fn(move |_| {
            if !when.get() {
                return Poll::Pending;
            }
            let asks = asks.clone();
            let mut joiner: Joiner =
                Box::pin(async move { told(asks.get_or_load_with(&3, Room::Within(ms(50))).await).to_string() });
            assert!(joiner.as_mut().poll(&mut Context::from_waker(&with)).is_pending());
            joins.borrow_mut().replace(joiner);
            Poll::Ready(())
        })))
    });
    let first = sim.load(&pages, 3);
    let one = sim.pin(&pages, 1);
    is_near.set(true);
    sim.poll(first);
    sim.run();
    let mut joiner = joined.take().expect("the load was polled");
    let mut is_over = || joiner.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!((sim.saw(first), counter.wakes() > 0, is_over()), ("waits".into(), true, Poll::Pending));
    let before = counter.wakes();
    sim.to(50);
    assert_eq!((counter.wakes() > before, is_over()), (true, Poll::Ready("Full".into())));
    drop((joiner, one.take()));
    disk.nothing_first();
}

/// P1: the flush of a victim inserts the very key for which it leaves.
fn what_comes_while_room_is_made_is_not_loaded<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    sim.load(&pages, 3);
    let asks = pages.clone();
    disk.first(move |io, _| {
        let asks = asks.clone();
        (io == Io::Flush).then(|| -> Pin<Box<dyn Future<Output = ()>>> {
            Box::pin(async move { drop(asks.insert(2, V::new(22), Room::Try).await.expect("there is room")) })
        })
    });
    let load = sim.load(&pages, 2);
    assert_eq!((sim.saw(load), disk.loads(), pages.dirty()), ("0: V22".into(), 2, 1));
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// P3: a load that has lost its way to a place, and has not begun, takes its key when that is inserted.
fn who_has_not_begun_to_load_takes_his_key_when_it_comes<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    disk.flushes_by(|_, _| after(30));
    let kept = Kept::<R>::default();
    let (keeper, inserts) = (kept.clone(), pages.clone());
    let inserts = sim.call(async move {
        let handle = inserts.insert(9, V::new(99), Room::Wait).await;
        keeper.borrow_mut().extend(handle.ok());
        Answer::Done
    });
    let loads = sim.pin_later(&pages, 9);
    let pins = [1, 2].map(|key| sim.pin(&pages, key));
    sim.to(60);
    assert_eq!((sim.saw(inserts), sim.saw(loads.0)), ("waits".into(), "waits".into()));
    pins[0].take();
    sim.run();
    assert_eq!((sim.saw(inserts), sim.saw(loads.0), disk.loads()), ("60: done".into(), "60: done".into(), 2));
    pins[1].take();
    loads.1.take();
    kept.take();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}
