//! Every order of a load's polls, a write and the readers around it.

use larder::LookupOptions;
use larder_tests::*;

on_every_runtime! {
    c53_every_interleaving_with_insert
    c53_every_interleaving_with_remove
    c53_every_interleaving_with_clear
    c53_every_interleaving_with_retain
}

/// C53: `insert` at any step: later callers get its value, which stays. (P8)
fn c53_every_interleaving_with_insert<R: Host>() {
    every_order::<R>(Write::Insert);
}

/// C53: `remove` at any step: later callers never get the value of an earlier load. (P8)
fn c53_every_interleaving_with_remove<R: Host>() {
    every_order::<R>(Write::Remove);
}

/// C53: `clear` at any step. (P8)
fn c53_every_interleaving_with_clear<R: Host>() {
    every_order::<R>(Write::Clear);
}

/// C53: a `retain` that keeps everything, at any step. (P8)
fn c53_every_interleaving_with_retain<R: Host>() {
    every_order::<R>(Write::Retain);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Write {
    Insert,
    Remove,
    Clear,
    Retain,
}

const INSERTED: u32 = 99;
const LEADER: usize = 0;
const BEFORE: usize = 1;
const AFTER: usize = 2;
const WRITE: usize = 3;

/// The leader is polled three times, each reader twice, the writer acts once; each step takes a millisecond.
fn every_order<R: Host>(write: Write) {
    let mut orders = Vec::new();
    shuffle(&mut [3, 2, 2, 1], &mut Vec::new(), &mut orders);
    assert_eq!(orders.len(), 224, "those of the 1680 orders that have each reader on its side of the write");
    for age in [None, Some(0), Some(1), Some(2)] {
        for order in &orders {
            play::<R>(write, age, order);
        }
    }
}

/// All orders of the remaining steps of each actor.
fn shuffle(left: &mut [u32; 4], so_far: &mut Vec<usize>, orders: &mut Vec<Vec<usize>>) {
    if *left == [0; 4] {
        orders.push(so_far.clone());
    }
    for actor in 0..4 {
        let allowed = match actor {
            WRITE => so_far.contains(&BEFORE),
            AFTER => so_far.contains(&WRITE),
            _ => true,
        };
        if left[actor] > 0 && allowed {
            left[actor] -= 1;
            so_far.push(actor);
            shuffle(left, so_far, orders);
            so_far.pop();
            left[actor] += 1;
        }
    }
}

fn play<R: Host>(write: Write, age: Option<u64>, order: &[usize]) {
    let mut sim = Sim::new();
    // The n-th call returns n; the time at which it began shows whether that was before the write.
    let loads = sim.loads_by(|_, call| polls(3).gives(call as u32));
    let cache = sim.cache::<R>(&loads, |c| match age {
        Some(age) => c.lock_age(ms(age)),
        None => c,
    });
    let callers = [LEADER, BEFORE, AFTER].map(|_| {
        let i = sim.queue_up(&cache, 7, LookupOptions::new());
        sim.park(i); // only this script polls it
        i
    });
    sim.run();
    let (mut calls_before, mut leader_came_after, mut kept) = (usize::MAX, false, None);
    for (step, actor) in order.iter().enumerate() {
        sim.jump(step as u64 + 1);
        if *actor == WRITE {
            calls_before = loads.calls();
            kept = (write == Write::Retain).then(|| cache.get_if_present(&7)).flatten();
            leader_came_after = !order[..step].contains(&LEADER);
            act(write, &cache);
        } else {
            sim.poll(callers[*actor]);
        }
    }
    for i in callers {
        sim.unpark(i);
    }
    sim.run();
    sim.to(1000);

    let told = format!("{write:?}, lock age {age:?}, order {order:?}");
    // What may be seen after the write: the inserted value, a newly loaded one, or, after a `retain`, the kept one.
    let allowed = |n: u32| match write {
        Write::Insert => n == INSERTED,
        _ => n as usize >= calls_before || kept.as_deref() == Some(&n),
    };
    for (actor, i) in callers.into_iter().enumerate() {
        let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("{told}: {}", sim.saw(i)) };
        if actor == AFTER || (actor == LEADER && leader_came_after) {
            assert!(allowed(**outcome.value()), "{told}: caller {actor} saw {}", sim.saw(i));
        }
    }
    if let Some(stored) = cache.get_if_present(&7) {
        assert!(allowed(*stored), "{told}: V{stored} is stored");
    }
    assert_clean(&cache.stats());
}

fn act<R: Host>(write: Write, cache: &Scripted<R>) {
    match write {
        Write::Insert => drop(cache.insert(7, V::new(INSERTED))),
        Write::Remove => drop(cache.remove(&7)),
        Write::Clear => cache.clear(),
        Write::Retain => cache.retain(|_, _| true),
    }
}
