//! Types that are written down. (C119)

use std::{
    io,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use larder_tests::Duration;
use larder_tokio::{
    BoxError, Builder, Cache, ConfigError, Key, LazySlot, LoadError, Loaded, RemovalCause, Standard, Tokio, Ttl,
};

/// A field without a word of closures.
struct Service {
    users: Cache<u64, String>,
    token: LazySlot<String>,
}

impl Service {
    fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            users: Cache::builder(Tokio::new()).load_fn(|id: u64| async move { Ok(format!("user {id}")) }).build()?,
            token: LazySlot::builder(Tokio::new()).fetch_fn(|_| async { Ok(Loaded::new("t0k3n".into())) }).build()?,
        })
    }

    /// Whatever is set, the type is the same.
    fn with_everything(heard: &Arc<AtomicUsize>) -> Result<Cache<u64, String>, ConfigError> {
        let heard = Arc::clone(heard);
        Cache::builder(Tokio::new())
            .listener(move |_, _, _| _ = heard.fetch_add(1, Ordering::SeqCst))
            .finish_abandoned()
            .expire_after(|_, name: &String| if name.is_empty() { Ttl::NotStored } else { Ttl::Inherit })
            .weigher(|_, name: &String| name.len() as u64)
            .refresh_early_by_chance(1.0, || 0.5)
            .load_fn(|id: u64| async move { Ok(format!("user {id}")) })
            .capacity(1_000)
            .build()
    }
}

/// C119: a field, with and without a weigher, a listener and an expiry.
#[tokio::test]
async fn c119_a_field() {
    let mut service = Service::new().expect("valid");
    assert_eq!(service.users.get(&7).await.expect("it is loaded"), "user 7");
    assert_eq!(service.token.get().await.expect("it is fetched"), "t0k3n");
    let heard = Arc::default();
    service.users = Service::with_everything(&heard).expect("valid");
    assert_eq!(service.users.get(&7).await.expect("it is loaded"), "user 7");
    assert_eq!(service.users.weight(), 6);
    service.users.remove(&7);
    assert_eq!((heard.load(Ordering::SeqCst), service.users.insert(8, String::new())), (1, None));
}

/// C119: settings under a condition, on a builder that is passed on.
#[tokio::test]
async fn c119_a_setting_under_a_condition() {
    for logs in [false, true] {
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut builder: Builder<u64, String, BoxError, Tokio> = Cache::builder(Tokio::new()).capacity(100);
        if logs {
            let log = Arc::clone(&log);
            builder = builder.listener(move |id: &u64, _: &String, cause: RemovalCause| {
                log.lock().expect("nobody panics").push((*id, cause));
            });
        }
        if !logs {
            builder = builder.ttl(Duration::from_secs(60));
        }
        let cache = builder.load_fn(|id: u64| async move { Ok(format!("user {id}")) }).build().expect("valid");
        assert_eq!(cache.get(&7).await.expect("it is loaded"), "user 7");
        cache.remove(&7);
        let log = log.lock().expect("nobody panics");
        assert_eq!(*log, if logs { vec![(7, RemovalCause::Removed)] } else { Vec::new() });
    }
}

fn users() -> Cache<u64, String, io::Error> {
    Cache::builder(Tokio::new()).load_fn(|id: u64| async move { Ok(format!("user {id}")) }).build().expect("valid")
}

/// C119: a function returns a cache, and tasks that are spawned use it.
#[tokio::test]
async fn c119_a_cache_that_is_returned() {
    let cache = users();
    let own = cache.clone();
    let task = tokio::spawn(async move { (own.get(&7).await, own.get_many(&[7, 8]).await, own.get_stale(&7).await) });
    let (one, many, stale) = task.await.expect("no task fails");
    assert_eq!((one.expect("loaded"), many.len()), ("user 7".to_string(), 2));
    assert_eq!(stale.expect("it is there").outcome.into_value(), "user 7");
    let own = cache.clone();
    let task = tokio::spawn(async move { own.get_or_load(&9, || async { Ok("nine".to_string()) }).await });
    assert_eq!(task.await.expect("no task fails").expect("loaded"), "nine");
    let task = tokio::spawn(async move { cache.lookup(&9).stale().await.map(|found| found.outcome.into_value()) });
    assert_eq!(task.await.expect("no task fails").expect("it is there"), "nine");
}

/// A wrapper needs the two bounds of what a cache needs, and says nothing of runtimes, policies and loads.
struct Counting<K, V> {
    cache: Cache<K, V>,
    asked: AtomicUsize,
}

impl<K: Key, V: Clone> Counting<K, V> {
    fn new(capacity: u64) -> Self {
        Self { cache: Cache::new(capacity), asked: AtomicUsize::new(0) }
    }

    async fn get(&self, key: &K) -> Result<V, Arc<LoadError<BoxError>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.cache.get(key).await.map_err(Arc::new)
    }

    fn put(&self, key: K, value: V) {
        self.cache.insert(key, value);
    }
}

/// C119: a generic wrapper; and a call without a loader says so. (D17)
#[tokio::test]
async fn c119_a_generic_wrapper() {
    let wrapper = Counting::<String, u32>::new(10);
    wrapper.put("seven".into(), 7);
    assert_eq!(wrapper.get(&"seven".into()).await.expect("it is there"), 7);
    let error = wrapper.get(&"eight".into()).await.expect_err("nothing loads it");
    assert!(matches!(*error, LoadError::NoLoader), "{error}");
    assert_eq!((wrapper.asked.load(Ordering::SeqCst), wrapper.cache.stats().errors), (2, 1));
}

static NAMES: LazyLock<Cache<u64, String>> = LazyLock::new(|| Cache::new(100));

/// C119: a static, whose calls bring their loads, by a closure that borrows.
#[tokio::test]
async fn c119_a_static() {
    let prefix = String::from("user");
    let load = || {
        let name = format!("{prefix} 7");
        async { Ok(name) }
    };
    assert_eq!(NAMES.get_or_load(&7, load).await.expect("it is loaded"), "user 7");
    assert_eq!(NAMES.get_if_present(&7).as_deref(), Some("user 7"));
}

/// What knows users: a database, or something for tests.
trait Repo: Send + Sync {
    fn name(&self, id: u64) -> Result<String, BoxError>;
}

struct Names(&'static [&'static str]);

impl Repo for Names {
    fn name(&self, id: u64) -> Result<String, BoxError> {
        Ok(self.0.get(id as usize).ok_or("nobody")?.to_string())
    }
}

/// C119: a loader over an object.
#[tokio::test]
async fn c119_a_loader_over_an_object() {
    let repo: Arc<dyn Repo> = Arc::new(Names(&["root", "guest"]));
    let load = move |id: u64| {
        let repo = Arc::clone(&repo);
        async move { repo.name(id) }
    };
    let cache: Cache<u64, String> = Cache::builder(Tokio::new()).load_fn(load).build().expect("valid");
    assert_eq!(cache.get(&1).await.expect("it is there"), "guest");
    assert_eq!(cache.get(&2).await.expect_err("it is not").to_string(), "the load failed: nobody");
}

/// The type behind the short one has no more parameters than it says.
const _: fn(Cache<u64, String>) -> larder::Cache<u64, String, BoxError, Tokio, Standard> = |cache| cache;
