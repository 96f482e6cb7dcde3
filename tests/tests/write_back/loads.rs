//! Loads: shared, side by side, and never older than what was written meanwhile.

use larder::Backend;

use super::*;

on_every_runtime! {
    c03_keys_do_not_wait_for_each_other
    callers_share_a_load
    a_failure_is_shared
    a_panic_is_contained
    a_parked_caller_holds_nobody_up
    c76_hits_do_not_wait
    d39_an_insertion_ends_the_wait
    d39_an_insertion_from_inside_the_load
    what_was_inserted_and_has_left_voids_an_older_load
    who_waits_for_a_void_load_goes_over_to_a_newer_one
    a_void_load_is_joined_again
    loads_of_other_keys_are_not_void
    invalidation_voids_a_load
    removal_of_an_absent_key_voids_a_load
}

/// C03. (P13)
fn c03_keys_do_not_wait_for_each_other<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(100);
    disk.loads_by(|_, _| after(50));
    let callers: Vec<_> = (100..120).map(|key| sim.load(&pages, key)).collect();
    assert_eq!(disk.loads(), 20);
    sim.to(50);
    for (i, key) in callers.into_iter().zip(100..) {
        assert_eq!(sim.saw(i), format!("50: V{}", key * 10));
    }
}

/// One load serves all callers, though the first of them is dropped. (P1, P2)
fn callers_share_a_load<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.loads_by(|_, _| after(50));
    let callers: Vec<_> = (0..20).map(|_| sim.load(&pages, 7)).collect();
    sim.drop(callers[0]);
    sim.to(50);
    assert!(callers[1..].iter().all(|i| sim.saw(*i) == "50: V70"));
    assert_eq!((disk.loads(), pages.pinned()), (1, 0));
}

/// P4: all callers get the same error of one load, and the next caller loads again.
fn a_failure_is_shared<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.loads_by(|_, call| if call == 0 { after(50).fails(3) } else { ready() });
    let callers: Vec<_> = (0..20).map(|_| sim.load(&pages, 7)).collect();
    sim.to(50);
    assert!(callers.iter().all(|i| sim.saw(*i) == "50: E3"));
    assert_eq!((disk.loads(), pages.len()), (1, 0));
    let i = sim.load(&pages, 7);
    assert_eq!(sim.saw(i), "50: V70");
}

/// P5: the caller that polls it unwinds, and the others get an error.
fn a_panic_is_contained<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    disk.loads_by(|_, call| if call == 0 { after(50).panics(3) } else { ready() });
    let callers: Vec<_> = (0..20).map(|_| sim.load(&pages, 7)).collect();
    sim.to(50);
    let unwound = callers.iter().filter(|i| sim.saw(**i) == "50: unwound 3").count();
    let told = callers.iter().filter(|i| sim.saw(**i) == "50: Panicked").count();
    assert_eq!((unwound, told, disk.loads()), (1, 19, 1));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
    let i = sim.load(&pages, 7);
    assert_eq!(sim.saw(i), "50: V70");
}

/// P3: a caller that began a load and is never polled again does not hold up the others.
fn a_parked_caller_holds_nobody_up<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.loads_by(|_, _| steps(4, 10));
    let parked = sim.load(&pages, 7);
    sim.park(parked);
    let other = sim.load(&pages, 7);
    sim.to(30);
    assert_eq!((sim.saw(parked), sim.saw(other)), ("waits".into(), "30: V70".into()));
    sim.unpark(parked);
    assert_eq!((sim.saw(parked), disk.loads()), ("30: V70".into(), 1));
}

/// C76. (P13)
fn c76_hits_do_not_wait<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    sim.load(&pages, 1);
    sim.write(&pages, 2, 22);
    disk.loads_by(|_, _| after(500));
    disk.flushes_by(|_, _| after(300));
    let slow = sim.load(&pages, 3);
    let flush = sim.flush(&pages);
    let (hit, flushed) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    assert_eq!((*hit.borrow()[0].value(), *flushed.borrow()[0].value()), (10, 22));
    let waits_for_room = sim.load(&pages, 4);
    let hit = sim.load(&pages, 1);
    assert_eq!(sim.saw(hit), "0: V10");
    sim.to(500);
    assert_eq!((sim.saw(slow), sim.saw(flush)), ("500: V30".into(), "300: done".into()));
    sim.to(1000);
    assert_eq!(sim.saw(waits_for_room), "1000: V40");
    flushed.take();
}

/// D39: callers that wait for a load get what was inserted at once, and the load is dropped. (P8)
fn d39_an_insertion_ends_the_wait<R: Host>() {
    for script in [after(50), never()] {
        let (mut sim, disk, pages) = start::<R>(10);
        disk.loads_by(move |_, _| script.clone());
        let loads = [1, 1, 2].map(|key| sim.load(&pages, key));
        sim.to(20);
        let inserts = sim.insert(&pages, 1, 11, Room::Wait);
        let saw = [inserts, loads[0], loads[1], loads[2]].map(|i| sim.saw(i));
        assert_eq!(saw, ["20: V11", "20: V11", "20: V11", "waits"]);
        sim.to(60);
        assert_eq!((value(&pages, 1), pages.dirty(), disk.loads()), (Some(11), 1, 2));
        sim.drop(loads[2]);
        assert_all_is_free(&mut sim, &disk, &pages, 10);
    }
}

