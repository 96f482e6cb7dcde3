//! Room: which callers wait for it, and in which order.
use super::*;

on_every_runtime! {
    c77_all_pinned
    deadlines_are_reached_on_the_instant
    c78_a_failed_load_evicts_nothing
    d76_in_order_of_arrival
    d76_a_granted_place_passes_on_when_its_owner_is_dropped
    d76_a_granted_place_passes_on_when_the_load_fails
    d76_a_granted_place_passes_on_when_the_load_panics
    d76_a_granted_owner_who_is_parked_holds_one_place_only
    d77_a_victim_stays_until_the_publication
    d77_another_leaves_if_the_victim_is_pinned
    d77_all_pinned_meanwhile
    d77_all_pinned_meanwhile_by_the_callers_own_rule
}

/// C77. (P2, P16)
fn c77_all_pinned<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let tries = sim.load_with(&pages, 3, Room::Try);
    let inserts = sim.insert(&pages, 3, 33, Room::Try);
    assert_eq!((sim.saw(tries), sim.saw(inserts)), ("0: Full".into(), "0: Full".into()));
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
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D1: a limit is reached when `deadline <= now`, zero at once, and no limit is too large.
fn deadlines_are_reached_on_the_instant<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(1);
    let one = sim.pin(&pages, 1);
    let zero = sim.load_with(&pages, 2, Room::Within(Duration::ZERO));
    assert_eq!(sim.saw(zero), "0: Full");
    let bounded = sim.insert(&pages, 3, 33, Room::Within(ms(20)));
    let endless = sim.load_with(&pages, 2, Room::Within(Duration::MAX));
    sim.jump(20);
    one.take();
    sim.run();
    // Room at the exact instant of the deadline is in time.
    assert_eq!((sim.saw(endless), sim.saw(bounded)), ("20: V20".into(), "20: V33".into()));
    assert_eq!(sim.saw(zero), "0: Full");
}

/// C78. (P16)
fn c78_a_failed_load_evicts_nothing<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let (other, before) = beside::<R>(&sim, &disk, "b");
    sim.load(&pages, 1);
    sim.load(&pages, 2);
    sim.write(&before, 5, 55);
    pages.always_depend_on(&before).expect("no circle");
    disk.loads_by(|_, _| after(10).fails(3));
    let fails = sim.load(&pages, 3);
    sim.to(10);
    assert_eq!(sim.saw(fails), "10: E3");
    assert!(value(&pages, 1).is_some() && value(&pages, 2).is_some());
    disk.loads_by(|_, _| ready());
    let i = sim.load(&pages, 3);
    assert_eq!(sim.saw(i), "10: V30");
    assert_eq!(value(&pages, 1), None, "used before 2");
    // A clean entry leaves without a flush, of it or of its dependencies.
    assert_eq!((pages.len(), disk.flushes(), other.flushes(), before.dirty()), (2, 0, 0, 1));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D76.
fn d76_in_order_of_arrival<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(1);
    let mut holder = sim.pin(&pages, 1);
    let waits: Vec<_> = (2..7).map(|key| sim.pin_later(&pages, key)).collect();
    let inserts = sim.insert(&pages, 7, 77, Room::Wait);
    for (nth, (i, kept)) in waits.iter().enumerate() {
        assert!(waits[nth..].iter().all(|(i, _)| sim.saw(*i) == "waits"));
        holder.take();
        // A new caller does not go before those that wait.
        let late = sim.load_with(&pages, 99, Room::Try);
        sim.run();
        assert_eq!((sim.saw(*i), sim.saw(late)), ("0: done".into(), "0: Full".into()));
        holder = kept.clone();
        assert!(pages.len() <= 1);
    }
    holder.take();
    sim.run();
    assert_eq!(sim.saw(inserts), "0: V77");
}

/// D76. (P2)
fn d76_a_granted_place_passes_on_when_its_owner_is_dropped<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    let holder = sim.pin(&pages, 1);
    let first = sim.load(&pages, 2);
    let second = sim.load(&pages, 3);
    sim.park(first);
    holder.take();
    sim.run();
    assert_eq!((sim.saw(first), sim.saw(second)), ("waits".into(), "waits".into()));
    sim.drop(first);
    sim.run();
    assert_eq!((sim.saw(second), disk.loads()), ("0: V30".into(), 2));
    // The same while its load is under way.
    let holder = sim.pin(&pages, 1);
    disk.loads_by(|_, _| after(50));
    let (first, second) = (sim.load(&pages, 4), sim.load(&pages, 5));
    holder.take();
    sim.to(20);
    assert_eq!(disk.loads(), 4);
    sim.drop(first);
    sim.to(70);
    assert_eq!(sim.saw(second), "70: V50");
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D76. (P2)
fn d76_a_granted_place_passes_on_when_the_load_fails<R: Host>() {
    a_granted_place_passes_on::<R>(|load| load.fails(2), "10: E2");
}

