//! A loader of many keys that follows scripts and counts.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use alloc::rc::Rc;

use larder::{Cache, LoadMany, Loaded};

use crate::{Boom, Script, Time, V, script::Play};

/// A cache whose loads of many keys follow scripts.
pub type Batched<R> = Cache<u32, V, Boom, R>;

/// The result of a load of many keys, for each key.
pub type Said = Vec<(u32, Result<Loaded<V>, Boom>)>;

/// A loader of many keys that follows scripts and counts; clones share both.
#[derive(Clone)]
pub struct Batches(Rc<State>);

struct State {
    time: Time,
    script: Box<dyn Fn(&[u32], usize) -> Script>,
    says: Box<dyn Fn(&[u32]) -> Said>,
    begun: RefCell<Vec<(u64, Vec<u32>)>>,
    live: Cell<usize>,
    polls: Cell<usize>,
}

impl Batches {
    /// Asks `script` for each call, with the keys and the number of earlier calls; the value of key 7 is `V7`.
    pub fn new(time: &Time, script: impl Fn(&[u32], usize) -> Script + 'static) -> Self {
        Self::saying(time, script, |keys| keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key))))).collect())
    }

    /// The same, but the test makes the answers of loads that end well.
    pub fn saying(
        time: &Time,
        script: impl Fn(&[u32], usize) -> Script + 'static,
        says: impl Fn(&[u32]) -> Said + 'static,
    ) -> Self {
        let (time, script, says) = (time.clone(), Box::new(script), Box::new(says));
        let (live, polls) = (Cell::new(0), Cell::new(0));
        Self(Rc::new(State { time, script, says, begun: RefCell::default(), live, polls }))
    }

    /// When the loader was called, in milliseconds, and for which keys.
    pub fn begun(&self) -> Vec<(u64, Vec<u32>)> {
        self.0.begun.borrow().clone()
    }

    /// How many of its futures exist now.
    pub fn live(&self) -> usize {
        self.0.live.get()
    }

    /// How often its futures were polled in total.
    pub fn polls(&self) -> usize {
        self.0.polls.get()
    }

    /// Begins a load as a call's own closure would.
    pub fn begin(&self, keys: Vec<u32>) -> BatchLoad {
        self.load_many(keys)
    }
}

impl LoadMany<u32> for Batches {
    type Value = V;
    type Error = Boom;
    type Answers = Said;
    type Future = BatchLoad;

    fn load_many(&self, keys: Vec<u32>) -> BatchLoad {
        let state = &self.0;
        let play = Some(Play::new((state.script)(&keys, state.begun.borrow().len())));
        state.begun.borrow_mut().push((state.time.ms(), keys.clone()));
        state.live.set(state.live.get() + 1);
        BatchLoad { batches: self.clone(), keys, play }
    }
}

/// One load of many keys under way.
pub struct BatchLoad {
    batches: Batches,
    keys: Vec<u32>,
    play: Option<Play>,
}

impl Future for BatchLoad {
    type Output = Result<Said, Boom>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let state = &this.batches.0;
        state.polls.set(state.polls.get() + 1);
        let mut play = this.play.take().expect("a load is not polled after its end");
        let poll = play.poll(&state.time, context);
        if poll.is_pending() {
            this.play = Some(play);
        }
        poll.map_ok(|_| (state.says)(&this.keys))
    }
}

impl Drop for BatchLoad {
    fn drop(&mut self) {
        let live = &self.batches.0.live;
        live.set(live.get() - 1);
    }
}
