//! Dependencies that are taken back while flushes under way obey them.

use super::*;

on_every_runtime! {
    d82_taken_back_under_way
    d82_taken_back_farther_on
    d82_invalidated_farther_on
    d82_what_is_satisfied_does_not_count_under_way
    d82_later_flushes_do_not_obey_it
    d84_taken_back_and_not_kept
    d82_edges_of_all_kinds_in_any_order
}

/// The flushes of the second take 10 ms each, one by one; it has two dirty entries, and the first has one.
fn two<R: Host>() -> (Sim, Disk, Pages<R>, Disk, Pages<R>) {
    let (mut sim, disk, a) = start::<R>(10);
    let other = disk.beside("b");
    let b = pages::<R>(&sim, &other, |p| p.name("b").flush_limit(1));
    sim.write(&b, 1, 11);
    sim.write(&b, 2, 12);
    sim.write(&a, 1, 21);
    other.flushes_by(|_, _| after(10));
    (sim, disk, a, other, b)
}

/// D82: it counts for circles until the flush that obeys it has ended: nothing waits for itself. (P3, P17)
fn d82_taken_back_under_way<R: Host>() {
    for both_are_flushed in [false, true] {
        for always in [true, false] {
            let (mut sim, disk, a, _other, b) = two::<R>();
            a.always_depend_on(&b).expect("no circle");
            let flush = sim.flush(&a);
            sim.to(1);
            if both_are_flushed {
                sim.flush(&b);
            }
            sim.to(5);
            assert!(a.stop_depending_on(&b) && !a.stop_depending_on(&b));
            let refused = circle(if always { b.always_depend_on(&a) } else { b.depend_on(&a) });
            sim.to(50);
            assert_eq!((sim.saw(flush), refused), ("20: done".into(), "b a b".into()));
            assert_eq!(disk.log(), ["10 b1=11", "20 b2=12", "20 a1=21"]);
            assert_eq!(circle(b.always_depend_on(&a)), "no circle");
            sim.write(&a, 1, 31);
            sim.write(&b, 1, 32);
            sim.flush(&b);
            sim.to(100);
            assert_eq!(disk.log(), ["50 a1=31", "60 b1=32"]);
        }
    }
}

/// D82: so does one on the way of a flush of another cache. (P3, P17)
fn d82_taken_back_farther_on<R: Host>() {
    let (mut sim, disk, x, _other, b) = two::<R>();
    let (_, a) = beside::<R>(&sim, &disk, "c");
    x.always_depend_on(&a).expect("no circle");
    a.always_depend_on(&b).expect("no circle");
    let flush = sim.flush(&x);
    sim.to(5);
    assert!(a.stop_depending_on(&b));
    let refused = circle(b.always_depend_on(&x));
    sim.to(50);
    assert_eq!((sim.saw(flush), refused), ("20: done".into(), "b a c b".into()));
    assert_eq!(circle(b.always_depend_on(&x)), "no circle");
}

/// D82: and one that an invalidation drops. (P3, P17)
fn d82_invalidated_farther_on<R: Host>() {
    let (mut sim, disk, x, _other, b) = two::<R>();
    let (_, a) = beside::<R>(&sim, &disk, "c");
    x.always_depend_on(&a).expect("no circle");
    a.depend_on(&b).expect("no circle");
    let flush = sim.flush(&x);
    sim.to(5);
    wakers::now(a.invalidate()).expect("nothing is pinned");
    let refused = circle(b.always_depend_on(&x));
    sim.to(50);
    assert_eq!((sim.saw(flush), refused), ("20: done".into(), "b a c b".into()));
    assert_eq!(circle(b.always_depend_on(&x)), "no circle");
}

/// D82: a one-shot edge is over once it is satisfied, also for the flush that has waited for it.
fn d82_what_is_satisfied_does_not_count_under_way<R: Host>() {
    for until_flushed in [false, true] {
        let (mut sim, disk, a, _other, b) = two::<R>();
        let (slow, c) = beside::<R>(&sim, &disk, "c");
        slow.flushes_by(|_, _| after(50));
        sim.write(&c, 1, 1);
        a.depend_on(&c).expect("no circle");
        if until_flushed { a.depend_until_flushed_on(&b) } else { a.depend_on(&b) }.expect("no circle");
        let flush = sim.flush(&a);
        sim.to(5);
        assert_eq!(circle(b.depend_on(&a)), "b a b");
        sim.to(30);
        assert_eq!((circle(b.depend_on(&a)), sim.saw(flush)), ("no circle".into(), "waits".into()));
        sim.write(&b, 1, 2);
        let second = sim.flush(&b);
        sim.to(100);
        assert_eq!((sim.saw(flush), sim.saw(second)), ("50: done".into(), "60: done".into()));
    }
}

