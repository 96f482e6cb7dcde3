//! The cost of a flush of many entries is not quadratic.

use core::cell::Cell;

use super::*;

on_every_runtime! {
    c101_flushes_are_polled_when_woken
    c101_flushes_that_go_before_another_cache
}

/// C101: flushes that end one after the other are polled when they are woken, not each time. (D62)
fn c101_flushes_are_polled_when_woken<R: Host>() {
    for limit in [16, 4000] {
        let sim = &mut Sim::new();
        let disk = Disk::new(&sim.time, "a");
        let pages = pages::<R>(sim, &disk, |p| p.capacity(4000).flush_limit(limit));
        (0..4000).for_each(|key| sim.write(&pages, key, key));
        let gates: Rc<Vec<Gate>> = Rc::new((0..4000).map(|_| Gate::default()).collect());
        let polls = Rc::new(Cell::new(0_usize));
        let (ends, counts) = (gates.clone(), polls.clone());
        disk.first(move |_, key| {
            let (ends, counts) = (ends.clone(), counts.clone());
            Some(Box::pin(core::future::poll_fn(move |cx| {
                counts.set(counts.get() + 1);
                ends[key as usize].poll(cx)
            })))
        });
        let flush = sim.flush(&pages);
        assert_eq!((disk.flushes(), polls.get()), (limit, limit), "each takes one poll to begin");
        for (ended, gate) in gates.iter().enumerate() {
            gate.open();
            sim.run();
            assert!(
                polls.get() <= disk.flushes() + ended + 1,
                "{} polls for {} ends of {limit}",
                polls.get(),
                ended + 1
            );
        }
        assert_eq!((sim.saw(flush), pages.dirty()), ("0: done".into(), 0));
        disk.nothing_first();
    }
}

/// C101: so are flushes of a cache that is flushed first. (D62)
fn c101_flushes_that_go_before_another_cache<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let other = disk.beside("b");
    let b = pages::<R>(&sim, &other, |p| p.capacity(1000).flush_limit(1000));
    (0..1000).for_each(|key| sim.write(&b, key, key));
    sim.write(&a, 1, 1);
    a.always_depend_on(&b).expect("no circle");
    let gates: Rc<Vec<Gate>> = Rc::new((0..1000).map(|_| Gate::default()).collect());
    let polls = Rc::new(Cell::new(0_usize));
    let (ends, counts) = (gates.clone(), polls.clone());
    other.first(move |_, key| {
        let (ends, counts) = (ends.clone(), counts.clone());
        Some(Box::pin(core::future::poll_fn(move |cx| {
            counts.set(counts.get() + 1);
            ends[key as usize].poll(cx)
        })))
    });
    let flush = sim.flush(&a);
    assert_eq!(polls.get(), 1000);
    for gate in gates.iter() {
        gate.open();
        sim.run();
    }
    assert!(polls.get() <= 2000 + 16, "{} polls", polls.get());
    assert_eq!((sim.saw(flush), a.dirty(), b.dirty()), ("0: done".into(), 0, 0));
    other.nothing_first();
}
