//! Callers dropped at every poll of all they may do: nothing is lost, nothing is held, no caller hangs. (P2, P16)
use super::*;

use core::panic::AssertUnwindSafe;
use futures_lite::future::yield_now;
use std::panic::catch_unwind;

on_every_runtime! {
    a_load
    an_eviction_over_a_dependency
    c74_an_eviction
    c74_a_flush_over_a_dependency
    a_flush_of_one_key
    a_removal
    an_insertion
    an_insertion_over_what_is_dirty
    an_invalidation
    a_close
    a_wait_for_room
    a_load_that_panics
    a_flush_that_panics
    a_dependencys_flush_that_panics
}

/// The call to be dropped, made by a caller of its own.
type Act<R> = fn(&mut Sim, &World<R>) -> usize;

/// Two caches, of which the first depends on the second; all entries are dirty, and each call takes several polls.
struct World<R: Host> {
    disk: Disk,
    first: Pages<R>,
    other: Disk,
    second: Pages<R>,
}

const STEPS: u32 = 4;

fn world<R: Host>() -> (Sim, World<R>) {
    let (mut sim, disk, first) = start::<R>(2);
    let (other, second) = beside::<R>(&sim, &disk, "b");
    sim.write(&first, 1, 11);
    sim.write(&first, 2, 12);
    sim.write(&second, 5, 25);
    first.depend_on(&second).expect("no circle");
    disk.loads_by(|_, _| polls(STEPS));
    disk.flushes_by(|_, _| polls(STEPS));
    other.flushes_by(|_, _| polls(STEPS));
    (sim, World { disk, first, other, second })
}

/// Asserts that each acknowledged write is on disk or in the cache, and that nothing is on disk before its dependency.
fn assert_whole<R: Host>(world: &World<R>, written: &[&str]) {
    for (key, kept) in [(1, 11), (2, 12)] {
        let there = value(&world.first, key).or_else(|| world.disk.page(key));
        assert_eq!(there, Some(kept), "key {key}");
    }
    assert_eq!(value(&world.second, 5).or_else(|| world.other.page(5)), Some(25));
    let first_a = written.iter().position(|line| line.contains(" a"));
    let b = written.iter().position(|line| line.contains(" b"));
    assert!(first_a.is_none() || b < first_a && b.is_some(), "{written:?}");
}

/// Drops the caller of `act` after each number of polls, alone and with others waiting behind it.
fn at_every_poll<R: Host>(act: Act<R>) {
    for others in [0, 1, 2, 100] {
        for polls in 0.. {
            let (mut sim, world) = world::<R>();
            let mut log = Vec::new();
            let caller = unpolled(&mut sim, &world, act);
            let mut is_over = false;
            for _ in 0..polls {
                sim.poll(caller);
                is_over = sim.end(caller).is_some();
                log.extend(world.disk.log());
            }
            let behind: Vec<_> = (0..others).map(|_| act(&mut sim, &world)).collect();
            log.extend(world.disk.log());
            sim.drop(caller);
            sim.assert_nobody_is_forgotten(behind.iter().copied());
            assert!(behind.iter().all(|i| sim.saw(*i) != "waits"), "after {polls} polls, of {others}");
            log.extend(world.disk.log());
            assert_whole(&world, &log.iter().map(String::as_str).collect::<Vec<_>>());
            end(&mut sim, &world, log);
            if is_over {
                break;
            }
        }
    }
}

/// Begins `act` without a poll.
fn unpolled<R: Host>(sim: &mut Sim, world: &World<R>, act: Act<R>) -> usize {
    HELD.set(true);
    let caller = act(sim, world);
    HELD.set(false);
    caller
}

std::thread_local! {
    /// Whether callers are spawned, and not run.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Spawns a caller; runs it, unless it is one that is polled by hand.
fn call<A: Into<Answer>>(sim: &mut Sim, future: impl Future<Output = A> + 'static) -> usize {
    let caller = sim.spawn(future);
    if HELD.get() {
        sim.park(caller);
    }
    sim.run();
    caller
}

/// Asserts that all goes on: what is dirty can be flushed, in order, and all places can be used.
fn end<R: Host>(sim: &mut Sim, world: &World<R>, mut log: Vec<String>) {
    if !world.first.is_closed() {
        let flush = sim.flush(&world.first);
        assert!(sim.saw(flush).ends_with("done"), "{}", sim.saw(flush));
        log.extend(world.disk.log());
        assert_whole(world, &log.iter().map(String::as_str).collect::<Vec<_>>());
        assert_all_is_free(sim, &world.disk, &world.first, 2);
    }
    assert_eq!((world.first.pinned(), world.second.pinned()), (0, 0));
}

/// A load that needs no room.
fn a_load<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let pages = world.second.clone();
        world.other.loads_by(|_, _| polls(STEPS));
        call(sim, async move { told(pages.get_or_load(&7).await) })
    });
}

/// C74: nothing is evicted, and the flush of B is not left half done.
fn c74_an_eviction<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let pages = world.first.clone();
        call(sim, async move { told(pages.get_or_load(&3).await) })
    });
}

/// C74, with a dependency that has one itself.
fn an_eviction_over_a_dependency<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let (third, last) = beside::<R>(sim, &world.disk, "c");
        third.flushes_by(|_, _| polls(STEPS));
        wakers::now(last.get_or_load(&9)).expect("it is loaded").set(V::new(9));
        world.second.depend_on(&last).expect("no circle");
        let pages = world.first.clone();
        call(sim, async move { told(pages.get_or_load(&3).await) })
    });
}