/// D82: a flush that begins after that does not obey it, and does not prolong it.
fn d82_later_flushes_do_not_obey_it<R: Host>() {
    for is_dropped in [false, true] {
        let (mut sim, disk, a, _other, b) = two::<R>();
        let (slow, c) = beside::<R>(&sim, &disk, "c");
        slow.flushes_by(|_, _| after(50));
        a.always_depend_on(&b).expect("no circle");
        let first = sim.flush(&a);
        sim.to(5);
        assert!(a.stop_depending_on(&b));
        sim.write(&c, 1, 1);
        a.always_depend_on(&c).expect("no circle");
        sim.write(&a, 2, 22);
        let second = sim.flush_key(&a, 2);
        assert_eq!(circle(b.always_depend_on(&a)), "b a b");
        if is_dropped {
            sim.drop(first);
        } else {
            sim.to(30);
            assert_eq!(sim.saw(first), "20: done");
        }
        assert_eq!((circle(b.always_depend_on(&a)), sim.saw(second)), ("no circle".into(), "waits".into()));
        sim.to(100);
        assert_eq!(sim.saw(second), "55: done");
    }
}

/// D84: it keeps the other cache no longer than the flush does.
fn d84_taken_back_and_not_kept<R: Host>() {
    let (mut sim, _disk, a, other, b) = two::<R>();
    let weak = b.downgrade();
    a.always_depend_on(&b).expect("no circle");
    let flush = sim.flush(&a);
    sim.to(5);
    assert!(a.stop_depending_on(&b));
    drop(b);
    assert!(weak.upgrade().is_some());
    sim.to(10);
    sim.drop(flush);
    assert!(weak.upgrade().is_none());
    assert_eq!(other.lost(), [[2]]);
}

/// D82: random edges in all directions, added and taken back at any time: no flush waits for itself. (P3, P17)
fn d82_edges_of_all_kinds_in_any_order<R: Host>() {
    for seed in 0..100 {
        with_seed(seed, || play::<R>(&mut Random::new(seed)));
    }
}

fn play<R: Host>(random: &mut Random) {
    let (mut sim, disk, a) = start::<R>(3);
    let mut all = vec![(disk.clone(), a)];
    for name in ["b", "c", "d"] {
        let disk = disk.beside(name);
        let pages = pages::<R>(&sim, &disk, |p| p.name(name).capacity(3).flush_limit(1 + random.below(2) as usize));
        all.push((disk, pages));
    }
    for (disk, _) in &all {
        let times: Vec<_> = (0..7).map(|_| random.below(20)).collect();
        disk.flushes_by(move |key, nth| match times[(nth + key as usize) % 7] {
            0 => ready(),
            time => after(time),
        });
    }
    let mut callers = Vec::new();
    for _ in 0..200 {
        let [(_, one), (_, two)] = [(); 2].map(|()| &all[random.below(4) as usize]);
        let key = random.below(3) as u32;
        match random.below(13) {
            0..4 => _ = wakers::now(one.get_or_load(&key)).map(|handle| handle.set(V::new(key))),
            4 => callers.push(sim.flush(one)),
            5 => callers.push(sim.flush_key(one, key)),
            6 => _ = one.depend_on(two),
            7 => _ = one.depend_until_flushed_on(two),
            8 => _ = one.always_depend_on(two),
            9 => _ = one.stop_depending_on(two),
            10 => callers.push(sim.invalidate(one)),
            11 if !callers.is_empty() => sim.drop(callers[random.below(callers.len() as u64) as usize]),
            _ => {
                let next = sim.time.ms() + random.below(15);
                sim.to(next);
            }
        }
    }
    let next = sim.time.ms() + 10_000;
    sim.to(next);
    let saw: Vec<_> = callers.iter().map(|i| sim.saw(*i)).collect();
    assert!(saw.iter().all(|saw| saw.ends_with(": done") || saw.ends_with(": dropped")), "{saw:?}");
    all.iter().for_each(|(_, pages)| callers.push(sim.flush(pages)));
    let next = sim.time.ms() + 10_000;
    sim.to(next);
    assert!(all.iter().all(|(_, pages)| pages.dirty() == 0));
}
