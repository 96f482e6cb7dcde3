//! Weak handles: what a cache owns may use it, and nothing keeps itself alive.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{
    Backend, Cache, ConfigError, LazySlot, Loaded, LocalBoxIo, OnTimeout, RemovalCause, Ttl, WeakCache, WeakWriteBack,
    WriteBack, parts::Memory,
};
use larder_tests::*;

on_every_runtime! {
    d106_nothing_keeps_itself_alive
    d106_a_loader_and_a_listener_use_their_cache
    d106_a_load_that_holds_its_cache
    d106_what_is_refused
    d106_a_setup_that_panics
    d106_slots
    d106_write_back_caches
    d106_a_back_end_uses_its_cache
    d106_what_is_refused_of_write_back_caches
}

type Numbers<R> = Cache<u32, V, Boom, R>;

/// What a closure owns: a weak handle, and something that is counted.
struct Own<R: Host>(WeakCache<u32, V, Boom, R>, Rc<()>);

impl<R: Host> Clone for Own<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone())
    }
}

impl<R: Host> Own<R> {
    fn is_alive(&self) -> bool {
        self.0.upgrade().is_some() && Rc::strong_count(&self.1) > 1
    }
}

/// D106: with the last handle everything is dropped, also what holds the cache weakly, stored values and loads.
fn d106_nothing_keeps_itself_alive<R: Host>() {
    let mut sim = Sim::new();
    let owned = Rc::new(());
    let own = |weak: &WeakCache<u32, V, Boom, R>| Own(weak.clone(), owned.clone());
    let cache = Numbers::<R>::builder(R::on(sim.clock()))
        .stale_while_refresh(ms(100))
        .build_cyclic(|builder, weak| {
            assert!(weak.upgrade().is_none(), "it is not built yet");
            let (load, weigh, expire, hear) = (own(weak), own(weak), own(weak), own(weak));
            builder
                .load_fn(move |key| {
                    let own = load.clone();
                    async move {
                        core::future::pending::<()>().await;
                        drop(own);
                        Ok(V::new(key))
                    }
                })
                .weigher(move |_, _| u64::from(weigh.is_alive()))
                .expire_after(move |_, _| if expire.is_alive() { Ttl::For(ms(100)) } else { Ttl::Forever })
                .listener(move |_, _, _| assert!(hear.is_alive()))
        })
        .expect("valid");
    let value = V::new(5);
    cache.insert(1, V::new(1));
    cache.insert(5, value.clone());
    cache.insert(2, V::new(2));
    cache.remove(&2);
    let waits = sim.get(&cache, 3);
    sim.to(150);
    let stale = sim.stale(&cache, 1);
    let refresh = sim.refresh(stale);
    assert_eq!(Rc::strong_count(&owned), 7, "four closures and two loads");
    let weak = cache.downgrade();
    let another = weak.upgrade().expect("it has a handle");
    drop(cache);
    assert!(weak.upgrade().is_some_and(|cache| cache.peek(&1).is_some()));
    drop(another);
    assert!(weak.upgrade().is_some(), "a caller and a ticket have their own");
    sim.drop(waits);
    sim.drop(refresh);
    assert!(weak.upgrade().is_none());
    assert_eq!((Rc::strong_count(&owned), Rc::strong_count(&value)), (1, 1));
    assert!(format!("{weak:?}").contains("false"));
}

/// D106, D66: a load asks for another key, and a listener writes.
fn d106_a_loader_and_a_listener_use_their_cache<R: Host>() {
    let mut sim = Sim::new();
    let cache = Numbers::<R>::builder(R::on(sim.clock()))
        .build_cyclic(|builder, weak| {
            let (load, hear) = (weak.clone(), weak.clone());
            let load = move |key: u32| {
                let weak = load.clone();
                async move {
                    let Some(below) = key.checked_sub(1) else { return Ok(V::new(0)) };
                    let cache = weak.upgrade().expect("a caller asks");
                    cache.get(&below).await.map(|value| V::new(*value + key)).map_err(|_| Boom(key))
                }
            };
            builder.load_fn(load).listener(move |key, value, cause| {
                let cache = hear.upgrade().expect("a caller removes");
                if cause == RemovalCause::Removed && *key < 100 {
                    cache.insert(*key + 100, value.clone());
                }
            })
        })
        .expect("valid");
    let sum = sim.get(&cache, 4);
    assert_eq!(sim.saw(sum), "0: V10 Miss");
    cache.remove(&4);
    assert_eq!(cache.get_if_present(&104), Some(V::new(10)));
    let weak = cache.downgrade();
    drop(cache);
    assert!(weak.upgrade().is_none());
}

