//! The cost of a call for many keys does not grow with the square of anything.

use larder::Cache;
use larder_tests::*;

on_every_runtime! {
    c101_members_are_polled_when_woken
    c101_loads_of_many_are_polled_when_woken
    c101_an_end_wakes_the_call_once
}

const KEYS: u32 = 4000;

fn gates() -> Rc<Vec<Gate>> {
    Rc::new((0..KEYS).map(|_| Gate::default()).collect())
}

/// C101: loads of single keys that end one after another are polled when they are woken, not each time another is.
/// (D62)
fn c101_members_are_polled_when_woken<R: Host>() {
    let mut sim = Sim::new();
    let (gates, keys) = (gates(), (0..KEYS).collect::<Vec<_>>());
    let ends = gates.clone();
    let loads = sim.loads_by(move |key, _| ends[key as usize].script().gives(key));
    let cache = sim.cache::<R>(&loads, |c| c);
    let many = sim.many(&cache, &keys);
    assert_eq!((loads.calls(), loads.polls()), (4000, 4000), "each is begun with one poll");
    for gate in gates.iter() {
        gate.open();
        sim.run();
    }
    assert_eq!(loads.polls(), 8000, "and ends with another");
    assert_eq!(sim.wakes(many), 4001, "so often its caller was woken");
    assert!(sim.saw(many).starts_with("0: V0 Miss, V1 Miss"));
    assert_clean(&cache.stats());
}

/// C101: the same for loads of many keys that one call has begun. (D62)
fn c101_loads_of_many_are_polled_when_woken<R: Host>() {
    let mut sim = Sim::new();
    let (gates, keys) = (gates(), (0..KEYS).collect::<Vec<_>>());
    let ends = gates.clone();
    let batches = Batches::new(&sim.time, move |keys, _| ends[keys[0] as usize].script());
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(4));
    let many = sim.many(&cache, &keys);
    assert_eq!((batches.begun().len(), batches.polls()), (1000, 1000));
    for gate in gates.iter().step_by(4) {
        gate.open();
        sim.run();
    }
    assert_eq!(batches.polls(), 2000);
    assert!(sim.saw(many).starts_with("0: V0 Miss, V1 Miss"));
    assert_clean(&cache.stats());
}

/// C101, D15: the call is woken by its loads, and not again for loads whose end it has already seen.
fn c101_an_end_wakes_the_call_once<R: Host>() {
    let mut sim = Sim::new();
    let (gates, keys) = (gates(), (0..400).collect::<Vec<_>>());
    let ends = gates.clone();
    let batches = Batches::new(&sim.time, move |keys, _| ends[keys[0] as usize].script());
    let cache = sim.batched::<R>(&batches, |c| c.max_batch(4));
    let many = sim.many(&cache, &keys);
    for gate in gates.iter().take(400).step_by(4) {
        gate.open();
        sim.run();
    }
    assert!(sim.saw(many).starts_with("0: V0 Miss, V1 Miss"));
    assert_eq!(sim.wakes(many), 101, "once to begin, and once for each load");
    assert_clean(&cache.stats());
}

/// The locks that a call takes to begin this many loads of this many keys each, and while they end one after another.
fn taken(loads: usize, most: usize, single: bool) -> [u64; 2] {
    let gates = gates();
    let sim = Sim::new();
    let (ends, own) = (gates.clone(), gates.clone());
    let batches = Batches::new(&sim.time, move |keys, _| ends[keys[0] as usize].script());
    let singles = sim.loads_by(move |key, _| own[key as usize].script());
    let builder = Cache::builder(Counted::new(sim.clock()));
    let builder = if single { builder.loader(singles) } else { builder.many_loader(batches) };
    let cache = builder.max_batch(most).shards(16).build().expect("valid");
    let keys: Vec<u32> = (0..(loads * most) as u32).collect();
    let mut many = cache.get_many(&keys);
    let (counter, waker) = wakers::Counting::new();
    let begun = locks(|| assert!(wakers::poll_with(&mut many, &waker).is_pending()));
    let ended = locks(|| {
        for gate in gates.iter().take(keys.len()).step_by(most) {
            gate.open();
            let mut before = counter.wakes();
            while wakers::poll_with(&mut many, &waker).is_pending() && counter.wakes() != before {
                before = counter.wakes();
            }
        }
    });
    [begun, ended]
}

/// C101, D62: the locks of a call for loads of single keys grow with the loads, not with their square.
#[test]
fn c101_locks_of_single_loads() {
    let [(few, many), (few_ends, many_ends)] = pairs(taken(100, 1, true), taken(1000, 1, true));
    assert!(many <= 11 * few && many_ends <= 11 * few_ends, "{few} and {many}, {few_ends} and {many_ends}");
    assert!(many + many_ends <= 5 * 1000 + 100, "{} for 1000 keys", many + many_ends);
}

/// C101, D62: the locks for one load of many keys grow with the keys.
#[test]
fn c101_locks_of_one_load() {
    let [(few, many), (few_ends, many_ends)] = pairs(taken(1, 100, false), taken(1, 1000, false));
    assert!(many <= 11 * few && many_ends <= 11 * few_ends, "{few} and {many}, {few_ends} and {many_ends}");
    assert!(many + many_ends <= 4 * 1000 + 100, "{} for 1000 keys", many + many_ends);
}

/// C101, D62: the locks for many loads of many keys grow with the loads, not with their square.
#[test]
fn c101_locks_of_many_loads() {
    let [(few, many), (few_ends, many_ends)] = pairs(taken(100, 4, false), taken(1000, 4, false));
    assert!(many <= 11 * few && many_ends <= 11 * few_ends, "{few} and {many}, {few_ends} and {many_ends}");
}

fn pairs([few, few_ends]: [u64; 2], [many, many_ends]: [u64; 2]) -> [(u64, u64); 2] {
    [(few, many), (few_ends, many_ends)]
}
