//! A disk behind a write-back cache, in virtual time.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;

use alloc::{collections::BTreeMap, rc::Rc};

use larder::{Backend, FlushError, LocalBoxIo, Pinned, Runtime, Threads, WriteBackError};

use crate::{Answer, Boom, Script, Time, V, ready, script::Play};

/// A disk that follows scripts, keeps count, and remembers what was written when; a clone is the same disk.
#[derive(Clone)]
pub struct Disk(Rc<State>);

type Scripts = RefCell<Box<dyn Fn(u32, usize) -> Script>>;

struct State {
    time: Time,
    name: &'static str,
    load: Scripts,
    flush: Scripts,
    pages: RefCell<BTreeMap<u32, u32>>,
    loads: Cell<usize>,
    flushes: Cell<usize>,
    log: Rc<RefCell<Vec<String>>>,
    discarded: RefCell<Vec<u32>>,
    lost: RefCell<Vec<Vec<u32>>>,
}

impl Disk {
    /// A disk on which each key has ten times itself, and whose reads and writes take no time.
    pub fn new(time: &Time, name: &'static str) -> Self {
        Self::with_log(time, name, Rc::default())
    }

    /// Another disk whose writes are remembered with those of this one.
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
            pages: RefCell::default(),
            loads: Cell::new(0),
            flushes: Cell::new(0),
            log,
            discarded: RefCell::default(),
            lost: RefCell::default(),
        }))
    }

    /// Reads by this script from now on, which is asked for by key and number of the read.
    pub fn loads_by(&self, script: impl Fn(u32, usize) -> Script + 'static) {
        *self.0.load.borrow_mut() = Box::new(script);
    }

    /// Writes by this script from now on, which is asked for by key and number of the write.
    pub fn flushes_by(&self, script: impl Fn(u32, usize) -> Script + 'static) {
        *self.0.flush.borrow_mut() = Box::new(script);
    }

    /// What is on it under this key.
    pub fn page(&self, key: u32) -> Option<u32> {
        self.0.pages.borrow().get(&key).copied()
    }

    /// What was written to this disk and those beside it, as `"50 a1=10"`; forgotten by this call.
    pub fn log(&self) -> Vec<String> {
        self.0.log.take()
    }

    /// How many reads were begun.
    pub fn loads(&self) -> usize {
        self.0.loads.get()
    }

    /// How many writes were begun.
    pub fn flushes(&self) -> usize {
        self.0.flushes.get()
    }

    /// The keys whose values were dropped unwritten.
    pub fn discarded(&self) -> Vec<u32> {
        self.0.discarded.take()
    }

    /// The keys that were dirty when the cache was dropped, for each time that happened.
    pub fn lost(&self) -> Vec<Vec<u32>> {
        self.0.lost.take()
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
        Box::pin(async move {
            poll_fn(|cx| play.poll(&state.time, cx)).await?;
            Ok(V::new(state.pages.borrow().get(&key).copied().unwrap_or(key * 10)))
        })
    }

    fn flush(&self, key: u32, value: V) -> Self::Flush {
        let state = Rc::clone(&self.0);
        let number = state.flushes.replace(state.flushes.get() + 1);
        let mut play = Play::new((state.flush.borrow())(key, number));
        Box::pin(async move {
            poll_fn(|cx| play.poll(&state.time, cx)).await?;
            state.pages.borrow_mut().insert(key, *value);
            state.log.borrow_mut().push(format!("{} {}{key}={value}", state.time.ms(), state.name));
            Ok(())
        })
    }

    fn discard(&self, key: u32, _: V) -> Self::Discard {
        self.0.discarded.borrow_mut().push(key);
        Box::pin(async {})
    }

    fn lost(&self, keys: Vec<u32>) {
        self.0.lost.borrow_mut().push(keys);
    }
}

/// What a call of a write-back cache ended with: `V10`, `done`, `Full`, `Pinned [1]`, `E3`, `[1: E3]`...
pub fn told<R: Runtime, D: Threads>(result: Result<Pinned<u32, Disk, R, D>, WriteBackError<u32, Boom>>) -> Answer {
    Answer::Text(result.map_or_else(|error| why(&error), |handle| format!("V{}", handle.value())))
}

/// Why a call of a write-back cache failed.
pub fn why(error: &WriteBackError<u32, Boom>) -> String {
    match (error, error.error()) {
        (_, Some(boom)) => boom.to_string(),
        (WriteBackError::Failed(failure), _) if failure.is_panicked() => String::from("Panicked"),
        (WriteBackError::Failed(failure), _) => {
            failure.error().map_or_else(|| format!("{failure:?}"), ToString::to_string)
        }
        (WriteBackError::Pinned(keys), _) => format!("Pinned {keys:?}"),
        (other, _) => format!("{other:?}"),
    }
}

impl From<Result<(), FlushError<u32, Boom>>> for Answer {
    fn from(result: Result<(), FlushError<u32, Boom>>) -> Self {
        let Err(error) = result else { return Self::Done };
        let failed: Vec<_> = error.failed().iter().map(|(key, error)| format!("{key}: {}", why(error))).collect();
        Self::Text(format!("[{}]", failed.join(", ")))
    }
}
