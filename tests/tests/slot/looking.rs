//! What a slot shows without being asked for its value, and what its calls cost.

use larder::{Instant, LookupOptions, Status, TimeLeft, Ttl};
use larder_tests::*;

use crate::{held, set};

on_every_runtime! {
    what_peek_tells
    when_it_is_to_be_refreshed
    the_last_failure
    a_hit_allocates_nothing_and_reads_the_clock_once_at_most
    a_refresh_reads_the_clock_twice
    the_sums_after_one_of_everything
    clones_are_one_slot
    unpolled_futures_do_nothing
}

/// D36: value, status, age, time left, generation and the last error; it counts and begins nothing.
fn what_peek_tells<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().panics(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    assert!(slot.peek().is_none());
    sim.fetch(&slot);
    assert!(slot.peek().is_none(), "a failure is no value");
    let generation = slot.set_with(larder::Loaded::new(V::new(7)).ttl(ms(100)));
    sim.to(40);
    sim.force(&slot);
    let before = slot.stats();
    let found = slot.peek().expect("it is held");
    assert_eq!((**found.value(), found.status(), found.generation()), (7, Status::Hit, generation));
    assert_eq!((found.age(), found.time_left()), (ms(40), TimeLeft::For(ms(60))));
    assert!(found.error().is_some_and(larder::Failure::is_panicked) && !found.led());
    sim.to(130);
    let found = slot.peek().expect("it is held");
    assert_eq!((found.status(), found.age()), (Status::Stale(ms(30)), ms(130)));
    assert_eq!(found.time_left(), TimeLeft::For(ms(0)));
    let after = slot.stats();
    assert_eq!((after.hits, after.stale, after.misses, after.loads_begun), (before.hits, before.stale, 0, 2));
}

/// The next refresh: at once without a value, at the margin, at the end, after the delay, or never.
fn when_it_is_to_be_refreshed<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let ahead = sim.slot::<R>(&loads, |s| s.refresh_ahead(ms(10)));
    let at = |t| sim_at(t);
    assert_eq!(slot.refresh_at(), Instant::ZERO);
    for (ttl, plain, early) in [
        (Ttl::For(ms(100)), at(100), at(90)),
        (Ttl::Forever, Instant::NEVER, Instant::NEVER),
        (Ttl::ExpiresAtOnce, at(0), at(0)),
        (Ttl::For(ms(0)), at(0), at(0)),
    ] {
        set(&slot, 1, ttl);
        set(&ahead, 1, ttl);
        assert_eq!((slot.refresh_at(), ahead.refresh_at()), (plain, early), "{ttl:?}");
    }
    set(&slot, 1, ms(100));
    sim.to(20);
    slot.expire();
    assert_eq!(slot.refresh_at(), at(20));
    sim.fetch(&slot);
    assert_eq!(slot.refresh_at(), at(5020));
    sim.to(30);
    set(&slot, 1, ms(60_000));
    sim.force(&slot);
    assert_eq!(slot.refresh_at(), at(60_030), "the end of its life comes later than the delay");
    slot.invalidate();
    assert_eq!(slot.refresh_at(), Instant::ZERO);
    sim.fetch(&slot);
    assert_eq!(slot.refresh_at(), at(5030));
}

/// The instant after this many milliseconds.
fn sim_at(t: u64) -> Instant {
    Instant::from_nanos(t * 1_000_000)
}

/// The loader's own error, with its retry time, until a fetch succeeds.
fn the_last_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().fails(2), ready().panics(3), ready().gives(4)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    let last = |slot: &Slot<R>| {
        slot.last_failure().map(|failure| {
            assert!(failure.is_cached());
            (failure.error().map(|boom| boom.0), failure.retry_at().map(Instant::as_nanos))
        })
    };
    assert_eq!(last(&slot), None);
    let mut seen = Vec::new();
    for _ in 0..4 {
        sim.force(&slot);
        seen.push((slot.failures(), last(&slot)));
    }
    let at = |t| Some(sim_at(t).as_nanos());
    assert_eq!(
        seen,
        [(1, Some((Some(1), at(5000)))), (2, Some((Some(2), at(10_000)))), (3, Some((None, at(20_000)))), (0, None)]
    );
}

