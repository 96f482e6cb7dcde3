//! One operation many times over, for callgrind: `instructions MODE PEER COUNT`, see `instructions.sh`.
//!
//! The difference of two runs is what the further operations cost, exactly and repeatably; times are not.

use std::{
    env,
    future::{Future, Ready, poll_fn, ready},
    hint::black_box,
    pin::pin,
    process::ExitCode,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use larder_tokio::{
    Backend, CoarseTokio, Key, Load, Loaded, ManyThreads, Runtime, Ttl,
    larder::{Cache, WriteBack},
    parts::{NoTimer, Std, StdClock},
};

const CAPACITY: u64 = 4_096;
const KEYS: u64 = 1_024;
const CROWD: u64 = 1_000;
const TTL: Duration = Duration::from_secs(3_600);

type Larder<K, R = Std<NoTimer<StdClock>>> = Cache<K, <Echo as Load<K>>::Value, <Echo as Load<K>>::Error, R>;
type Quick<K, V> = quick_cache::sync::Cache<K, V>;

fn main() -> ExitCode {
    // `cargo bench` adds an argument of its own.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [mode, peer, count] = arguments.as_slice() else { return usage() };
    let Ok(count) = count.parse() else { return usage() };
    let known = match peer.as_str() {
        "larder" => larder(mode, count),
        "quick_cache" => quick_cache(mode, count),
        _ => false,
    };
    if known { ExitCode::SUCCESS } else { usage() }
}

fn usage() -> ExitCode {
    eprintln!("usage: instructions MODE (larder|quick_cache) COUNT");
    eprintln!(
        "modes: sync, sync-ttl, sync-ttl-coarse, sync-string, nothing, async, miss, waiters, insert, replace, remove; \
         larder alone: reversed, write-back, write-back-large"
    );
    ExitCode::from(2)
}

/// Runs the mode; tells whether there is such a mode.
fn larder(mode: &str, count: u64) -> bool {
    match mode {
        "sync" | "sync-ttl" => {
            let cache = cache(if mode == "sync" { Ttl::Forever } else { TTL.into() });
            (0..KEYS).for_each(|key| _ = cache.insert(key, key));
            present(count, |key| cache.get_if_present(&key));
        }
        "sync-ttl-coarse" => {
            let cache = cache_on(CoarseTokio::new(), TTL.into());
            (0..KEYS).for_each(|key| _ = cache.insert(key, key));
            present(count, |key| cache.get_if_present(&key));
        }
        "sync-string" => {
            let (names, cache) = (names(), cache(Ttl::Forever));
            names.iter().for_each(|name| _ = cache.insert(name.clone(), Arc::new(0)));
            present(count, |key| cache.get_if_present(names[key as usize].as_str()));
        }
        "nothing" => {
            let cache = cache::<u64>(Ttl::Forever);
            (0..2 * CAPACITY).for_each(|key| _ = cache.insert(key, key));
            absent(count, |key| cache.get_if_present(&key));
        }
        "insert" | "replace" | "remove" => {
            let cache = cache::<u64>(Ttl::Forever);
            write(mode, count, |key| _ = cache.insert(key, key), |key| _ = cache.remove(&key));
        }
        "async" | "miss" => {
            let cache = cache(Ttl::Forever);
            (0..filled(mode)).for_each(|key| _ = cache.insert(key, key));
            let get = |key| at_once(cache.get(&key)).and_then(Result::ok);
            if mode == "async" { present(count, get) } else { absent(count, get) }
        }
        "reversed" => {
            // One crowd of so many, which is woken and looks again in reverse order.
            let gate = Gate::default();
            gate.shut();
            let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new()))).capacity(CAPACITY).hash_seed(1);
            let loads = gate.clone();
            let cache = cache.load_fn(move |key| loads.load(key)).build().expect("a valid configuration");
            let wakers: Vec<_> = (0..count).map(|_| Waker::from(Arc::new(Sleeper))).collect();
            let mut callers: Vec<_> =
                wakers.iter().map(|waker| (Box::pin(cache.get(&7)), Context::from_waker(waker))).collect();
            assert!(callers.iter_mut().all(|(caller, cx)| caller.as_mut().poll(cx).is_pending()), "the gate is shut");
            gate.wake();
            assert!(callers.iter_mut().rev().all(|(caller, cx)| caller.as_mut().poll(cx).is_pending()), "and still is");
        }
        "waiters" => {
            let (gate, keys) = (Gate::default(), Vec::from_iter(0..count / CROWD));
            let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new()))).capacity(CAPACITY).hash_seed(1);
            let loads = gate.clone();
            let cache = cache.load_fn(move |key| loads.load(key)).build().expect("a valid configuration");
            crowds(&keys, &gate, |key| cache.get(key));
        }
        "write-back" | "write-back-large" => {
            let entries = if mode == "write-back" { 100 } else { 100_000 };
            let runtime = Std::new(NoTimer::new(StdClock::new()));
            let pages = WriteBack::builder(runtime, EchoDisk).capacity(entries).hash_seed(1);
            let pages = pages.build().expect("a valid configuration");
            let load = |key| at_once(pages.get_or_load(&key)).and_then(Result::ok).map(|page| page.value());
            // Full, and all clean; each further load has to find who leaves.
            (0..2 * CAPACITY.max(entries as u64)).for_each(|key| _ = load(key));
            (0..count).for_each(|nth| _ = black_box(load(black_box(1_000_000 + nth))));
        }
        _ => return false,
    }
    true
}

