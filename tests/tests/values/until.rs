//! Lifetimes that end at a date, by a wall clock.

use core::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use larder::{LazySlot, Loaded, LookupOptions, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    d105_turned_into_the_caches_clock_when_it_is_published
    d105_the_earlier_of_both
    d105_one_that_has_passed
    d105_without_a_wall_clock
    d105_a_wall_clock_that_is_set_later_has_no_say
    d105_of_many_keys
    d105_unchanged
    d105_what_is_inserted
    d105_in_a_slot
    d105_a_wall_clock_that_panics
}

/// A clock on the wall, in milliseconds since 1970, which somebody may set.
#[derive(Clone, Default)]
struct Wall(Arc<AtomicU64>, Arc<AtomicU64>);

impl Wall {
    fn at(t: u64) -> Self {
        let wall = Self::default();
        wall.set(t);
        wall
    }

    fn set(&self, t: u64) {
        self.0.store(t, Ordering::SeqCst);
    }

    fn reads(&self) -> u64 {
        self.1.load(Ordering::SeqCst)
    }

    fn reader(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let Self(time, reads) = self.clone();
        move || {
            reads.fetch_add(1, Ordering::SeqCst);
            ms(time.load(Ordering::SeqCst))
        }
    }
}

fn until(t: u64) -> Ttl {
    Ttl::until(ms(t))
}

fn left<R: Host>(cache: &Scripted<R>, key: u32) -> Option<TimeLeft> {
    cache.peek(&key).map(|found| found.time_left())
}

/// D105, D5: by what the wall's clock says when the load ends.
fn d105_turned_into_the_caches_clock_when_it_is_published<R: Host>() {
    let mut sim = Sim::new();
    let wall = Wall::at(5_000);
    let loads = sim.loads(after(30).gives(1).ttl(until(5_100)));
    let cache = sim.cache::<R>(&loads, |c| c.wall_clock(wall.reader()));
    let callers = sim.crowd(&cache, 7, 2);
    sim.to(10);
    assert_eq!(wall.reads(), 0);
    wall.set(5_040);
    sim.to(30);
    for caller in callers {
        let Answer::Outcome(outcome, _) = sim.answer(caller) else { panic!("{}", sim.saw(caller)) };
        assert_eq!(outcome.time_left(), TimeLeft::For(ms(60)));
    }
    assert_eq!((left(&cache, 7), wall.reads()), (Some(TimeLeft::For(ms(60))), 1));
    sim.to(89);
    assert!(cache.contains(&7));
    sim.to(90);
    assert!(!cache.contains(&7), "a hit reads the cache's clock, though nothing expired before");
    assert_eq!(wall.reads(), 1);
}

/// D105, D52: of what the load, the call, the closure and the cache say.
fn d105_the_earlier_of_both<R: Host>() {
    for (end, length, is) in [(5_100, 60, 60), (5_100, 200, 100)] {
        for by in 0..4 {
            let mut sim = Sim::new();
            let wall = Wall::at(5_000);
            let loads = sim.loads(match by {
                0 => ready().gives(1),
                _ => ready().gives(1).ttl(until(end)),
            });
            let cache = sim.cache::<R>(&loads, |c| {
                match by {
                    0 => c.expire_after(move |_, _| until(end)).ttl(ms(length)),
                    1 => c.expire_after(move |_, _| ms(length).into()),
                    2 => c.ttl(ms(length)),
                    _ => c,
                }
                .wall_clock(wall.reader())
            });
            let options = LookupOptions::new().ttl(if by == 3 { ms(length).into() } else { Ttl::Inherit });
            sim.ask(&cache, 7, options);
            assert_eq!(left(&cache, 7), Some(TimeLeft::For(ms(is))), "{by}");
        }
    }
}

/// D105: it is as a lifetime of zero: told to all who wait, and not stored.
fn d105_one_that_has_passed<R: Host>() {
    for end in [0, 4_999, 5_000] {
        let mut sim = Sim::new();
        let wall = Wall::at(5_000);
        let loads = sim.loads(after(30).gives(1).ttl(until(end)));
        let cache = sim.cache::<R>(&loads, |c| c.wall_clock(wall.reader()).stale_while_refresh(ms(1000)));
        cache.insert(7, V::new(0));
        cache.expire(&7);
        let callers = sim.crowd(&cache, 7, 2);
        sim.to(30);
        assert_eq!(
            callers.iter().map(|caller| sim.saw(*caller)).collect::<Vec<_>>(),
            ["30: V1 Expired", "30: V1 LockHit"]
        );
        assert!(cache.peek(&7).is_none(), "and what was stored has gone");
    }
}

/// D105: nobody can tell how long that is.
fn d105_without_a_wall_clock<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1).ttl(until(u64::MAX / 2_000_000)));
    let cache = sim.cache::<R>(&loads, |c| c);
    let caller = sim.get(&cache, 7);
    assert_eq!((sim.saw(caller), cache.len()), ("0: V1 Miss".into(), 0));
    // Nor in the options of a call, wherever its load is.
    let wall = Wall::at(5_000);
    let loads = sim.loads(ready().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.wall_clock(wall.reader()));
    sim.ask(&cache, 7, LookupOptions::new().ttl(until(9_000)));
    assert_eq!((cache.len(), cache.stats().loads_succeeded), (0, 1));
}

