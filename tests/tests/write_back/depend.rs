//! Caches that are flushed before others: when, how much of them, and what follows if that fails.
use super::*;

on_every_runtime! {
    c71_flush_beside_eviction
    d81_what_is_written_was_fixed_before
    d81_the_dependency_goes_again_for_what_is_new
    d82_one_shot_is_satisfied_by_any_flush
    d82_one_shot_is_dropped_at_once_if_nothing_is_dirty
    d82_one_shot_means_what_is_dirty_now
    d82_standing_means_always
    d82_a_clean_victim_flushes_nothing
    dependencies_of_dependencies
    the_order_holds_across_a_clean_cache
    the_order_holds_across_a_flush_that_is_under_way
    what_cannot_be_flushed_behind_a_clean_cache_is_in_the_way
    a_dependency_shared_by_two
    a_dependency_is_flushed_once_for_many_keys
}

/// C71. (P13, P17)
fn c71_flush_beside_eviction<R: Host>() {
    let (mut sim, disk, one) = start::<R>(2);
    let (other, two) = beside::<R>(&sim, &disk, "b");
    disk.flushes_by(|_, _| after(50));
    other.flushes_by(|_, _| after(50));
    sim.write(&one, 1, 11);
    sim.write(&one, 2, 12);
    sim.write(&two, 1, 21);
    one.depend_on(&two).expect("no circle");
    let flush = sim.flush(&one);
    sim.to(10);
    let miss = sim.load(&one, 3);
    let hit = sim.load(&one, 2);
    assert_eq!(sim.saw(hit), "10: V12");
    sim.to(200);
    assert_eq!((sim.saw(flush), sim.saw(miss)), ("100: done".into(), "100: V30".into()));
    assert_eq!(disk.log(), ["50 b1=21", "100 a1=11", "100 a2=12"]);
}

/// D81: a change during the flush of the dependency waits for a later flush, as it may need more of the dependency.
fn d81_what_is_written_was_fixed_before<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    other.flushes_by(|_, _| after(50));
    sim.write(&b, 5, 51);
    sim.write(&a, 1, 11);
    a.always_depend_on(&b).expect("no circle");
    let flush = sim.flush(&a);
    sim.to(20);
    // These two belong together: the second must not be on disk without the first.
    sim.write(&b, 6, 61);
    sim.write(&a, 1, 12);
    sim.to(50);
    assert_eq!((sim.saw(flush), disk.log()), ("50: done".into(), vec!["50 b5=51".to_string(), "50 a1=11".into()]));
    assert_eq!((a.dirty(), b.dirty()), (1, 1));
    sim.flush(&a);
    sim.to(100);
    assert_eq!(disk.log(), ["100 b6=61", "100 a1=12"]);
}

/// D81: a key whose flush begins later sees a later state of the dependency.
fn d81_the_dependency_goes_again_for_what_is_new<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    other.flushes_by(|_, _| after(50));
    sim.write(&b, 5, 51);
    sim.write(&a, 1, 11);
    a.always_depend_on(&b).expect("no circle");
    sim.flush_key(&a, 1);
    sim.to(20);
    sim.write(&b, 5, 52);
    sim.write(&a, 2, 22);
    let second = sim.flush_key(&a, 2);
    sim.to(50);
    assert_eq!((sim.saw(second), disk.page(1), disk.page(2)), ("waits".into(), Some(11), None));
    sim.to(100);
    assert_eq!(sim.saw(second), "100: done");
    assert_eq!(disk.log(), ["50 b5=51", "50 a1=11", "100 b5=52", "100 a2=22"]);
}

