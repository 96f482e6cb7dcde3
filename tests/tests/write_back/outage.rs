//! A back end that fails: what that costs a caller that needs room, and what ends it.

use super::*;

on_every_runtime! {
    c116_one_miss
    c116_many_misses
    c116_many_misses_that_take_their_time
    c116_many_insertions
    c116_clean_ones_first
    c116_one_bad_entry
    c116_all_of_a_small_cache_fail_together
    c116_delays_grow
    c116_the_delays_are_an_option
    c116_a_delay_of_zero
    c116_a_delay_that_has_passed_at_once
    c116_flushes_ask_at_once
    c116_when_it_is_back
    c116_a_dependency_is_gone
    c116_a_probe_is_dropped
    c117_what_others_have_claimed
}

/// A full cache of so many dirty entries, whose flushes fail after this time.
fn failing<R: Host>(capacity: u32, time: u64) -> (Sim, Disk, Pages<R>) {
    let (mut sim, disk, pages) = start::<R>(capacity as usize);
    (0..capacity).for_each(|key| sim.write(&pages, key, key + 1));
    disk.flushes_by(move |key, _| after(time).fails(key));
    (sim, disk, pages)
}

/// C116: a few flushes are tried, then the call gets the first error, whatever it would wait for. (D78)
fn c116_one_miss<R: Host>() {
    for room in [Room::Wait, Room::Try, Room::Within(ms(50))] {
        let (mut sim, disk, pages) = failing::<R>(1000, 0);
        let load = sim.load_with(&pages, 5000, room);
        assert_eq!((sim.saw(load), disk.flushes(), disk.loads()), ("0: E0".into(), 4, 1000));
        // The back end is known to fail, so the next call does not ask it, nor does one that only waits for a place.
        let (load, insert) = (sim.load_with(&pages, 5001, room), sim.insert(&pages, 5002, 1, room));
        assert_eq!((sim.saw(load), sim.saw(insert), disk.flushes()), ("0: E0".into(), "0: E0".into(), 4));
        assert_eq!((pages.len(), pages.dirty(), pages.pinned()), (1000, 1000, 0));
    }
}

/// C116: many misses share one failure. (D78, P4)
fn c116_many_misses<R: Host>() {
    let (mut sim, disk, pages) = failing::<R>(1000, 0);
    let loads: Vec<_> = (0..50).map(|nth| sim.load(&pages, 5000 + nth)).collect();
    assert!(loads.iter().all(|i| sim.saw(*i) == "0: E0"));
    assert_eq!(disk.flushes(), 4);
}

/// C116: also if all of them come before anything is known. (D78)
fn c116_many_misses_that_take_their_time<R: Host>() {
    for count in [50, 500] {
        let (mut sim, disk, pages) = failing::<R>(1000, 10);
        let loads: Vec<_> = (0..count).map(|nth| sim.load(&pages, 5000 + nth)).collect();
        sim.to(50);
        let saw: Vec<_> = loads.iter().map(|i| sim.saw(*i)).collect();
        let first = saw[0].clone();
        assert!(saw.iter().all(|saw| *saw == first && saw.contains(": E")), "{saw:?}");
        assert_eq!((disk.flushes(), disk.loads()), (8, 1000), "of {count}");
        assert_eq!((pages.dirty(), pages.pinned()), (1000, 0));
    }
}

/// C116: the same for insertions.
fn c116_many_insertions<R: Host>() {
    let (mut sim, disk, pages) = failing::<R>(100, 10);
    let rooms = [Room::Wait, Room::Within(ms(1000))];
    let inserts: Vec<_> = (0..50).map(|nth| sim.insert(&pages, 500 + nth, 1, rooms[nth as usize % 2])).collect();
    sim.to(50);
    assert!(inserts.iter().all(|i| sim.saw(*i).contains(": E")));
    assert_eq!((disk.flushes(), pages.len(), pages.dirty()), (8, 100, 100));
}

