//! What may happen to a value while it is being refreshed.

use larder::{Change, Computed, Loaded, LookupOptions, Ttl};
use larder_tests::*;

use crate::{Pages, assert_books, handed, pages, told};

on_every_runtime! {
    evicted_meanwhile
    written_meanwhile
    inserted_meanwhile
    a_failure_keeps_it
    handed_what_is_held_when_the_load_begins
    taken_over
    c104_a_retain_is_not_undone
    c104_nor_is_a_retain_of_what_has_left
    c104_nor_is_any_other_removal
}

/// A value that was evicted during its load is stored again: the same generation, the same age. (D95)
fn evicted_meanwhile<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged().ttl(ms(50)));
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(1));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let caller = sim.get(&cache, 7);
    let other = cache.insert(8, V::new(2));
    assert!(cache.peek(&7).is_none(), "it had to make room");
    sim.to(310);
    assert_eq!((sim.saw(caller).as_str(), told(&sim, caller)), ("310: V1 Expired", (310, Some(50), generation)));
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit)), ("310: V1 Hit", (310, Some(50), generation)));
    let next = cache.insert(7, V::new(3));
    assert!(next != generation && next != other, "what comes later has a generation of its own");
    let stats = cache.stats();
    assert_eq!((stats.stored, stats.held), (4, 1));
    assert_books(&cache, 2);
}

/// A value that was removed while it was being refreshed is delivered to waiting callers, and not stored. (P8, D40)
fn written_meanwhile<R: Host>() {
    let writes: [fn(&Pages<R>); 3] =
        [|cache| assert!(cache.remove(&7).is_some()), |cache| cache.clear(), |cache| cache.retain(|_, _| false)];
    for write in writes {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(10).unchanged(), ready().gives(2)]);
        let cache = pages::<R>(&sim, &loads, |c| c);
        cache.insert(7, V::new(1));
        sim.to(50);
        let early = [(); 2].map(|()| sim.ask(&cache, 7, LookupOptions::new().reload()));
        write(&cache);
        let late = sim.get(&cache, 7);
        assert_eq!(sim.saw(late), "50: V2 Miss");
        sim.to(60);
        assert_eq!(early.map(|i| sim.saw(i)), ["60: V1 Miss", "60: V1 LockHit"]);
        assert_eq!(early.map(|i| told(&sim, i)), [(60, Some(0), None); 2], "an old answer, and not stored");
        let hit = sim.get(&cache, 7);
        assert_eq!(sim.saw(hit), "60: V2 Hit");
        assert_eq!(handed(&loads), [Some(1), None]);
        assert_books(&cache, 4);
    }
}

/// An insert ends the wait, and a later "unchanged" does not undo it. (P8, D39)
fn inserted_meanwhile<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c);
    cache.insert(7, V::new(1));
    sim.to(300);
    let caller = sim.get(&cache, 7);
    let generation = cache.insert(7, V::new(2));
    sim.run();
    assert_eq!((sim.saw(caller).as_str(), told(&sim, caller).2), ("300: V2 Expired", generation));
    sim.to(310);
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit).2, loads.live()), ("310: V2 Hit", generation, 0));
    assert_books(&cache, 2);
}

/// A load that fails leaves the value, for the limits of staleness and for the next load.
fn a_failure_keeps_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).fails(1), after(10).panics(2), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.stale_if_error(ms(250)));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let soft = sim.get(&cache, 7);
    sim.to(340);
    assert_eq!(sim.saw(soft), "310: V1 Stale(210) +E1");
    sim.get(&cache, 7);
    let late = sim.get(&cache, 7);
    sim.to(400);
    assert_eq!(sim.saw(late), "350: V1 Stale(250) +Panicked");
    let good = sim.get(&cache, 7);
    sim.to(410);
    assert_eq!((sim.saw(good).as_str(), told(&sim, good)), ("410: V1 Expired", (410, Some(100), generation)));
    assert_eq!(handed(&loads), [Some(1); 3]);
    // The caller that unwound is not counted.
    assert_books(&cache, 3);
}

