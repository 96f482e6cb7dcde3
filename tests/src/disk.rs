//! A disk behind a write-back cache, in virtual time.

use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::Pin;

use alloc::{collections::BTreeMap, rc::Rc};

use larder::{Backend, LocalBoxIo, Pinned, Runtime, WriteBackError};

use crate::{Answer, Boom, Script, Time, V, ready, script::Play, why};

/// A disk that follows scripts, counts, and records what was written when; a clone is the same disk.
#[derive(Clone)]
pub struct Disk(Rc<State>);

type Scripts = RefCell<Box<dyn Fn(u32, usize) -> Script>>;

/// What each request to the disk awaits first.
type First = Box<dyn Fn(Io, u32) -> Option<Pin<Box<dyn Future<Output = ()>>>>>;

/// A request to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// A read.
    Load,
    /// A write.
    Flush,
    /// A note that a value is dropped unwritten.
    Discard,
}

struct State {
    time: Time,
    name: &'static str,
    load: Scripts,
    flush: Scripts,
    first: RefCell<Option<First>>,
    reads_early: Cell<bool>,
    pages: RefCell<BTreeMap<u32, u32>>,
    loads: Cell<usize>,
    flushes: Cell<usize>,
    log: Rc<RefCell<Vec<String>>>,
    discarded: RefCell<Vec<u32>>,
    lost: RefCell<Vec<Vec<u32>>>,
}

impl Disk {
    /// A disk that holds ten times the key under each key, and whose reads and writes take no time.
    pub fn new(time: &Time, name: &'static str) -> Self {
        Self::with_log(time, name, Rc::default())
    }

    /// Another disk that records its writes together with this one's.
    pub fn beside(&self, name: &'static str) -> Self {
        Self::with_log(&self.0.time, name, Rc::clone(&self.0.log))
    }

    fn with_log(time: &Time, name: &'static str, log: Rc<RefCell<Vec<String>>>) -> Self {
        let ready: fn() -> Scripts = || RefCell::new(Box::new(|_, _| ready()));
        Self(Rc::new(State {
            time: time.clone(),
            name,
            load: ready(),
            flush: ready(),
            first: RefCell::default(),
            reads_early: Cell::default(),
            pages: RefCell::default(),
            loads: Cell::new(0),
            flushes: Cell::new(0),
            log,
            discarded: RefCell::default(),
            lost: RefCell::default(),
        }))
    }

    /// From now on reads follow this script, called with the key and the number of the read.
    pub fn loads_by(&self, script: impl Fn(u32, usize) -> Script + 'static) {
        *self.0.load.borrow_mut() = Box::new(script);
    }

    /// From now on writes follow this script, called with the key and the number of the write.
    pub fn flushes_by(&self, script: impl Fn(u32, usize) -> Script + 'static) {
        *self.0.flush.borrow_mut() = Box::new(script);
    }

    /// From now on each request first awaits what this returns; that future may call the cache.
    pub fn first(&self, first: impl Fn(Io, u32) -> Option<Pin<Box<dyn Future<Output = ()>>>> + 'static) {
        self.0.first.replace(Some(Box::new(first)));
    }

    /// Awaits nothing first any more, and clears the records.
    pub fn nothing_first(&self) {
        self.0.first.take();
    }

    /// Makes reads return what was on the disk when they began.
    pub fn reads_early(&self) {
        self.0.reads_early.set(true);
    }

    /// The value on disk under this key.
    pub fn page(&self, key: u32) -> Option<u32> {
        self.0.pages.borrow().get(&key).copied()
    }

    /// The writes to this disk and those beside it, as `"50 a1=10"`; clears them.
    pub fn log(&self) -> Vec<String> {
        self.0.log.take()
    }

    /// How many reads have begun.
    pub fn loads(&self) -> usize {
        self.0.loads.get()
    }

    /// How many writes have begun.
    pub fn flushes(&self) -> usize {
        self.0.flushes.get()
    }

    /// The keys whose values were dropped unwritten.
    pub fn discarded(&self) -> Vec<u32> {
        self.0.discarded.take()
    }

    /// The keys that were dirty when a cache was dropped, one list for each drop.
    pub fn lost(&self) -> Vec<Vec<u32>> {
        self.0.lost.take()
    }
}

impl State {
    async fn await_first(&self, io: Io, key: u32) {
        let first = self.first.borrow().as_ref().and_then(|first| first(io, key));
        if let Some(first) = first {
            first.await;
        }
    }
}

impl Backend<u32> for Disk {
    type Value = V;
    type Error = Boom;
    type Load = LocalBoxIo<Result<V, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, key: u32) -> Self::Load {
        let state = Rc::clone(&self.0);
        let number = state.loads.replace(state.loads.get() + 1);
        let mut play = Play::new((state.load.borrow())(key, number));
        let read = move |state: &State| state.pages.borrow().get(&key).copied().unwrap_or(key * 10);
        let early = state.reads_early.get().then(|| read(&state));
        Box::pin(async move {
            state.await_first(Io::Load, key).await;
            poll_fn(|cx| play.poll(&state.time, cx)).await?;
            Ok(V::new(early.unwrap_or_else(|| read(&state))))
        })
    }

    fn flush(&self, key: u32, value: V) -> Self::Flush {
        let state = Rc::clone(&self.0);
        let number = state.flushes.replace(state.flushes.get() + 1);
        let mut play = Play::new((state.flush.borrow())(key, number));
        Box::pin(async move {
            state.await_first(Io::Flush, key).await;
            poll_fn(|cx| play.poll(&state.time, cx)).await?;
            state.pages.borrow_mut().insert(key, *value);
            state.log.borrow_mut().push(format!("{} {}{key}={value}", state.time.ms(), state.name));
            Ok(())
        })
    }

    fn discard(&self, key: u32, _: V) -> Self::Discard {
        let state = Rc::clone(&self.0);
        state.discarded.borrow_mut().push(key);
        Box::pin(async move { state.await_first(Io::Discard, key).await })
    }

    fn lost(&self, keys: Vec<u32>) {
        self.0.lost.borrow_mut().push(keys);
    }
}

/// The result of a call of a write-back cache: `V10`, `done`, `Full`, `Pinned [1]`, `E3`, `[1: E3]`...
pub fn told<R: Runtime>(result: Result<Pinned<u32, V, Boom, R>, WriteBackError<u32, Boom>>) -> Answer {
    Answer::Text(result.map_or_else(|error| why(&error), |handle| format!("V{}", handle.value())))
}