/// D106: a load that holds an upgraded handle keeps the cache as long as a caller waits for the load, and no longer.
fn d106_a_load_that_holds_its_cache<R: Host>() {
    let mut sim = Sim::new();
    let time = sim.time.clone();
    let cache = Numbers::<R>::builder(R::on(sim.clock()))
        .build_cyclic(|builder, weak| {
            let weak = weak.clone();
            builder.load_fn(move |key| {
                let (cache, time) = (weak.upgrade(), time.clone());
                async move {
                    sleep(&time, 50).await;
                    cache.map(|cache| cache.insert(key + 1, V::new(key)));
                    Ok(V::new(key))
                }
            })
        })
        .expect("valid");
    let weak = cache.downgrade();
    let (gone, waits) = (sim.get(&cache, 1), sim.get(&cache, 7));
    drop(cache);
    sim.drop(gone);
    sim.to(40);
    assert!(weak.upgrade().is_some_and(|cache| cache.stats().loads_in_flight == 1));
    sim.to(50);
    assert_eq!(sim.saw(waits), "50: V7 Miss");
    assert!(weak.upgrade().is_none());
}

/// D87: settings within the closure count like earlier ones, and errors name them alike; nothing of it stays.
fn d106_what_is_refused<R: Host>() {
    let sim = Sim::new();
    let owned = Rc::new(());
    let builder = || Numbers::<R>::builder(R::on(sim.clock())).lock_timeout(ms(10), OnTimeout::Stale);
    let kept = Cell::new(None);
    let refused = builder().build_cyclic(|builder, weak| {
        let own = (weak.clone(), owned.clone());
        kept.set(Some(weak.clone()));
        builder.load_fn(move |key| {
            let own = own.clone();
            async move {
                drop(own);
                Ok(V::new(key))
            }
        })
    });
    assert_eq!(refused.err(), Some(ConfigError::LockTimeout));
    assert_eq!(Rc::strong_count(&owned), 1);
    assert!(kept.take().is_some_and(|weak| weak.upgrade().is_none()));
    let built = builder().build_cyclic(|builder, _| builder.stale_while_refresh(ms(10)).capacity(7).hash_seed(1));
    assert_eq!(built.expect("valid").capacity(), 7);
}

/// P5.
fn d106_a_setup_that_panics<R: Host>() {
    let sim = Sim::new();
    let builder = Numbers::<R>::builder(R::on(sim.clock()));
    let mut kept = None;
    let build = AssertUnwindSafe(|| {
        builder.build_cyclic(|_, weak| {
            kept = Some(weak.clone());
            std::panic::panic_any(Bang(1))
        })
    });
    assert!(catch_unwind(build).is_err_and(|panic| panic.is::<Bang>()));
    assert!(kept.is_some_and(|weak| weak.upgrade().is_none()));
}

/// D106: the same for slots: a fetch may write its slot, and refused settings have the slot's names.
fn d106_slots<R: Host>() {
    let mut sim = Sim::new();
    let owned = Rc::new(());
    let build = |share| {
        LazySlot::<V, Boom, R>::builder(R::on(sim.clock())).build_cyclic(|builder, weak| {
            let (weak, owned) = (weak.clone(), owned.clone());
            let builder = builder.fetch_fn(move |_| {
                let (slot, owned) = (weak.upgrade(), owned.clone());
                async move {
                    slot.expect("a caller asks").set(V::new(9));
                    drop(owned);
                    Ok(Loaded::new(V::new(1)))
                }
            });
            builder.jitter(share, 7)
        })
    };
    assert_eq!(build(1.5).err(), Some(ConfigError::SlotJitter));
    let slot = build(0.5).expect("valid");
    let weak = slot.downgrade();
    let own = slot.clone();
    let get = sim.call(async move { own.get().await });
    assert_eq!(sim.saw(get), "0: V9", "what was set is newer than what was fetched");
    drop(weak.upgrade());
    drop(slot);
    assert!(weak.upgrade().is_none());
    assert_eq!(Rc::strong_count(&owned), 1);
}

