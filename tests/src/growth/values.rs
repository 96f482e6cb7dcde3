//! Calls over all values of a cache.

use core::hint::black_box;

use larder::Loaded;

use super::{
    Counts, counted,
    counting::{Key, Value},
    scenarios,
    world::{Order, Store, World, keys},
};
use crate::ms;

scenarios! {
    insert_each
    replace_each
    insert_each_into_a_full_cache
    remove_each_in_order
    remove_each_in_random_order
    get_if_present_each
    iterate
    iterate_over_what_expires_meanwhile
    retain_all
    retain_none
    remove_all_by_key
    remove_none_by_key
    remove_kept_failures_by_key
    clear
    clear_of_kept_failures
    drop_the_cache
    shrink
    shrink_by_one_each_time
    grow_and_shrink
    sum_up_many_shards
    sweep
    sweep_of_values_in_use
    sweep_of_random_lifetimes
    reclaimed_by_other_calls
    next_deadline_each_time
    expire_each_by_name
    keep_failures
    told_kept_failures
    forget_failures
}

/// Compares each key with every other.
pub(super) fn square_of_comparisons(n: u32) -> Counts {
    let keys = keys(n);
    counted(|| assert_eq!(keys.iter().filter(|key| keys.contains(key)).count(), n as usize))
}

/// Looks at each number for every other.
pub(super) fn square_of_steps(n: u32) -> Counts {
    let numbers = Order::Random.of(n);
    counted(|| (0..n).for_each(|number| assert!(black_box(&numbers).contains(&number))))
}

fn insert_each(n: u32) -> Counts {
    let world = World::new(n);
    let store = world.store(|c| c.ttl(ms(100)));
    counted(|| (0..n).for_each(|key| _ = store.insert(Key(key), Value(key))))
}

fn replace_each(n: u32) -> Counts {
    let world = World::new(n);
    let store = world.full(|c| c.ttl(ms(100)));
    counted(|| Order::Random.of(n).into_iter().for_each(|key| _ = store.insert(Key(key), Value(key))))
}

fn insert_each_into_a_full_cache(n: u32) -> Counts {
    let world = World::new(n);
    let store = world.full(|c| c.capacity(u64::from(n)).ttl(ms(100)));
    counted(|| (n..2 * n).for_each(|key| _ = store.insert(Key(key), Value(key))))
}

fn remove_each(n: u32, order: Order) -> Counts {
    let store = World::new(n).full(|c| c.ttl(ms(100)));
    let keys = order.of(n);
    counted(|| assert!(keys.iter().all(|key| store.remove(&Key(*key)).is_some())))
}

fn remove_each_in_order(n: u32) -> Counts {
    remove_each(n, Order::Forward)
}

fn remove_each_in_random_order(n: u32) -> Counts {
    remove_each(n, Order::Random)
}

fn get_if_present_each(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.time_to_idle(ms(100)));
    counted(|| assert!((0..n).all(|key| store.get_if_present(&Key(key)).is_some())))
}

fn iterate(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.ttl(ms(100)));
    counted(|| assert_eq!(store.iter().count(), n as usize))
}

fn iterate_over_what_expires_meanwhile(n: u32) -> Counts {
    let world = World::new(n);
    let store = world.full(|c| c.ttl(ms(100)));
    counted(|| {
        let mut entries = store.iter();
        assert!(entries.next().is_some());
        world.sim.clock().advance(ms(100));
        assert!(entries.next().is_none());
    })
}

fn retain(n: u32, keeps: bool) -> Counts {
    let store = World::new(n).full(|c| c.listener(|_, _, _| {}));
    let counts = counted(|| store.retain(|_, _| keeps));
    assert_eq!(store.len(), if keeps { n as usize } else { 0 });
    counts
}

fn retain_all(n: u32) -> Counts {
    retain(n, true)
}

fn retain_none(n: u32) -> Counts {
    retain(n, false)
}

fn remove_if(n: u32, is_such: bool) -> Counts {
    let store = World::new(n).full(|c| c.listener(|_, _, _| {}).ttl(ms(100)));
    counted(|| assert_eq!(store.remove_if(|_| is_such), if is_such { n as usize } else { 0 }))
}

fn remove_all_by_key(n: u32) -> Counts {
    remove_if(n, true)
}

fn remove_none_by_key(n: u32) -> Counts {
    remove_if(n, false)
}

