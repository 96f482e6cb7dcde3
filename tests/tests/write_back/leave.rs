//! Removing, superseding and invalidating.
use super::*;

on_every_runtime! {
    d83_a_pinned_key_is_refused
    d83_remove_flushes_first
    d83_what_cannot_be_flushed_is_not_removed
    d83_what_is_pinned_during_its_flush_is_not_removed
    d83_what_is_changed_during_its_flush_is_flushed_again
    d83_insert_supersedes_unflushed
    d83_insert_during_a_flush
    d83_insert_makes_room
    d83_invalidate_drops_what_is_dirty
    d83_invalidate_names_what_is_pinned
    d83_invalidate_waits_for_flushes
    d83_invalidate_though_a_flush_fails
    invalidate_frees_what_waits
    a_discard_that_panics_does_not_keep_the_others_from_being_heard
    discards_are_awaited
}

/// D83.
fn d83_a_pinned_key_is_refused<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    let kept = sim.pin(&pages, 1);
    sim.write(&pages, 2, 22);
    let calls = [sim.remove(&pages, 1), sim.insert(&pages, 1, 5, Room::Wait), sim.invalidate(&pages)];
    assert!(calls.iter().all(|i| sim.saw(*i) == "0: Pinned [1]"), "{}", sim.saw(calls[2]));
    assert_eq!((value(&pages, 1), value(&pages, 2), pages.dirty()), (Some(10), Some(22), 1));
    assert_eq!((disk.discarded(), disk.flushes()), (vec![], 0));
    kept.take();
    let calls = [sim.insert(&pages, 1, 5, Room::Try), sim.remove(&pages, 1), sim.remove(&pages, 1)];
    assert_eq!(calls.map(|i| sim.saw(i)), ["0: V5", "0: V5", "0: nothing"]);
}

/// D83.
fn d83_remove_flushes_first<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    let (_, before) = beside::<R>(&sim, &disk, "b");
    pages.always_depend_on(&before).expect("no circle");
    sim.write(&before, 5, 55);
    sim.write(&pages, 1, 11);
    sim.load(&pages, 2);
    disk.flushes_by(|_, _| after(10));
    let (dirty, clean) = (sim.remove(&pages, 1), sim.remove(&pages, 2));
    assert_eq!((sim.saw(dirty), sim.saw(clean), value(&pages, 1)), ("waits".into(), "0: V20".into(), Some(11)));
    sim.to(10);
    assert_eq!((sim.saw(dirty), pages.len()), ("10: V11".into(), 0));
    assert_eq!(disk.log(), ["0 b5=55", "10 a1=11"]);
}

/// D83. (P16)
fn d83_what_cannot_be_flushed_is_not_removed<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(10).fails(6));
    let removes = sim.remove(&pages, 1);
    sim.to(10);
    assert_eq!((sim.saw(removes), value(&pages, 1), pages.dirty()), ("10: E6".into(), Some(11), 1));
}

/// D83.
fn d83_what_is_pinned_during_its_flush_is_not_removed<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(10));
    let removes = sim.remove(&pages, 1);
    let kept = sim.pin(&pages, 1);
    sim.to(10);
    assert_eq!((sim.saw(removes), value(&pages, 1), pages.dirty()), ("10: Pinned [1]".into(), Some(11), 0));
    kept.take();
}

/// D83. (P16)
fn d83_what_is_changed_during_its_flush_is_flushed_again<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(10));
    let removes = sim.remove(&pages, 1);
    sim.to(5);
    sim.write(&pages, 1, 12);
    sim.to(20);
    assert_eq!((sim.saw(removes), disk.page(1), pages.len()), ("20: V12".into(), Some(12), 0));
}

/// D83.
fn d83_insert_supersedes_unflushed<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    let inserts = sim.insert(&pages, 1, 12, Room::Try);
    assert_eq!((sim.saw(inserts), disk.flushes(), pages.dirty()), ("0: V12".into(), 0, 1));
    sim.flush(&pages);
    let inserts = sim.insert(&pages, 1, 13, Room::Try);
    assert_eq!((sim.saw(inserts), pages.dirty()), ("0: V13".into(), 1), "what was clean is dirty");
    sim.flush(&pages);
    assert_eq!((disk.log(), disk.loads()), (vec!["0 a1=12".to_string(), "0 a1=13".into()], 1));
}

/// D83. (P16)
fn d83_insert_during_a_flush<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(10));
    sim.flush(&pages);
    sim.to(5);
    let inserts = sim.insert(&pages, 1, 12, Room::Try);
    assert_eq!(sim.saw(inserts), "5: V12");
    sim.to(10);
    assert_eq!((disk.page(1), value(&pages, 1), pages.dirty()), (Some(11), Some(12), 1));
    let flush = sim.flush(&pages);
    sim.to(20);
    assert_eq!((sim.saw(flush), disk.page(1)), ("20: done".into(), Some(12)));
}