/// D106, D84: a pinned entry keeps its cache, a weak handle does not.
fn d106_write_back_caches<R: Host>() {
    let mut sim = Sim::new();
    let disk = Memory::from([(1, 10)]);
    let Ok(pages) = WriteBack::builder(R::on(sim.clock()), disk).build() else { panic!("valid") };
    let weak = pages.downgrade();
    let (own, kept) = (pages.clone(), Rc::new(RefCell::new(None)));
    let keeps = kept.clone();
    sim.call(async move {
        *keeps.borrow_mut() = own.get_or_load(&1).await.ok();
        Ok::<_, larder::LoadError<Boom>>(V::new(0))
    });
    drop(pages);
    assert!(weak.clone().upgrade().is_some_and(|pages| pages.len() == 1));
    kept.take();
    assert!(weak.upgrade().is_none());
}

/// A back end whose entries are each made of the one below, of which it asks its own cache.
struct Linked<R: Host> {
    pages: WeakWriteBack<u32, u32, Boom, R>,
    lost: Rc<RefCell<Vec<u32>>>,
}

impl<R: Host> Backend<u32> for Linked<R> {
    type Value = u32;
    type Error = Boom;
    type Load = LocalBoxIo<Result<u32, Boom>>;
    type Flush = core::future::Ready<Result<(), Boom>>;
    type Discard = core::future::Ready<()>;

    fn load(&self, key: u32) -> Self::Load {
        let pages = self.pages.upgrade();
        Box::pin(async move {
            let Some(below) = key.checked_sub(1) else { return Ok(0) };
            let below = pages.ok_or(Boom(1))?.get_or_load(&below).await.map_err(|_| Boom(2))?;
            Ok(below.value() + key)
        })
    }

    fn flush(&self, key: u32, _: u32) -> Self::Flush {
        core::future::ready(if key == 4 { Err(Boom(4)) } else { Ok(()) })
    }

    fn discard(&self, _: u32, _: u32) -> Self::Discard {
        core::future::ready(())
    }

    fn lost(&self, mut keys: Vec<u32>) {
        assert!(self.pages.upgrade().is_none());
        keys.sort_unstable();
        self.lost.borrow_mut().append(&mut keys);
    }
}

/// D106: a back end uses its own cache, which goes with its last handle all the same, and tells what is lost.
fn d106_a_back_end_uses_its_cache<R: Host>() {
    let sim = Sim::new();
    let lost = Rc::new(RefCell::new(Vec::new()));
    let pages = WriteBack::build_cyclic(|weak| {
        assert!(weak.upgrade().is_none(), "it is not built yet");
        let backend = Linked { pages: weak.clone(), lost: lost.clone() };
        WriteBack::builder(R::on(sim.clock()), backend).name("linked").capacity(8)
    });
    let Ok(pages) = pages else { panic!("valid") };
    let page = wakers::now(pages.get_or_load(&4)).expect("it is made of the others");
    assert_eq!((page.value(), pages.len(), pages.name()), (10, 5, "linked"));
    page.set(11);
    drop(page);
    wakers::now(pages.get_or_load(&2)).expect("it is there").set(1);
    assert!(wakers::now(pages.flush()).is_err());
    let weak = pages.downgrade();
    drop(pages);
    assert!(weak.upgrade().is_none());
    assert_eq!((&*lost.borrow(), Rc::strong_count(&lost)), (&vec![4], 1));
}

/// D106, D87: what is refused has the same names, and nothing of it stays.
fn d106_what_is_refused_of_write_back_caches<R: Host>() {
    let sim = Sim::new();
    let lost = Rc::new(RefCell::new(Vec::new()));
    let build = |capacity, limit| {
        WriteBack::build_cyclic(|weak| {
            let backend = Linked { pages: weak.clone(), lost: lost.clone() };
            WriteBack::builder(R::on(sim.clock()), backend).capacity(capacity).flush_limit(limit)
        })
        .map(drop)
    };
    assert_eq!(build(0, 1), Err(ConfigError::Capacity));
    assert_eq!(build(1, 0), Err(ConfigError::FlushLimit));
    assert_eq!(build(1, 1), Ok(()));
    assert_eq!((Rc::strong_count(&lost), lost.borrow().len()), (1, 0));
    let mut kept = None;
    let build = AssertUnwindSafe(|| {
        WriteBack::<u32, u32, Boom, R>::build_cyclic(|weak| {
            kept = Some(weak.clone());
            std::panic::panic_any(Bang(1))
        })
    });
    assert!(catch_unwind(build).is_err_and(|panic| panic.is::<Bang>()));
    assert!(kept.is_some_and(|weak| weak.upgrade().is_none()));
}