/// D82: any flush satisfies it, also one that an eviction from the other cache makes.
fn d82_one_shot_is_satisfied_by_any_flush<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    for how in 0..3 {
        sim.write(&a, 1, how);
        sim.write(&b, 5, how);
        a.depend_on(&b).expect("no circle");
        match how {
            0 => _ = sim.flush(&b),
            1 => _ = sim.remove(&b, 5),
            _ => _ = sim.invalidate(&b),
        }
        // Nothing has to be flushed before it any more, and nothing is.
        assert_eq!(circle(b.depend_on(&a)), "no circle", "{how}");
        disk.log();
        let before = other.flushes();
        sim.write(&b, 6, how);
        sim.flush(&a);
        assert_eq!((disk.log(), other.flushes()), (vec![format!("0 a1={how}")], before));
        sim.flush(&b);
        disk.log();
    }
}

/// D82: then no edge is added, so there is no circle either.
fn d82_one_shot_is_dropped_at_once_if_nothing_is_dirty<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.load(&b, 5);
    a.depend_on(&b).expect("no circle");
    b.depend_on(&a).expect("no circle");
    assert_eq!(circle(a.depend_on(&a)), "no circle");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    sim.flush(&a);
    assert_eq!((disk.log(), other.flushes()), (vec!["0 a1=11".to_string()], 0));
}

/// D82: what becomes dirty later is not meant; what is dirty now is written in the state that it has by then.
fn d82_one_shot_means_what_is_dirty_now<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 51);
    a.depend_on(&b).expect("no circle");
    sim.write(&b, 6, 61);
    sim.write(&b, 5, 52);
    sim.flush(&a);
    assert_eq!((disk.log(), b.dirty()), (vec!["0 b5=52".to_string(), "0 a1=11".into()], 1));
    // A second request covers what has become dirty since.
    sim.write(&a, 1, 12);
    a.depend_on(&b).expect("no circle");
    sim.write(&b, 7, 71);
    a.depend_on(&b).expect("no circle");
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b6=61", "0 b7=71", "0 a1=12"]);
}

/// D82.
fn d82_standing_means_always<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_other, b) = beside::<R>(&sim, &disk, "b");
    a.always_depend_on(&b).expect("no circle");
    a.always_depend_on(&b).expect("the same once more");
    a.depend_on(&b).expect("and a weaker one");
    for round in 0..3 {
        sim.write(&a, 1, round);
        sim.write(&b, 5, round);
        sim.flush(&a);
        assert_eq!(disk.log(), [format!("0 b5={round}"), format!("0 a1={round}")]);
    }
    sim.write(&b, 5, 9);
    sim.flush(&a);
    assert_eq!(b.dirty(), 1, "nothing of the first is written, so the second need not be");
}

/// D82.
fn d82_a_clean_victim_flushes_nothing<R: Host>() {
    let (mut sim, disk, a) = start::<R>(1);
    let (_other, b) = beside::<R>(&sim, &disk, "b");
    a.always_depend_on(&b).expect("no circle");
    sim.load(&a, 1);
    sim.write(&b, 5, 55);
    sim.load(&a, 2);
    assert_eq!((b.dirty(), disk.log().len()), (1, 0));
}

/// P17: a chain of dependencies is flushed from its end.
fn dependencies_of_dependencies<R: Host>() {
    let (mut sim, disk, a) = start::<R>(1);
    let others: Vec<_> = ["b", "c", "d", "e"].map(|name| beside::<R>(&sim, &disk, name)).into();
    let mut last = &a;
    for (disk, pages) in &others {
        disk.flushes_by(|_, _| after(10));
        last.always_depend_on(pages).expect("no circle");
        last = pages;
    }
    for (_, pages) in &others {
        sim.write(pages, 1, 1);
    }
    sim.write(&a, 1, 1);
    let load = sim.load(&a, 2);
    sim.to(100);
    assert_eq!(sim.saw(load), "40: V20");
    assert_eq!(disk.log(), ["10 e1=1", "20 d1=1", "30 c1=1", "40 b1=1", "40 a1=1"]);
}

