//! Loaders of a type of one's own: around another one, and with something to serve when they fail.

use larder::{
    Cache, Failed, Load, Loaded, LocalBoxLoad, LocalBoxRevalidate, LookupOptions, Previous, Revalidate, Status,
};
use larder_tests::*;

use crate::{assert_books, handed, told};

on_every_runtime! {
    it_gets_the_previous_value
    d111_callers_choose
    d111_while_the_failure_is_kept
    d111_what_a_load_leaves_for_the_next
    d111_after_a_write
    d111_a_refresh
    d111_alone
    d111_room_of_others
    a_wrapper_sees_what_is_loaded
}

/// Serves a copy where the loads of another loader fail.
#[derive(Clone)]
struct Fallback {
    loads: Loads,
    copy: Option<Loaded<V>>,
}

impl Revalidate<u32> for Fallback {
    type Value = V;
    type Error = Boom;
    type Future = LocalBoxRevalidate<V, Boom>;

    fn revalidate(&self, key: u32, previous: Option<Previous<V>>) -> Self::Future {
        let (load, copy) = ((self.loads.revalidator())(key, previous), self.copy.clone());
        Box::pin(async move {
            load.await.map_err(|error| match copy {
                Some(copy) => Failed::new(error).instead(copy),
                None => error.into(),
            })
        })
    }
}

/// A cache with a TTL of 100 and stale values up to 50 where a load fails; a copy is stale by 20.
fn pages<R: Host>(sim: &Sim, loads: &Loads, setup: impl FnOnce(Setup<R>) -> Setup<R>) -> Cache<u32, V, Boom, R> {
    let copy = Some(Loaded::new(V::new(9)).stale(ms(20)));
    let builder = Cache::builder(R::on(sim.clock())).ttl(ms(100)).stale_if_error(ms(50));
    setup(builder.revalidator(Fallback { loads: loads.clone(), copy })).build().expect("valid")
}

/// D75, D95: as a closure does.
fn it_gets_the_previous_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), ready().unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c);
    let first = sim.get(&cache, 7);
    sim.to(150);
    let second = sim.get(&cache, 7);
    assert_eq!((sim.saw(first).as_str(), sim.saw(second).as_str()), ("0: V1 Miss", "150: V1 Expired"));
    assert_eq!(told(&sim, second), (150, Some(100), told(&sim, first).2));
    assert_eq!(handed(&loads), [None, Some(1)]);
    assert_books(&cache, 2);
}

/// D111, D33: each caller that waits, by its own limit.
fn d111_callers_choose<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache = pages::<R>(&sim, &loads, |c| c);
    sim.to(1000);
    let callers = sim.crowd(&cache, 7, 2);
    let fussy = sim.ask(&cache, 7, LookupOptions::new().stale_if_error(ms(19)));
    let patient = sim.ask(&cache, 7, LookupOptions::new().stale_if_error(ms(20)));
    sim.to(1010);
    for caller in callers.into_iter().chain([patient]) {
        assert_eq!(sim.saw(caller), "1010: V9 Stale(20) +E1");
    }
    assert_eq!((sim.saw(fussy).as_str(), loads.calls()), ("1010: E1", 1));
    let stats = cache.stats();
    assert_eq!((stats.loads_failed, stats.stale, stats.errors), (1, 3, 1));
    assert_books(&cache, 4);
}

/// D111, D32: and those who come while no load may begin.
fn d111_while_the_failure_is_kept<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = pages::<R>(&sim, &loads, |c| c.error_ttl(ms(1000)));
    sim.to(1000);
    sim.get(&cache, 7);
    sim.to(1030);
    let (inside, many) = (sim.get(&cache, 7), sim.many(&cache, &[7]));
    assert_eq!(sim.saw(inside), "1030: V9 Stale(50) +E1");
    assert_eq!(sim.saw(many), "1030: V9 Stale(50) +E1");
    sim.to(1031);
    let beyond = sim.get(&cache, 7);
    assert_eq!((sim.saw(beyond).as_str(), loads.calls()), ("1031: E1 cached", 1));
    assert_books(&cache, 4);
}