/// D39: the load itself inserts; the value is there, whether or not the load goes on.
fn d39_an_insertion_from_inside_the_load<R: Host>() {
    for script in [ready(), after(50), never()] {
        let (mut sim, disk, pages) = start::<R>(10);
        let asks = pages.clone();
        disk.first(move |_, _| {
            let asks = asks.clone();
            Some(Box::pin(async move { drop(asks.insert(1, V::new(11), Room::Wait).await.expect("there is room")) }))
        });
        disk.loads_by(move |_, _| script.clone());
        let loads = [sim.load(&pages, 1), sim.load(&pages, 1)];
        assert!(loads.iter().all(|i| sim.saw(*i) == "0: V11"), "{}", sim.saw(loads[0]));
        sim.to(60);
        assert_eq!((value(&pages, 1), pages.dirty(), disk.loads()), (Some(11), 1, 1));
        disk.nothing_first();
        assert_all_is_free(&mut sim, &disk, &pages, 10);
    }
}

/// P8, P16: an entry was inserted during a load, is on disk and has left; the load has read what was there before.
fn what_was_inserted_and_has_left_voids_an_older_load<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.reads_early();
    disk.loads_by(|_, call| if call == 0 { after(50) } else { after(7) });
    let loads = sim.load(&pages, 1);
    sim.to(20);
    sim.park(loads);
    sim.insert(&pages, 1, 11, Room::Wait);
    let removes = sim.remove(&pages, 1);
    assert_eq!((sim.saw(removes), disk.page(1)), ("20: V11".into(), Some(11)));
    sim.to(50);
    sim.unpark(loads);
    sim.to(57);
    assert_eq!((sim.saw(loads), value(&pages, 1), disk.loads()), ("57: V11".into(), Some(11), 2));
    assert_all_is_free(&mut sim, &disk, &pages, 10);
}

/// P1, P8: a load that began after the write also serves the callers that came before it.
fn who_waits_for_a_void_load_goes_over_to_a_newer_one<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.reads_early();
    disk.loads_by(|_, call| if call == 0 { after(50) } else { after(40) });
    let before = [sim.load(&pages, 1), sim.load(&pages, 1)];
    sim.to(20);
    wakers::now(disk.flush(1, V::new(11))).expect("it is written");
    sim.remove(&pages, 1);
    sim.to(30);
    let later = sim.load(&pages, 1);
    sim.to(60);
    assert!(before.iter().all(|caller| sim.saw(*caller) == "waits"), "what they waited for is out of date");
    sim.to(70);
    assert!([before[0], before[1], later].iter().all(|caller| sim.saw(*caller) == "70: V11"));
    assert_eq!((disk.loads(), pages.pinned()), (2, 0));
    assert_all_is_free(&mut sim, &disk, &pages, 10);
}

/// P1, P8: if there is no room for another load, the void one is made again, and callers that wait for room join it.
fn a_void_load_is_joined_again<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    disk.reads_early();
    disk.loads_by(|key, call| if key == 1 && call == 0 { after(50) } else { after(7) });
    let before = sim.load(&pages, 1);
    sim.to(20);
    wakers::now(disk.flush(1, V::new(11))).expect("it is written");
    sim.remove(&pages, 1);
    let holds = sim.pin(&pages, 2);
    sim.to(30);
    let waits = sim.load(&pages, 1);
    sim.to(52);
    let joins = sim.load(&pages, 1);
    sim.to(57);
    assert!([before, waits, joins].iter().all(|caller| sim.saw(*caller) == "57: V11"), "{}", sim.saw(waits));
    assert_eq!(disk.loads(), 3, "one of them is for the other key");
    holds.take();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// A write voids only the loads of its own key, or loads would never end where much is written.
fn loads_of_other_keys_are_not_void<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    disk.loads_by(|_, _| after(50));
    let loads = sim.load(&pages, 1);
    sim.to(20);
    sim.insert(&pages, 2, 22, Room::Wait);
    sim.remove(&pages, 2);
    sim.to(50);
    assert_eq!((sim.saw(loads), disk.loads()), ("50: V10".into(), 1));
}

/// A load that began before an invalidation is made again after it.
fn invalidation_voids_a_load<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    disk.reads_early();
    disk.loads_by(|_, _| after(50));
    let loads = [sim.load(&pages, 1), sim.load(&pages, 2)];
    sim.to(20);
    let invalidates = sim.invalidate(&pages);
    assert_eq!(sim.saw(invalidates), "20: done");
    sim.to(50);
    assert!(loads.iter().all(|i| sim.saw(*i) == "waits"));
    sim.to(100);
    assert_eq!((sim.saw(loads[0]), sim.saw(loads[1]), disk.loads()), ("100: V10".into(), "100: V20".into(), 4));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D42, P8: a load that began before its key was removed is made again, though there was nothing to remove.
fn removal_of_an_absent_key_voids_a_load<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    disk.reads_early();
    disk.loads_by(|_, _| after(50));
    let loads = [1, 2].map(|key| sim.load(&pages, key));
    sim.to(20);
    wakers::now(disk.flush(1, V::new(99))).expect("it is written");
    let removes = sim.remove(&pages, 1);
    let later = sim.load(&pages, 1);
    assert_eq!((sim.saw(removes), sim.saw(later)), ("20: nothing".into(), "waits".into()));
    sim.to(200);
    let saw = [loads[0], loads[1], later].map(|i| sim.saw(i));
    assert_eq!(saw, ["100: V99", "50: V20", "100: V99"]);
    assert_eq!((value(&pages, 1), disk.loads()), (Some(99), 3));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}
