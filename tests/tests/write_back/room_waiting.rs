//! Callers that wait for room, and what they hear meanwhile.

use core::{cell::Cell, future::poll_fn, task::Poll};

use super::*;

on_every_runtime! {
    who_has_loaded_waits_in_front
    who_waits_for_room_takes_his_key_when_it_comes
    who_waits_for_room_waits_for_the_load_of_his_key
    who_joins_a_load_gives_his_place_back
    d76_who_joins_a_load_keeps_his_turn
    d76_who_joins_at_once_keeps_his_turn
    who_inserts_and_waits_for_room_is_refused_when_his_key_is_pinned
    who_gives_up_does_not_fail_the_others
    who_joins_a_load_waits_for_room_by_his_own_rule
    who_joins_a_load_hears_that_it_waits_for_room
    who_waits_for_room_before_his_load_binds_nobody_else
    a_poll_for_nothing_takes_no_place
    closing_ends_the_waits
}

/// D76, D77: callers that have loaded had their turn, and keep their order.
fn who_has_loaded_waits_in_front<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.load(&pages, 1);
    sim.load(&pages, 2);
    disk.loads_by(|key, _| after(u64::from(key) * 10));
    let loaded: Vec<_> = [3, 4].map(|key| sim.pin_later(&pages, key)).into();
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let late = sim.pin_later(&pages, 1000);
    sim.to(50);
    one.take();
    sim.run();
    assert_eq!((sim.saw(loaded[0].0), sim.saw(loaded[1].0)), ("50: done".into(), "waits".into()));
    two.take();
    sim.run();
    assert_eq!((sim.saw(loaded[1].0), sim.saw(late.0)), ("50: done".into(), "waits".into()));
    loaded[0].1.take();
    sim.run();
    assert_eq!(disk.loads(), 5);
    sim.drop(late.0);
    loaded[1].1.take();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// A loaded value that waits for room has given its place back; polls do not change that. (P12)
fn a_poll_for_nothing_takes_no_place<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(3);
    (1..4).for_each(|key| _ = sim.load(&pages, key));
    disk.loads_by(|key, _| after(if key == 9 { 100 } else { 50 }));
    let load = sim.load(&pages, 8);
    let kept: Vec<_> = (1..4).map(|key| sim.pin(&pages, key)).collect();
    sim.to(50);
    for _ in 0..10 {
        sim.poll(load);
    }
    assert_eq!(sim.saw(load), "waits");
    // One place becomes free while the caller is parked, and another load has its turn after it.
    sim.park(load);
    kept[0].take();
    kept[1].take();
    let other = sim.load(&pages, 9);
    sim.unpark(load);
    assert_eq!(sim.saw(load), "50: V80");
    let pinned = (sim.pin(&pages, 8), sim.load_with(&pages, 7, Room::Try));
    assert_eq!(sim.saw(pinned.1), "50: Full", "the other load has a place");
    sim.to(150);
    assert_eq!((sim.saw(other), pages.len()), ("150: V90".into(), 3));
    drop(kept);
    pinned.0.take();
    assert_all_is_free(&mut sim, &disk, &pages, 3);
}