/// Runs the same with the peer.
fn quick_cache(mode: &str, count: u64) -> bool {
    match mode {
        "sync" => {
            let cache = Quick::new(CAPACITY as usize);
            (0..KEYS).for_each(|key| cache.insert(key, key));
            present(count, |key| cache.get(&key));
        }
        "sync-ttl" | "sync-ttl-coarse" => {
            // It has no lifetimes: its users keep a deadline in the value.
            let (cache, deadline) = (Quick::new(CAPACITY as usize), Instant::now() + TTL);
            (0..KEYS).for_each(|key| cache.insert(key, (key, deadline)));
            present(count, |key| {
                cache.get(&key).filter(|(_, deadline)| Instant::now() < *deadline).map(|(key, _)| key)
            });
        }
        "sync-string" => {
            let (names, cache) = (names(), Quick::new(CAPACITY as usize));
            names.iter().for_each(|name| cache.insert(name.clone(), Arc::new(0_u64)));
            present(count, |key| cache.get(names[key as usize].as_str()));
        }
        "nothing" => {
            let cache = Quick::new(CAPACITY as usize);
            (0..2 * CAPACITY).for_each(|key| cache.insert(key, key));
            absent(count, |key| cache.get(&key));
        }
        "insert" | "replace" | "remove" => {
            let cache = Quick::new(CAPACITY as usize);
            write(mode, count, |key| cache.insert(key, key), |key| _ = cache.remove(&key));
        }
        "async" | "miss" => {
            let cache = Quick::new(CAPACITY as usize);
            (0..filled(mode)).for_each(|key| cache.insert(key, key));
            let load = |key| async move { Ok::<u64, ()>(key) };
            let get = |key| at_once(cache.get_or_insert_async(&key, load(key))).and_then(Result::ok);
            if mode == "async" { present(count, get) } else { absent(count, get) }
        }
        "waiters" => {
            let (gate, cache) = (Gate::default(), Quick::new(CAPACITY as usize));
            let keys = Vec::from_iter(0..count / CROWD);
            crowds(&keys, &gate, |key| cache.get_or_insert_async(key, gate.load(*key)));
        }
        _ => return false,
    }
    true
}

/// How many keys are there to begin with: hits leave room, so that no key they ask for was evicted.
fn filled(mode: &str) -> u64 {
    if mode == "miss" { 2 * CAPACITY } else { KEYS }
}

/// Asks for keys that are there.
fn present<V>(count: u64, get: impl Fn(u64) -> Option<V>) {
    assert!((0..KEYS).all(|key| get(key).is_some()), "a key is not there");
    (0..count).for_each(|nth| drop(black_box(get(black_box(nth % KEYS)))));
}

/// Asks for keys that nobody has asked for before.
fn absent<V>(count: u64, get: impl Fn(u64) -> Option<V>) {
    (0..count).for_each(|nth| drop(black_box(get(black_box(2 * CAPACITY + nth)))));
}

