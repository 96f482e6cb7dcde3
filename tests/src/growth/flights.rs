//! Loads of many keys that are under way at once, each with its own caller.

use super::{
    Counts, counted,
    counting::{Key, Value},
    scenarios,
    world::{Order, World},
};
use crate::ms;

scenarios! {
    begin_each
    end_each_in_order
    end_each_backward
    end_each_in_random_order
    leave_each_in_order
    leave_each_backward
    leave_each_in_random_order
    insert_each_that_is_loaded
    remove_each_that_is_loaded
    clear_while_each_is_loaded
    retain_while_each_is_loaded
    remove_by_key_while_each_is_loaded
    stats_while_each_is_loaded
    budgets_end_together
    refresh_each_by_a_ticket
    serve_each_stale_beside_a_ticket
}

fn begin_each(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c);
    counted(|| _ = world.get_each(&store))
}

fn end_each(n: u32, order: Order) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c);
    let callers = world.get_each(&store);
    let counts = counted(|| world.open(order));
    world.assert_over(&callers);
    counts
}

fn end_each_in_order(n: u32) -> Counts {
    end_each(n, Order::Forward)
}

fn end_each_backward(n: u32) -> Counts {
    end_each(n, Order::Backward)
}

fn end_each_in_random_order(n: u32) -> Counts {
    end_each(n, Order::Random)
}

fn leave_each(n: u32, order: Order) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c.shards(1));
    let callers = world.get_each(&store);
    let counts = counted(|| world.leave(&callers, order));
    assert_eq!(store.stats().flights, 0);
    counts
}

fn leave_each_in_order(n: u32) -> Counts {
    leave_each(n, Order::Forward)
}

fn leave_each_backward(n: u32) -> Counts {
    leave_each(n, Order::Backward)
}

fn leave_each_in_random_order(n: u32) -> Counts {
    leave_each(n, Order::Random)
}

fn insert_each_that_is_loaded(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c);
    let callers = world.get_each(&store);
    let counts = counted(|| {
        (0..n).for_each(|key| _ = store.insert(Key(key), Value(key)));
        world.sim.run();
    });
    world.assert_over(&callers);
    counts
}

fn remove_each_that_is_loaded(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c);
    let callers = world.get_each(&store);
    let counts = counted(|| {
        (0..n).for_each(|key| assert!(store.remove(&Key(key)).is_none()));
        world.open(Order::Forward);
    });
    world.assert_over(&callers);
    counts
}

/// A call that detaches all loads, and their ends.
fn detached(n: u32, call: impl FnOnce(&super::world::Store)) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c);
    let callers = world.get_each(&store);
    let counts = counted(|| {
        call(&store);
        world.open(Order::Random);
    });
    world.assert_over(&callers);
    assert!(store.is_empty());
    counts
}

fn clear_while_each_is_loaded(n: u32) -> Counts {
    detached(n, |store| store.clear())
}

fn retain_while_each_is_loaded(n: u32) -> Counts {
    detached(n, |store| store.retain(|_, _| true))
}

fn remove_by_key_while_each_is_loaded(n: u32) -> Counts {
    detached(n, |store| assert_eq!(store.remove_if(|_| true), 0))
}

fn stats_while_each_is_loaded(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c);
    world.get_each(&store);
    counted(|| assert_eq!(store.stats().flights, u64::from(n)))
}

fn budgets_end_together(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c.load_budget(ms(100)));
    let callers = world.get_each(&store);
    let counts = counted(|| world.sim.to(100));
    world.assert_over(&callers);
    counts
}

/// Each key has a stale value.
fn stale(world: &World) -> super::world::Store {
    let store = world.full(|c| c.ttl(ms(100)).stale_while_refresh(ms(1000)));
    world.sim.clock().advance(ms(200));
    store
}

fn refresh_each_by_a_ticket(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = stale(&world);
    let counts = counted(|| {
        let callers: Vec<_> = (0..n)
            .map(|key| {
                let store = store.clone();
                world.call(async move {
                    let stale = store.get_stale(&Key(key)).await.expect("it is held");
                    stale.refresh.expect("it is the first").await;
                })
            })
            .collect();
        world.open(Order::Random);
        world.assert_over(&callers);
    });
    assert!((0..n).all(|key| store.contains(&Key(key))));
    counts
}

fn serve_each_stale_beside_a_ticket(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = stale(&world);
    let ticket = store.clone();
    world.call(async move {
        let stale = ticket.get_stale(&Key(0)).await.expect("it is held");
        stale.refresh.expect("it is the first").await;
    });
    counted(|| {
        for _ in 0..n {
            let store = store.clone();
            world.call(
                async move { assert!(store.get_stale(&Key(0)).await.is_ok_and(|stale| stale.refresh.is_none())) },
            );
        }
    })
}
