//! What a refused dependency leaves, and how long a wish for the next flush lasts.

use super::*;

on_every_runtime! {
    d82_refused_and_nothing_has_changed
    d82_what_gives_way_on_several_ways
    c131_over_before_the_write
}

/// D82: a circle of standing edges is refused whichever way is found first, and no edge until flushed has gone for it.
/// (P17)
fn d82_refused_and_nothing_has_changed<R: Host>() {
    // Which way is found first depends on where the caches are in memory.
    for is_swapped in [false, true] {
        let (mut sim, disk, y) = start::<R>(10);
        let [p, q, x] = ["p", "q", "x"].map(|name| beside::<R>(&sim, &disk, name).1);
        let (w, z) = if is_swapped { (&q, &p) } else { (&p, &q) };
        y.depend_until_flushed_on(w).expect("no circle");
        w.always_depend_on(&x).expect("no circle");
        y.always_depend_on(z).expect("no circle");
        z.always_depend_on(&x).expect("no circle");
        assert_eq!(circle(x.always_depend_on(&y)), format!("x a {} x", z.name()));
        sim.write(w, 1, 11);
        sim.write(&y, 1, 12);
        sim.flush(&y);
        assert_eq!(disk.log(), [format!("0 {}1=11", w.name()), "0 a1=12".into()]);
    }
}

/// D82: with nothing else in the way, each of them gives way. (P17)
fn d82_what_gives_way_on_several_ways<R: Host>() {
    let (mut sim, disk, y) = start::<R>(10);
    let [p, q, x] = ["p", "q", "x"].map(|name| beside::<R>(&sim, &disk, name).1);
    for between in [&p, &q] {
        y.depend_until_flushed_on(between).expect("no circle");
        between.always_depend_on(&x).expect("no circle");
    }
    y.depend_until_flushed_on(&x).expect("no circle");
    x.always_depend_on(&y).expect("they give way");
    for pages in [&p, &q, &x, &y] {
        sim.write(pages, 1, 1);
    }
    sim.flush(&y);
    assert_eq!(disk.log(), ["0 a1=1"]);
    let flushes = [sim.flush(&p), sim.flush(&q)];
    assert!(flushes.iter().all(|i| sim.saw(*i) == "0: done"));
}

/// C131: it is over once everything that goes first is on disk; that the write itself fails then, or is given up, does
/// not bring it back. (D82)
fn c131_over_before_the_write<R: Host>() {
    for was_dirty_there in [false, true] {
        for is_dropped in [false, true] {
            let (mut sim, disk, a) = start::<R>(10);
            let (_, b) = beside::<R>(&sim, &disk, "b");
            a.depend_until_flushed_on(&b).expect("no circle");
            if was_dirty_there {
                sim.write(&b, 1, 11);
            }
            sim.write(&a, 1, 12);
            disk.flushes_by(move |_, _| if is_dropped { never() } else { ready().fails(3) });
            let flush = sim.flush(&a);
            sim.drop(flush);
            assert_eq!((disk.log().len(), a.dirty()), (usize::from(was_dirty_there), 1));
            disk.flushes_by(|_, _| ready());
            sim.write(&b, 1, 21);
            sim.write(&a, 1, 22);
            sim.flush(&a);
            assert_eq!((disk.log(), b.dirty()), (vec!["0 a1=22".to_string()], 1));
        }
    }
}
