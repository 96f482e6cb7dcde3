//! What may cross threads, and what may not, decided by the compiler.

use core::future::Ready;

use larder::{
    Backend, BoxIo, BoxLoader, Cache, DefaultHasher, DependError, Flush, FlushError, GetMany, GetManyWith, Load,
    Loaded, Loader, LocalBoxIo, LookupMany, LookupOptions, ManualClock, ManyThreads, OneThread, Pinned, Refresh, Room,
    WriteBack, WriteBackError, parts::*, policy::GatedFifo,
};
use larder_tests::{Arc, Boom, Duration, Future, Pin, Rc};

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

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_sync<T: Sync>(value: T) -> T {
    value
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

type Crossing<R> = Cache<u32, Loader<Makes<Arc<str>>>, R>;
type Staying<R> = Cache<u32, Loader<Makes<Rc<str>>>, R>;

type Many<'a, V, R> = GetMany<'a, u32, u32, Loader<Makes<V>>, R, GatedFifo, DefaultHasher>;
type LookupOfMany<'a, V, R> = LookupMany<'a, u32, u32, Loader<Makes<V>>, R, GatedFifo, DefaultHasher>;
type ManyWith<'a, C, F> = GetManyWith<
    'a,
    u32,
    u32,
    Loader<Makes<Arc<str>>>,
    Std<ManualClock>,
    GatedFifo,
    DefaultHasher,
    C,
    F,
    Vec<(u32, Arc<str>)>,
>;

type Refreshing<V> = Refresh<u32, Loader<Makes<V>>, Std<ManualClock>, GatedFifo, DefaultHasher>;

/// C84: with a real lock a cache of `Send` things is `Send + Sync`, whichever lock. (P15)
#[test]
fn c84_a_cache_behind_a_lock_crosses_threads() {
    assert!(has!(Crossing<Std<ManualClock>>: Send) && has!(Crossing<Std<ManualClock>>: Sync));
    assert!(has!(Crossing<Spin<ManualClock>>: Send) && has!(Crossing<Spin<ManualClock>>: Sync));
    assert!(has!(Refreshing<Arc<str>>: Send));
    assert!(has!(Cache<String, BoxLoader<String, Arc<str>, ()>, Std<ManualClock>>: Sync));
}

/// C84: with a `RefCell`, or with values of one thread, it is neither.
#[test]
fn c84_a_local_cache_stays() {
    assert!(!has!(Crossing<Local<ManualClock>>: Send) && !has!(Crossing<Local<ManualClock>>: Sync));
    assert!(!has!(Staying<Std<ManualClock>>: Send) && !has!(Staying<Std<ManualClock>>: Sync));
    assert!(!has!(Staying<Local<ManualClock>>: Send) && !has!(Staying<Local<ManualClock>>: Sync));
    assert!(!has!(Refreshing<Rc<str>>: Send));
    assert!(
        has!(Many<'_, Arc<str>, Std<ManualClock>>: Send) && has!(LookupOfMany<'_, Arc<str>, Std<ManualClock>>: Send)
    );
    assert!(!has!(Many<'_, Arc<str>, Local<ManualClock>>: Send) && !has!(Many<'_, Rc<str>, Std<ManualClock>>: Send));
    assert!(!has!(LookupOfMany<'_, Arc<str>, Local<ManualClock>>: Send));
    assert!(!has!(LookupOfMany<'_, Rc<str>, Std<ManualClock>>: Send));
}

/// C84: a load of many keys that stays with its call keeps it on its thread if it may not leave that.
#[test]
fn c84_a_call_by_a_closure_goes_where_its_load_may_go() {
    type Answers = Result<Vec<(u32, Arc<str>)>, ()>;
    type Crosses = Pin<Box<dyn Future<Output = Answers> + Send>>;
    type Stays = Pin<Box<dyn Future<Output = Answers>>>;
    assert!(has!(ManyWith<'_, fn(Vec<u32>) -> Crosses, Crosses>: Send));
    assert!(!has!(ManyWith<'_, fn(Vec<u32>) -> Stays, Stays>: Send));
    assert!(!has!(ManyWith<'_, Box<dyn Fn(Vec<u32>) -> Crosses>, Crosses>: Send));
}

/// C84: the futures of every call are `Send` behind a lock, and so are futures made of them.
#[test]
fn c84_futures_cross_threads() {
    let clock = ManualClock::new();
    let cache = Cache::builder(Std::new(clock.clone())).load_fn(|key: u32| async move { Ok::<_, ()>(key) });
    let cache = is_sync(is_send(cache.build().expect("valid")));
    drop(is_send(cache.get(&1)));
    drop(is_send(cache.lookup(&1, LookupOptions::new())));
    drop(is_send(cache.get_stale(&1)));
    drop(is_send(cache.lookup_stale(&1, LookupOptions::new())));
    drop(is_send(cache.get_with(&1, || async { Ok::<_, ()>(1) })));
    drop(is_sync(is_send(cache.get_many(&[1]))));
    drop(is_sync(is_send(cache.lookup_many(&[1], LookupOptions::new()))));
    let load = |keys: Vec<u32>| async { Ok::<_, ()>(keys.into_iter().map(|key| (key, key))) };
    drop(is_send(cache.get_many_with(&[1], load)));
    let load = |keys: Vec<u32>| async { Ok::<_, ()>(keys.into_iter().map(|key| (key, Ok(Loaded::new(key))))) };
    drop(is_send(cache.lookup_many_with(&[1], LookupOptions::new(), load)));
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

    let per_call = Cache::builder(Std::new(clock)).per_call::<u32, ()>().build().expect("valid");
    let per_call = is_sync(is_send(per_call));
    let key: u32 = 1;
    drop(is_send(per_call.get_or_load(&key, || async { Ok::<_, ()>(1) })));
    let options = LookupOptions::new().ttl(Duration::from_secs(1));
    drop(is_send(per_call.lookup_or_load(&key, options, || async { Ok::<_, ()>(Loaded::new(1)) })));
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
    let per_call = Cache::builder(Local::new(ManualClock::new())).local_per_call::<Rc<i32>, ()>();
    let per_call = per_call.build().expect("valid");
    let own = shared.clone();
    let value = larder_tests::wakers::now(per_call.get_or_load(&1_u32, async move || Ok::<_, ()>(own)));
    assert!(value.is_ok_and(|value| Rc::ptr_eq(&value, &shared)));
}

/// The futures of calls are small enough to be kept by the thousand; what grows must be looked at. (P14)
#[test]
fn sizes() {
    let clock = ManualClock::new();
    let load = |key: u32| core::future::ready(Ok::<u32, ()>(key));
    let cache = Cache::builder(Std::new(clock)).load_fn(load).build().expect("valid");
    // A waiter kept in place: its seat and deadlines, its place among the wakers, a sleep of the clock (40 bytes here).
    let get = size_of_val(&cache.get(&1));
    assert!(get <= 208, "the future of `get` has {get} bytes");
    // The same with the options of the call, as given and laid over those of the cache.
    let lookup = size_of_val(&cache.lookup(&1, LookupOptions::new()));
    assert!(lookup <= 312, "the future of `lookup` has {lookup} bytes");
    // A cache is a handle.
    assert_eq!(size_of_val(&cache), size_of::<usize>());
}

/// A back end whose values are of one type, and whose futures may go where `F` and `G` may.
struct Disk<V, F, G>(core::marker::PhantomData<fn() -> (V, F, G)>);

type AnyDisk<V> = Disk<V, BoxIo<Result<V, Boom>>, BoxIo<Result<(), Boom>>>;
type OwnDisk<V> = Disk<V, LocalBoxIo<Result<V, Boom>>, LocalBoxIo<Result<(), Boom>>>;

impl<V, F, G> Backend<u32> for Disk<V, F, G>
where
    V: Clone,
    F: Future<Output = Result<V, Boom>>,
    G: Future<Output = Result<(), Boom>>,
{
    type Value = V;
    type Error = Boom;
    type Load = F;
    type Flush = G;
    type Discard = Ready<()>;

    fn load(&self, _: u32) -> F {
        panic!("nothing is loaded here")
    }

    fn flush(&self, _: u32, _: V) -> G {
        panic!("nothing is flushed here")
    }

    fn discard(&self, _: u32, _: V) -> Self::Discard {
        core::future::ready(())
    }

    fn lost(&self, _: Vec<u32>) {}
}

const fn any_disk() -> AnyDisk<Arc<str>> {
    Disk(core::marker::PhantomData)
}

const fn own_disk() -> OwnDisk<Rc<str>> {
    Disk(core::marker::PhantomData)
}

type Written<B, R, D = ManyThreads> = WriteBack<u32, B, R, D>;

/// C84: a write-back cache behind a real lock crosses threads if all that it is made of does.
#[test]
fn c84_a_write_back_cache_behind_a_lock_crosses_threads() {
    type Crosses<R> = Written<AnyDisk<Arc<str>>, R>;
    assert!(has!(Crosses<Std<ManualClock>>: Send) && has!(Crosses<Std<ManualClock>>: Sync));
    assert!(has!(Crosses<Spin<ManualClock>>: Send) && has!(Crosses<Spin<ManualClock>>: Sync));
    assert!(has!(Pinned<u32, AnyDisk<Arc<str>>, Std<ManualClock>>: Send));
    assert!(has!(Pinned<u32, AnyDisk<Arc<str>>, Std<ManualClock>>: Sync));
    assert!(has!(Flush<u32, AnyDisk<Arc<str>>, Std<ManualClock>>: Send));
    // What goes wrong is told to other threads, too.
    assert!(has!(WriteBackError<u32, Boom>: Send) && has!(FlushError<u32, Boom>: Sync) && has!(DependError: Send));
}

/// C84: and stays on its thread if anything of it does.
#[test]
fn c84_a_local_write_back_cache_stays() {
    type Local1<V> = Written<AnyDisk<V>, Local<ManualClock>>;
    type Futures = Written<OwnDisk<Arc<str>>, Std<ManualClock>>;
    type Depends = Written<AnyDisk<Arc<str>>, Std<ManualClock>, OneThread>;
    type Values = Written<OwnDisk<Rc<str>>, Std<ManualClock>>;
    assert!(!has!(Local1<Arc<str>>: Send) && !has!(Local1<Arc<str>>: Sync));
    assert!(!has!(Futures: Send) && !has!(Futures: Sync));
    assert!(!has!(Values: Send) && !has!(Values: Sync));
    assert!(!has!(Depends: Send) && !has!(Depends: Sync));
    assert!(!has!(Pinned<u32, OwnDisk<Rc<str>>, Std<ManualClock>>: Send));
    assert!(!has!(Pinned<u32, AnyDisk<Arc<str>>, Local<ManualClock>>: Send));
    assert!(!has!(Flush<u32, AnyDisk<Arc<str>>, Local<ManualClock>>: Send));
}

/// C84: the futures of every call of a write-back cache are `Send` behind a lock, also those that flush other caches.
#[test]
fn c84_futures_of_a_write_back_cache_cross_threads() {
    let make = || {
        let builder = WriteBack::builder(Std::new(ManualClock::new()), any_disk());
        is_sync(is_send(builder.build().expect("valid")))
    };
    let (cache, other) = (make(), make());
    let value: Arc<str> = Arc::from("value");
    drop(is_send(cache.get_or_load(&1)));
    drop(is_send(cache.get_or_load_with(&1, Room::Within(Duration::from_secs(1)))));
    drop(is_send(cache.insert(1, value, Room::Wait)));
    drop(is_send(cache.remove(&1)));
    drop(is_send(cache.invalidate()));
    drop(is_send(cache.close()));
    drop(is_send(cache.flush()));
    drop(is_send(cache.flush_key(&1)));
    drop(is_send(cache.flush_older_than(Duration::ZERO)));
    drop(is_send(cache.flush_then_depend_on(&other)));
    cache.always_depend_on(&other).expect("no circle");
    let own = cache.clone();
    drop(is_send(async move { own.flush().await.is_ok() && own.get_or_load(&1).await.is_ok() }));
}

/// C84: a single-thread write-back cache holds `Rc` values, and depends on others of its kind.
#[test]
fn c84_a_local_write_back_cache_holds_what_cannot_cross() {
    let make = || {
        let disk = own_disk();
        WriteBack::builder(Local::new(ManualClock::new()), disk).one_thread().build().expect("valid")
    };
    let (cache, other) = (make(), make());
    let value: Rc<str> = Rc::from("value");
    cache.depend_on(&other).expect("no circle");
    let inserted = larder_tests::wakers::now(other.insert(1, value.clone(), Room::Try));
    assert!(inserted.is_ok_and(|handle| Rc::ptr_eq(&handle.value(), &value)));
    cache.depend_on(&other).expect("no circle");
    assert!(other.depend_on(&cache).is_ok(), "nothing is dirty there");
}