fn c74_a_flush_over_a_dependency<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let flush = world.first.flush();
        call(sim, flush)
    });
}

fn a_flush_of_one_key<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let flush = world.first.flush_key(&2);
        call(sim, flush)
    });
}

fn a_removal<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let pages = world.first.clone();
        call(sim, async move { drop(pages.remove(&1).await) })
    });
}

fn an_insertion<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let pages = world.first.clone();
        call(sim, async move { told(pages.insert(3, V::new(33), Room::Wait).await) })
    });
}

fn an_insertion_over_what_is_dirty<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let pages = world.first.clone();
        call(sim, async move { told(pages.insert(1, V::new(11), Room::Wait).await) })
    });
}

/// D83: all or nothing, and the back end is told of each discarded key.
fn an_invalidation<R: Host>() {
    for others in [0, 1, 2, 100] {
        for polls in 0..20 {
            let (mut sim, disk, pages) = start::<R>(3);
            (1..4).for_each(|key| sim.write(&pages, key, key));
            disk.flushes_by(|_, _| self::polls(STEPS));
            disk.first(|io, _| (io == Io::Discard).then(|| Box::pin(yield_now()) as Pin<Box<dyn Future<Output = ()>>>));
            HELD.set(true);
            let (flush, to_drop) = (pages.flush_key(&1), pages.clone());
            let flush = call(&mut sim, flush);
            let caller = call(&mut sim, async move { drop(to_drop.invalidate().await) });
            HELD.set(false);
            sim.poll(flush);
            (0..polls).for_each(|_| sim.poll(caller));
            let is_gone = pages.is_empty();
            let behind: Vec<_> = (0..others).map(|_| sim.invalidate(&pages)).collect();
            sim.drop(caller);
            sim.unpark(flush);
            sim.assert_nobody_is_forgotten(behind.iter().copied());
            assert!(behind.iter().all(|i| sim.saw(*i) == "0: done"));
            let heard = disk.discarded();
            match (is_gone || others > 0, pages.len()) {
                (true, 0) => assert!(heard == [2, 3], "{heard:?}"),
                (false, 3) => assert!(heard.is_empty()),
                other => panic!("{other:?} after {polls} polls, of {others}"),
            }
            assert_eq!(sim.saw(flush), "0: done");
            disk.nothing_first();
            assert_all_is_free(&mut sim, &disk, &pages, 3);
        }
    }
}

fn a_close<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let pages = world.first.clone();
        call(sim, async move { pages.close().await })
    });
}

fn a_wait_for_room<R: Host>() {
    at_every_poll::<R>(|sim, world| {
        let pages = world.first.clone();
        call(sim, async move {
            let (one, two) = (pages.get_or_load(&1).await, pages.get_or_load(&2).await);
            let mut waits = Box::pin(pages.get_or_load(&3));
            for _ in 0..3 {
                core::future::poll_fn(|cx| {
                    drop(waits.as_mut().poll(cx));
                    Poll::Ready(())
                })
                .await;
            }
            drop((one, two));
            told(waits.await)
        })
    });
}

/// A script that panics in its n-th poll, once.
fn bang_once(n: u32) -> impl Fn(u32, usize) -> Script {
    let is_used = Cell::new(false);
    move |_, _| if is_used.replace(true) { ready() } else { polls(n).panics(1) }
}

/// Panics at every poll of a load, a flush, and the flush of a dependency.
fn panic_at_every_poll<R: Host>(arm: fn(&World<R>, u32), act: Act<R>) {
    for others in [0, 1, 2, 100] {
        for polls in 1..STEPS + 2 {
            let (mut sim, world) = world::<R>();
            arm(&world, polls);
            HELD.set(true);
            let callers: Vec<_> = (0..=others).map(|_| act(&mut sim, &world)).collect();
            HELD.set(false);
            callers.iter().for_each(|i| {
                let polled = catch_unwind(AssertUnwindSafe(|| sim.unpark(*i)));
                assert!(polled.is_ok());
            });
            sim.assert_nobody_is_forgotten(callers.iter().copied());
            let saw: Vec<_> = callers.iter().map(|i| sim.saw(*i)).collect();
            assert_eq!(saw.iter().filter(|saw| *saw == "0: unwound 1").count(), 1, "{saw:?}");
            assert!(saw.iter().all(|saw| saw != "waits"), "{saw:?}");
            let log = world.disk.log();
            assert_whole(&world, &log.iter().map(String::as_str).collect::<Vec<_>>());
            end(&mut sim, &world, log);
        }
    }
}

/// P5.
fn a_load_that_panics<R: Host>() {
    panic_at_every_poll::<R>(
        |world, n| world.disk.loads_by(bang_once(n)),
        |sim, world| {
            let pages = world.first.clone();
            call(sim, async move { told(pages.get_or_load(&3).await) })
        },
    );
}

/// P5, P16.
fn a_flush_that_panics<R: Host>() {
    panic_at_every_poll::<R>(
        |world, n| world.disk.flushes_by(bang_once(n)),
        |sim, world| {
            let flush = world.first.flush();
            call(sim, flush)
        },
    );
}

/// P5, P17.
fn a_dependencys_flush_that_panics<R: Host>() {
    panic_at_every_poll::<R>(
        |world, n| world.other.flushes_by(bang_once(n)),
        |sim, world| {
            let pages = world.first.clone();
            call(sim, async move { told(pages.get_or_load(&3).await) })
        },
    );
}
