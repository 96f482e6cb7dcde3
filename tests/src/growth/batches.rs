//! Calls for many keys.

use alloc::rc::Rc;

use larder::{AnswerSink, LookupOptions, OnTimeout};

use super::{
    Counts, counted,
    counting::{Key, Value},
    scenarios,
    world::{Order, Setup, Store, World, keys},
};
use crate::{Boom, Counted, ms};

scenarios! {
    many_hits
    many_outcomes
    many_hits_of_one_key
    many_loaded_of_one_key
    many_ready_by_single_loads
    many_by_single_loads
    many_by_single_loads_in_random_order
    many_by_one_load
    many_by_loads_of_four
    many_by_loads_of_four_in_random_order
    many_by_a_closure
    many_by_surplus
    many_answered_one_by_one
    many_joined
    many_joined_in_random_order
    many_join_one_load
    many_join_loads_of_four
    many_calls_join_one_load
    many_leave_single_loads
    many_leave_one_load
    many_leave_what_is_joined
    many_give_up
    many_fail_by_a_budget
    many_load_at_a_timeout
    many_load_alone_at_a_timeout
    many_are_taken_over_together
    many_are_taken_over_one_by_one
    many_fail_one_by_one
    many_are_written_meanwhile
}

/// One call for this many keys, from its first poll until all gates are open.
fn from_begin_to_end(n: u32, order: Order, store: impl FnOnce(&World) -> Store) -> Counts {
    let mut world = World::new(n);
    let store = store(&world);
    let counts = counted(|| {
        let many = world.get_many(&store, keys(n));
        world.open(order);
        world.assert_over(&[many]);
    });
    assert_eq!(store.stats().waiters, 0);
    counts
}

fn many_hits(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.full(|c| c);
    counted(|| _ = world.get_many(&store, keys(n)))
}

fn many_outcomes(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.full(|c| c.ttl(ms(100)));
    let many = counted(|| {
        let store = store.clone();
        world.call(async move { store.lookup_many(&keys(n)).options(LookupOptions::new()).await.len() });
    });
    assert_eq!(store.stats().hits, u64::from(n));
    many
}

fn many_hits_of_one_key(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.full(|c| c);
    counted(|| _ = world.get_many(&store, (0..n).map(|_| Key(0)).collect()))
}

fn many_loaded_of_one_key(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.batched(|c| c);
    counted(|| {
        let many = world.get_many(&store, (0..n).map(|number| Key(number % 2)).collect());
        world.open(Order::Forward);
        world.assert_over(&[many]);
    })
}

fn many_ready_by_single_loads(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.ready(|c| c);
    counted(|| _ = world.get_many(&store, keys(n)))
}

fn many_by_single_loads(n: u32) -> Counts {
    from_begin_to_end(n, Order::Forward, |world| world.store(|c| c))
}

fn many_by_single_loads_in_random_order(n: u32) -> Counts {
    from_begin_to_end(n, Order::Random, |world| world.store(|c| c.lock_timeout(ms(100), OnTimeout::Fail)))
}

fn many_by_one_load(n: u32) -> Counts {
    from_begin_to_end(n, Order::Forward, |world| world.batched(|c| c))
}

fn many_by_loads_of_four(n: u32) -> Counts {
    from_begin_to_end(n, Order::Forward, |world| world.batched(|c| c.max_batch(4)))
}

fn many_by_loads_of_four_in_random_order(n: u32) -> Counts {
    let setup = |c: Setup| c.max_batch(4).lock_timeout(ms(100), OnTimeout::Fail);
    from_begin_to_end(n, Order::Random, |world| world.batched(setup))
}

fn many_by_a_closure(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c.max_batch(4));
    let load = world.load();
    counted(|| {
        let store = store.clone();
        let many = world.call(async move {
            let load = |keys: Vec<Key>| {
                let ends = load(Key(keys[0].0));
                async move {
                    ends.ended().await;
                    Ok(keys.into_iter().map(|key| (Key(key.0), Value(key.0))))
                }
            };
            store.get_many_or_load(&keys(n), load).await.len()
        });
        world.open(Order::Forward);
        world.assert_over(&[many]);
    })
}

fn many_by_surplus(n: u32) -> Counts {
    let mut world = World::new(n);
    let load = move |_: Vec<Key>| async move { Ok((0..n).map(|key| (Key(key), Value(key)))) };
    let store = world.builder().load_many_fn(load).store_surplus().build().expect("valid");
    let counts = counted(|| _ = world.get_many(&store, keys(1)));
    assert_eq!(store.len(), n as usize);
    counts
}

fn many_answered_one_by_one(n: u32) -> Counts {
    from_begin_to_end(n, Order::Forward, |world| {
        let load = Rc::new(world.load());
        let each = move |keys: Vec<Key>, answers: AnswerSink<Key, Value, Boom, Counted>| {
            let load = Rc::clone(&load);
            async move {
                for key in keys {
                    let number = load(Key(key.0)).ended().await;
                    answers.answer(key, Value(number));
                }
                Ok(())
            }
        };
        world.builder().load_each_fn(each).build().expect("valid")
    })
}

