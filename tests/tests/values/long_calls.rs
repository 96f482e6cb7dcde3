//! Calls over many entries use the time of each step.

use larder::{Cache, RemovalCause};
use larder_tests::*;

on_every_runtime! {
    c112_what_expires_meanwhile_is_not_shown
    c112_what_is_asked_for_meanwhile_is_shown
    c112_nor_is_it_judged
    c112_what_was_replaced_in_time_is_shown_though_its_copy_has_ended
    c112_what_is_ended_meanwhile
    c112_what_expires_while_it_is_judged
}

type Heard = Rc<RefCell<Vec<(u32, RemovalCause)>>>;
type Listening<R> = Cache<u32, V, Boom, R>;

/// A hundred entries that live for a second, and the events of a listener.
fn hundred<R: Host>(sim: &Sim, setup: impl FnOnce(Setup<R>) -> Setup<R>) -> (Listening<R>, Heard) {
    let (heard, loads) = (Heard::default(), sim.loads(never()));
    let listener = {
        let heard = Rc::clone(&heard);
        move |key: &u32, _: &V, cause| heard.borrow_mut().push((*key, cause))
    };
    let cache = setup(Cache::builder(R::on(sim.clock())).loader(loads)).listener(listener).build().expect("valid");
    (0..100).for_each(|key| _ = cache.insert(key, V::new(key)));
    (cache, heard)
}

/// C112: an iterator shows no value that has expired since it was made, or since its last item. (D5)
fn c112_what_expires_meanwhile_is_not_shown<R: Host>() {
    for seen in [0, 1, 50] {
        let mut sim = Sim::new();
        let (cache, _) = hundred::<R>(&sim, |c| c.ttl(ms(1000)));
        let mut entries = cache.iter();
        assert_eq!(entries.by_ref().take(seen).count(), seen);
        sim.to(60_000);
        assert_eq!(entries.count(), 0, "after {seen}");
    }
}

/// C112: but it shows a value whose life was extended since. (D53)
fn c112_what_is_asked_for_meanwhile_is_shown<R: Host>() {
    let mut sim = Sim::new();
    let (cache, _) = hundred::<R>(&sim, |c| c.shards(1).time_to_idle(ms(1000)));
    let mut entries = cache.iter();
    assert!(entries.next().is_some());
    sim.to(900);
    (0..100).for_each(|key| assert!(cache.get_if_present(&key).is_some()));
    sim.to(1500);
    assert_eq!(entries.count(), 99);
}

/// C112: `retain` passes no value to its predicate that has expired meanwhile, and counts none of these as refused.
/// (D5, D38)
fn c112_nor_is_it_judged<R: Host>() {
    let mut sim = Sim::new();
    let (cache, heard) = hundred::<R>(&sim, |c| c.ttl(ms(1000)));
    let mut judged = 0;
    cache.retain(|_, _| {
        judged += 1;
        if judged == 40 {
            sim.to(2000);
        }
        false
    });
    assert_eq!(judged, 40);
    let removed = heard.borrow().iter().filter(|(_, cause)| *cause == RemovalCause::Removed).count();
    assert_eq!(removed, 39, "the last one expired while it was judged");
    cache.sweep();
    assert_eq!((heard.borrow().len(), cache.len()), (100, 0));
    assert_clean(&cache.stats());
}

/// C112: an entry that was replaced before it expired is there all the time, and is shown and judged with its present value.
fn c112_what_was_replaced_in_time_is_shown_though_its_copy_has_ended<R: Host>() {
    let mut sim = Sim::new();
    let (cache, _) = hundred::<R>(&sim, |c| c.shards(1).ttl(ms(1000)));
    let renew = || (0..100).for_each(|key| _ = cache.insert(key, V::new(1000 + key)));
    let mut entries = cache.iter();
    let first = entries.next().expect("there are some").0;
    sim.to(500);
    renew();
    sim.to(1200);
    let mut rest: Vec<_> = entries.map(|(key, value)| (key, *value)).collect();
    rest.sort_unstable();
    assert!(rest.into_iter().eq((0..100).filter(|key| *key != first).map(|key| (key, 1000 + key))));
    renew();
    let mut judged = 0;
    cache.retain(|key, value| {
        judged += 1;
        if judged == 1 {
            sim.to(2000);
            renew();
            sim.to(2500);
        }
        assert_eq!(**value, 1000 + key);
        false
    });
    // The first one was replaced while it was judged.
    assert_eq!((judged, cache.len()), (100, 1));
    assert_clean(&cache.stats());
}

/// C112: the same for what is ended by a call, or by the time until which all is trusted. (D112, D113)
fn c112_what_is_ended_meanwhile<R: Host>() {
    type End<R> = fn(&mut Sim, &Listening<R>);
    let ends: [(End<R>, usize); 4] = [
        (|_, cache| assert_eq!(cache.expire_all(), 100), 0),
        (|_, cache| (0..100).filter(|key| *key != 7).for_each(|key| assert!(cache.expire(&key))), 1),
        (|sim, _| sim.to(200), 0),
        (
            |sim, cache| {
                cache.trust_until(larder::Instant::from_nanos(150_000_000));
                sim.to(160);
            },
            0,
        ),
    ];
    for lives in [true, false] {
        for (n, (end, left)) in ends.into_iter().enumerate() {
            let mut sim = Sim::new();
            let (cache, _) = hundred::<R>(&sim, |c| if lives { c.ttl(ms(60_000)) } else { c }.shards(1));
            cache.trust_until(larder::Instant::from_nanos(200_000_000));
            let mut entries = cache.entries();
            assert!(entries.next().is_some_and(|entry| *entry.key() != 7));
            end(&mut sim, &cache);
            assert_eq!(entries.count(), left, "{n}");
        }
    }
    let mut sim = Sim::new();
    let (cache, _) = hundred::<R>(&sim, |c| c.shards(1));
    let mut judged = 0;
    cache.retain(|_, _| {
        judged += 1;
        assert!(judged > 1 || cache.expire_all() == 100);
        true
    });
    assert_eq!(judged, 1);
    sim.run();
}

/// C112: a value that expires while it is judged leaves for that reason, whatever the predicate returns. (D38)
fn c112_what_expires_while_it_is_judged<R: Host>() {
    for keep in [false, true] {
        let mut sim = Sim::new();
        let (cache, heard) = hundred::<R>(&sim, |c| c.ttl(ms(1000)));
        cache.retain(|_, _| {
            sim.to(1000);
            keep
        });
        cache.sweep();
        assert!(heard.borrow().iter().all(|(_, cause)| *cause == RemovalCause::Expired), "{keep}");
        assert_eq!(heard.borrow().len(), 100);
    }
}
