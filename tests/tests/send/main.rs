//! What may cross threads, and what may not, as decided by the compiler.

use core::{future::Ready, task::Poll};

use larder::{
    BoxError, BoxIo, Cache, LazySlot, Load, LoadError, Loaded, LookupOptions, ManualClock, Refresh, SlotRefresh,
    Standard, Watcher,
    futures::{Changed, LookupMany},
    parts::*,
};
use larder_tests::{Arc, Duration, Future, Pin, Rc};

/// Whether a type has an auto trait, as a value: the inherent constant wins where its bound holds.
macro_rules! has {
    ($type:ty: $trait:ident) => {{
        struct Probe<T: ?Sized>(core::marker::PhantomData<T>);
        #[allow(dead_code)]
        trait No {
            const HAS: bool = false;
        }
        impl<T: ?Sized> No for Probe<T> {}
        #[allow(dead_code)]
        impl<T: ?Sized + $trait> Probe<T> {
            const HAS: bool = true;
        }
        <Probe<$type>>::HAS
    }};
}

/// Whether a value is `Send`, in the same way.
macro_rules! sends {
    ($value:expr) => {{
        struct Probe<T>(#[allow(dead_code)] T);
        #[allow(dead_code)]
        trait No {
            fn sends(&self) -> bool {
                false
            }
        }
        impl<T> No for Probe<T> {}
        #[allow(dead_code)]
        impl<T: Send> Probe<T> {
            fn sends(&self) -> bool {
                true
            }
        }
        Probe($value).sends()
    }};
}

mod write_back;

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_sync<T: Sync>(value: T) -> T {
    value
}

/// A loader of many values that stay on their thread; the loader itself may be on any thread.
struct Many;

impl larder::LoadMany<u32> for Many {
    type Value = Rc<str>;
    type Error = ();
    type Answers = Vec<(u32, Result<Loaded<Rc<str>>, ()>)>;
    type Future = BoxIo<Result<Self::Answers, ()>>;

    fn load_many(&self, _: Vec<u32>) -> Self::Future {
        Box::pin(async { Err(()) })
    }
}

/// A loader of values of one type.
struct Makes<V>(core::marker::PhantomData<fn() -> V>);

impl<V: Clone + Default> Load<u32> for Makes<V> {
    type Value = V;
    type Error = ();
    type Future = Ready<Result<Loaded<V>, ()>>;

    fn load(&self, _: u32) -> Self::Future {
        core::future::ready(Ok(Loaded::new(V::default())))
    }
}

type Crossing<R> = Cache<u32, Arc<str>, (), R>;
type Staying<R> = Cache<u32, Rc<str>, (), R>;

type LookupOfMany<'a, V, R> = LookupMany<'a, Cache<u32, V, (), R>, u32>;

type Refreshing<V> = Refresh<u32, V, (), Std<ManualClock>, Standard>;

/// C84: with a real lock a cache of `Send` things is `Send + Sync`, whichever lock. (P15)
#[test]
fn c84_a_cache_behind_a_lock_crosses_threads() {
    assert!(has!(Crossing<Std<ManualClock>>: Send) && has!(Crossing<Std<ManualClock>>: Sync));
    assert!(has!(Crossing<Spin<ManualClock>>: Send) && has!(Crossing<Spin<ManualClock>>: Sync));
    assert!(has!(Refreshing<Arc<str>>: Send));
    assert!(has!(Cache<String, Arc<str>, (), Std<ManualClock>>: Sync));
}

/// C84: with a `RefCell`, or with values of one thread, it is neither.
#[test]
fn c84_a_local_cache_stays() {
    assert!(!has!(Crossing<Local<ManualClock>>: Send) && !has!(Crossing<Local<ManualClock>>: Sync));
    assert!(!has!(Staying<Std<ManualClock>>: Send) && !has!(Staying<Std<ManualClock>>: Sync));
    assert!(!has!(Staying<Local<ManualClock>>: Send) && !has!(Staying<Local<ManualClock>>: Sync));
    assert!(!has!(Refreshing<Rc<str>>: Send));
    assert!(has!(LookupOfMany<'_, Arc<str>, Std<ManualClock>>: Send));
    let staying = Cache::builder(Std::new(ManualClock::new())).many_loader(Many).build().expect("valid");
    let local = Cache::builder(Local::new(ManualClock::new())).loader(Makes::<Arc<str>>(core::marker::PhantomData));
    assert!(!sends!(staying.get_many(&[1])) && !sends!(local.build().expect("valid").get_many(&[1])));
    assert!(!has!(LookupOfMany<'_, Arc<str>, Local<ManualClock>>: Send));
    assert!(!has!(LookupOfMany<'_, Rc<str>, Std<ManualClock>>: Send));
}

/// C84: a call that brings a load of many keys is `Send` if its closure is; here the load itself always is.
#[test]
fn c84_a_call_by_a_closure_goes_where_that_may_go() {
    type Answers = Result<Vec<(u32, Arc<str>)>, ()>;
    type Crosses = Pin<Box<dyn Future<Output = Answers> + Send>>;
    let cache: Crossing<Std<ManualClock>> = Cache::builder(Std::new(ManualClock::new())).build().expect("valid");
    let load = |_: Vec<u32>| -> Crosses { Box::pin(core::future::ready(Ok(Vec::new()))) };
    assert!(sends!(cache.get_many_or_load(&[1], load)));
    let own: Box<dyn Fn(Vec<u32>) -> Crosses> = Box::new(load);
    assert!(!sends!(cache.get_many_or_load(&[1], own)));
}

/// C84: the futures of every call are `Send` behind a lock, and so are futures made of them.
#[test]
fn c84_futures_cross_threads() {
    let clock = ManualClock::new();
    let cache = Cache::builder(Std::new(clock.clone())).load_fn(|key: u32| async move { Ok::<_, ()>(key) });
    let cache = is_sync(is_send(cache.build().expect("valid")));
    drop(is_send(cache.get(&1)));
    drop(is_send(cache.lookup(&1)));
    drop(is_send(cache.get_stale(&1)));
    drop(is_send(cache.lookup(&1).stale()));
    drop(is_send(cache.get_with(&1, || async { Ok::<_, ()>(1) })));
    drop(is_send(cache.get_many(&[1])));
    drop(is_send(cache.lookup_many(&[1])));
    let load = |keys: Vec<u32>| async { Ok::<_, ()>(keys.into_iter().map(|key| (key, key))) };
    drop(is_send(cache.get_many_or_load(&[1], load)));
    let load = |keys: Vec<u32>| async { Ok::<_, ()>(keys.into_iter().map(|key| (key, Ok(Loaded::new(key))))) };
    drop(is_send(cache.lookup_many(&[1]).by(load)));
    let own = cache.clone();
    drop(is_send(async move { own.get(&1).await }));
    let own = cache.clone();
    drop(is_send(async move { own.get_many(&[1, 2]).await }));

    let batched = Cache::builder(Std::new(clock.clone()))
        .load_many_fn(|keys: Vec<u32>| async { Ok::<_, ()>(keys.into_iter().map(|key| (key, key))) });
    let batched = is_sync(is_send(batched.build().expect("valid")));
    drop(is_send(batched.get(&1)));
    drop(is_send(batched.get_many(&[1])));
    drop(is_send(async move { batched.get_many(&[1, 2]).await }));

    let per_call = Cache::<_, u32, (), _>::builder(Std::new(clock)).build().expect("valid");
    let per_call = is_sync(is_send(per_call));
    let key: u32 = 1;
    drop(is_send(per_call.get_or_load(&key, || async { Ok::<_, ()>(1) })));
    let options = LookupOptions::new().ttl(Duration::from_secs(1));
    drop(is_send(per_call.lookup(&key).options(options).by(|| async { Ok::<_, ()>(Loaded::new(1)) })));
}

/// C84: a single-thread cache holds `Rc` values, and its loads may be bound to the thread.
#[test]
fn c84_a_local_cache_holds_what_cannot_cross() {
    let shared = Rc::new(5);
    let counter = shared.clone();
    let cache = Cache::builder(Local::new(ManualClock::new()))
        .load_fn(move |_: u32| {
            let counter = counter.clone();
            async move { Ok::<Rc<i32>, Rc<()>>(counter) }
        })
        .build()
        .expect("valid");
    let value = larder_tests::wakers::now(cache.get(&1));
    assert!(value.is_ok_and(|value| Rc::ptr_eq(&value, &shared)));
    let per_call = Cache::<_, Rc<i32>, (), _>::builder(Local::new(ManualClock::new()));
    let per_call = per_call.build().expect("valid");
    let own = shared.clone();
    let value = larder_tests::wakers::now(per_call.get_or_load(&1_u32, async move || Ok::<_, ()>(own)));
    assert!(value.is_ok_and(|value| Rc::ptr_eq(&value, &shared)));
}

type SlotOf<V, R> = LazySlot<V, (), R>;
type Fetching<V> = SlotRefresh<V, (), Std<ManualClock>>;

/// C84: with a real lock a slot of `Send` things is `Send + Sync`, and its watchers and refreshes are `Send`. (P15)
#[test]
fn c84_a_slot_behind_a_lock_crosses_threads() {
    assert!(has!(SlotOf<Arc<str>, Std<ManualClock>>: Send) && has!(SlotOf<Arc<str>, Std<ManualClock>>: Sync));
    assert!(has!(SlotOf<Arc<str>, Spin<ManualClock>>: Send) && has!(SlotOf<Arc<str>, Spin<ManualClock>>: Sync));
    assert!(has!(Fetching<Arc<str>>: Send));
    assert!(has!(Watcher<Std<ManualClock>>: Send) && has!(Watcher<Std<ManualClock>>: Sync));
    assert!(has!(Changed<'_, Std<ManualClock>>: Send));
}

/// C84: with a `RefCell`, or with values of one thread, it is neither; a watcher holds no value of the slot.
#[test]
fn c84_a_local_slot_stays() {
    assert!(!has!(SlotOf<Arc<str>, Local<ManualClock>>: Send) && !has!(SlotOf<Arc<str>, Local<ManualClock>>: Sync));
    assert!(!has!(SlotOf<Rc<str>, Std<ManualClock>>: Send) && !has!(SlotOf<Rc<str>, Std<ManualClock>>: Sync));
    assert!(!has!(Fetching<Rc<str>>: Send));
    assert!(has!(Watcher<Local<ManualClock>>: Send));
}

/// C84: the futures of every call of a slot are `Send` behind a lock, and so is the task that keeps it fresh.
#[test]
fn c84_futures_of_a_slot_cross_threads() {
    let clock = ManualClock::new();
    let slot = LazySlot::builder(Std::new(clock.clone())).fetch_fn(|_| async { Ok::<_, ()>(Loaded::new(1)) });
    let slot = is_sync(is_send(slot.build().expect("valid")));
    let options = LookupOptions::new();
    drop((is_send(slot.get()), is_send(slot.lookup(options)), is_send(slot.refresh())));
    drop((is_send(slot.get_stale()), is_send(slot.lookup_stale(options))));
    drop(is_send(slot.lookup_with(options, |_| async { Ok::<_, ()>(1) })));
    drop((is_send(slot.keep_fresh()), is_send(slot.watch())));
    let own = slot.clone();
    drop(is_send(async move { own.get().await }));
    drop(is_send(async move { slot.watch().changed().await }));
    let bare = LazySlot::<u32, (), _>::builder(Std::new(clock)).build().expect("valid");
    drop(is_send(bare.get_or_fetch(|_| async { Ok(1) })));
    drop(is_send(bare.lookup_or_fetch(options, |_| async { Ok(1) })));
    drop(is_send(bare.stale_or_fetch(options, |_| async { Ok(1) })));
    drop(is_send(async move { bare.get_or_fetch(|_| async { Ok(1) }).await }));
}

/// C84: a slot of one thread holds `Rc` values, with fetches that must not leave it.
#[test]
fn c84_a_local_slot_holds_what_cannot_cross() {
    let shared = Rc::new(5);
    let own = shared.clone();
    let slot = LazySlot::builder(Local::new(ManualClock::new()))
        .fetch_fn(move |_| {
            let own = own.clone();
            async move { Ok::<_, Rc<()>>(Loaded::new(own)) }
        })
        .build()
        .expect("valid");
    assert!(larder_tests::wakers::now(slot.get()).is_ok_and(|value| Rc::ptr_eq(&value, &shared)));
    let bare = LazySlot::<Rc<i32>, (), _>::builder(Local::new(ManualClock::new())).build().expect("valid");
    let own = shared.clone();
    let value = larder_tests::wakers::now(bare.get_or_fetch(|_| async move { Ok(own) }));
    assert!(value.is_ok_and(|value| Rc::ptr_eq(&value, &shared)));
}

/// The futures of calls are small enough to be kept by the thousand; any growth must be examined. (P14)
#[test]
fn sizes() {
    let clock = ManualClock::new();
    let load = |key: u32| core::future::ready(Ok::<u32, ()>(key));
    let cache = Cache::builder(Std::new(clock)).load_fn(load).build().expect("valid");
    // A waiter in place: its seat and deadlines, its place among the wakers, a sleep of the clock (40 bytes here).
    let get = size_of_val(&cache.get(&1));
    assert!(get <= 208, "the future of `get` has {get} bytes");
    // The same with the options of the call, as given and merged with those of the cache.
    let lookup = size_of_val(&cache.lookup(&1));
    assert!(lookup <= 312, "the future of `lookup` has {lookup} bytes");
    // The result of a lookup of a word is returned in two registers.
    assert_eq!(size_of::<Poll<Result<u64, LoadError<BoxError>>>>(), 2 * size_of::<u64>());
    // A cache is a handle.
    assert_eq!(size_of_val(&cache), size_of::<usize>());
}
