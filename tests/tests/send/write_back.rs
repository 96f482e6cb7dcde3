//! The same for the write-back cache.

use core::future::Ready;

use larder::{
    Backend, BoxIo, DependError, FlushError, LocalBoxIo, ManualClock, Pinned, Room, WriteBack, WriteBackError,
    futures::Flush, parts::*,
};
use larder_tests::{Arc, Boom, Duration, Future, Rc};

use super::{is_send, is_sync};

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

type Written<V, R> = WriteBack<u32, V, Boom, R>;

/// C84: a write-back cache behind a real lock crosses threads if all its parts do.
#[test]
fn c84_a_write_back_cache_behind_a_lock_crosses_threads() {
    type Crosses<R> = Written<Arc<str>, R>;
    assert!(has!(Crosses<Std<ManualClock>>: Send) && has!(Crosses<Std<ManualClock>>: Sync));
    assert!(has!(Crosses<Spin<ManualClock>>: Send) && has!(Crosses<Spin<ManualClock>>: Sync));
    assert!(has!(Pinned<u32, Arc<str>, Boom, Std<ManualClock>>: Send));
    assert!(has!(Pinned<u32, Arc<str>, Boom, Std<ManualClock>>: Sync));
    assert!(has!(Flush<u32, Arc<str>, Boom, Std<ManualClock>>: Send));
    // Errors are sent to other threads, too.
    assert!(has!(WriteBackError<u32, Boom>: Send) && has!(FlushError<u32, Boom>: Sync) && has!(DependError: Send));
}

/// C84: it stays on its thread if any of its parts does.
#[test]
fn c84_a_local_write_back_cache_stays() {
    type Local1<V> = Written<V, Local<ManualClock>>;
    type Values = Written<Rc<str>, Std<ManualClock>>;
    assert!(!has!(Local1<Arc<str>>: Send) && !has!(Local1<Arc<str>>: Sync));
    assert!(!has!(Values: Send) && !has!(Values: Sync));
    assert!(!has!(Pinned<u32, Rc<str>, Boom, Std<ManualClock>>: Send));
    assert!(!has!(Pinned<u32, Arc<str>, Boom, Local<ManualClock>>: Send));
    assert!(!has!(Flush<u32, Arc<str>, Boom, Local<ManualClock>>: Send));
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
        WriteBack::builder(Local::new(ManualClock::new()), disk).build().expect("valid")
    };
    let (cache, other) = (make(), make());
    let value: Rc<str> = Rc::from("value");
    cache.depend_on(&other).expect("no circle");
    let inserted = larder_tests::wakers::now(other.insert(1, value.clone(), Room::Try));
    assert!(inserted.is_ok_and(|handle| Rc::ptr_eq(&handle.value(), &value)));
    cache.depend_on(&other).expect("no circle");
    assert!(other.depend_on(&cache).is_ok(), "nothing is dirty there");
}