/// P14, P11: a hit, fresh or stale, allocates nothing; the clock is read once, and not at all if nothing expires.
fn a_hit_allocates_nothing_and_reads_the_clock_once_at_most<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::Forever);
    let hits = |slot: &Slot<R>| {
        let before = sim.clock().reads();
        let allocations = memory::allocations(|| {
            for _ in 0..100 {
                assert!(wakers::now(slot.get()).is_ok());
            }
        });
        (allocations, sim.clock().reads() - before)
    };
    assert_eq!(hits(&slot), (0, 0));
    set(&slot, 0, ms(10));
    assert_eq!(hits(&slot), (0, 100));
    sim.time.set(20);
    let mut refresher = slot.refresh();
    let _its_fetch = wakers::poll_once(&mut refresher);
    let inline = sim.slot::<R>(&loads, |s| s.refresh_ahead(ms(10)).refresh_inline());
    set(&inline, 0, ms(100));
    assert_eq!(hits(&inline), (0, 100));
    let stalled = sim.loads(never());
    let slot = sim.slot::<R>(&stalled, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let mut refresher = slot.get();
    assert!(wakers::poll_once(&mut refresher).is_pending());
    // The first call registers the refresh for all callers; the others need no memory for it.
    assert!(wakers::now(slot.get()).is_ok());
    assert_eq!(hits(&slot), (0, 100), "stale, while another refreshes");
    assert_eq!(slot.stats().stale, 101);
}

/// D5: the clock is read at the claim and once more at the publication.
fn a_refresh_reads_the_clock_twice<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(ready().gives(1).ttl(Ttl::ExpiresAtOnce));
    let slot = sim.slot::<R>(&loads, |s| s);
    for n in 1..4 {
        let before = sim.clock().reads();
        assert!(wakers::now(slot.get()).is_ok());
        assert_eq!((sim.clock().reads() - before, loads.calls()), (2, n));
    }
}

/// C87, D85 for the slot: each lookup is counted once, each fetch, each value.
fn the_sums_after_one_of_everything<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| match call % 5 {
        0 => after(3).gives(1).ttl(ms(10)),
        1 => after(4).fails(1),
        2 => ready().panics(2),
        3 => ready().gives(2).ttl(ms(0)),
        _ => ready().gives(3).ttl(Ttl::ExpiresAtOnce),
    });
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(7)).refresh_ahead(ms(2)));
    for t in 0..400 {
        sim.to(t);
        match t % 7 {
            0 => _ = sim.fetch_value(&slot),
            1 => _ = sim.force(&slot),
            2 => {
                let i = sim.fetch_stale(&slot);
                if sim.saw(i).ends_with("+ticket") {
                    drop(sim.ticket(i));
                }
            }
            3 => _ = sim.fetch_with(&slot, LookupOptions::new().stale_while_refresh(ms(0))),
            4 if t % 3 == 0 => _ = slot.invalidate(),
            5 if t % 2 == 0 => sim.drop(sim.callers() - 1),
            _ => _ = sim.fetch(&slot),
        }
        assert_sums(&slot.stats());
    }
    sim.to(1000);
    let stats = slot.stats();
    assert_clean(&stats);
    let count = |of: fn(&Saw) -> bool| (0..sim.callers()).filter(|i| sim.end(*i).is_some_and(of)).count() as u64;
    let ended = stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors;
    assert_eq!(ended, count(|saw| matches!(saw, Saw::Answer(_))), "{stats:?}");
    assert_eq!(stats.abandoned, count(|saw| matches!(saw, Saw::Dropped | Saw::Bang(_))), "{stats:?}");
    assert_eq!(stats.held, u64::from(held(&slot).is_some()));
    let all = [stats.hits, stats.misses, stats.expired, stats.joined, stats.stale, stats.errors];
    assert!(all.iter().all(|count| *count > 0), "{stats:?}");
}

/// A clone is a handle, and sees what other clones do.
fn clones_are_one_slot<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let clone = slot.clone();
    sim.fetch(&slot);
    assert_eq!((held(&clone), clone.stats().misses), (Some(1), 1));
    assert_eq!(size_of_val(&clone), size_of::<usize>());
    assert!(format!("{clone:?}").starts_with("LazySlot"));
}

/// D6: a call that is dropped unpolled has claimed and counted nothing, whichever call it is.
fn unpolled_futures_do_nothing<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let (slot, bare) = (sim.slot::<R>(&loads, |s| s), sim.bare_slot::<R>(|s| s));
    drop((slot.get(), slot.refresh(), slot.get_stale(), slot.lookup(LookupOptions::new())));
    drop((slot.lookup_stale(LookupOptions::new()), slot.watch(), slot.keep_fresh()));
    drop(slot.lookup_with(LookupOptions::new(), |old| loads.fetch(old)));
    drop(bare.get_or_fetch(|old| core::future::ready(old.map(larder::Previous::into_value).ok_or(Boom(1)))));
    drop(bare.stale_or_fetch(LookupOptions::new(), |_| async { Ok(V::new(1)) }));
    for stats in [slot.stats(), bare.stats()] {
        assert_clean(&stats);
        assert_eq!((loads.calls(), stats.loads_begun, stats.abandoned, stats.misses), (0, 0, 0, 0));
    }
}
