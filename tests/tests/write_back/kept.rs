//! What the edges between caches keep alive, and for how long.

use super::*;

on_every_runtime! {
    d84_an_edge_keeps_the_other_caches_data
    d84_another_cache_panics_as_it_goes
    d84_two_that_depended_on_each_other_in_turn_are_freed
    d84_a_ring_in_turn_is_freed
    d84_what_was_flushed_is_not_kept_by_new_edges
}

/// D84.
fn d84_an_edge_keeps_the_other_caches_data<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 11);
    sim.write(&b, 5, 55);
    a.depend_on(&b).expect("no circle");
    drop(b);
    assert_eq!(other.lost(), Vec::<Vec<u32>>::new());
    sim.flush(&a);
    assert_eq!(disk.log(), ["0 b5=55", "0 a1=11"]);
    // If the cache that depends on it is dropped first, the changes of both are lost, and each back end is told once.
    let (other, b) = beside::<R>(&sim, &disk, "b");
    sim.write(&a, 1, 12);
    sim.write(&b, 5, 56);
    a.depend_on(&b).expect("no circle");
    drop(b);
    drop(a);
    drop(sim);
    assert_eq!((disk.lost(), other.lost()), (vec![vec![1]], vec![vec![5]]));
}

/// D84: whatever happens as the other caches go, each back end is told. (P5, P16)
fn d84_another_cache_panics_as_it_goes<R: Host>() {
    use larder::{Backend, LocalBoxIo};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Counts what is lost, and panics.
    struct Bad(Rc<Cell<usize>>);

    impl Backend<u32> for Bad {
        type Value = V;
        type Error = Boom;
        type Load = LocalBoxIo<Result<V, Boom>>;
        type Flush = LocalBoxIo<Result<(), Boom>>;
        type Discard = LocalBoxIo<()>;

        fn load(&self, key: u32) -> Self::Load {
            Box::pin(core::future::ready(Ok(V::new(key))))
        }

        fn flush(&self, key: u32, _: V) -> Self::Flush {
            Box::pin(core::future::ready(Err(Boom(key))))
        }

        fn discard(&self, _: u32, _: V) -> Self::Discard {
            Box::pin(core::future::ready(()))
        }

        fn lost(&self, _: Vec<u32>) {
            self.0.set(self.0.get() + 1);
            std::panic::panic_any(Bang(7));
        }
    }

    for is_bad_itself in [false, true] {
        let sim = Sim::new();
        let (disk, told) = (Disk::new(&sim.time, "a"), Rc::new(Cell::new(0)));
        let bad = || -> Pages<R> {
            let pages = WriteBack::builder(R::on(sim.clock()), Bad(told.clone())).build().expect("valid");
            wakers::now(pages.get_or_load(&1)).expect("it is loaded").set(V::new(2));
            pages
        };
        let a = if is_bad_itself { bad() } else { pages::<R>(&sim, &disk, |p| p) };
        if !is_bad_itself {
            wakers::now(a.get_or_load(&1)).expect("it is loaded").set(V::new(2));
        }
        (0..3).for_each(|_| a.depend_on(&bad()).expect("no circle"));
        let gone = catch_unwind(AssertUnwindSafe(|| drop(a)));
        assert!(gone.is_err_and(|panic| panic.is::<Bang>()));
        let own = if is_bad_itself { vec![] } else { vec![vec![1]] };
        assert_eq!((disk.lost(), told.get()), (own, 3 + usize::from(is_bad_itself)));
    }
}

/// D84: two caches must not keep each other alive.
fn d84_two_that_depended_on_each_other_in_turn_are_freed<R: Host>() {
    for order in 0..4 {
        let (mut sim, disk, a) = start::<R>(10);
        let (other, b) = beside::<R>(&sim, &disk, "b");
        for pages in [&a, &b] {
            sim.write(pages, 1, 1);
        }
        a.depend_on(&b).expect("no circle");
        sim.flush(&b);
        b.depend_on(&a).expect("no circle");
        if order % 2 == 0 {
            sim.flush(&a);
        }
        sim.write(&b, 2, 2);
        drop(sim);
        if order < 2 {
            drop(a);
            drop(b);
        } else {
            drop(b);
            drop(a);
        }
        let lost = if order % 2 == 0 { vec![] } else { vec![vec![1]] };
        assert_eq!((disk.lost(), other.lost()), (lost, vec![vec![2]]), "{order}");
    }
}

/// D84.
fn d84_a_ring_in_turn_is_freed<R: Host>() {
    for first in 0..3 {
        let (mut sim, disk, a) = start::<R>(10);
        let mut ring = vec![(disk.clone(), a)];
        ring.extend(["b", "c"].map(|name| beside::<R>(&sim, &disk, name)));
        for nth in 0..3 {
            let (from, to) = (&ring[nth].1, &ring[(nth + 1) % 3].1);
            sim.write(to, 1, 1);
            from.depend_on(to).expect("no circle");
            if nth < 2 {
                sim.flush(to);
            }
        }
        let disks: Vec<_> = ring.iter().map(|(disk, _)| disk.clone()).collect();
        drop(sim);
        ring.rotate_left(first);
        drop(ring);
        let lost: usize = disks.iter().map(|disk| disk.lost().len()).sum();
        assert_eq!(lost, 1, "{first}");
    }
}

/// D84: a satisfied edge keeps nothing alive, though the cache that has it is never flushed itself. (P2)
fn d84_what_was_flushed_is_not_kept_by_new_edges<R: Host>() {
    let (mut sim, disk, a) = start::<R>(10);
    let mut disks = Vec::new();
    for _ in 0..5 {
        let (other, b) = beside::<R>(&sim, &disk, "b");
        sim.write(&b, 5, 1);
        a.depend_on(&b).expect("no circle");
        sim.flush(&b);
        sim.write(&b, 6, 1);
        disks.push(other);
    }
    let lost: Vec<_> = disks.iter().map(|disk| disk.lost().len()).collect();
    assert_eq!(lost, [1; 5], "each at once");
}
