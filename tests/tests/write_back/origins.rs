//! The defects of the cache that this one replaces, each by its number there.
use super::*;

on_every_runtime! {
    i01_flush_beside_eviction
    i05_dropped_during_an_eviction
    i07_in_use_again_by_the_time_it_would_leave
    i08_a_back_end_that_keeps_what_it_was_given
    i09_nobody_waits_for_others_keys
    i10_finding_a_victim
    i11_a_clean_victim
    i11_a_failed_load
    i12_siblings_of_a_flush_that_fails
    i12_no_more_at_once_than_is_allowed
    i12_wakes_do_not_poll_all
    i14_insert_over_what_is_in_use
    i14_a_discard_that_panics
}

/// I1: a flush locked the dependencies and then the map, an eviction the other way round. (P13)
fn i01_flush_beside_eviction<R: Host>() {
    for with_dependency in [false, true] {
        let (mut sim, disk, a) = start::<R>(1);
        let (other, b) = beside::<R>(&sim, &disk, "b");
        sim.write(&a, 1, 11);
        sim.write(&b, 5, 55);
        if with_dependency {
            a.depend_on(&b).expect("no circle");
        }
        disk.flushes_by(|_, _| steps(3, 10));
        other.flushes_by(|_, _| steps(3, 10));
        let calls = [sim.flush(&a), sim.load(&a, 2), sim.insert(&a, 3, 33, Room::Wait), sim.flush(&b), sim.flush(&a)];
        sim.to(200);
        assert!(calls.iter().all(|i| sim.saw(*i) != "waits"), "{:?}", calls.map(|i| sim.saw(i)));
        assert_eq!((disk.page(1), b.dirty()), (Some(11), 0));
    }
}

/// I5. (P2, P16)
fn i05_dropped_during_an_eviction<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(50));
    let load = sim.load(&pages, 2);
    sim.to(20);
    sim.drop(load);
    assert_eq!((value(&pages, 1), pages.dirty(), disk.page(1)), (Some(11), 1, None));
    let flush = sim.flush(&pages);
    sim.to(70);
    assert_eq!((sim.saw(flush), disk.page(1)), ("70: done".into(), Some(11)));
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// I7: an entry in use was put back into a map that had gone. (P16)
fn i07_in_use_again_by_the_time_it_would_leave<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    sim.load(&pages, 2);
    disk.flushes_by(|_, _| after(50));
    let load = sim.load(&pages, 3);
    sim.to(20);
    let kept = sim.pin(&pages, 1);
    sim.to(50);
    assert_eq!((sim.saw(load), value(&pages, 1), value(&pages, 2)), ("50: V30".into(), Some(11), None));
    kept.borrow()[0].set(V::new(12));
    kept.take();
    let flush = sim.flush(&pages);
    sim.to(100);
    assert_eq!((sim.saw(flush), disk.page(1)), ("100: done".into(), Some(12)));
}