/// C116: a clean entry needs no flush, wherever it stands in the order of use. (D78)
fn c116_clean_ones_first<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(100);
    (0..98).for_each(|key| sim.write(&pages, key, key + 1));
    sim.load(&pages, 98);
    sim.load(&pages, 99);
    disk.flushes_by(|key, _| ready().fails(key));
    for (key, gone, flushes) in [(500, 98, 1), (501, 99, 1)] {
        let load = sim.load(&pages, key);
        assert_eq!((sim.saw(load), disk.flushes()), (format!("0: V{}0", key), flushes));
        assert_eq!(value(&pages, gone), None);
        let handle = pages.try_get(&key).expect("it is there");
        handle.set(V::new(key));
    }
    let load = sim.load(&pages, 502);
    assert_eq!((sim.saw(load), disk.flushes()), ("0: E0".into(), 4));
}

/// D78: one bad entry does not count as an outage: others are tried each time, and no caller is refused.
fn c116_one_bad_entry<R: Host>() {
    let (mut sim, disk, pages) = start::<R>(10);
    (0..10).for_each(|key| sim.write(&pages, key, key + 1));
    disk.flushes_by(|key, _| if key == 0 { ready().fails(0) } else { ready() });
    for nth in 0..20 {
        let pages = pages.clone();
        let i = sim.call(async move {
            let handle = pages.get_or_load(&(100 + nth)).await.expect("there is room");
            handle.set(V::new(nth));
        });
        assert_eq!(sim.saw(i), "0: done");
    }
    assert_eq!((value(&pages, 0), pages.dirty()), (Some(1), 10));
}

/// C116: whatever has failed can leave once it can be flushed, however many have failed at the same instant. (D78, P3)
fn c116_all_of_a_small_cache_fail_together<R: Host>() {
    let (mut sim, disk, pages) = failing::<R>(5, 10);
    let loads: Vec<_> = (0..5).map(|nth| sim.load(&pages, 11 + nth)).collect();
    sim.to(50);
    assert!(loads.iter().all(|i| sim.saw(*i) == sim.saw(loads[0])) && sim.saw(loads[0]).contains(": E"));
    disk.flushes_by(|_, _| ready());
    sim.to(200);
    let kept: Vec<_> = (0..5).map(|nth| sim.pin(&pages, 11 + nth)).collect();
    assert!(kept.iter().all(|kept| kept.borrow().len() == 1));
    assert_eq!((disk.log().len(), pages.dirty()), (5, 0));
}

/// C116: one try for each delay, and the same failure for all callers that come meanwhile. (D78)
fn c116_delays_grow<R: Host>() {
    let (mut sim, disk, pages) = failing::<R>(1000, 0);
    sim.load(&pages, 5000);
    let (mut flushes, mut tries) = (disk.flushes(), Vec::new());
    for t in (0..=20_000).step_by(50) {
        sim.to(t);
        let loads: Vec<_> = (0..3).map(|nth| sim.load(&pages, 6000 + nth)).collect();
        assert!(loads.iter().all(|i| sim.saw(*i).contains(": E")));
        if disk.flushes() > flushes {
            tries.push((t, disk.flushes() - flushes));
            flushes = disk.flushes();
        }
    }
    let expected = [100, 300, 700, 1500, 3100, 6300, 11_300, 16_300].map(|t| (t, 1));
    assert_eq!(tries, expected);
}

/// C116. (D1, D87)
fn c116_the_delays_are_an_option<R: Host>() {
    let sim = &mut Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let setup = |p: Setting<R>| p.capacity(2).error_backoff(ms(30), ms(50));
    let pages = pages::<R>(sim, &disk, setup);
    (0..2).for_each(|key| sim.write(&pages, key, key + 1));
    disk.flushes_by(|key, _| ready().fails(key));
    sim.load(&pages, 5);
    assert_eq!(disk.flushes(), 2, "there were no more");
    for (t, flushes) in [(29, 2), (30, 3), (79, 3), (80, 4), (129, 4), (130, 5)] {
        sim.to(t);
        sim.load(&pages, 5);
        assert_eq!(disk.flushes(), flushes, "at {t}");
    }
}

