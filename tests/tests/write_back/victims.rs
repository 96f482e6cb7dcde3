//! What leaves when room is needed.
use super::*;

on_every_runtime! {
    d78_in_order_of_use
    d78_what_is_dirty_is_flushed_in_place
    d78_what_is_used_during_its_flush_stays
    d78_what_is_changed_again_is_flushed_again
    d78_the_next_oldest_is_tried
    d78_the_first_error_if_none_can_go
    d78_what_can_go_is_not_held_up_by_what_cannot
    a_flush_that_stalls_holds_up_one_miss
    a_flush_that_panics_is_tried_like_one_that_fails
    many_that_cannot_go_take_no_time_to_speak_of
    a_full_cache_of_dirty_entries
}

/// D78: exactly the least recently used one.
fn d78_in_order_of_use<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(4);
    for key in 1..5 {
        sim.load(&pages, key);
    }
    let held = sim.pin(&pages, 1);
    assert_eq!(value(&pages, 2), Some(20));
    held.take();
    // By use: 3, 4, 2, 1. Each of them leaves in turn.
    for (new, loads) in [(5, 5), (6, 6), (7, 7), (8, 8)] {
        sim.load(&pages, new);
        assert_eq!(disk.loads(), loads);
    }
    for (gone, key) in [(3, 5), (4, 6), (2, 7), (1, 8)] {
        assert_eq!((value(&pages, gone), value(&pages, key)), (None, Some(key * 10)));
    }
    // Each read is a use: 6 stays, because it is read each time.
    for (new, gone, stays) in [(11, 5, 6), (12, 7, 6), (13, 8, 6)] {
        sim.load(&pages, new);
        assert_eq!((value(&pages, gone), value(&pages, stays)), (None, Some(stays * 10)));
    }
}

/// D78: a dirty victim can be read and changed while it is flushed, and hits do not wait.
fn d78_what_is_dirty_is_flushed_in_place<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    sim.load(&pages, 2);
    disk.flushes_by(|_, _| after(50));
    let load = sim.load(&pages, 3);
    sim.to(49);
    assert_eq!((sim.saw(load), disk.loads(), pages.len(), pages.dirty()), ("waits".into(), 2, 2, 1));
    sim.to(50);
    assert_eq!((sim.saw(load), disk.log()), ("50: V30".into(), vec!["50 a1=11".to_string()]));
    assert_eq!((value(&pages, 1), value(&pages, 2), pages.dirty()), (None, Some(20), 0));
}

/// D78: then the next oldest leaves.
fn d78_what_is_used_during_its_flush_stays<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    sim.load(&pages, 2);
    disk.flushes_by(|_, _| after(50));
    let load = sim.load(&pages, 3);
    sim.to(20);
    assert_eq!(value(&pages, 1), Some(11));
    sim.to(50);
    assert_eq!(sim.saw(load), "50: V30");
    assert_eq!((value(&pages, 1), value(&pages, 2), disk.flushes()), (Some(11), None, 1));
}

/// D78: "if still clean and unpinned".
fn d78_what_is_changed_again_is_flushed_again<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(50));
    disk.loads_by(|_, _| after(10));
    let load = sim.load(&pages, 2);
    sim.to(20);
    sim.write(&pages, 1, 12);
    sim.to(50);
    assert_eq!((disk.page(1), pages.dirty(), disk.loads()), (Some(11), 1, 1));
    sim.to(105);
    // Clean at 100, and changed once more during the load.
    assert_eq!((disk.page(1), disk.loads()), (Some(12), 2));
    sim.write(&pages, 1, 13);
    sim.to(160);
    assert_eq!((sim.saw(load), disk.page(1), disk.loads()), ("160: V20".into(), Some(13), 2));
}

/// D78. (P16)
fn d78_the_next_oldest_is_tried<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| if key == 3 { ready() } else { after(10).fails(key) });
    let load = sim.load(&pages, 4);
    sim.to(20);
    assert_eq!((sim.saw(load), disk.log()), ("20: V40".into(), vec!["20 a3=3".to_string()]));
    assert_eq!((value(&pages, 1), value(&pages, 2), value(&pages, 3)), (Some(1), Some(2), None));
    // The first two are as dirty as before, and in their old order.
    let flush = sim.flush(&pages);
    sim.to(30);
    assert_eq!((sim.saw(flush), pages.dirty()), ("30: [1: E1, 2: E2]".into(), 2));
    disk.flushes_by(|_, _| ready());
    sim.flush(&pages);
    assert_eq!(disk.log(), ["30 a1=1", "30 a2=2"]);
}