/// One call joins the loads that others have begun, and then they end.
fn joined(n: u32, order: Order, begin: impl FnOnce(&mut World) -> Store) -> Counts {
    let mut world = World::new(n);
    let store = begin(&mut world);
    let counts = counted(|| {
        let many = world.get_many(&store, keys(n));
        world.open(order);
        world.assert_over(&[many]);
    });
    assert_eq!(store.stats().joined, u64::from(n));
    counts
}

/// Each key is being loaded for its own caller.
fn begun_each(world: &mut World) -> Store {
    let store = world.store(|c| c.lock_timeout(ms(100), OnTimeout::Fail));
    world.get_each(&store);
    store
}

/// All keys are being loaded for one call.
fn begun_at_once(world: &mut World, most: usize) -> Store {
    let store = world.batched(|c| c.max_batch(most));
    let keys = keys(world.gates.len() as u32);
    world.get_many(&store, keys);
    store
}

fn many_joined(n: u32) -> Counts {
    joined(n, Order::Forward, begun_each)
}

fn many_joined_in_random_order(n: u32) -> Counts {
    joined(n, Order::Random, begun_each)
}

fn many_join_one_load(n: u32) -> Counts {
    joined(n, Order::Forward, |world| begun_at_once(world, usize::MAX))
}

fn many_join_loads_of_four(n: u32) -> Counts {
    joined(n, Order::Random, |world| begun_at_once(world, 4))
}

fn many_calls_join_one_load(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = begun_at_once(&mut world, usize::MAX);
    counted(|| {
        let calls: Vec<_> =
            (0..n / 2).map(|first| world.get_many(&store, vec![Key(first), Key(first + n / 2)])).collect();
        world.open(Order::Forward);
        world.assert_over(&calls);
    })
}

/// One call is dropped before any load has ended.
fn left(n: u32, begin: impl FnOnce(&mut World) -> Store) -> Counts {
    let mut world = World::new(n);
    let store = begin(&mut world);
    counted(|| {
        let many = world.get_many(&store, keys(n));
        world.leave(&[many], Order::Forward);
    })
}

fn many_leave_single_loads(n: u32) -> Counts {
    left(n, |world| world.store(|c| c))
}

fn many_leave_one_load(n: u32) -> Counts {
    left(n, |world| world.batched(|c| c))
}

fn many_leave_what_is_joined(n: u32) -> Counts {
    left(n, |world| begun_at_once(world, 4))
}

/// Other callers load the keys, one call joins them, and time passes until it ends.
fn timed_out(n: u32, until: u64, setup: impl FnOnce(Setup) -> Setup) -> Counts {
    let mut world = World::new(n);
    let store = world.batched(setup);
    let ends = world.gates.clone();
    world.get_many(&store, keys(n));
    world.sim.to(10);
    counted(|| {
        let many = world.get_many(&store, keys(n));
        world.sim.to(until);
        ends.iter().for_each(crate::Gate::open);
        world.sim.run();
        world.assert_over(&[many]);
    })
}

fn many_give_up(n: u32) -> Counts {
    timed_out(n, 110, |c| c.max_batch(4).lock_timeout(ms(100), OnTimeout::Fail))
}

fn many_fail_by_a_budget(n: u32) -> Counts {
    timed_out(n, 100, |c| c.max_batch(4).load_budget(ms(100)))
}

fn many_load_at_a_timeout(n: u32) -> Counts {
    timed_out(n, 150, |c| c.max_batch(4).lock_timeout(ms(100), OnTimeout::Load))
}

fn many_load_alone_at_a_timeout(n: u32) -> Counts {
    timed_out(n, 150, |c| c.max_batch(4).lock_timeout(ms(100), OnTimeout::LoadAlone))
}

fn many_are_taken_over_together(n: u32) -> Counts {
    timed_out(n, 150, |c| c.max_batch(4).lock_age(ms(100)))
}

/// Each key's load began at another instant, so each reaches its lock age and its budget separately.
fn many_are_taken_over_one_by_one(n: u32) -> Counts {
    let mut world = World::new(n);
    let age = ms(u64::from(2 * n));
    let store = world.batched(|c| c.lock_age(age).load_budget(age.saturating_mul(2)).attempts(3));
    for key in 0..n {
        world.sim.to(u64::from(key));
        world.get(&store, key);
    }
    let counts = counted(|| {
        let many = world.get_many(&store, keys(n));
        world.sim.to(u64::from(9 * n));
        world.assert_over(&[many]);
    });
    assert_eq!(store.stats().takeovers, u64::from(n));
    counts
}

fn many_fail_one_by_one(n: u32) -> Counts {
    let mut world = World::new(n);
    let load = world.load();
    let load = move |key: Key| {
        let ends = load(key);
        async move { Err::<Value, _>(crate::Boom(ends.ended().await)) }
    };
    let store = world.builder().load_fn(load).error_ttl(ms(100)).build().expect("valid");
    counted(|| {
        let many = world.get_many(&store, keys(n));
        world.open(Order::Random);
        world.assert_over(&[many]);
    })
}

fn many_are_written_meanwhile(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.batched(|c| c.max_batch(4));
    counted(|| {
        let many = world.get_many(&store, keys(n));
        for key in Order::Random.of(n) {
            store.insert(Key(key), Value(7));
            world.sim.run();
        }
        world.assert_over(&[many]);
    })
}