fn remove_kept_failures_by_key(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = failed(&mut world, n, |c| c);
    counted(|| assert_eq!(store.remove_if(|_| true), 0))
}

fn clear(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.listener(|_, _, _| {}));
    counted(|| store.clear())
}

/// A cache in which each key has failed.
fn failed(world: &mut World, n: u32, setup: fn(super::world::Setup) -> super::world::Setup) -> Store {
    let load = |_: Key| core::future::ready(Err::<Value, _>(crate::Boom(7)));
    let store = setup(world.builder().load_fn(load)).error_ttl(ms(100)).build().expect("valid");
    (0..n).for_each(|key| _ = world.get(&store, key));
    store
}

fn clear_of_kept_failures(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = failed(&mut world, n, |c| c);
    counted(|| store.clear())
}

fn drop_the_cache(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.ttl(ms(100)));
    counted(|| drop(store))
}

fn shrink(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.listener(|_, _, _| {}).ttl(ms(100)));
    counted(|| store.set_capacity(4))
}

fn shrink_by_one_each_time(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.capacity(u64::from(n)).shards(1));
    counted(|| (4..n).rev().for_each(|capacity| store.set_capacity(u64::from(capacity))))
}

fn grow_and_shrink(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.shards(1));
    counted(|| (0..n).for_each(|more| store.set_capacity(u64::from(4 * n + more % 2 * 2 * n))))
}

fn sum_up_many_shards(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.shards(n as usize).ttl(ms(100)));
    counted(|| {
        assert!(!store.is_empty() && store.weight() == store.len() as u64);
        assert!(store.next_deadline().is_some() && store.stats().misses == 0);
        store.set_capacity(u64::from(4 * n));
        assert_eq!(store.sweep(), 0);
    })
}

fn sweep(n: u32) -> Counts {
    let world = World::new(n);
    let store = world.full(|c| c.ttl(ms(100)).listener(|_, _, _| {}));
    world.sim.clock().advance(ms(100));
    counted(|| assert_eq!(store.sweep(), n as usize))
}

fn sweep_of_values_in_use(n: u32) -> Counts {
    let world = World::new(n);
    let store = world.full(|c| c.time_to_idle(ms(100)));
    world.sim.clock().advance(ms(50));
    assert!((0..n).all(|key| store.get_if_present(&Key(key)).is_some()));
    world.sim.clock().advance(ms(60));
    counted(|| assert_eq!(store.sweep(), 0))
}

/// A cache with values of many lifetimes, the last of them at twice `n` milliseconds.
fn of_many_lifetimes(world: &World, n: u32) -> Store {
    let store = world.store(|c| c);
    for (key, life) in Order::Random.of(n).into_iter().enumerate() {
        store.insert_with(Key(key as u32), Loaded::new(Value(life)).ttl(ms(u64::from(life + n))));
    }
    store
}

fn sweep_of_random_lifetimes(n: u32) -> Counts {
    let world = World::new(n);
    let store = of_many_lifetimes(&world, n);
    world.sim.clock().advance(ms(u64::from(2 * n)));
    counted(|| assert_eq!(store.sweep(), n as usize))
}

fn reclaimed_by_other_calls(n: u32) -> Counts {
    let world = World::new(n);
    let store = of_many_lifetimes(&world, n);
    world.sim.clock().advance(ms(u64::from(2 * n)));
    counted(|| {
        (n..3 * n).for_each(|key| assert!(store.get_if_present(&Key(key)).is_none()));
        assert_eq!(store.len(), 0);
    })
}

fn next_deadline_each_time(n: u32) -> Counts {
    let world = World::new(n);
    let store = of_many_lifetimes(&world, n);
    counted(|| {
        while store.next_deadline().is_some() {
            world.sim.clock().advance(ms(1));
            store.sweep();
        }
    })
}

fn expire_each_by_name(n: u32) -> Counts {
    let store = World::new(n).full(|c| c.stale_while_refresh(ms(100)));
    counted(|| assert!((0..n).all(|key| store.expire(&Key(key)))))
}

fn keep_failures(n: u32) -> Counts {
    let mut world = World::new(n);
    counted(|| drop(failed(&mut world, n, |c| c)))
}

fn told_kept_failures(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = failed(&mut world, n, |c| c);
    counted(|| _ = world.get_many(&store, keys(n)))
}

fn forget_failures(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = failed(&mut world, n, |c| c);
    world.sim.clock().advance(ms(200));
    counted(|| _ = store.sweep())
}