/// C116: without a delay each call tries one entry, and gets the failure. (D78, D87)
fn c116_a_delay_of_zero<R: Host>() {
    for (time, cap) in [(10, 0), (10, 50), (0, 0), (0, 50)] {
        let sim = &mut Sim::new();
        let disk = Disk::new(&sim.time, "a");
        let pages = pages::<R>(sim, &disk, |p| p.capacity(10).error_backoff(ms(0), ms(cap)));
        (0..10).for_each(|key| sim.write(&pages, key, key + 1));
        disk.flushes_by(move |key, _| after(time).fails(key));
        let load = sim.load(&pages, 50);
        sim.to(90);
        assert_eq!((sim.saw(load), disk.flushes()), (format!("{}: E0", 4 * time), 4));
        for (nth, room) in [Room::Wait, Room::Within(ms(50)), Room::Wait].into_iter().enumerate() {
            let calls = [sim.load_with(&pages, 50, room), sim.insert(&pages, 60, 1, room)];
            let end = sim.time.ms() + time;
            sim.to(end + 10);
            assert!(calls.iter().all(|i| sim.saw(*i) == format!("{end}: E0")), "{}", sim.saw(calls[1]));
            // Those that come during a flush share it.
            assert_eq!(disk.flushes(), 4 + (1 + nth) * if time == 0 { 2 } else { 1 });
        }
        let flushes = disk.flushes();
        let load = sim.load_with(&pages, 50, Room::Try);
        let saw = sim.saw(load);
        assert_eq!((saw.ends_with(if time == 0 { ": E0" } else { ": Full" }), disk.flushes()), (true, flushes + 1));
        disk.flushes_by(|_, _| ready());
        assert_all_is_free(sim, &disk, &pages, 10);
    }
}

/// C116: a clock that moves at every look, farther than the delay, keeps no call busy for ever. (D78)
fn c116_a_delay_that_has_passed_at_once<R: Host>() {
    // It is one second later at each look.
    let looks = Cell::new(0);
    let hasty = Tells(larder::ManualClock::new(), move |_: &larder::ManualClock| {
        looks.set(looks.get() + 1);
        larder::Instant::from_nanos(looks.get() * 1_000_000_000)
    });
    let sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = WriteBack::builder(R::with(hasty), disk.clone()).capacity(10).error_backoff(ms(1), ms(1)).build();
    let pages = pages.expect("valid");
    (0..10).for_each(|key| wakers::now(pages.get_or_load(&key)).expect("it is loaded").set(V::new(1)));
    // (A call that never ended would unwind here.)
    disk.flushes_by(|key, nth| if nth < 50 { ready().fails(key) } else { ready().panics(1) });
    for flushes in [4, 5] {
        let error = wakers::now(pages.get_or_load(&50)).map(drop).expect_err("the back end is gone");
        assert_eq!((error.error(), disk.flushes()), (Some(&Boom(0)), flushes));
    }
    disk.flushes_by(|_, _| ready());
    wakers::now(pages.flush()).expect("it is written");
}

/// C116: a flush asks the back end at once, whatever is known, and its success ends the outage for all. (D78)
fn c116_flushes_ask_at_once<R: Host>() {
    for how in 0..4 {
        let (mut sim, disk, pages) = failing::<R>(10, 0);
        let refused = sim.load(&pages, 50);
        assert_eq!((sim.saw(refused), disk.flushes()), ("0: E0".into(), 4));
        let fails = sim.flush(&pages);
        assert_eq!((sim.saw(fails).matches(": E").count(), disk.flushes()), (10, 14));
        disk.flushes_by(|_, _| ready());
        let asks = match how {
            0 => sim.flush(&pages),
            1 => sim.flush_key(&pages, 7),
            2 => sim.remove(&pages, 7),
            _ => sim.close(&pages),
        };
        assert_eq!(sim.saw(asks), if how == 2 { "0: V8" } else { "0: done" });
        if how < 3 {
            let load = sim.load(&pages, 50);
            assert_eq!(sim.saw(load), "0: V500", "{how}");
        }
    }
}

