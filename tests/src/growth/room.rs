//! Many callers that wait for room in a write-back cache.

use larder::Room;

use super::{
    Counts, counted,
    pages::{Kept, start},
    scenarios,
    world::{Order, World},
};
use crate::ms;

scenarios! {
    close_while_many_wait
    wait_for_room
    granted_room_one_by_one
    granted_room_at_once
    leave_the_queue_for_room
    wait_for_room_for_one_key
    give_up_waiting_for_room
    room_where_nothing_can_be_flushed
}

fn close_while_many_wait(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    let waiting = world.load_pages(&pages, n..2 * n);
    let counts = counted(|| {
        let closed = pages.clone();
        world.call(async move { closed.close().await.is_ok() });
        world.assert_over(&waiting);
    });
    drop(kept);
    counts
}

/// All entries are pinned, and the same number of callers wait for room.
fn queue(n: u32) -> (World, Kept, Vec<usize>) {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    let waiting = world.load_pages(&pages, n..2 * n);
    (world, kept, waiting)
}

fn wait_for_room(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    let counts = counted(|| _ = world.load_pages(&pages, n..2 * n));
    drop(kept);
    counts
}

fn granted_room_one_by_one(n: u32) -> Counts {
    let (mut world, kept, waiting) = queue(n);
    let counts = counted(|| {
        while let Some(handle) = kept.borrow_mut().pop() {
            drop(handle);
            world.sim.run();
        }
    });
    world.assert_over(&waiting);
    counts
}

fn granted_room_at_once(n: u32) -> Counts {
    let (mut world, kept, waiting) = queue(n);
    let counts = counted(|| {
        drop(kept);
        world.sim.run();
    });
    world.assert_over(&waiting);
    counts
}

fn leave_the_queue_for_room(n: u32) -> Counts {
    let (mut world, kept, waiting) = queue(n);
    let counts = counted(|| world.leave(&waiting, Order::Random));
    drop(kept);
    counts
}

fn wait_for_room_for_one_key(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    counted(|| {
        let waiting = world.load_pages(&pages, (0..n).map(|_| n));
        drop(kept);
        world.sim.run();
        world.assert_over(&waiting);
    })
}

fn give_up_waiting_for_room(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    let counts = counted(|| {
        let within = Room::Within(ms(100));
        let waiting: Vec<_> = (n..2 * n).map(|key| world.load_page(&pages, key, within)).collect();
        world.sim.to(100);
        world.assert_over(&waiting);
    });
    drop(kept);
    counts
}

fn room_where_nothing_can_be_flushed(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    files.fails.set(true);
    counted(|| {
        let callers = world.load_pages(&pages, n..2 * n);
        world.assert_over(&callers);
    })
}
