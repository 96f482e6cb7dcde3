//! Room: who waits for it, and what leaves.
use super::*;

on_every_runtime! {
    c77_all_pinned
    c78_a_failed_load_evicts_nothing
}

/// C77. (P2, P16)
fn c77_all_pinned<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(&sim, &disk, |p| p.capacity(2));
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let tries = sim.load_with(&pages, 3, Room::Try);
    assert_eq!(sim.saw(tries), "0: Full");
    let bounded = sim.load_with(&pages, 3, Room::Within(ms(50)));
    let first = sim.load(&pages, 3);
    let second = sim.load(&pages, 4);
    sim.to(49);
    assert_eq!(sim.saw(bounded), "waits");
    sim.to(50);
    assert_eq!(sim.saw(bounded), "50: Full");
    sim.to(60);
    one.take();
    sim.run();
    // The first drops its handle at once, and the second follows.
    assert_eq!((sim.saw(first), sim.saw(second)), ("60: V30".into(), "60: V40".into()));
    assert_eq!(pages.len(), 2);
    two.take();
    assert_eq!(pages.pinned(), 0);
}

/// C78. (P16)
fn c78_a_failed_load_evicts_nothing<R: Host>() {
    let mut sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(&sim, &disk, |p| p.capacity(2));
    sim.load(&pages, 1);
    sim.load(&pages, 2);
    disk.loads_by(|_, _| after(10).fails(3));
    let fails = sim.load(&pages, 3);
    sim.to(10);
    assert_eq!(sim.saw(fails), "10: E3");
    assert!(pages.try_get(&1).is_some() && pages.try_get(&2).is_some());
    disk.loads_by(|_, _| ready());
    let i = sim.load(&pages, 3);
    assert_eq!(sim.saw(i), "10: V30");
    assert!(pages.try_get(&1).is_none(), "used before 2");
    assert_eq!((pages.len(), disk.flushes()), (2, 0));
}