/// Inserts keys into a full cache, replaces values that are there, or inserts and removes in turn, with room to spare.
fn write(mode: &str, count: u64, insert: impl Fn(u64), remove: impl Fn(u64)) {
    let there = if mode == "insert" { 2 * CAPACITY } else { KEYS };
    (0..there).for_each(&insert);
    for nth in 0..count {
        match mode {
            "insert" => insert(black_box(there + nth)),
            "replace" => insert(black_box(nth % KEYS)),
            _ => {
                insert(black_box(there + nth));
                remove(black_box(there + nth));
            }
        }
    }
}

/// Has crowds ask for one key each, every caller a task of his own; they are told once the gate is open.
fn crowds<'k, F: Future<Output = Result<u64, E>>, E>(keys: &'k [u64], gate: &Gate, get: impl Fn(&'k u64) -> F) {
    let wakers: Vec<_> = (0..CROWD).map(|_| Waker::from(Arc::new(Sleeper))).collect();
    for key in keys {
        gate.shut();
        let mut callers: Vec<_> =
            wakers.iter().map(|waker| (Box::pin(get(black_box(key))), Context::from_waker(waker))).collect();
        assert!(callers.iter_mut().all(|(caller, cx)| caller.as_mut().poll(cx).is_pending()), "the gate is shut");
        gate.open();
        for (caller, cx) in &mut callers {
            assert!(matches!(caller.as_mut().poll(cx), Poll::Ready(Ok(value)) if value == *key), "the gate is open");
        }
    }
}

fn cache<K: Key>(ttl: Ttl) -> Larder<K>
where
    Echo: Load<K, Value: 'static, Error: 'static, Future: Send + 'static>,
{
    cache_on(Std::new(NoTimer::new(StdClock::new())), ttl)
}

fn cache_on<K: Key, R: Runtime<Threads = ManyThreads>>(runtime: R, ttl: Ttl) -> Larder<K, R>
where
    Echo: Load<K, Value: 'static, Error: 'static, Future: Send + 'static>,
{
    Cache::builder(runtime)
        .capacity(CAPACITY)
        .hash_seed(1)
        .ttl(ttl)
        .loader(Echo)
        .build()
        .expect("a valid configuration")
}

/// Keys of 32 bytes.
fn names() -> Vec<String> {
    (0..KEYS).map(|key| format!("{key:032}")).collect()
}

/// Polls a future that has nothing to wait for.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A back end that answers at once.
struct EchoDisk;

impl Backend<u64> for EchoDisk {
    type Value = u64;
    type Error = ();
    type Load = Ready<Result<u64, ()>>;
    type Flush = Ready<Result<(), ()>>;
    type Discard = Ready<()>;

    fn load(&self, key: u64) -> Self::Load {
        ready(Ok(key))
    }

    fn flush(&self, _: u64, _: u64) -> Self::Flush {
        ready(Ok(()))
    }

    fn discard(&self, _: u64, _: u64) -> Self::Discard {
        ready(())
    }

    fn lost(&self, _: Vec<u64>) {}
}

/// A task that nothing has to be done for.
struct Sleeper;

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {}
}

/// A source whose loads wait until it is open.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Option<Waker>)>>);

impl Gate {
    fn shut(&self) {
        self.0.lock().expect("nobody panics").0 = false;
    }

    fn open(&self) {
        let (is_open, waker) = &mut *self.0.lock().expect("nobody panics");
        *is_open = true;
        waker.take().expect("a load waits").wake();
    }

    /// Wakes the load though it has to wait on.
    fn wake(&self) {
        let waker = self.0.lock().expect("nobody panics").1.take();
        waker.expect("a load waits").wake();
    }

    fn load(&self, key: u64) -> impl Future<Output = Result<u64, ()>> + use<> {
        let gate = self.clone();
        poll_fn(move |cx| {
            let (is_open, waker) = &mut *gate.0.lock().expect("nobody panics");
            if *is_open {
                return Poll::Ready(Ok(key));
            }
            *waker = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

/// A source that answers at once.
struct Echo;

impl Load<u64> for Echo {
    type Value = u64;
    type Error = ();
    type Future = Ready<Result<Loaded<u64>, ()>>;

    fn load(&self, key: u64) -> Self::Future {
        ready(Ok(Loaded::new(key)))
    }
}

impl Load<String> for Echo {
    type Value = Arc<u64>;
    type Error = ();
    type Future = Ready<Result<Loaded<Arc<u64>>, ()>>;

    fn load(&self, _: String) -> Self::Future {
        ready(Ok(Loaded::new(Arc::new(0))))
    }
}
