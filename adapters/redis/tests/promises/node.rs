//! A process of the fleet, and the source of truth.

use std::{
    io::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use larder_redis::{Codec, Tier, TierBuilder, TierError};
use larder_tokio::{Cache, Tokio};
use tokio::time::{Instant, sleep};

/// Numbers as text; the fingerprint is that of a deploy.
pub(crate) struct Text(pub(crate) &'static str);

impl Codec<u64> for Text {
    fn fingerprint(&self) -> String {
        self.0.into()
    }

    fn write(&self, value: &u64) -> Option<Vec<u8>> {
        Some(value.to_string().into_bytes())
    }

    fn read(&self, bytes: &[u8]) -> Option<u64> {
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

/// Where values come from: one value for all keys, that is read when a load begins and answered when it ends.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) value: AtomicU64,
    pub(crate) fails: AtomicBool,
    /// How long a load takes, in milliseconds.
    pub(crate) slow: AtomicU64,
    pub(crate) loads: AtomicUsize,
    pub(crate) keys: Mutex<Vec<u64>>,
    running: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
}

impl Source {
    pub(crate) fn with(value: u64, slow: u64) -> Arc<Self> {
        Arc::new(Self { value: value.into(), slow: slow.into(), ..Self::default() })
    }

    pub(crate) fn set(&self, value: u64) {
        self.value.store(value, SeqCst);
    }

    pub(crate) fn loads(&self) -> usize {
        self.loads.load(SeqCst)
    }

    pub(crate) async fn load(&self, key: u64) -> io::Result<u64> {
        struct Runs<'a>(&'a AtomicUsize);
        impl Drop for Runs<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        let value = self.value.load(SeqCst);
        self.loads.fetch_add(1, SeqCst);
        self.keys.lock().unwrap().push(key);
        self.most_at_once.fetch_max(self.running.fetch_add(1, SeqCst) + 1, SeqCst);
        let _runs = Runs(&self.running);
        let (fails, slow) = (self.fails.load(SeqCst), self.slow.load(SeqCst));
        sleep(Duration::from_millis(slow)).await;
        if fails { Err(io::Error::other("the source is down")) } else { Ok(value) }
    }
}

pub(crate) type Names = Cache<u64, u64, TierError<io::Error>>;

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) cache: Names,
    pub(crate) tier: Tier<u64, u64, io::Error>,
}

pub(crate) fn builder(url: &str) -> TierBuilder<u64> {
    TierBuilder::new(url, Text("1"))
}

impl Node {
    pub(crate) async fn new(url: &str, source: &Arc<Source>) -> Self {
        Self::with(builder(url), source).await
    }

    pub(crate) async fn with(builder: TierBuilder<u64>, source: &Arc<Source>) -> Self {
        let node = Self::begin(builder, source);
        assert!(node.tier.wait_until_it_hears(Duration::from_secs(20)).await);
        node
    }

    /// As [`with`](Self::with), but it need not hear.
    pub(crate) fn begin(builder: TierBuilder<u64>, source: &Arc<Source>) -> Self {
        let source = Arc::clone(source);
        let load = move |key| {
            let source = Arc::clone(&source);
            async move { source.load(key).await }
        };
        let (cache, tier) = builder.load_fn(Cache::builder(Tokio::new()), load).unwrap();
        Self { cache, tier }
    }

    pub(crate) async fn get(&self, key: u64) -> u64 {
        self.cache.get(&key).await.unwrap()
    }
}

/// Waits until it is so: for far longer than it should take.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came about that {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// A server, or the end of the test where there is none.
macro_rules! server {
    () => {
        server!([])
    };
    ([$($argument:literal),*]) => {
        match $crate::support::Server::start(&[$($argument),*]) {
            Some(server) => server,
            None => return $crate::node::skipped(),
        }
    };
}
pub(crate) use server;

/// Says, past the capture of test output, that this test has tried nothing.
pub(crate) fn skipped() {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let line = format!("SKIPPED {name}: there is no redis-server; on Debian: apt-get install redis-server\n");
    let _ = io::stderr().write_all(line.as_bytes());
}