/// I8: it panicked, and the entry was gone. (P16)
fn i08_a_back_end_that_keeps_what_it_was_given<R: Host>() {
    use larder::Backend;

    struct Keeps(Disk, Rc<RefCell<Vec<V>>>);

    impl Backend<u32> for Keeps {
        type Value = V;
        type Error = Boom;
        type Load = <Disk as Backend<u32>>::Load;
        type Flush = <Disk as Backend<u32>>::Flush;
        type Discard = <Disk as Backend<u32>>::Discard;

        fn load(&self, key: u32) -> Self::Load {
            self.0.load(key)
        }

        fn flush(&self, key: u32, value: V) -> Self::Flush {
            self.1.borrow_mut().push(value.clone());
            self.0.flush(key, value)
        }

        fn discard(&self, key: u32, value: V) -> Self::Discard {
            self.1.borrow_mut().push(value.clone());
            self.0.discard(key, value)
        }

        fn lost(&self, _: Vec<u32>) {}
    }

    let sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let seen = Rc::<RefCell<Vec<V>>>::default();
    let back_end = Keeps(disk.clone(), seen.clone());
    let pages = WriteBack::builder(R::on(sim.clock()), back_end).capacity(1).build().expect("valid");
    for key in 1..4 {
        let handle = wakers::now(pages.get_or_load(&key)).expect("there is room");
        handle.update(|value| *Rc::make_mut(value) += 1).expect("no other caller changes it");
    }
    wakers::now(pages.flush()).expect("it works");
    let third = wakers::now(pages.get_or_load(&3)).expect("it is there");
    third.update(|value| *Rc::make_mut(value) += 1).expect("no other caller changes it");
    drop(third);
    wakers::now(pages.invalidate()).expect("nothing is pinned");
    assert_eq!((1..4).map(|key| disk.page(key)).collect::<Vec<_>>(), [Some(11), Some(21), Some(31)]);
    let kept: Vec<_> = seen.take().iter().map(|value| **value).collect();
    assert_eq!((kept, disk.discarded()), (vec![11, 21, 31, 32], vec![3]));
}

/// I9: one lock was held over all I/O. (P13)
fn i09_nobody_waits_for_others_keys<R: Host>() {
    let (mut sim, disk, a) = start::<R>(8);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    for key in 0..8 {
        sim.write(&a, key, key);
    }
    sim.write(&b, 5, 55);
    a.always_depend_on(&b).expect("no circle");
    for disk in [&disk, &other] {
        disk.flushes_by(|_, _| after(100));
        disk.loads_by(|_, _| after(100));
    }
    // Misses with dirty victims, side by side.
    let misses: Vec<_> = (10..14).map(|key| sim.load(&a, key)).collect();
    for t in [0, 50, 100, 150, 250] {
        sim.to(t);
        let (hit, key) = (sim.load(&a, 7), value(&b, 5));
        assert_eq!((sim.saw(hit), key), (format!("{t}: V7"), Some(55)));
    }
    sim.to(300);
    assert!(misses.iter().all(|i| sim.saw(*i).starts_with("300: V1")), "{}", sim.saw(misses[3]));
}

/// I10: all entries were looked at. The least recently used one leaves, however many there are; how many are looked at
/// is counted in a test of the ledger, and instructions in the benchmark.
fn i10_finding_a_victim<R: Host>() {
    for entries in [100, 2_000] {
        let (_sim, disk, pages) = start::<R>(entries);
        let load = |key| drop(wakers::now(pages.get_or_load(&key)));
        (0..entries as u32).for_each(load);
        // In the reverse order of their arrival.
        (0..100).rev().for_each(load);
        for key in 0..50 {
            load(1_000_000 + key);
            let oldest = if entries == 100 { 99 - key } else { 100 + key };
            assert!(pages.try_get(&oldest).is_none(), "{oldest}");
            assert_eq!((pages.len(), disk.loads()), (entries, entries + 1 + key as usize));
        }
    }
}

/// I11. (P16)
fn i11_a_clean_victim<R: Host>() {
    let (mut sim, disk, a) = start::<R>(1);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    sim.load(&a, 1);
    sim.write(&b, 5, 55);
    a.depend_on(&b).expect("no circle");
    let load = sim.load(&a, 2);
    assert_eq!((sim.saw(load), disk.flushes(), b.dirty()), ("0: V20".into(), 0, 1));
}

/// I11: room was made first.
fn i11_a_failed_load<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.load(&pages, 1);
    disk.loads_by(|_, _| after(10).fails(1));
    let load = sim.load(&pages, 2);
    sim.to(10);
    assert_eq!((sim.saw(load), value(&pages, 1)), ("10: E1".into(), Some(10)));
    let dropped = sim.load(&pages, 2);
    sim.drop(dropped);
    assert_eq!(value(&pages, 1), Some(10));
}

