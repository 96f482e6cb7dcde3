//! Every call of a cache as a future that is polled step by step, and the loads behind it.

use core::cell::Cell;

use larder::{Cache, Loaded, ManualClock};
use larder_tests::*;

/// A future of any type, polled once for each call.
pub(crate) type Polled<'a> = Box<dyn FnMut() -> Poll<()> + 'a>;

pub(crate) fn polled<'a, F: Future + 'a>(future: F) -> Polled<'a> {
    let mut future = Box::pin(future);
    Box::new(move || wakers::poll_once(&mut future).map(drop))
}

/// How a call becomes ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Hit,
    Load,
    Failure,
    Join,
    Write,
    /// Its poll unwinds with the load, and the next one returns this as an error.
    Panic,
}

/// Those in which a call is ready without unwinding.
pub(crate) const WAYS: [Way; 5] = [Way::Hit, Way::Load, Way::Failure, Way::Join, Way::Write];

/// Loads that are ready at once, or wait for a gate.
#[derive(Clone, Default)]
pub(crate) struct Source {
    way: Rc<Cell<Option<Way>>>,
    pub(crate) gate: Gate,
    pub(crate) clock: ManualClock,
    pub(crate) calls: Rc<Cell<usize>>,
}

impl Source {
    pub(crate) fn of(way: Way) -> Self {
        Self { way: Rc::new(Cell::new(Some(way))), ..Self::default() }
    }

    pub(crate) async fn load(self) -> Result<u32, Boom> {
        self.calls.set(self.calls.get() + 1);
        match self.way.get() {
            Some(Way::Join | Way::Write | Way::Panic) => core::future::poll_fn(|cx| self.gate.poll(cx)).await,
            Some(Way::Failure) => return Err(Boom(1)),
            _ => {}
        }
        if self.way.get() == Some(Way::Panic) {
            std::panic::panic_any(Bang(1));
        }
        Ok(1)
    }
}

type Builder<R> = larder::Builder<u32, u32, Boom, R>;

pub(crate) type Own<R> = Cache<u32, u32, Boom, R>;

pub(crate) fn calls_of_a_cache<'a, R: Host>(cache: &'a Own<R>, source: &'a Source) -> Vec<(&'static str, Polled<'a>)> {
    let load = || source.clone().load();
    let loaded = || fetched(source.clone());
    let each = |keys: Vec<u32>| {
        let load = source.clone().load();
        async move { load.await.map(|value| keys.into_iter().map(move |key| (key, value))) }
    };
    let each_loaded = |keys: Vec<u32>| {
        let load = source.clone().load();
        async move { load.await.map(|value| keys.into_iter().map(move |key| (key, Ok(Loaded::new(value))))) }
    };
    vec![
        ("get", polled(cache.get(&7))),
        ("get_or_load", polled(cache.get_or_load(&7, load))),
        ("get_with", polled(cache.get_with(&7, load))),
        ("lookup", polled(cache.lookup(&7))),
        ("lookup by", polled(cache.lookup(&7).by(loaded))),
        ("lookup lend", polled(cache.lookup(&7).lend(loaded))),
        ("lookup stale", polled(cache.lookup(&7).stale())),
        ("get_stale", polled(cache.get_stale(&7))),
        ("refresh", polled(cache.refresh(&7))),
        ("get_many", polled(cache.get_many(&[7]))),
        ("get_many, twice", polled(cache.get_many(&[7, 7]))),
        ("get_many_or_load", polled(cache.get_many_or_load(&[7], each))),
        ("lookup_many", polled(cache.lookup_many(&[7]))),
        ("lookup_many by", polled(cache.lookup_many(&[7, 7]).by(each_loaded))),
    ]
}

/// A cache with a loader of single keys, or of many; `set` adds to it.
pub(crate) fn cache<R: Host>(source: &Source, many: bool, set: impl FnOnce(Builder<R>) -> Builder<R>) -> Own<R> {
    let source = source.clone();
    let builder = Cache::builder(R::on(source.clock.clone())).ttl(ms(1000)).stale_while_refresh(ms(1000));
    let builder = if many {
        builder.load_many_fn(move |keys: Vec<u32>| {
            let load = source.clone().load();
            async move { load.await.map(|value| keys.into_iter().map(move |key| (key, value))) }
        })
    } else {
        builder.load_fn(move |_| source.clone().load())
    };
    set(builder).build().expect("valid")
}

pub(crate) async fn fetched(source: Source) -> Result<Loaded<u32>, Boom> {
    source.load().await.map(Loaded::new)
}
