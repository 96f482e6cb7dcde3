//! A loader that follows scripts and counts.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use alloc::rc::Rc;

use larder::{Load, Loaded, Previous, Revalidated};

use crate::{Boom, Script, Time, V, script::Play};

/// A loader that follows scripts and counts; clones share both.
#[derive(Clone)]
pub struct Loads(Rc<State>);

struct State {
    time: Time,
    script: Box<dyn Fn(u32, usize) -> Script>,
    begun: RefCell<Vec<(u64, u32)>>,
    handed: RefCell<Vec<Option<Previous<V>>>>,
    calls: Cell<usize>,
    live: Cell<usize>,
    most: Cell<usize>,
    polls: Cell<usize>,
}

impl Loads {
    /// Asks `script` for each call, with the key and the number of earlier calls.
    pub fn new(time: &Time, script: impl Fn(u32, usize) -> Script + 'static) -> Self {
        Self(Rc::new(State {
            time: time.clone(),
            script: Box::new(script),
            begun: RefCell::default(),
            handed: RefCell::default(),
            calls: Cell::new(0),
            live: Cell::new(0),
            most: Cell::new(0),
            polls: Cell::new(0),
        }))
    }

    /// How often the loader was called.
    pub fn calls(&self) -> usize {
        self.0.calls.get()
    }

    /// When it was called, in milliseconds.
    pub fn begun(&self) -> Vec<u64> {
        self.0.begun.borrow().iter().map(|(at, _)| *at).collect()
    }

    /// The keys that it was called for.
    pub fn keys(&self) -> Vec<u32> {
        self.0.begun.borrow().iter().map(|(_, key)| *key).collect()
    }

    /// The previous values that it got, if the cache passes them.
    pub fn handed(&self) -> Vec<Option<Previous<V>>> {
        self.0.handed.borrow().clone()
    }

    /// The loader as a closure that gets the previous value.
    pub fn revalidator(&self) -> Revalidator {
        let loads = self.clone();
        Box::new(move |key, previous| {
            loads.0.handed.borrow_mut().push(previous);
            loads.begin(key)
        })
    }

    /// The loader as the fetch of a slot.
    pub fn fetcher(&self) -> Fetcher {
        let loads = self.clone();
        Box::new(move |previous| {
            loads.0.handed.borrow_mut().push(previous);
            loads.begin(0)
        })
    }

    /// One fetch of a slot, by a call's own closure.
    pub fn fetch(&self, previous: Option<Previous<V>>) -> PlainLoad {
        self.0.handed.borrow_mut().push(previous);
        PlainLoad(self.begin(0))
    }

    /// Frees the memory of the records, for tests that count bytes.
    pub fn forget(&self) {
        self.0.begun.take();
        self.0.handed.take();
    }

    /// How many of its futures exist now.
    pub fn live(&self) -> usize {
        self.0.live.get()
    }

    /// How many of its futures existed at once at most.
    pub fn most(&self) -> usize {
        self.0.most.get()
    }

    /// How often its futures were polled in total.
    pub fn polls(&self) -> usize {
        self.0.polls.get()
    }

    /// Begins the load of `key`.
    fn begin(&self, key: u32) -> ScriptLoad {
        let state = &self.0;
        let script = (state.script)(key, self.calls());
        state.begun.borrow_mut().push((state.time.ms(), key));
        state.calls.set(state.calls.get() + 1);
        state.live.set(state.live.get() + 1);
        state.most.set(state.most.get().max(state.live.get()));
        ScriptLoad { loads: self.clone(), play: Some(Play::new(script)) }
    }
}

impl Load<u32> for Loads {
    type Value = V;
    type Error = Boom;
    type Future = PlainLoad;

    fn load(&self, key: u32) -> PlainLoad {
        PlainLoad(self.begin(key))
    }
}

/// A load under way that gets no previous value.
pub struct PlainLoad(ScriptLoad);

impl Future for PlainLoad {
    type Output = Result<Loaded<V>, Boom>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_ok(|answer| match answer {
            Revalidated::New(loaded) => loaded,
            Revalidated::Unchanged(_) => panic!("the script is for a cache that hands out the previous value"),
        })
    }
}

/// Calls a script's loader with the previous value.
pub type Revalidator = Box<dyn Fn(u32, Option<Previous<V>>) -> ScriptLoad>;

/// Fetches the value of a slot by a script.
pub type Fetcher = Box<dyn Fn(Option<Previous<V>>) -> ScriptLoad>;

/// One load under way.
pub struct ScriptLoad {
    loads: Loads,
    play: Option<Play>,
}

impl Future for ScriptLoad {
    type Output = Result<Revalidated<V>, Boom>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let state = &this.loads.0;
        state.polls.set(state.polls.get() + 1);
        let mut play = this.play.take().expect("a load is not polled after its end");
        let poll = play.poll(&state.time, context);
        if poll.is_pending() {
            this.play = Some(play);
        }
        poll
    }
}

impl Drop for ScriptLoad {
    fn drop(&mut self) {
        let live = &self.loads.0.live;
        live.set(live.get() - 1);
    }
}