/// A load gets the value that is held when it begins, not when it is claimed.
fn handed_what_is_held_when_the_load_begins<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(3));
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(1).stale_while_refresh(ms(500)));
    cache.insert(7, V::new(1));
    sim.to(300);
    let stale = sim.stale(&cache, 7);
    cache.insert(8, V::new(2));
    sim.refresh(stale);
    assert_eq!(handed(&loads), [None]);
    assert_books(&cache, 1);
}

/// Each attempt gets the value; the first to find it unchanged ends the wait of all. (P6)
fn taken_over<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.lock_age(ms(20)));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let first = sim.get(&cache, 7);
    sim.to(330);
    let second = sim.get(&cache, 7);
    sim.to(340);
    assert_eq!([sim.saw(first), sim.saw(second)], ["340: V1 Expired", "340: V1 Expired"]);
    assert_eq!([told(&sim, first), told(&sim, second)], [(340, Some(100), generation); 2]);
    assert_eq!((handed(&loads), loads.live()), (vec![Some(1); 2], 0));
    assert_books(&cache, 2);
}

/// C104: if the predicate itself begins a load of the key that it refuses, that load does not restore it. (P8, D41)
fn c104_a_retain_is_not_undone<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).unchanged(), ready().gives(2)]);
    let cache = pages::<R>(&sim, &loads, |c| c);
    cache.insert(7, V::new(1));
    let mut early = None;
    cache.retain(|_, _| {
        early = Some(sim.ask(&cache, 7, LookupOptions::new().reload()));
        false
    });
    assert!(cache.peek(&7).is_none());
    sim.to(10);
    assert_eq!(early.map(|i| sim.saw(i)), Some(String::from("10: V1 Miss")));
    assert!(cache.peek(&7).is_none(), "it was refused after the load had begun");
    let late = sim.get(&cache, 7);
    assert_eq!(sim.saw(late), "10: V2 Miss");
    assert_books(&cache, 2);
}

/// C104: nor do loads that begin while an entry call, or one by generation, decides. (P8, D41, D98)
fn c104_nor_is_any_other_removal<R: Host>() {
    let removals: [fn(&Pages<R>, &mut dyn FnMut()); 3] = [
        |cache, load| {
            let change = |_: Option<&V>| {
                load();
                Change::Remove
            };
            assert_eq!(cache.compute(&7, change), Ok(Computed::Removed(V::new(1))));
        },
        |cache, load| {
            let generation = cache.peek(&7).and_then(|found| found.generation()).expect("it is there");
            load();
            assert!(cache.invalidate_if(&7, generation));
        },
        |cache, load| {
            load();
            cache.insert_with(7, Loaded::new(V::new(3)).ttl(Ttl::NotStored));
        },
    ];
    for remove in removals {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).unchanged());
        let cache = pages::<R>(&sim, &loads, |c| c);
        cache.insert(7, V::new(1));
        remove(&cache, &mut || _ = sim.ask(&cache, 7, LookupOptions::new().reload()));
        sim.to(10);
        assert!(cache.peek(&7).is_none());
        assert_clean(&cache.stats());
    }
}

/// C104: also if the value was evicted while it was judged. (P8, D41)
fn c104_nor_is_a_retain_of_what_has_left<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(1));
    cache.insert(7, V::new(1));
    let mut early = None;
    cache.retain(|key, _| {
        if *key == 7 {
            early = Some(sim.ask(&cache, 7, LookupOptions::new().reload()));
            cache.insert(8, V::new(2));
        }
        *key != 7
    });
    sim.to(10);
    assert_eq!(early.map(|i| sim.saw(i)), Some(String::from("10: V1 Miss")));
    assert!(cache.peek(&7).is_none(), "it was refused after the load had begun");
    assert_books(&cache, 1);
}
