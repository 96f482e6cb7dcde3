//! Callers whose victim is being flushed, and takes long, when something else makes room for them.
use super::*;

on_every_runtime! {
    d76_what_is_removed_makes_room
    d76_as_many_as_are_removed_go_on
}

/// Pages 1 and 2 are dirty, and the flush of 1 never ends.
fn stalled<R: Host>() -> (Sim, Disk, Pages<R>) {
    let (mut sim, disk, pages) = start::<R>(2);
    (1..3).for_each(|key| sim.write(&pages, key, key));
    disk.flushes_by(|key, _| after(if key == 1 { 100_000 } else { 0 }));
    (sim, disk, pages)
}

/// D76, D78: a caller whose victim does not have to leave any more does not wait for its flush.
fn d76_what_is_removed_makes_room<R: Host>() {
    let (mut sim, disk, pages) = stalled::<R>();
    let load = sim.load(&pages, 3);
    sim.to(10);
    let removed = sim.remove(&pages, 2);
    assert_eq!([removed, load].map(|i| sim.saw(i)), ["10: V2", "10: V30"]);
    sim.remove(&pages, 3);
    // The same for an insertion, once the cache is full again.
    sim.load(&pages, 4);
    let inserts = sim.insert(&pages, 5, 55, Room::Wait);
    assert_eq!(sim.saw(inserts), "waits");
    sim.remove(&pages, 4);
    assert_eq!((sim.saw(inserts), pages.len()), ("10: V55".into(), 2));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// Each by one place: the first that came, and those after it when it is their turn.
fn d76_as_many_as_are_removed_go_on<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(4);
    (1..5).for_each(|key| sim.write(&pages, key, key));
    disk.flushes_by(|key, _| after(if key < 3 { 100_000 } else { 0 }));
    let loads = [sim.load(&pages, 5), sim.load(&pages, 6)];
    sim.remove(&pages, 4);
    assert_eq!(loads.map(|i| sim.saw(i)), ["0: V50", "waits"]);
    sim.remove(&pages, 3);
    assert_eq!((sim.saw(loads[1]), pages.len()), ("0: V60".into(), 4));
    assert_all_is_free(&mut sim, &disk, &pages, 4);
}
