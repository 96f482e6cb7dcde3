//! What an invalidation does to the dependencies of a cache.

use super::{edges::two, *};

on_every_runtime! {
    c132_invalidated_and_free
    c132_what_always_goes_first_still_does
    c132_refused_or_dropped_it_forgets_nothing
}

/// C132: the one-shot edges of an invalidated cache are gone, as there is nothing left to order. (D82, D83)
fn c132_invalidated_and_free<R: Host>() {
    for until_flushed in [false, true] {
        let (mut sim, disk, a, b) = two::<R>();
        sim.write(&b, 1, 11);
        sim.write(&a, 1, 12);
        if until_flushed { a.depend_until_flushed_on(&b) } else { a.depend_on(&b) }.expect("no circle");
        let invalidates = sim.invalidate(&a);
        assert_eq!((sim.saw(invalidates), disk.discarded()), ("0: done".into(), vec![1]));
        sim.write(&a, 2, 22);
        sim.flush(&a);
        assert_eq!((disk.log(), b.dirty()), (vec!["0 a2=22".to_string()], 1));
        sim.write(&a, 2, 32);
        b.depend_on(&a).expect("no circle");
        sim.flush(&b);
        assert_eq!(disk.log(), ["0 a2=32", "0 b1=11"]);
    }
}

/// C132: a standing edge stays, and so do those of other caches that this does not satisfy. (D82)
fn c132_what_always_goes_first_still_does<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    a.always_depend_on(&b).expect("no circle");
    sim.write(&b, 1, 11);
    a.depend_on(&b).expect("no circle");
    sim.invalidate(&a);
    sim.write(&a, 1, 12);
    assert_eq!(circle(b.depend_on(&a)), "b a b");
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b1=11", "0 a1=12"]);
}

/// C132: nothing was discarded, so all edges stay. (P17)
fn c132_refused_or_dropped_it_forgets_nothing<R: Host>() {
    let (mut sim, disk, a, b) = two::<R>();
    sim.write(&b, 1, 11);
    sim.write(&a, 1, 12);
    a.depend_on(&b).expect("no circle");
    let pinned = sim.pin(&a, 1);
    let refused = sim.invalidate(&a);
    assert_eq!(sim.saw(refused), "0: Pinned [1]");
    drop(pinned.take());
    disk.flushes_by(|_, _| after(10).fails(1));
    let (other, c) = beside::<R>(&sim, &disk, "c");
    other.flushes_by(|_, _| after(10));
    a.depend_on(&c).expect("nothing is dirty there");
    sim.flush(&a);
    let waits = sim.invalidate(&a);
    sim.to(5);
    assert_eq!(sim.saw(waits), "waits", "a flush is under way");
    sim.drop(waits);
    sim.to(20);
    disk.flushes_by(|_, _| ready());
    sim.flush(&a);
    assert_eq!((disk.log(), c.dirty()), (vec!["0 b1=11".to_string(), "20 a1=12".into()], 0));
}
