//! Flushes of many entries of a write-back cache.

use super::{
    Counts, counted,
    counting::{Key, Value},
    pages::start,
    scenarios,
    world::Order,
};
use crate::ms;

scenarios! {
    next_flush_each_time
    flush_many
    flush_many_at_once
    flush_many_that_end_in_random_order
    flush_what_another_flushes
    flush_what_was_changed_while_flushed
    flush_many_that_fail
    flush_each_by_its_key
    flush_what_is_old
    close_with_many_dirty
}

fn next_flush_each_time(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    counted(|| {
        for handle in kept.borrow().iter() {
            world.sim.clock().advance(ms(1));
            handle.set(Value(7));
            assert!(pages.next_flush().is_some());
        }
    })
}

/// All entries are dirty and are flushed, this many at once; the flushes end in this order.
fn flushed(n: u32, limit: usize, order: Order) -> Counts {
    let (mut world, files, pages) = start(n, |p| p.flush_limit(limit));
    world.dirty(&pages, 0..n);
    files.flushes_wait.set(true);
    let counts = counted(|| {
        let flush = world.flush(&pages);
        world.open(order);
        world.assert_over(&[flush]);
    });
    assert_eq!(pages.dirty(), 0);
    counts
}

fn flush_many(n: u32) -> Counts {
    flushed(n, 16, Order::Forward)
}

fn flush_many_at_once(n: u32) -> Counts {
    flushed(n, usize::MAX, Order::Forward)
}

fn flush_many_that_end_in_random_order(n: u32) -> Counts {
    flushed(n, usize::MAX, Order::Random)
}

fn flush_what_another_flushes(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p.flush_limit(usize::MAX));
    world.dirty(&pages, 0..n);
    files.flushes_wait.set(true);
    let first = world.flush(&pages);
    counted(|| {
        let second = world.flush(&pages);
        world.open(Order::Random);
        world.assert_over(&[first, second]);
    })
}

/// A flush finds half of the entries being flushed and changed meanwhile; then the other half, too.
fn flush_what_was_changed_while_flushed(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n / 2);
    files.flushes_wait.set(true);
    let first: Vec<_> = (0..n / 2)
        .map(|key| {
            let flush = pages.flush_key(&Key(key));
            world.call(flush)
        })
        .collect();
    world.dirty(&pages, 0..n);
    counted(|| {
        let second = world.flush(&pages);
        world.open(Order::Forward);
        world.assert_over(&first);
        world.assert_over(&[second]);
    })
}

fn flush_many_that_fail(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    files.fails.set(true);
    counted(|| _ = world.flush(&pages))
}

fn flush_each_by_its_key(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    counted(|| {
        for key in Order::Random.of(n) {
            let flush = pages.flush_key(&Key(key));
            world.call(flush);
        }
        assert_eq!(pages.dirty(), 0);
    })
}

fn flush_what_is_old(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n / 2);
    world.sim.clock().advance(ms(100));
    world.dirty(&pages, n / 2..n);
    counted(|| {
        let flush = pages.flush_older_than(ms(100));
        world.call(flush);
        assert_eq!(pages.dirty(), (n - n / 2) as usize);
    })
}

fn close_with_many_dirty(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    files.flushes_wait.set(true);
    counted(|| {
        let closed = pages.clone();
        let close = world.call(async move { closed.close().await.is_ok() });
        world.open(Order::Forward);
        world.assert_over(&[close]);
    })
}