/// D111, D75: it is held as any expired value is.
fn d111_what_a_load_leaves_for_the_next<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().fails(1), ready().unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c);
    sim.to(1000);
    sim.get(&cache, 7);
    let found = cache.peek(&7).expect("it is held");
    assert_eq!((**found.value(), found.status()), (9, Status::Stale(ms(20))));
    let second = sim.get(&cache, 7);
    assert_eq!((sim.saw(second).as_str(), handed(&loads)), ("1000: V9 Expired", vec![None, Some(9)]));
    assert!(cache.contains(&7));
    assert_books(&cache, 2);
}

/// P8: after a write it is neither held nor served.
fn d111_after_a_write<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache = pages::<R>(&sim, &loads, |c| c);
    sim.to(1000);
    let before = sim.get(&cache, 7);
    cache.remove(&7);
    let behind = sim.get(&cache, 7);
    sim.to(1010);
    assert_eq!((sim.saw(before).as_str(), sim.saw(behind).as_str()), ("1010: E1", "1010: V9 Stale(20) +E1"));
    assert_books(&cache, 2);
}

/// D97: a caller that wants it anew has the error.
fn d111_a_refresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let cache = pages::<R>(&sim, &loads, |c| c);
    sim.to(1000);
    cache.insert(7, V::new(1));
    let refresh = sim.ask(&cache, 7, LookupOptions::new().reload());
    sim.to(1010);
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(refresh).as_str(), sim.saw(hit).as_str()), ("1010: E1", "1010: V1 Hit"));
    assert_books(&cache, 2);
}

/// D25: what a caller loads for itself is held for nobody.
fn d111_alone<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).fails(1)]);
    let cache = pages::<R>(&sim, &loads, |c| c.lock_age(ms(5)).over_age_alone());
    sim.to(1000);
    let stuck = sim.get(&cache, 7);
    sim.to(1005);
    let alone = sim.get(&cache, 7);
    sim.to(1015);
    assert_eq!(sim.saw(alone), "1015: E1");
    assert!(cache.peek(&7).is_none());
    sim.drop(stuck);
}

/// P12: it takes the room of others, as any value does.
fn d111_room_of_others<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(64).shards(8));
    sim.to(1000);
    for key in 0..64 {
        cache.insert(key, V::new(key));
    }
    for key in 100..110 {
        let caller = sim.get(&cache, key);
        assert_eq!(sim.saw(caller), "1000: V9 Stale(20) +E1");
    }
    assert_eq!(cache.weight(), 64);
    assert_books(&cache, 10);
}

/// Doubles what another loader gives, and lets it live for half as long.
struct Twice<L>(L);

impl<L> Load<u32> for Twice<L>
where
    L: Load<u32, Value = V, Error = Boom, Future: 'static>,
{
    type Value = V;
    type Error = Boom;
    type Future = LocalBoxLoad<V, Boom>;

    fn load(&self, key: u32) -> Self::Future {
        let load = self.0.load(key);
        Box::pin(async move {
            let (value, terms) = load.await?.into_parts();
            let ttl = match terms.get_ttl() {
                larder::Ttl::For(length) => (length / 2).into(),
                ttl => ttl,
            };
            Ok(terms.ttl(ttl).map(|()| V::new(*value * 2)))
        })
    }
}

/// P1, P2: a wrapper's loads are shared, go on and end as any do.
fn a_wrapper_sees_what_is_loaded<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(4).ttl(ms(80)).weight(3));
    let cache: Scripted<R> =
        Cache::builder(R::on(sim.clock())).loader(Twice(Twice(loads.clone()))).build().expect("valid");
    let callers = sim.crowd(&cache, 7, 3);
    sim.drop(callers[0]);
    sim.to(10);
    assert_eq!((sim.saw(callers[1]).as_str(), sim.saw(callers[2]).as_str()), ("10: V16 LockHit", "10: V16 LockHit"));
    assert_eq!((cache.weight(), loads.calls()), (3, 1));
    sim.to(29);
    assert!(cache.contains(&7));
    sim.to(30);
    assert!(!cache.contains(&7));
    let caller = sim.get(&cache, 7);
    sim.drop(caller);
    assert_eq!(loads.live(), 0);
    assert_clean(&cache.stats());
}
