//! Many write-back caches that are flushed before others.

use super::{
    Counts, counted,
    pages::{Files, Pages, pages},
    scenarios,
    world::{Order, World},
};

scenarios! {
    depend_on_many_dirty_ones
    depend_on_many_always
    many_depend_on_one
    flush_many_caches_first
    flush_many_caches_first_that_end_one_by_one
    flush_many_caches_first_that_end_backward
    flush_many_caches_first_that_fail
    flush_a_chain
    flush_a_chain_that_fails
    flush_layers_of_two
    flush_one_that_many_depend_on
    look_for_a_circle_along_a_chain
    add_edges_along_a_chain
    add_edges_along_a_chain_backward
    stop_depending_on_each
    invalidate_one_that_depends_on_many
    drop_one_that_depends_on_many
    drop_a_chain
    wishes_for_many
}

/// This many caches and one more; the flush of each cache's only dirty entry has its own gate.
fn caches(n: u32) -> (World, Files, Vec<Pages>, Pages) {
    let mut world = World::new(n + 1);
    let files = Files::new(&world);
    let many: Vec<_> = (0..=n).map(|_| pages(&world, &files, |p| p.capacity(4))).collect();
    many.iter().zip(0..).for_each(|(pages, key)| world.dirty(pages, [key]));
    let mut many = many;
    let one = many.pop().expect("there is one more");
    (world, files, many, one)
}

/// One cache depends on all others, once.
fn fan(n: u32) -> (World, Files, Vec<Pages>, Pages) {
    let (world, files, many, one) = caches(n);
    many.iter().for_each(|other| one.depend_on(other).expect("no circle"));
    (world, files, many, one)
}

/// Each cache depends on the one before, always.
fn chain(n: u32) -> (World, Files, Vec<Pages>, Pages) {
    let (world, files, many, one) = caches(n);
    many.windows(2).for_each(|pair| pair[1].always_depend_on(&pair[0]).expect("no circle"));
    (world, files, many, one)
}

fn depend_on_many_dirty_ones(n: u32) -> Counts {
    let (_world, _, many, one) = caches(n);
    counted(|| many.iter().for_each(|other| one.depend_on(other).expect("no circle")))
}

fn depend_on_many_always(n: u32) -> Counts {
    let (_world, _, many, one) = caches(n);
    counted(|| many.iter().for_each(|other| one.always_depend_on(other).expect("no circle")))
}

fn many_depend_on_one(n: u32) -> Counts {
    let (_world, _, many, one) = caches(n);
    counted(|| many.iter().for_each(|other| other.depend_on(&one).expect("no circle")))
}

fn flush_many_caches_first(n: u32) -> Counts {
    let (mut world, _, many, one) = fan(n);
    let counts = counted(|| {
        let flush = world.flush(&one);
        world.assert_over(&[flush]);
    });
    assert!(many.iter().all(|other| other.dirty() == 0));
    counts
}

fn flush_first(n: u32, order: Order) -> Counts {
    let (mut world, files, many, one) = fan(n);
    files.flushes_wait.set(true);
    let counts = counted(|| {
        let flush = world.flush(&one);
        world.open(order);
        world.assert_over(&[flush]);
    });
    assert!(many.iter().all(|other| other.dirty() == 0));
    counts
}

fn flush_many_caches_first_that_end_one_by_one(n: u32) -> Counts {
    flush_first(n, Order::Forward)
}

fn flush_many_caches_first_that_end_backward(n: u32) -> Counts {
    flush_first(n, Order::Backward)
}

fn flush_many_caches_first_that_fail(n: u32) -> Counts {
    let (mut world, files, _many, one) = fan(n);
    files.fails.set(true);
    counted(|| _ = world.flush(&one))
}

fn flush_a_chain(n: u32) -> Counts {
    let (mut world, _, many, _) = chain(n);
    let last = many.last().expect("there are some").clone();
    let counts = counted(|| {
        let flush = world.flush(&last);
        world.assert_over(&[flush]);
    });
    assert!(many.iter().all(|other| other.dirty() == 0));
    counts
}

fn flush_a_chain_that_fails(n: u32) -> Counts {
    let (mut world, files, many, _) = chain(n);
    files.fails.set(true);
    let last = many.last().expect("there are some").clone();
    counted(|| {
        let flush = world.flush(&last);
        world.assert_over(&[flush]);
    })
}

fn flush_layers_of_two(n: u32) -> Counts {
    let (mut world, _, many, _) = caches(n);
    let layers: Vec<_> = many.chunks(2).collect();
    for pair in layers.windows(2) {
        for one in pair[1] {
            pair[0].iter().for_each(|other| one.always_depend_on(other).expect("no circle"));
        }
    }
    let last = many.last().expect("there are some").clone();
    counted(|| {
        let flush = world.flush(&last);
        world.assert_over(&[flush]);
    })
}

fn flush_one_that_many_depend_on(n: u32) -> Counts {
    let (mut world, _, many, one) = caches(n);
    many.iter().for_each(|other| other.depend_on(&one).expect("no circle"));
    counted(|| {
        let flush = world.flush(&one);
        world.assert_over(&[flush]);
    })
}

fn look_for_a_circle_along_a_chain(n: u32) -> Counts {
    let (_world, _, many, _) = chain(n);
    let (first, last) = (&many[0], &many[many.len() - 1]);
    counted(|| assert!(first.always_depend_on(last).is_err()))
}

fn add_edges_along_a_chain(n: u32) -> Counts {
    let (_world, _, many, _) = caches(n);
    counted(|| many.windows(2).for_each(|pair| pair[1].always_depend_on(&pair[0]).expect("no circle")))
}

fn add_edges_along_a_chain_backward(n: u32) -> Counts {
    let (_world, _, many, _) = caches(n);
    counted(|| many.windows(2).for_each(|pair| pair[0].always_depend_on(&pair[1]).expect("no circle")))
}

fn stop_depending_on_each(n: u32) -> Counts {
    let (_world, _, many, one) = caches(n);
    many.iter().for_each(|other| one.always_depend_on(other).expect("no circle"));
    counted(|| assert!(many.iter().all(|other| one.stop_depending_on(other))))
}

fn invalidate_one_that_depends_on_many(n: u32) -> Counts {
    let (mut world, _, _many, one) = fan(n);
    counted(|| {
        let gone = one.clone();
        let call = world.call(async move { gone.invalidate().await.is_ok() });
        world.assert_over(&[call]);
    })
}

fn drop_one_that_depends_on_many(n: u32) -> Counts {
    let (_world, _, many, one) = fan(n);
    counted(|| {
        drop(many);
        drop(one);
    })
}

fn drop_a_chain(n: u32) -> Counts {
    let (_world, _, many, _) = chain(n);
    counted(|| many.into_iter().for_each(drop))
}

fn wishes_for_many(n: u32) -> Counts {
    let (mut world, _, many, one) = caches(n);
    many.iter().for_each(|other| one.depend_until_flushed_on(other).expect("no circle"));
    counted(|| {
        let flush = world.flush(&one);
        world.assert_over(&[flush]);
    })
}
