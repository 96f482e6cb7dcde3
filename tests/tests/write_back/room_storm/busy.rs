//! A disk that knows what is under way, and what was written.

use core::{cell::Cell, hash};

use larder::{Backend, LocalBoxIo};

use super::*;

/// A key, and how many different hashes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) u32, pub(super) u32);

impl hash::Hash for Key {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        state.write_u32(self.0 % self.1);
    }
}

/// A disk that knows what is under way.
#[derive(Clone)]
pub(super) struct Busy(pub(super) Rc<State>);

pub(super) struct State {
    time: Time,
    random: RefCell<Random>,
    /// How many calls of a hundred fail.
    pub(super) trouble: Cell<u64>,
    pub(super) pages: RefCell<[u32; KEYS as usize]>,
    pub(super) loading: RefCell<[u32; KEYS as usize]>,
    pub(super) flushing: Cell<u32>,
    /// The last write to each key, and all writes in order.
    pub(super) latest: RefCell<[u32; KEYS as usize]>,
    written: RefCell<Vec<u32>>,
    /// How often dirty values were discarded.
    pub(super) invalidations: Cell<u32>,
}

pub(super) const KEYS: u32 = 5;

/// Counts a call that is under way, until it is dropped.
struct Under(Rc<State>, Option<u32>);

impl Under {
    fn way(state: &Rc<State>, loads: Option<u32>) -> Self {
        match loads {
            Some(key) => state.loading.borrow_mut()[key as usize] += 1,
            None => state.flushing.set(state.flushing.get() + 1),
        }
        Self(state.clone(), loads)
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        match self.1 {
            Some(key) => self.0.loading.borrow_mut()[key as usize] -= 1,
            None => self.0.flushing.set(self.0.flushing.get() - 1),
        }
    }
}

impl State {
    pub(super) fn new(time: &Time, seed: u64, trouble: u64) -> Rc<Self> {
        Rc::new(Self {
            time: time.clone(),
            random: RefCell::new(Random::new(seed ^ 0xd15c)),
            trouble: Cell::new(trouble),
            pages: RefCell::default(),
            loading: RefCell::default(),
            flushing: Cell::new(0),
            latest: RefCell::default(),
            written: RefCell::default(),
            invalidations: Cell::new(0),
        })
    }

    pub(super) fn acknowledge(&self, key: u32, value: u32) {
        self.latest.borrow_mut()[key as usize] = value;
        self.written.borrow_mut().push(value);
    }

    pub(super) fn invalidated(&self) {
        *self.latest.borrow_mut() = *self.pages.borrow();
        self.invalidations.set(self.invalidations.get() + 1);
    }

    /// The rank of a value's write among all; the values of the beginning come first.
    pub(super) fn rank(&self, value: u32) -> Option<usize> {
        self.written.borrow().iter().position(|written| *written == value)
    }

    fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    async fn work(self: Rc<Self>, loads: Option<u32>) -> Result<(), Boom> {
        let _under = Under::way(&self, loads);
        let (time, fails) = (self.below(4) * self.below(8), self.below(100) < self.trouble.get());
        if time > 0 {
            sleep(&self.time, time).await;
        }
        if fails { Err(Boom(1)) } else { Ok(()) }
    }
}

impl Backend<Key> for Busy {
    type Value = u32;
    type Error = Boom;
    type Load = LocalBoxIo<Result<u32, Boom>>;
    type Flush = LocalBoxIo<Result<(), Boom>>;
    type Discard = core::future::Ready<()>;

    fn load(&self, key: Key) -> Self::Load {
        let state = self.0.clone();
        Box::pin(async move {
            let early = state.pages.borrow()[key.0 as usize];
            state.clone().work(Some(key.0)).await?;
            Ok(early)
        })
    }

    fn flush(&self, key: Key, value: u32) -> Self::Flush {
        let state = self.0.clone();
        Box::pin(async move {
            state.clone().work(None).await?;
            state.pages.borrow_mut()[key.0 as usize] = value;
            Ok(())
        })
    }

    fn discard(&self, _: Key, _: u32) -> Self::Discard {
        core::future::ready(())
    }

    fn lost(&self, _: Vec<Key>) {}
}
