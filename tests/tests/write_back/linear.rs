//! The cost of a flush of many entries is not quadratic.

use core::cell::Cell;

use super::*;

on_every_runtime! {
    c101_flushes_are_polled_when_woken
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
