//! Slots with many waiting callers, or many watchers.

use larder::{LazySlot, Loaded};

use super::{
    Counts, counted,
    counting::{Key, Value},
    scenarios,
    world::{Order, World},
};
use crate::{Boom, Counted, ms};

scenarios! {
    watch_a_slot
    watchers_see_a_change
    watchers_see_the_end
    watchers_leave_in_order
    watchers_leave_backward
    watchers_leave_in_random_order
    wait_for_a_slot
    told_of_a_slot
    told_of_a_slot_by_a_set
    leave_a_slot_in_random_order
    served_stale_by_a_slot
    invalidate_a_slot_that_many_wait_for
}

type Slot = LazySlot<Value, Boom, Counted>;

fn slot(world: &World) -> Slot {
    let load = world.load();
    let fetch = move |_| {
        let ends = load(Key(0));
        async move { Ok(Loaded::new(Value(ends.ended().await))) }
    };
    LazySlot::builder(world.runtime()).ttl(ms(100)).stale_limit(ms(1000)).fetch_fn(fetch).build().expect("valid")
}

/// A slot and this many watchers, each until it has seen one change or the end.
fn watched(n: u32) -> (World, Slot, Vec<usize>) {
    let mut world = World::new(1);
    let slot = slot(&world);
    let watchers = watch(&mut world, &slot, n);
    (world, slot, watchers)
}

fn watch(world: &mut World, slot: &Slot, n: u32) -> Vec<usize> {
    let watch = |_| {
        let mut watcher = slot.watch();
        world.call(async move { watcher.changed().await })
    };
    (0..n).map(watch).collect()
}

fn watch_a_slot(n: u32) -> Counts {
    let mut world = World::new(1);
    let slot = slot(&world);
    counted(|| _ = watch(&mut world, &slot, n))
}

fn watchers_see_a_change(n: u32) -> Counts {
    let (mut world, slot, watchers) = watched(n);
    let counts = counted(|| {
        slot.set(Value(7));
        world.sim.run();
    });
    world.assert_over(&watchers);
    counts
}

fn watchers_see_the_end(n: u32) -> Counts {
    let (mut world, slot, watchers) = watched(n);
    let counts = counted(|| {
        drop(slot);
        world.sim.run();
    });
    world.assert_over(&watchers);
    counts
}

fn watchers_leave(n: u32, order: Order) -> Counts {
    let (mut world, _slot, watchers) = watched(n);
    counted(|| world.leave(&watchers, order))
}

fn watchers_leave_in_order(n: u32) -> Counts {
    watchers_leave(n, Order::Forward)
}

fn watchers_leave_backward(n: u32) -> Counts {
    watchers_leave(n, Order::Backward)
}

fn watchers_leave_in_random_order(n: u32) -> Counts {
    watchers_leave(n, Order::Random)
}

fn wait(world: &mut World, slot: &Slot, n: u32) -> Vec<usize> {
    let get = |_| {
        let slot = slot.clone();
        world.call(async move { slot.get().await.is_ok() })
    };
    (0..n).map(get).collect()
}

/// A slot that is being fetched, and this many waiting callers.
fn waiting(n: u32) -> (World, Slot, Vec<usize>) {
    let mut world = World::new(1);
    let slot = slot(&world);
    let callers = wait(&mut world, &slot, n);
    (world, slot, callers)
}

fn wait_for_a_slot(n: u32) -> Counts {
    let mut world = World::new(1);
    let slot = slot(&world);
    counted(|| _ = wait(&mut world, &slot, n))
}

fn told_of_a_slot(n: u32) -> Counts {
    let (mut world, _slot, callers) = waiting(n);
    let counts = counted(|| world.open(Order::Forward));
    world.assert_over(&callers);
    counts
}

fn told_of_a_slot_by_a_set(n: u32) -> Counts {
    let (mut world, slot, callers) = waiting(n);
    let counts = counted(|| {
        slot.set(Value(7));
        world.sim.run();
    });
    world.assert_over(&callers);
    counts
}

fn leave_a_slot_in_random_order(n: u32) -> Counts {
    let (mut world, _slot, callers) = waiting(n);
    counted(|| world.leave(&callers, Order::Random))
}

fn served_stale_by_a_slot(n: u32) -> Counts {
    let mut world = World::new(1);
    let slot = slot(&world);
    slot.set(Value(7));
    world.sim.to(200);
    let callers = wait(&mut world, &slot, 1);
    let counts = counted(|| {
        let stale = wait(&mut world, &slot, n);
        world.assert_over(&stale);
    });
    world.open(Order::Forward);
    world.assert_over(&callers);
    counts
}

fn invalidate_a_slot_that_many_wait_for(n: u32) -> Counts {
    let (mut world, slot, callers) = waiting(n);
    let counts = counted(|| {
        slot.invalidate();
        world.open(Order::Forward);
    });
    world.assert_over(&callers);
    counts
}