/// I12: the other flushes were dropped half done. (P16)
fn i12_siblings_of_a_flush_that_fails<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for key in 1..5 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| if key == 1 { after(10).fails(1) } else { after(20 + u64::from(key)) });
    let flush = sim.flush(&pages);
    sim.to(100);
    assert_eq!((sim.saw(flush), disk.log().len(), pages.dirty()), ("24: [1: E1]".into(), 3, 1));
}

/// I12: the number of flushes at once had no limit.
fn i12_no_more_at_once_than_is_allowed<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(4));
    (0..40).for_each(|key| sim.write(&pages, key, key));
    disk.flushes_by(|_, _| after(10));
    let flush = sim.flush(&pages);
    for t in 0..10 {
        sim.to(t * 10);
        assert_eq!(disk.flushes() as u64, ((t + 1) * 4).min(40));
    }
    sim.to(100);
    assert_eq!(sim.saw(flush), "100: done");
}

/// I12: each wake polled all pending flushes. The limit bounds what one wake polls.
fn i12_wakes_do_not_poll_all<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(sim, &disk, |p| p.flush_limit(4));
    let polls = Rc::new(Cell::new(0_u32));
    (0..200).for_each(|key| sim.write(&pages, key, key));
    let counts = polls.clone();
    let time = sim.time.clone();
    disk.first(move |_, key| {
        let (counts, mut wait) = (counts.clone(), sleep(&time, 1 + u64::from(key % 7)));
        Some(Box::pin(core::future::poll_fn(move |cx| {
            counts.set(counts.get() + 1);
            Pin::new(&mut wait).poll(cx)
        })))
    });
    let flush = sim.flush(&pages);
    sim.to(1000);
    assert!(sim.saw(flush).ends_with("done") && polls.get() <= 200 * 2 * 4, "{} polls", polls.get());
    disk.nothing_first();
}

/// I14: later changes through old handles were never written. (P16)
fn i14_insert_over_what_is_in_use<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let kept = sim.pin(&pages, 1);
    sim.load(&pages, 2);
    let inserts = sim.insert(&pages, 1, 5, Room::Wait);
    assert_eq!(sim.saw(inserts), "0: Pinned [1]");
    kept.borrow()[0].set(V::new(11));
    kept.take();
    sim.flush(&pages);
    assert_eq!(disk.page(1), Some(11));
    // A flush that fails does not count as a use: the entry keeps its place in the order of use.
    sim.write(&pages, 1, 12);
    assert_eq!(value(&pages, 2), Some(20));
    disk.flushes_by(|_, call| if call == 1 { ready().fails(1) } else { ready() });
    sim.flush(&pages);
    sim.load(&pages, 3);
    assert_eq!((value(&pages, 1), value(&pages, 2), disk.page(1)), (None, Some(20), Some(12)));
}

/// I14: the rest of the map was dropped with the panic.
fn i14_a_discard_that_panics<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    disk.first(|io, _| {
        let panics = || core::future::poll_fn(|_| -> Poll<()> { std::panic::panic_any(Bang(3)) });
        (io == Io::Discard).then(|| Box::pin(panics()) as Pin<Box<dyn Future<Output = ()>>>)
    });
    let invalidates = sim.invalidate(&pages);
    let mut heard = disk.discarded();
    heard.sort_unstable();
    assert_eq!((sim.saw(invalidates), heard, pages.len()), ("0: unwound 3".into(), vec![1, 2, 3], 0));
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 10);
}

/// I13: the futures can move between threads, also those that flush other caches; `send.rs` checks all of them.
#[test]
fn i13_futures_are_send() {
    use larder::{ManualClock, parts::Std};

    fn is_send<T: Send>(_: &T) {}

    let make = || WriteBack::builder(Std::new(ManualClock::new()), order::Sink).build().expect("valid");
    let (a, b) = (make(), make());
    a.depend_on(&b).expect("no circle");
    is_send(&a.flush());
    is_send(&a.get_or_load(&1));
    is_send(&a.flush_then_depend_on(&b));
}