/// D78. (P16)
fn d78_the_first_error_if_none_can_go<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| after(10).fails(key));
    let loads = [sim.load(&pages, 4), sim.load(&pages, 4), sim.insert(&pages, 5, 55, Room::Wait)];
    sim.to(100);
    // The second load began with the next oldest, as the oldest was being tried already; each was tried once.
    assert_eq!(loads.map(|i| sim.saw(i)), ["20: E1", "20: E1", "20: E1"]);
    assert_eq!((pages.len(), pages.dirty(), disk.loads(), disk.flushes()), (3, 3, 3, 3));
    assert_all_is_free(&mut sim, &disk, &pages, 3);
}

/// D78: the place of a clean entry goes to one of the two loads.
fn d78_what_can_go_is_not_held_up_by_what_cannot<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 2, 22);
    sim.load(&pages, 1);
    disk.flushes_by(|_, _| after(10).fails(9));
    let (first, second) = (sim.load(&pages, 3), sim.pin_later(&pages, 4));
    let third = sim.load_with(&pages, 5, Room::Try);
    sim.to(50);
    assert_eq!(
        (sim.saw(first), sim.saw(second.0), sim.saw(third)),
        ("10: E9".into(), "0: done".into(), "0: Full".into())
    );
    assert_eq!((value(&pages, 1), value(&pages, 2), value(&pages, 4)), (None, Some(22), Some(40)));
    second.1.take();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// Two least recently used entries have to leave for two misses; the first that can go serves the first caller. (P3)
fn a_flush_that_stalls_holds_up_one_miss<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| after(if key == 1 { 1000 } else { 10 }));
    let (first, second) = (sim.load(&pages, 4), sim.load(&pages, 5));
    sim.to(10);
    assert_eq!((sim.saw(first), sim.saw(second)), ("waits".into(), "10: V50".into()));
    let inserts = sim.insert(&pages, 6, 66, Room::Wait);
    sim.to(20);
    assert_eq!((sim.saw(first), sim.saw(inserts)), ("waits".into(), "20: V66".into()));
    assert_eq!(disk.log(), ["10 a2=2", "20 a3=3"]);
    sim.to(1000);
    assert_eq!((sim.saw(first), value(&pages, 1), value(&pages, 5)), ("1000: V40".into(), None, Some(50)));
    assert_all_is_free(&mut sim, &disk, &pages, 3);
}

/// P5, P16.
fn a_flush_that_panics_is_tried_like_one_that_fails<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 1);
    sim.write(&pages, 2, 2);
    disk.flushes_by(|key, call| if key == 1 && call == 0 { after(10).panics(7) } else { after(20) });
    let (flush, load) = (sim.flush_key(&pages, 1), sim.load(&pages, 3));
    sim.to(100);
    // The caller that polls it unwinds; the other tries the next oldest, or begins anew.
    let ended = (sim.saw(flush), sim.saw(load));
    assert!(ended.0 == "10: unwound 7" || ended.1 == "10: unwound 7", "{ended:?}");
    if ended.0 == "10: unwound 7" {
        assert_eq!((ended.1.as_str(), value(&pages, 1), value(&pages, 2)), ("30: V30", Some(1), None));
    }
    assert_eq!(disk.page(1), None);
    assert_all_is_free(&mut sim, &disk, &pages, 2);
    assert_eq!(disk.page(1), Some(1));
}

/// C116: a dead disk costs a miss a few tries, however many entries are dirty; a flush tries all.
fn many_that_cannot_go_take_no_time_to_speak_of<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1000);
    for key in 0..1000 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|_, _| ready().fails(1));
    let load = sim.load(&pages, 5000);
    assert_eq!((sim.saw(load), disk.flushes()), ("0: E1".into(), 4));
    let flush = sim.flush(&pages);
    assert_eq!((sim.saw(flush).matches("E1").count(), disk.flushes(), pages.dirty()), (1000, 1004, 1000));
}

/// P12: however many ask at once, there are never more entries than the capacity.
fn a_full_cache_of_dirty_entries<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(4);
    disk.flushes_by(|key, _| after(u64::from(key % 7)));
    disk.loads_by(|key, _| after(u64::from(key % 5)));
    for key in 0..200 {
        let writes = pages.clone();
        sim.spawn(async move {
            let handle = writes.get_or_load(&key).await.expect("it is loaded");
            handle.set(V::new(key + 1));
        });
    }
    for t in 0..3000 {
        sim.to(t);
        assert!(pages.len() <= 4 && pages.pinned() <= 4);
    }
    assert_eq!((pages.dirty(), disk.loads()), (4, 200));
    sim.flush(&pages);
    sim.to(3100);
    assert!((0..200).all(|key| disk.page(key) == Some(key + 1)));
    assert_all_is_free(&mut sim, &disk, &pages, 4);
}