/// A hit needs no room. (P3)
fn who_waits_for_room_takes_his_key_when_it_comes<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let ahead = sim.pin_later(&pages, 3);
    let inserts = sim.insert(&pages, 4, 44, Room::Wait);
    let waits = [sim.load(&pages, 4), sim.load(&pages, 3)];
    one.take();
    sim.run();
    // The only place went to the first caller; the value that it has loaded is there for all.
    assert_eq!((sim.saw(ahead.0), sim.saw(waits[1])), ("0: done".into(), "0: V30".into()));
    assert_eq!((sim.saw(inserts), sim.saw(waits[0])), ("waits".into(), "waits".into()));
    two.take();
    sim.run();
    assert_eq!((sim.saw(inserts), sim.saw(waits[0])), ("0: V44".into(), "0: V44".into()));
    assert_eq!(disk.loads(), 3);
    ahead.1.take();
    sim.remove(&pages, 4);
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// P1, P4: callers that wait for room share the load, and its failure.
fn who_waits_for_room_waits_for_the_load_of_his_key<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    disk.loads_by(|_, call| if call == 2 { after(50).fails(9) } else { ready() });
    let waits: Vec<_> = (0..5).map(|_| sim.load(&pages, 3)).collect();
    one.take();
    sim.to(50);
    assert!(waits.iter().all(|i| sim.saw(*i) == "50: E9"), "{}", sim.saw(waits[1]));
    assert_eq!(disk.loads(), 3);
    two.take();
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// Two callers of one key were granted places: one of them loads, the other gives its place back. (P2)
fn who_joins_a_load_gives_his_place_back<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let (first, second) = (sim.load(&pages, 3), sim.load(&pages, 3));
    let other = sim.load(&pages, 4);
    disk.loads_by(|key, _| after(if key == 3 { 1000 } else { 10 }));
    one.take();
    two.take();
    sim.to(10);
    assert_eq!((sim.saw(other), sim.saw(first)), ("10: V40".into(), "waits".into()));
    sim.to(1000);
    assert_eq!((sim.saw(first), sim.saw(second)), ("1000: V30".into(), "1000: V30".into()));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// D76: a load that ends without room has not been the caller's turn.
fn d76_who_joins_a_load_keeps_his_turn<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    let one = sim.pin(&pages, 1);
    disk.loads_by(|_, _| after(20));
    let first = sim.load_with(&pages, 2, Room::Within(ms(50)));
    let (second, third) = (sim.load(&pages, 2), sim.load(&pages, 3));
    sim.to(10);
    one.take();
    sim.to(15);
    let one = sim.pin(&pages, 1);
    sim.to(50);
    assert_eq!([first, second, third].map(|i| sim.saw(i)), ["50: Full", "waits", "waits"]);
    one.take();
    sim.to(200);
    assert_eq!([second, third].map(|i| sim.saw(i)), ["70: V20", "90: V30"]);
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D76: a caller's turn is that of its first look, though it has not waited for room then.
fn d76_who_joins_at_once_keeps_his_turn<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.load(&pages, 1);
    disk.loads_by(|_, _| after(20));
    let first = sim.load_with(&pages, 2, Room::Within(ms(50)));
    sim.to(5);
    let (second, one) = (sim.load(&pages, 2), sim.pin(&pages, 1));
    let third = sim.load(&pages, 3);
    sim.to(50);
    assert_eq!([first, second, third].map(|i| sim.saw(i)), ["50: Full", "waits", "waits"]);
    one.take();
    sim.to(200);
    assert_eq!([second, third].map(|i| sim.saw(i)), ["70: V20", "90: V30"]);
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D83: the caller is refused at once, and does not wait for room that it cannot use.
fn who_inserts_and_waits_for_room_is_refused_when_his_key_is_pinned<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    let (_, three) = sim.pin_later(&pages, 3);
    let inserts = sim.insert(&pages, 3, 33, Room::Wait);
    one.take();
    sim.run();
    assert_eq!(sim.saw(inserts), "0: Pinned [3]");
    drop((two, three));
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// A caller that joins the load of one that does not wait for room keeps its own rule.
fn who_gives_up_does_not_fail_the_others<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.load(&pages, 1);
    disk.loads_by(|_, _| after(50));
    let tries = sim.load_with(&pages, 2, Room::Try);
    let waits = sim.load(&pages, 2);
    let bounded = sim.load_with(&pages, 2, Room::Within(ms(70)));
    let one = sim.pin(&pages, 1);
    sim.to(50);
    assert_eq!((sim.saw(tries), sim.saw(waits), sim.saw(bounded)), ("50: Full".into(), "waits".into(), "waits".into()));
    sim.to(70);
    assert_eq!(sim.saw(bounded), "70: Full");
    one.take();
    sim.to(120);
    assert_eq!(sim.saw(waits), "120: V20");
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// D84: a caller that waits for room to store something gets an error.
fn closing_ends_the_waits<R: Host>() {
    let (mut sim, _disk, pages) = start::<R>(1);
    let one = sim.pin(&pages, 1);
    let waits =
        [sim.load(&pages, 2), sim.insert(&pages, 3, 33, Room::Wait), sim.load_with(&pages, 2, Room::Within(ms(9)))];
    sim.close(&pages);
    assert!(waits.iter().all(|i| sim.saw(*i) == "0: Closed"));
    one.take();
}

