//! By which means callers ask: by the loader of the cache, or by a load that each call brings.

use std::rc::Rc;

use larder::{Cache, LookupOptions};
use larder_tests::*;

use super::world::World;

pub(crate) type Asking = Pin<Box<dyn Future<Output = Answer>>>;

/// A cache in a medley.
pub(crate) type In = Cache<u32, V, Boom, Spawning>;

/// The calls of a cache.
pub(crate) trait Ways {
    fn lookup(world: &Rc<World>, cache: In, key: u32, options: LookupOptions) -> Asking;
    fn stale(world: &Rc<World>, cache: In, key: u32, options: LookupOptions) -> Asking;
    fn many(world: &Rc<World>, cache: In, keys: Vec<u32>, options: LookupOptions) -> Asking;
}

pub(crate) struct ByLoader;

impl Ways for ByLoader {
    fn lookup(_: &Rc<World>, cache: In, key: u32, options: LookupOptions) -> Asking {
        Box::pin(async move { cache.lookup(&key).options(options).await.into() })
    }

    fn stale(_: &Rc<World>, cache: In, key: u32, options: LookupOptions) -> Asking {
        Box::pin(async move { cache.lookup(&key).options(options).stale().await.into() })
    }

    fn many(_: &Rc<World>, cache: In, keys: Vec<u32>, options: LookupOptions) -> Asking {
        Box::pin(async move { cache.lookup_many(&keys).options(options).await.into() })
    }
}

pub(crate) struct ByCall;

impl Ways for ByCall {
    fn lookup(world: &Rc<World>, cache: In, key: u32, options: LookupOptions) -> Asking {
        let world = Rc::clone(world);
        Box::pin(async move {
            let load = move || async move { world.load_one(key).await };
            cache.lookup(&key).options(options).by(load).await.into()
        })
    }

    fn stale(world: &Rc<World>, cache: In, key: u32, options: LookupOptions) -> Asking {
        let world = Rc::clone(world);
        Box::pin(async move {
            let load = move || async move { world.load_one(key).await };
            cache.lookup(&key).options(options).by(load).stale().await.into()
        })
    }

    fn many(world: &Rc<World>, cache: In, keys: Vec<u32>, options: LookupOptions) -> Asking {
        let world = Rc::clone(world);
        Box::pin(
            async move { cache.lookup_many(&keys).options(options).by(|keys| world.load_many(&keys)).await.into() },
        )
    }
}