/// D105: the cache goes by its own clock from there on.
fn d105_a_wall_clock_that_is_set_later_has_no_say<R: Host>() {
    for later in [0, 5_099, 50_000] {
        let mut sim = Sim::new();
        let wall = Wall::at(5_000);
        let loads = sim.loads(ready().gives(1).ttl(until(5_100)));
        let cache = sim.cache::<R>(&loads, |c| c.wall_clock(wall.reader()));
        sim.get(&cache, 7);
        wall.set(later);
        sim.to(99);
        assert!(cache.contains(&7));
        sim.to(100);
        assert!(!cache.contains(&7));
    }
}

/// D105: each of the answers of one load, and those that nobody has asked for.
fn d105_of_many_keys<R: Host>() {
    let sim = Sim::new();
    let wall = Wall::at(5_000);
    let cache = larder::Cache::builder(R::on(sim.clock()))
        .wall_clock(wall.reader())
        .store_surplus()
        .loaded_many_fn(|keys: Vec<u32>| async move {
            let keys = keys.into_iter().chain([9]);
            Ok::<_, Boom>(keys.map(|key| (key, Ok(Loaded::new(key).ttl(until(5_000 + 10 * u64::from(key)))))))
        })
        .build()
        .expect("valid");
    assert_eq!(wakers::now(cache.get_many(&[0, 1, 2])).into_iter().filter_map(Result::ok).sum::<u32>(), 3);
    let left = |key| cache.peek(&key).map(|found| found.time_left());
    let is = |t| Some(TimeLeft::For(ms(t)));
    assert_eq!([0, 1, 2, 9].map(left), [None, is(10), is(20), is(90)]);
}

/// D105, D95: what is still good has a new end.
fn d105_unchanged<R: Host>() {
    let sim = Sim::new();
    let wall = Wall::at(5_000);
    let cache = larder::Cache::builder(R::on(sim.clock()))
        .wall_clock(wall.reader())
        .revalidate_fn(|key: u32, previous| async move {
            Ok::<_, Boom>(match previous {
                None => Loaded::new(key).ttl(until(5_100)).into(),
                Some(_) => larder::Revalidated::Unchanged(until(5_300)),
            })
        })
        .build()
        .expect("valid");
    assert_eq!(wakers::now(cache.get(&7)).ok(), Some(7));
    sim.clock().advance(ms(200));
    wall.set(5_200);
    assert_eq!(wakers::now(cache.get(&7)).ok(), Some(7));
    let found = cache.peek(&7).expect("it is there");
    assert_eq!((found.age(), found.time_left()), (ms(200), TimeLeft::For(ms(100))));
}

/// D105: an end that has passed makes it a removal; `SystemTime` is an end as well.
fn d105_what_is_inserted<R: Host>() {
    let sim = Sim::new();
    let wall = Wall::at(5_000);
    let loads = sim.loads(ready().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.wall_clock(wall.reader()));
    let date = |t| UNIX_EPOCH + ms(t);
    for ends in [Ttl::from(date(5_100)), until(5_100)] {
        assert!(cache.insert_with(7, Loaded::new(V::new(1)).ttl(ends)).is_some());
        assert_eq!(left(&cache, 7), Some(TimeLeft::For(ms(100))));
        assert!(cache.insert_with(7, Loaded::new(V::new(1)).ttl(date(5_000))).is_none());
        assert_eq!(cache.len(), 0);
    }
    assert_eq!(Ttl::from(UNIX_EPOCH - ms(1)), until(0));
    assert!(matches!(Ttl::from(SystemTime::now()), ends if ends != until(0)));
    let found = cache.get_or_insert_with(&8, || Loaded::new(V::new(2)).ttl(until(5_040)));
    assert_eq!(found.time_left(), TimeLeft::For(ms(40)));
    assert_eq!(cache.stats().removed, 2);
}

/// D105, D74: what came over is kept as a stale copy, and the next fetch waits.
fn d105_in_a_slot<R: Host>() {
    let sim = Sim::new();
    let wall = Wall::at(5_000);
    let own = wall.clone();
    let slot = LazySlot::builder(R::on(sim.clock()))
        .wall_clock(wall.reader())
        .retry_after(ms(50))
        .fetch_fn(move |_| {
            let t = own.0.load(Ordering::SeqCst);
            async move { Ok::<_, Boom>(Loaded::new(t).ttl(until(5_100))) }
        })
        .build()
        .expect("valid");
    assert_eq!(wakers::now(slot.get()).ok(), Some(5_000));
    assert_eq!(slot.peek().map(|found| found.time_left()), Some(TimeLeft::For(ms(100))));
    sim.clock().advance(ms(100));
    wall.set(5_100);
    assert_eq!(wakers::now(slot.get()).ok(), Some(5_100), "fetched, though it is over by then");
    wall.set(5_140);
    sim.clock().advance(ms(49));
    assert_eq!((wakers::now(slot.get()).ok(), slot.stats().loads_begun), (Some(5_100), 2));
    sim.clock().advance(ms(1));
    assert_eq!((wakers::now(slot.get()).ok(), slot.stats().loads_begun), (Some(5_140), 3));
}

/// D27, D44: it is the load's panic, and no lock is held.
fn d105_a_wall_clock_that_panics<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.wall_clock(|| std::panic::panic_any(Bang(4))));
    let callers = sim.crowd(&cache, 7, 2);
    sim.to(10);
    let saw = callers.iter().map(|caller| sim.saw(*caller)).collect::<Vec<_>>();
    assert!(saw.contains(&"10: unwound 4".into()) && saw.contains(&"10: Panicked".into()), "{saw:?}");
    assert_eq!((cache.len(), cache.stats().loads_panicked), (0, 1));
    assert_clean(&cache.stats());
}