/// C116: all is flushed, in order; and the order of use is unchanged. (D80, P16)
fn c116_when_it_is_back<R: Host>() {
    let (mut sim, disk, _) = failing::<R>(1, 0);
    let pages = pages::<R>(&sim, &disk, |p| p.capacity(100).flush_limit(1).name("a"));
    disk.flushes_by(|_, _| ready());
    (0..100).rev().for_each(|key| sim.write(&pages, key, key + 1));
    disk.flushes_by(|key, _| ready().fails(key));
    (0..20).for_each(|nth| _ = sim.load(&pages, 500 + nth));
    sim.to(250);
    (0..20).for_each(|nth| _ = sim.load(&pages, 500 + nth));
    assert_eq!((disk.flushes(), disk.log().len()), (5, 0));
    disk.flushes_by(|_, _| ready());
    sim.to(450);
    let load = sim.load(&pages, 500);
    assert_eq!(sim.saw(load), "450: V5000", "the load that tried it");
    assert_eq!((disk.log().len(), pages.dirty()), (1, 99));
    let load = sim.load(&pages, 501);
    assert_eq!((sim.saw(load), disk.log()), ("450: V5010".into(), vec!["450 a99=100".to_string()]));
    let flush = sim.flush(&pages);
    let log = disk.log();
    let numbers: Vec<u32> = log.iter().filter_map(|line| line[5..].split('=').next()?.parse().ok()).collect();
    assert_eq!((sim.saw(flush), numbers.len(), pages.dirty()), ("450: done".into(), 98, 0));
    assert!(numbers.is_sorted_by(|one, two| one > two), "{numbers:?}");
}

/// C116: the dependency may be what fails. (P16, P17)
fn c116_a_dependency_is_gone<R: Host>() {
    let (mut sim, disk, a) = start::<R>(100);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    (0..100).for_each(|key| sim.write(&a, key, 1));
    sim.write(&b, 5, 55);
    a.always_depend_on(&b).expect("no circle");
    other.flushes_by(|_, _| after(10).fails(3));
    let loads: Vec<_> = (0..50).map(|nth| sim.load(&a, 500 + nth)).collect();
    sim.to(90);
    assert!(loads.iter().all(|i| sim.saw(*i).contains("E3")));
    assert!(other.flushes() <= 4, "{}", other.flushes());
    assert_eq!((a.dirty(), b.dirty(), disk.flushes()), (100, 1, 0));
    other.flushes_by(|_, _| ready());
    let flush = sim.flush(&a);
    assert_eq!((sim.saw(flush), disk.log()[0].clone(), a.dirty()), ("90: done".into(), "90 b5=55".into(), 0));
}

/// C116: the caller that tries after a delay may be dropped: the others go on with its try, or try in turn. (P2)
fn c116_a_probe_is_dropped<R: Host>() {
    let (mut sim, disk, pages) = failing::<R>(20, 0);
    sim.load(&pages, 50);
    disk.flushes_by(|_, _| after(10));
    sim.to(100);
    let (first, second) = (sim.load(&pages, 50), sim.load(&pages, 51));
    assert_eq!(disk.flushes(), 5);
    sim.drop(first);
    sim.to(105);
    assert_eq!(sim.saw(second), "waits");
    sim.drop(second);
    let third = sim.load(&pages, 52);
    sim.to(130);
    assert_eq!((sim.saw(third), disk.flushes()), ("115: V520".into(), 6));
    assert_all_is_free(&mut sim, &disk, &pages, 20);
}

/// C117: many misses at once, which all find a victim, for a constant amount of memory each. The entries looked at are
/// counted in the tests of the ledger.
fn c117_what_others_have_claimed<R: Host>() {
    for is_dirty in [false, true] {
        let each = [250, 2000].map(|count: u32| {
            let (mut sim, disk, pages) = start::<R>(count as usize);
            for key in 0..count {
                if is_dirty { sim.write(&pages, key, key) } else { _ = sim.load(&pages, key) }
            }
            disk.flushes_by(|_, _| after(10));
            disk.loads_by(|_, _| after(10));
            let mut loads = Vec::new();
            let bytes = memory::bytes(|| {
                loads.extend((0..count).map(|nth| sim.load(&pages, 10_000 + nth)));
                sim.to(50);
            });
            let until = if is_dirty { "30: V" } else { "10: V" };
            assert!(loads.iter().all(|i| sim.saw(*i).starts_with(until) || sim.saw(*i).starts_with("20: V")));
            assert_eq!((disk.flushes(), pages.len()), (if is_dirty { count as usize } else { 0 }, count as usize));
            bytes / u64::from(count)
        });
        assert!(each[1] <= each[0] * 5 / 4 + 64, "{each:?} bytes each");
    }
}