/// D83: it makes room as a load does.
fn d83_insert_makes_room<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    disk.flushes_by(|key, _| if key == 1 { after(10).fails(1) } else { after(10) });
    let inserts = sim.insert(&pages, 3, 33, Room::Within(ms(30)));
    sim.to(20);
    assert_eq!((sim.saw(inserts), disk.log()), ("20: V33".into(), vec!["20 a2=22".to_string()]));
    assert_eq!((value(&pages, 1), value(&pages, 2), value(&pages, 3), pages.len()), (Some(11), None, Some(33), 2));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D83.
fn d83_invalidate_drops_what_is_dirty<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(5);
    sim.write(&pages, 1, 11);
    sim.load(&pages, 2);
    sim.write(&pages, 3, 33);
    let i = sim.invalidate(&pages);
    let mut discarded = disk.discarded();
    discarded.sort_unstable();
    assert_eq!((sim.saw(i), discarded, pages.len(), pages.dirty()), ("0: done".into(), vec![1, 3], 0, 0));
    let loads = [sim.load(&pages, 1), sim.load(&pages, 2)];
    assert_eq!(loads.map(|i| sim.saw(i)), ["0: V10", "0: V20"]);
    assert_eq!((disk.flushes(), pages.next_flush()), (0, None));
    drop((sim, pages));
    assert_eq!(disk.lost(), Vec::<Vec<u32>>::new());
}

/// D83: the error names all of them, and nothing is dropped.
fn d83_invalidate_names_what_is_pinned<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(5);
    let kept = [1, 2].map(|key| sim.pin(&pages, key));
    sim.write(&pages, 3, 33);
    let i = sim.invalidate(&pages);
    let saw = sim.saw(i);
    assert!(saw == "0: Pinned [1, 2]" || saw == "0: Pinned [2, 1]", "{saw}");
    assert_eq!((pages.len(), pages.dirty(), disk.discarded()), (3, 1, vec![]));
    drop(kept);
}

/// D83: a value that is being written is on disk or dropped, nothing between.
fn d83_invalidate_waits_for_flushes<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(5);
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    disk.flushes_by(|key, _| after(u64::from(key) * 10));
    let flushes = [sim.flush_key(&pages, 1), sim.flush_key(&pages, 2)];
    sim.to(5);
    let i = sim.invalidate(&pages);
    sim.to(12);
    sim.drop(flushes[1]);
    sim.to(19);
    assert_eq!((sim.saw(flushes[0]), sim.saw(i), pages.len()), ("10: done".into(), "waits".into(), 3));
    sim.to(20);
    assert_eq!((sim.saw(i), disk.discarded()), ("20: done".into(), vec![3]));
    assert_eq!((disk.page(1), disk.page(2), disk.page(3)), (Some(1), Some(2), None));
}

fn d83_invalidate_though_a_flush_fails<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(5);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    disk.flushes_by(|key, _| if key == 1 { after(10).fails(1) } else { after(20).panics(2) });
    let flushes = [sim.flush_key(&pages, 1), sim.flush_key(&pages, 2)];
    let i = sim.invalidate(&pages);
    sim.to(20);
    let ended = [sim.saw(flushes[1]), sim.saw(i)];
    assert!(ended.iter().filter(|saw| *saw == "20: unwound 2").count() == 1, "{ended:?}");
    if ended[1] == "20: done" {
        assert_eq!((pages.len(), disk.discarded().len()), (0, 2));
    }
}

/// A load that waits for its victim's flush goes on at once when all entries are gone.
fn invalidate_frees_what_waits<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(50));
    let load = sim.load(&pages, 2);
    let i = sim.invalidate(&pages);
    sim.to(50);
    assert_eq!((sim.saw(i), sim.saw(load)), ("50: done".into(), "50: V20".into()));
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D83, I14.
fn a_discard_that_panics_does_not_keep_the_others_from_being_heard<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(5);
    for key in 1..5 {
        sim.write(&pages, key, key);
    }
    disk.first(|io, key| {
        (io == Io::Discard && key == 2).then(|| {
            let panics = core::future::poll_fn(|_| -> Poll<()> { std::panic::panic_any(Bang(2)) });
            Box::pin(panics) as Pin<Box<dyn Future<Output = ()>>>
        })
    });
    let i = sim.invalidate(&pages);
    assert_eq!((sim.saw(i), disk.discarded().len(), pages.len()), ("0: unwound 2".into(), 4, 0));
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 5);
}

fn discards_are_awaited<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(5);
    for key in 1..4 {
        sim.write(&pages, key, key);
    }
    let time = sim.time.clone();
    disk.first(move |_, _| Some(Box::pin(sleep(&time, 10))));
    let i = sim.invalidate(&pages);
    assert_eq!((sim.saw(i), pages.len()), ("waits".into(), 0));
    sim.to(100);
    assert_eq!(sim.saw(i), "30: done");
    disk.nothing_first();
}