/// D77: the load is shared, the patience is not, or a caller that holds the awaited pin would wait for itself.
fn who_joins_a_load_waits_for_room_by_his_own_rule<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(2);
    sim.load(&pages, 1);
    sim.load(&pages, 2);
    disk.loads_by(|_, _| after(50));
    let first = sim.load(&pages, 3);
    let (tries, bounded) = (sim.load_with(&pages, 3, Room::Try), sim.load_with(&pages, 3, Room::Within(ms(80))));
    sim.to(20);
    assert_eq!((sim.saw(tries), sim.saw(bounded)), ("waits".into(), "waits".into()), "it is being loaded");
    let (one, two) = (sim.pin(&pages, 1), sim.pin(&pages, 2));
    sim.to(60);
    let late = sim.load_with(&pages, 3, Room::Try);
    assert_eq!(
        (sim.saw(tries), sim.saw(late), sim.saw(bounded)),
        ("50: Full".into(), "60: Full".into(), "waits".into())
    );
    sim.to(80);
    let late = sim.load_with(&pages, 3, Room::Within(ms(10)));
    sim.to(85);
    assert_eq!((sim.saw(bounded), sim.saw(first)), ("80: Full".into(), "waits".into()));
    one.take();
    sim.run();
    assert_eq!((sim.saw(first), sim.saw(late), disk.loads()), ("85: V30".into(), "85: V30".into(), 3));
    two.take();
    // Only that load had to wait: the next one of the key has a place.
    sim.remove(&pages, 3);
    let again = [sim.load(&pages, 3), sim.load_with(&pages, 3, Room::Try)];
    sim.to(135);
    assert_eq!(again.map(|i| sim.saw(i)), ["135: V30", "135: V30"]);
    assert_all_is_free(&mut sim, &disk, &pages, 2);
}

/// P3: the caller hears of it though nothing else has woken it.
fn who_joins_a_load_hears_that_it_waits_for_room<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.load(&pages, 1);
    let is_ready = Rc::new(Cell::new(false));
    let when = Rc::clone(&is_ready);
    disk.first(move |_, _| {
        let when = Rc::clone(&when);
        Some(Box::pin(poll_fn(move |_| if when.get() { Poll::Ready(()) } else { Poll::Pending })))
    });
    let (first, tries) = (sim.load(&pages, 3), sim.load_with(&pages, 3, Room::Try));
    let one = sim.pin(&pages, 1);
    is_ready.set(true);
    sim.poll(first);
    sim.run();
    assert_eq!((sim.saw(first), sim.saw(tries)), ("waits".into(), "0: Full".into()));
    one.take();
    disk.nothing_first();
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}

/// The same where the place is lost while room is being made.
fn who_waits_for_room_before_his_load_binds_nobody_else<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(1);
    sim.write(&pages, 1, 11);
    disk.flushes_by(|_, _| after(50));
    let first = sim.load(&pages, 3);
    let one = sim.pin(&pages, 1);
    sim.to(60);
    let tries = sim.load_with(&pages, 3, Room::Try);
    let bounded = sim.load_with(&pages, 3, Room::Within(ms(5)));
    sim.to(70);
    assert_eq!(
        (sim.saw(tries), sim.saw(bounded), sim.saw(first)),
        ("60: Full".into(), "65: Full".into(), "waits".into())
    );
    one.take();
    sim.run();
    assert_eq!((sim.saw(first), disk.loads()), ("70: V30".into(), 2));
    assert_all_is_free(&mut sim, &disk, &pages, 1);
}
