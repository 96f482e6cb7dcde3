//! Many callers that wait for one key.

use core::cell::Cell;

use larder::OnTimeout;

use super::{
    Counts, counted,
    counting::{Key, Value},
    scenarios,
    world::{Order, Setup, Store, World},
};
use crate::ms;

scenarios! {
    wait_for_one
    told_of_one
    told_of_one_in_random_order
    told_of_one_by_an_insert
    told_of_one_failure
    woken_for_one_and_not_told
    look_again_backward
    look_again_in_random_order
    leave_one_in_order
    leave_one_backward
    leave_one_in_random_order
    give_up_on_one_together
    give_up_on_one_one_by_one
    leave_one_by_the_stale_value
    one_is_taken_over
    load_one_alone
    told_of_one_after_a_write
}

/// This many callers of one key.
fn waiting(n: u32, setup: impl FnOnce(Setup) -> Setup) -> (World, Store, Vec<usize>) {
    let mut world = World::new(n);
    let store = world.store(setup);
    let callers = world.crowd(&store, n);
    (world, store, callers)
}

fn wait_for_one(n: u32) -> Counts {
    let mut world = World::new(n);
    let store = world.store(|c| c.lock_timeout(ms(100), OnTimeout::Fail));
    counted(|| _ = world.crowd(&store, n))
}

fn told_of_one(n: u32) -> Counts {
    let (mut world, _, callers) = waiting(n, |c| c);
    let counts = counted(|| {
        world.gates[0].open();
        world.sim.run();
    });
    world.assert_over(&callers);
    counts
}

/// Polls the waiting callers in this order, woken or not.
fn poll_each(world: &mut World, callers: &[usize], order: Order) {
    order.of(callers.len() as u32).into_iter().for_each(|number| world.sim.poll(callers[number as usize]));
}

fn told_of_one_in_random_order(n: u32) -> Counts {
    let (mut world, _, callers) = waiting(n, |c| c);
    let counts = counted(|| {
        world.gates[0].open_quietly();
        poll_each(&mut world, &callers, Order::Random);
    });
    world.assert_over(&callers);
    counts
}

fn told_of_one_by_an_insert(n: u32) -> Counts {
    let (mut world, store, callers) = waiting(n, |c| c);
    let counts = counted(|| {
        store.insert(Key(0), Value(7));
        world.sim.run();
    });
    world.assert_over(&callers);
    counts
}

fn told_of_one_failure(n: u32) -> Counts {
    let (mut world, _, callers) = waiting(n, |c| c.load_budget(ms(10)).error_ttl(ms(100)));
    let counts = counted(|| world.sim.to(10));
    world.assert_over(&callers);
    counts
}

fn woken_for_one_and_not_told(n: u32) -> Counts {
    let mut world = World::new(n);
    let (woken, load) = (world.gates[0].clone(), world.load());
    // It is woken by the first gate, and ends with the second.
    let load = move |_: Key| {
        let (woken, ends) = (woken.clone(), load(Key(1)));
        async move {
            core::future::poll_fn(|cx| woken.poll(cx)).await;
            Ok(Value(ends.ended().await))
        }
    };
    let store = world.builder().load_fn(load).build().expect("valid");
    world.crowd(&store, n);
    counted(|| {
        world.gates[0].open();
        world.sim.run();
    })
}

fn look_again(n: u32, order: Order) -> Counts {
    let (mut world, _, callers) = waiting(n, |c| c);
    counted(|| poll_each(&mut world, &callers, order))
}

fn look_again_backward(n: u32) -> Counts {
    look_again(n, Order::Backward)
}

fn look_again_in_random_order(n: u32) -> Counts {
    look_again(n, Order::Random)
}

fn leave_one(n: u32, order: Order) -> Counts {
    let (mut world, store, callers) = waiting(n, |c| c);
    let counts = counted(|| world.leave(&callers, order));
    assert_eq!(store.stats().flights, 0);
    counts
}

fn leave_one_in_order(n: u32) -> Counts {
    leave_one(n, Order::Forward)
}

fn leave_one_backward(n: u32) -> Counts {
    leave_one(n, Order::Backward)
}

fn leave_one_in_random_order(n: u32) -> Counts {
    leave_one(n, Order::Random)
}

fn give_up_on_one_together(n: u32) -> Counts {
    let (mut world, _, callers) = waiting(n, |c| c.lock_timeout(ms(100), OnTimeout::Fail));
    let counts = counted(|| world.sim.to(100));
    world.assert_over(&callers);
    counts
}

/// This many callers of one key, each a millisecond after the one before.
fn waiting_in_turn(n: u32, setup: impl FnOnce(Setup) -> Setup) -> (World, Store, Vec<usize>) {
    let mut world = World::new(n);
    let store = world.store(setup);
    let come = |at| {
        world.sim.to(at);
        world.get(&store, 0)
    };
    let callers = (0..u64::from(n)).map(come).collect();
    (world, store, callers)
}

fn give_up_on_one_one_by_one(n: u32) -> Counts {
    let (mut world, _, callers) = waiting_in_turn(n, |c| c.lock_timeout(ms(u64::from(n)), OnTimeout::Fail));
    let counts = counted(|| world.sim.to(u64::from(3 * n)));
    world.assert_over(&callers);
    counts
}

fn leave_one_by_the_stale_value(n: u32) -> Counts {
    let setup = |c: Setup| c.ttl(ms(1)).stale_while_refresh(ms(1000)).lock_timeout(ms(100), OnTimeout::Stale);
    let mut world = World::new(n);
    let store = world.full(setup);
    world.sim.to(10);
    let callers = world.crowd(&store, n);
    let counts = counted(|| world.sim.to(110));
    world.assert_over(&callers);
    counts
}

fn one_is_taken_over(n: u32) -> Counts {
    let (mut world, store, _) = waiting(n, |c| c.lock_age(ms(100)));
    let counts = counted(|| world.sim.to(450));
    assert!(store.stats().takeovers > 0);
    counts
}

/// The same, but each load of the key has its own gate.
fn waiting_for_many_loads(n: u32, setup: impl FnOnce(Setup) -> Setup) -> (World, Store, Vec<usize>) {
    let mut world = World::new(n);
    let (load, begun) = (world.load(), Cell::new(0));
    let load = move |_: Key| {
        let ends = load(Key(begun.replace(begun.get() + 1)));
        async move { Ok(Value(ends.ended().await)) }
    };
    let store = setup(world.builder().load_fn(load)).build().expect("valid");
    let callers = world.crowd(&store, n);
    (world, store, callers)
}

fn load_one_alone(n: u32) -> Counts {
    let (mut world, store, callers) = waiting_for_many_loads(n, |c| c.lock_timeout(ms(100), OnTimeout::LoadAlone));
    let counts = counted(|| {
        world.sim.to(100);
        world.open(Order::Random);
    });
    world.assert_over(&callers);
    assert_eq!(store.stats().loads_succeeded, u64::from(n));
    counts
}

fn told_of_one_after_a_write(n: u32) -> Counts {
    let (mut world, store, callers) = waiting_for_many_loads(n, |c| c);
    let counts = counted(|| {
        store.remove(&Key(0));
        let later = world.crowd(&store, n);
        world.open(Order::Forward);
        world.assert_over(&later);
    });
    world.assert_over(&callers);
    counts
}
