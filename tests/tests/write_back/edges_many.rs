//! What many caches that depend on each other cost, in bytes allocated and in flushes.

use super::*;

on_every_runtime! {
    c118_one_that_depends_on_many
    c118_one_that_always_depends_on_many
    c118_many_that_depend_on_one
    c118_chains
    c118_diamonds
    c118_diamonds_that_fail
    c118_chains_that_fail
}

fn many<R: Host>(sim: &Sim, disk: &Disk, count: usize) -> Vec<Pages<R>> {
    (0..count).map(|_| beside::<R>(sim, disk, "b").1).collect()
}

/// Asserts that the cost of each one is the same for few and for many.
#[track_caller]
fn assert_linear(few: (usize, u64), many: (usize, u64)) {
    let (each_of_few, each_of_many) = (few.1 / few.0 as u64, many.1 / many.0 as u64);
    assert!(each_of_many <= each_of_few * 3 / 2 + 64, "{each_of_few} bytes each of few, {each_of_many} of many");
}

/// C118: one-shot edges. (D82)
fn c118_one_that_depends_on_many<R: Host>() {
    let costs = [250, 2000].map(|count| {
        let (mut sim, disk, a) = start::<R>(1);
        let others = many::<R>(&sim, &disk, count);
        others.iter().for_each(|other| sim.write(other, 1, 1));
        sim.write(&a, 1, 1);
        let adding = memory::bytes(|| others.iter().for_each(|other| a.depend_on(other).expect("no circle")));
        let again = memory::bytes(|| others.iter().for_each(|other| a.depend_on(other).expect("no circle")));
        let flushing = memory::bytes(|| _ = sim.flush(&a));
        let log = disk.log();
        assert_eq!((log.len(), log.last().map(String::as_str)), (count + 1, Some("0 a1=1")));
        [adding, again, flushing].map(|bytes| (count, bytes))
    });
    (0..3).for_each(|step| assert_linear(costs[0][step], costs[1][step]));
}

/// C118: standing edges. (D82)
fn c118_one_that_always_depends_on_many<R: Host>() {
    let costs = [250, 2000].map(|count| {
        let (mut sim, disk, a) = start::<R>(100);
        let others = many::<R>(&sim, &disk, count);
        let adding = memory::bytes(|| others.iter().for_each(|other| a.always_depend_on(other).expect("no circle")));
        others.iter().for_each(|other| sim.write(other, 1, 1));
        sim.write(&a, 1, 1);
        let flushing = memory::bytes(|| _ = sim.flush(&a));
        assert_eq!(disk.log().len(), count + 1);
        sim.write(&a, 1, 2);
        let nothing = memory::bytes(|| _ = sim.flush(&a));
        assert_eq!(disk.log(), ["0 a1=2"]);
        [adding, flushing, nothing].map(|bytes| (count, bytes))
    });
    (0..3).for_each(|step| assert_linear(costs[0][step], costs[1][step]));
}

/// C118: the last edge is as cheap as the first. (D82)
fn c118_many_that_depend_on_one<R: Host>() {
    let costs = [250, 2000].map(|count| {
        let (mut sim, disk, b) = start::<R>(1);
        let others = many::<R>(&sim, &disk, count);
        sim.write(&b, 1, 1);
        let adding = memory::bytes(|| others.iter().for_each(|other| other.depend_on(&b).expect("no circle")));
        let flushing = memory::bytes(|| _ = sim.flush(&b));
        assert_eq!(disk.log(), ["0 a1=1"]);
        [adding, flushing].map(|bytes| (count, bytes))
    });
    (0..2).for_each(|step| assert_linear(costs[0][step], costs[1][step]));
}

/// C118: chains that are built from the first cache on, and from the last on. (D82, P17)
fn c118_chains<R: Host>() {
    for from_the_end in [false, true] {
        let costs = [20, 160].map(|count| {
            let (mut sim, disk, a) = start::<R>(1);
            let mut chain = vec![a];
            chain.extend(many::<R>(&sim, &disk, count));
            let mut pairs: Vec<_> = chain.windows(2).collect();
            if from_the_end {
                pairs.reverse();
            }
            let add = |pair: &&[Pages<R>]| pair[0].always_depend_on(&pair[1]).expect("no circle");
            let adding = memory::bytes(|| pairs.iter().for_each(add));
            // From the end on, so that no cache has to be told of it.
            chain.iter().rev().for_each(|pages| sim.write(pages, 1, 1));
            let flushing = memory::bytes(|| _ = sim.flush(&chain[0]));
            let log = disk.log();
            assert_eq!((log.len(), log.last().map(String::as_str)), (count + 1, Some("0 a1=1")));
            [adding, flushing].map(|bytes| (count, bytes))
        });
        (0..2).for_each(|step| assert_linear(costs[0][step], costs[1][step]));
    }
}

