//! How long a caller that needs room waits for the flush of its victim.

use super::*;

on_every_runtime! {
    d76_try_does_not_wait_for_a_flush
    d76_within_bounds_the_flush_of_a_victim
    d76_whoever_shares_the_load_has_a_patience_of_its_own
    d76_a_flush_of_the_same_instant_is_in_time
}

/// D76: `Try` waits neither for an unpin nor for a flush; a flush that ends at once is made.
fn d76_try_does_not_wait_for_a_flush<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(10));
    let (load, insert) = (sim.load_with(&pages, 2, Room::Try), sim.insert(&pages, 3, 33, Room::Try));
    assert_eq!((sim.saw(load), sim.saw(insert)), ("0: Full".into(), "0: Full".into()));
    assert_eq!((pages.dirty(), disk.loads(), value(&pages, 1)), (1, 1, Some(11)));
    sim.to(20);
    assert_eq!(disk.log().len(), 0, "it was given up");
    disk.flushes_by(|_, _| ready());
    let load = sim.load_with(&pages, 2, Room::Try);
    assert_eq!(sim.saw(load), "20: V20");
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D76: the limit bounds all of making room, for loads and insertions, but not the load itself.
fn d76_within_bounds_the_flush_of_a_victim<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.write(&pages, 1, 11);
    sim.write(&pages, 2, 22);
    disk.flushes_by(|_, _| after(100));
    let (load, insert) =
        (sim.load_with(&pages, 3, Room::Within(ms(50))), sim.insert(&pages, 4, 44, Room::Within(ms(60))));
    sim.to(49);
    assert_eq!((sim.saw(load), sim.saw(insert)), ("waits".into(), "waits".into()));
    sim.to(70);
    assert_eq!((sim.saw(load), sim.saw(insert)), ("50: Full".into(), "60: Full".into()));
    assert_eq!((pages.dirty(), pages.len(), disk.loads()), (2, 2, 2));
    disk.flushes_by(|_, _| after(10));
    disk.loads_by(|_, _| after(500));
    let load = sim.load_with(&pages, 3, Room::Within(ms(50)));
    sim.to(600);
    assert_eq!(sim.saw(load), "580: V30");
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D76, D77: whichever caller began the load.
fn d76_whoever_shares_the_load_has_a_patience_of_its_own<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(100));
    let waits = sim.load(&pages, 2);
    sim.to(10);
    let (tries, within) = (sim.load_with(&pages, 2, Room::Try), sim.load_with(&pages, 2, Room::Within(ms(50))));
    sim.to(100);
    assert_eq!((sim.saw(tries), sim.saw(within)), ("10: Full".into(), "60: Full".into()));
    assert_eq!(sim.saw(waits), "100: V20");
    // The other way round: a caller with more patience goes on.
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(100));
    let within = sim.load_with(&pages, 2, Room::Within(ms(50)));
    sim.to(10);
    let waits = sim.load(&pages, 2);
    sim.to(200);
    assert_eq!(sim.saw(within), "50: Full");
    assert_eq!(sim.saw(waits), "150: V20");
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D18, D76.
fn d76_a_flush_of_the_same_instant_is_in_time<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(50));
    let load = sim.load_with(&pages, 2, Room::Within(ms(50)));
    sim.to(60);
    assert_eq!(sim.saw(load), "50: V20");
}
