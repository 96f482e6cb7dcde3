use larder_tokio::{
    OnTimeout, Tokio, Ttl,
    larder::Cache,
    parts::{CoarseClock, NoTimer, Std, StdClock},
};

use super::{Key, Loads, Peer, Setup, Walks};

/// Larder with the clock of the standard library.
pub struct Larder<K: Key = u64>(Cache<K, K::Value, (), Std<NoTimer<StdClock>>>);

/// Larder with copies of hot values near the threads that use them.
pub struct NearLarder<K: Key = u64>(Cache<K, K::Value, (), Std<NoTimer<StdClock>>>);

/// Larder with a coarse clock.
pub struct CoarseLarder<K: Key = u64>(Cache<K, K::Value, (), Std<NoTimer<CoarseClock>>>);

/// Larder on tokio, whose callers wait no longer than the setup's lock timeout.
pub struct TokioLarder(Cache<u64, u64, (), Tokio>);

macro_rules! peer {
    ($peer:ident, $name:literal, $runtime:expr, $copies:literal, $key:ty $(, $kind:ident)?) => {
        impl $(<$kind: Key>)? Peer<$key> for $peer $(<$kind>)? {
            const NAME: &'static str = $name;

            fn new(setup: &Setup) -> Self {
                let mut builder =
                    Cache::builder($runtime).capacity(setup.capacity as u64).loader(setup.source.clone()).near_copies($copies);
                if let Some(ttl) = setup.ttl {
                    builder = builder.ttl(Ttl::from(ttl));
                }
                if let Some(timeout) = setup.lock_timeout {
                    builder = builder.lock_timeout(timeout, OnTimeout::LoadAlone);
                }
                Self(builder.build().expect("a valid configuration"))
            }

            fn get(&self, key: &$key) -> Option<<$key as Key>::Value> {
                self.0.get_if_present(key)
            }

            fn insert(&self, key: $key, value: <$key as Key>::Value) {
                let _ = self.0.insert(key, value);
            }

            fn remove(&self, key: &$key) {
                self.0.remove(key);
            }
        }

        impl Loads for $peer {
            async fn load(&self, key: u64) -> Option<u64> {
                self.0.get(&key).await.ok()
            }
        }
    };
}

peer!(Larder, "larder", Std::new(NoTimer::new(StdClock::new())), 0, K, K);
peer!(NearLarder, "larder, near copies", Std::new(NoTimer::new(StdClock::new())), 512, K, K);
peer!(CoarseLarder, "larder, coarse clock", Std::new(NoTimer::new(CoarseClock::new())), 0, K, K);
peer!(TokioLarder, "larder", Tokio::new(), 0, u64);

impl Walks for Larder {
    fn walk(&self) -> usize {
        self.0.iter().count()
    }

    fn clear(&self) {
        self.0.clear();
    }
}