/// D76. (P2, P5)
fn d76_a_granted_place_passes_on_when_the_load_panics<R: Host>() {
    a_granted_place_passes_on::<R>(|load| load.panics(2), "10: unwound 2");
}

fn a_granted_place_passes_on<R: Host>(ends: fn(Script) -> Script, saw: &str) {
    let (mut sim, disk, pages) = start::<R>(1);
    let holder = sim.pin(&pages, 1);
    disk.loads_by(move |key, _| if key == 2 { ends(after(10)) } else { ready() });
    let (first, second) = (sim.load(&pages, 2), sim.load(&pages, 3));
    holder.take();
    sim.to(10);
    assert_eq!((sim.saw(first).as_str(), sim.saw(second).as_str()), (saw, "10: V30"));
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D76: places are not handed on from caller to caller, so a parked owner keeps its own place and no more. (P3)
fn d76_a_granted_owner_who_is_parked_holds_one_place_only<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let parked = sim.load(&pages, 3);
    let others: Vec<_> = (4..10).map(|key| sim.load(&pages, key)).collect();
    sim.park(parked);
    one.take();
    sim.run();
    two.take();
    sim.run();
    assert!(others.iter().all(|i| sim.saw(*i).starts_with("0: V")));
    sim.unpark(parked);
    assert_eq!(sim.saw(parked), "0: V30");
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D77: until then it can be read, and its place is not taken twice.
fn d77_a_victim_stays_until_the_publication<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.load(&pages, 1);
    sim.load(&pages, 2);
    disk.loads_by(|_, _| after(50));
    let load = sim.load(&pages, 3);
    sim.to(49);
    assert_eq!((pages.len(), pages.pinned()), (2, 0));
    assert_eq!((value(&pages, 2), value(&pages, 1)), (Some(20), Some(10)));
    sim.to(50);
    assert_eq!((sim.saw(load), pages.len()), ("50: V30".into(), 2));
    assert_eq!((value(&pages, 1), value(&pages, 2)), (Some(10), None), "1 was in use after 2");
}

/// D77.
fn d77_another_leaves_if_the_victim_is_pinned<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.load(&pages, 1);
    sim.load(&pages, 2);
    disk.loads_by(|_, _| after(50));
    let load = sim.load(&pages, 3);
    let victim = sim.pin(&pages, 1);
    sim.to(50);
    assert_eq!((sim.saw(load), pages.len()), ("50: V30".into(), 2));
    assert_eq!((value(&pages, 1), value(&pages, 2)), (Some(10), None));
    victim.take();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D77: the loaded value waits, and is not loaded again.
fn d77_all_pinned_meanwhile<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.load(&pages, 1);
    sim.load(&pages, 2);
    disk.loads_by(|_, _| after(50));
    let loads = [sim.load(&pages, 3), sim.load(&pages, 3)];
    let other = sim.load(&pages, 4);
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let late = sim.load(&pages, 5);
    sim.to(60);
    assert!([loads[0], loads[1], other, late].iter().all(|i| sim.saw(*i) == "waits"));
    assert_eq!((pages.len(), pages.pinned(), disk.loads()), (2, 2, 4));
    one.take();
    sim.run();
    assert_eq!(
        (sim.saw(loads[0]), sim.saw(loads[1]), sim.saw(other)),
        ("60: V30".into(), "60: V30".into(), "60: V40".into())
    );
    sim.to(110);
    assert_eq!((sim.saw(late), disk.loads(), pages.len()), ("110: V50".into(), 5, 2));
    two.take();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D77.
fn d77_all_pinned_meanwhile_by_the_callers_own_rule<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.load(&pages, 1);
    disk.loads_by(|_, _| after(50));
    let tries = sim.load_with(&pages, 2, Room::Try);
    let one = sim.pin(&pages, 1);
    sim.to(50);
    assert_eq!(sim.saw(tries), "50: Full");
    one.take();
    let bounded = sim.load_with(&pages, 2, Room::Within(ms(80)));
    let one = sim.pin(&pages, 1);
    sim.to(129);
    assert_eq!(sim.saw(bounded), "waits");
    sim.to(130);
    assert_eq!(sim.saw(bounded), "130: Full");
    one.take();
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}
