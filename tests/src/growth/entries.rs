//! Entries of write-back caches: loaded, changed, pinned and dropped.

use larder::Room;

use super::{
    Counts, counted,
    counting::{Key, Value},
    pages::{Pages, start},
    scenarios,
    world::{Order, World},
};

scenarios! {
    load_each_entry
    load_each_into_a_full_cache
    load_each_in_place_of_a_dirty_one
    load_each_in_place_of_what_is_being_flushed
    get_each_entry
    pin_and_unpin_each
    pin_one_often
    change_each
    change_one_often
    invalidate_many_clean
    invalidate_many_dirty
    invalidate_while_many_are_flushed
    invalidate_where_many_are_pinned
    remove_each_dirty
    drop_with_many_dirty
    wait_for_one_entry
    told_of_one_entry
    insert_each_entry
}

fn load_each_entry(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    files.loads_wait.set(true);
    counted(|| {
        let callers = world.load_pages(&pages, 0..n);
        world.open(Order::Random);
        world.assert_over(&callers);
    })
}

fn load_each_into_a_full_cache(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.load_pages(&pages, 0..n);
    counted(|| {
        let callers = world.load_pages(&pages, n..2 * n);
        world.assert_over(&callers);
    })
}

fn load_each_in_place_of_a_dirty_one(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    counted(|| {
        let callers = world.load_pages(&pages, n..2 * n);
        world.assert_over(&callers);
    })
}

fn load_each_in_place_of_what_is_being_flushed(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    files.flushes_wait.set(true);
    counted(|| {
        let callers = world.load_pages(&pages, n..2 * n);
        world.open(Order::Forward);
        world.assert_over(&callers);
    })
}

fn get_each_entry(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.load_pages(&pages, 0..n);
    counted(|| assert!(Order::Random.of(n).into_iter().all(|key| pages.try_get(&Key(key)).is_some())))
}

fn pin_and_unpin_each(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    counted(|| {
        let kept = world.pin(&pages, 0..n);
        assert_eq!(pages.pinned(), n as usize);
        drop(kept);
    })
}

fn pin_one_often(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..1);
    counted(|| {
        let handles: Vec<_> = (0..n).map(|_| kept.borrow()[0].clone()).collect();
        drop(handles);
    })
}

fn change_each(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    counted(|| {
        kept.borrow().iter().for_each(|handle| handle.set(Value(7)));
        assert_eq!(pages.dirty(), n as usize);
    })
}

fn change_one_often(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    counted(|| (0..n).for_each(|_| kept.borrow()[0].set(Value(7))))
}

/// All entries are dropped.
fn invalidated(world: &mut World, pages: &Pages) -> usize {
    let pages = pages.clone();
    world.call(async move { pages.invalidate().await.is_ok() })
}

fn invalidate_many_clean(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.load_pages(&pages, 0..n);
    counted(|| {
        invalidated(&mut world, &pages);
        assert!(pages.is_empty());
    })
}

fn invalidate_many_dirty(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    counted(|| {
        invalidated(&mut world, &pages);
        assert!(pages.is_empty());
    })
}

fn invalidate_while_many_are_flushed(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    files.flushes_wait.set(true);
    for key in n / 2..n {
        let flush = pages.flush_key(&Key(key));
        world.call(flush);
    }
    counted(|| {
        let gone = invalidated(&mut world, &pages);
        world.open(Order::Forward);
        world.assert_over(&[gone]);
        assert!(pages.is_empty());
    })
}

fn invalidate_where_many_are_pinned(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    let kept = world.pin(&pages, 0..n);
    let counts = counted(|| {
        invalidated(&mut world, &pages);
        assert_eq!(pages.len(), n as usize);
    });
    drop(kept);
    counts
}

fn remove_each_dirty(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    counted(|| {
        for key in Order::Random.of(n) {
            let pages = pages.clone();
            world.call(async move { pages.remove(&Key(key)).await.is_ok() });
        }
        assert!(pages.is_empty());
    })
}

fn drop_with_many_dirty(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    counted(|| drop(pages))
}

fn wait_for_one_entry(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    files.loads_wait.set(true);
    counted(|| _ = world.load_pages(&pages, (0..n).map(|_| 0)))
}

fn told_of_one_entry(n: u32) -> Counts {
    let (mut world, files, pages) = start(n, |p| p);
    files.loads_wait.set(true);
    let callers = world.load_pages(&pages, (0..n).map(|_| 0));
    let counts = counted(|| {
        world.gates[0].open();
        world.sim.run();
    });
    world.assert_over(&callers);
    counts
}

fn insert_each_entry(n: u32) -> Counts {
    let (mut world, _, pages) = start(n, |p| p);
    world.dirty(&pages, 0..n);
    counted(|| {
        for key in n..2 * n {
            let pages = pages.clone();
            world.call(async move { pages.insert(Key(key), Value(7), Room::Wait).await.is_ok() });
        }
        assert_eq!(pages.len(), n as usize);
    })
}