/// A cache, and layers of two caches, which both depend on both of the next layer.
fn diamonds<R: Host>(sim: &Sim, disk: &Disk, a: &Pages<R>, layers: usize) -> Vec<[Pages<R>; 2]> {
    let all: Vec<_> = (0..layers).map(|_| [(); 2].map(|()| beside::<R>(sim, disk, "b").1)).collect();
    all[0].iter().for_each(|first| a.always_depend_on(first).expect("no circle"));
    for pair in all.windows(2) {
        for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            pair[0][from].always_depend_on(&pair[1][to]).expect("no circle");
        }
    }
    all
}

/// C118: each cache is visited once, though 2^16 paths lead to the last. (D82, P17)
fn c118_diamonds<R: Host>() {
    // Either all of them are dirty, or only the last layer, to which all the others lead.
    for all_are_dirty in [true, false] {
        let costs = [4, 16].map(|count| {
            let (mut sim, disk, a) = start::<R>(1);
            let mut layers = Vec::new();
            let adding = memory::bytes(|| layers = diamonds(&sim, &disk, &a, count));
            sim.write(&a, 1, 1);
            let dirty = if all_are_dirty { &layers[..] } else { &layers[count - 1..] };
            dirty.iter().flatten().for_each(|pages| sim.write(pages, 1, 1));
            let flushing = memory::bytes(|| _ = sim.flush(&a));
            let log = disk.log();
            assert_eq!((log.len(), log.last().map(String::as_str)), (2 * dirty.len() + 1, Some("0 a1=1")));
            assert_eq!(layers.iter().flatten().map(|pages| pages.dirty()).sum::<usize>(), 0);
            [adding, flushing].map(|bytes| (count, bytes))
        });
        (0..2).for_each(|step| assert_linear(costs[0][step], costs[1][step]));
    }
}

/// C118: a failure at the end of all paths is tried once, and blocks all. (D82, P17)
fn c118_diamonds_that_fail<R: Host>() {
    let (mut sim, disk, a) = start::<R>(1);
    let layers = diamonds(&sim, &disk, &a, 16);
    let (last, bad) = beside::<R>(&sim, &disk, "c");
    layers[15].iter().for_each(|pages| pages.always_depend_on(&bad).expect("no circle"));
    last.flushes_by(|_, _| after(10).fails(3));
    layers.iter().flatten().chain([&a, &bad]).for_each(|pages| sim.write(pages, 1, 1));
    let flush = sim.flush(&a);
    sim.to(10);
    assert!(sim.saw(flush).starts_with("10: [1: ") && sim.saw(flush).contains("E3"), "{}", sim.saw(flush));
    assert_eq!((last.flushes(), disk.log().len()), (1, 0));
    last.flushes_by(|_, _| after(10));
    let flush = sim.flush(&a);
    sim.to(20);
    assert_eq!((sim.saw(flush), disk.log().len(), a.dirty()), ("20: done".into(), 34, 0));
}

/// C118: a failure at the end of a chain costs each cache the same, and its text names both ends. (P12)
fn c118_chains_that_fail<R: Host>() {
    for always in [true, false] {
        // (The stack grows with a chain of one-shot edges.)
        let costs = [10, 80].map(|count| {
            let (mut sim, disk, a) = start::<R>(1);
            let mut chain = vec![a];
            chain.extend(many::<R>(&sim, &disk, count));
            let (last, bad) = beside::<R>(&sim, &disk, "c");
            chain.push(bad);
            chain.iter().for_each(|pages| sim.write(pages, 1, 1));
            for pair in chain.windows(2) {
                if always { pair[0].always_depend_on(&pair[1]) } else { pair[0].depend_on(&pair[1]) }
                    .expect("no circle");
            }
            last.flushes_by(|_, _| ready().fails(3));
            let mut text = String::new();
            let failing = memory::bytes(|| text = wakers::now(chain[0].flush()).expect_err("it fails").to_string());
            assert!(["\"b\"", "\"c\"", "E3"].iter().all(|part| text.matches(part).count() == 1), "{text}");
            (count, failing)
        });
        assert_linear(costs[0], costs[1]);
    }
}