/// P17: the last is flushed before the middle and the middle before the first, so the last goes before the first.
fn the_order_holds_across_a_clean_cache<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    let (last, c) = beside::<R>(&sim, &disk, "c");
    a.always_depend_on(&b).expect("no circle");
    b.always_depend_on(&c).expect("no circle");
    last.flushes_by(|_, _| after(10));
    sim.write(&a, 1, 11);
    sim.write(&c, 5, 55);
    let flush = sim.flush(&a);
    sim.to(20);
    assert_eq!((sim.saw(flush), disk.log()), ("10: done".into(), vec!["10 c5=55".to_string(), "10 a1=11".into()]));
    // A one-shot dependency covers only what was dirty in the other cache.
    sim.write(&b, 3, 33);
    let (_, d) = beside::<R>(&sim, &disk, "d");
    d.depend_on(&b).expect("no circle");
    sim.flush(&b);
    sim.to(40);
    sim.write(&c, 5, 56);
    sim.write(&d, 7, 77);
    sim.flush(&d);
    assert_eq!((disk.log().len(), c.dirty(), d.dirty()), (2, 1, 0));
}

/// P17: what the middle is writing was fixed before the last became dirty.
fn the_order_holds_across_a_flush_that_is_under_way<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (middle, b) = beside::<R>(&sim, &disk, "b");
    let (_, c) = beside::<R>(&sim, &disk, "c");
    a.always_depend_on(&b).expect("no circle");
    b.always_depend_on(&c).expect("no circle");
    middle.flushes_by(|_, _| after(50));
    sim.write(&b, 3, 33);
    sim.flush(&b);
    sim.to(10);
    sim.write(&c, 5, 55);
    sim.write(&a, 1, 11);
    let flush = sim.flush(&a);
    sim.to(60);
    assert_eq!(sim.saw(flush), "50: done");
    assert_eq!(disk.log(), ["10 c5=55", "50 b3=33", "50 a1=11"]);
}

/// P16, P17: the error names it, and nothing is written that has to come after it.
fn what_cannot_be_flushed_behind_a_clean_cache_is_in_the_way<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    let (last, c) = beside::<R>(&sim, &disk, "c");
    a.always_depend_on(&b).expect("no circle");
    b.always_depend_on(&c).expect("no circle");
    last.flushes_by(|_, _| ready().fails(7));
    sim.write(&a, 1, 11);
    sim.write(&c, 5, 55);
    let failed = wakers::now(a.flush()).err().map(|error| error.failed()[0].1.to_string());
    let names_both = |text: &String| text.contains("\"b\"") && text.contains("\"c\"");
    assert!(failed.as_ref().is_some_and(names_both), "{failed:?}");
    assert_eq!((disk.log().len(), a.dirty(), c.dirty()), (0, 1, 1));
    last.flushes_by(|_, _| ready());
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 c5=55", "0 a1=11"]);
}

/// Two paths lead to one cache: it is flushed once.
fn a_dependency_shared_by_two<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (_, b) = beside::<R>(&sim, &disk, "b");
    let (_, c) = beside::<R>(&sim, &disk, "c");
    let (last, d) = beside::<R>(&sim, &disk, "d");
    last.flushes_by(|_, _| after(10));
    for (from, to) in [(&a, &b), (&a, &c), (&b, &d), (&c, &d)] {
        from.always_depend_on(to).expect("no circle");
    }
    for pages in [&a, &b, &c, &d] {
        sim.write(pages, 1, 1);
    }
    let flushes = [sim.flush(&a), sim.flush(&c)];
    sim.to(20);
    assert!(flushes.iter().all(|i| sim.saw(*i) == "10: done"));
    assert_eq!((last.flushes(), disk.log().len(), disk.page(1)), (1, 4, Some(1)));
}

fn a_dependency_is_flushed_once_for_many_keys<R: Host>() {
    let (mut sim, disk, a) = start::<R>(100);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    other.flushes_by(|_, _| after(10));
    for key in 0..50 {
        sim.write(&a, key, 1);
    }
    sim.write(&b, 5, 55);
    a.always_depend_on(&b).expect("no circle");
    sim.flush(&a);
    sim.to(10);
    assert_eq!((other.flushes(), disk.flushes(), a.dirty()), (1, 50, 0));
    assert_eq!(disk.log()[0], "10 b5=55");
}
