//! Values whose drops panic, and values that must not be dropped under a lock.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{Cache, Loaded, ManualClock, Ttl};
use larder_tests::*;

on_every_runtime! {
    p5_many_drops_panic
}

std::thread_local! {
    static MINES: Cell<u32> = const { Cell::new(0) };
}

/// P5: values whose drops all panic: the first panic goes out, nothing aborts, and all that leave are dropped.
fn p5_many_drops_panic<R: Host>() {
    type Act<R> = fn(Cache<u32, Mine, Boom, R>);
    let acts: [Act<R>; 9] = [
        |cache| cache.clear(),
        |cache| cache.set_capacity(0),
        |cache| cache.retain(|_, _| false),
        |cache| assert!(cache.iter().count() > 0),
        |cache| _ = cache.remove_if(|_| true),
        |cache| _ = cache.insert_with(100, Loaded::new(Mine::new()).weight(100)),
        |cache| _ = wakers::now(cache.lookup(&100).by(|| async { Ok(Loaded::new(Mine::new()).weight(100)) })),
        |cache| {
            cache.expire_all();
            cache.sweep();
        },
        drop,
    ];
    for (at, act) in acts.into_iter().enumerate() {
        for (shards, is_heard, is_fixed) in (0..8).map(|set| (1 + set % 2 * 3, set & 2 > 0, set & 4 > 0)) {
            let sim = Sim::new();
            let builder = Cache::builder(R::on(sim.clock())).capacity(100).shards(shards);
            let builder = if is_heard { builder.listener(|_: &u32, _: &Mine, _| {}) } else { builder };
            let builder = if is_fixed { builder.preallocate(400) } else { builder };
            let cache = builder.build().expect("valid");
            (0..100).for_each(|key| _ = cache.insert(key, Mine::new()));
            assert_eq!(MINES.get(), 100);
            arm("mine", 0);
            let handle = cache.clone();
            let call = if at == 8 {
                drop(handle);
                catch_unwind(AssertUnwindSafe(|| act(cache)))
            } else {
                let call = catch_unwind(AssertUnwindSafe(|| act(handle)));
                calm();
                cache.clear();
                call
            };
            calm();
            assert!(call.is_err(), "{at}");
            assert_eq!(MINES.get(), 0, "{at}");
        }
    }
}

/// A value whose drop panics each time.
struct Mine;

impl Mine {
    fn new() -> Self {
        MINES.set(MINES.get() + 1);
        Self
    }
}

impl Clone for Mine {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        MINES.set(MINES.get() - 1);
        if is_armed("mine") {
            std::panic::panic_any(Bang(17));
        }
    }
}

/// D44: wherever the clone of a key panics, no value is dropped under the lock.
#[test]
fn d44_a_clone_of_a_key_panics_as_an_answer_comes_for_one_caller() {
    type Looking = Cache<Name, Looks, Boom, Counted>;

    #[derive(PartialEq, Eq, Hash)]
    struct Name(u32);

    impl Clone for Name {
        fn clone(&self) -> Self {
            strike("name");
            Self(self.0)
        }
    }

    /// Its drop looks into the cache, which panics under the lock.
    #[derive(Clone)]
    struct Looks(Rc<RefCell<Option<Looking>>>, Rc<Cell<u32>>);

    impl Drop for Looks {
        fn drop(&mut self) {
            let look = || self.0.borrow().as_ref().map(|cache| cache.contains(&Name(1)));
            let failed = catch_unwind(AssertUnwindSafe(look)).is_err();
            self.1.set(self.1.get() + u32::from(failed));
        }
    }

    let mut unwound = 0;
    for passes in 0..10 {
        let (held, failed) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(0)));
        let cache = Looking::builder(Counted::new(ManualClock::new())).shards(1).build().expect("valid");
        held.replace(Some(cache.clone()));
        let brings = Looks(held.clone(), failed.clone());
        let load = move || async move { Ok(Loaded::new(brings).ttl(Ttl::private(ms(100)))) };
        let mut call = Box::pin(cache.lookup(&Name(7)).by(load));
        arm("name", passes);
        unwound += u32::from(catch_unwind(AssertUnwindSafe(|| _ = wakers::poll_once(&mut call))).is_err());
        calm();
        drop(call);
        assert_eq!(failed.get(), 0, "{passes}");
        held.take();
        assert_clean(&cache.stats());
    }
    assert!(unwound > 1);
}
