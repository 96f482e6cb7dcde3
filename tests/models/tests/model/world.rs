//! The cache and the plain model side by side: the model is told of each step first.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use larder::{Cache, Change, Loaded, RemovalCause, Ttl};
use larder_tests::*;

use super::{
    loads::Plays,
    plain::{Call, Id, Key, Ms, Plain, Seat, Sees},
};

type Listens = Box<dyn Fn(&Key, &Val, RemovalCause)>;
type Weighs = Box<dyn Fn(&Key, &Val) -> u64>;
pub(crate) type Modelled<R> = Cache<Key, Val, Fault, R>;
pub(crate) type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// A numbered value; its last copy calls the cache when it is dropped.
#[derive(Clone)]
pub(crate) struct Val(Rc<Tracked>);

struct Tracked {
    id: Id,
    drops: Weak<dyn Fn()>,
}

impl Val {
    pub(crate) fn id(&self) -> Id {
        self.0.id
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if let Some(drops) = self.drops.upgrade() {
            drops();
        }
    }
}

/// An error with the number of its load.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Id);

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "load {} failed", self.0)
    }
}

/// A caller that is being polled, and the keys that it has yet to ask for.
pub(crate) struct Polled {
    pub(crate) caller: usize,
    pub(crate) call: Call,
    pub(crate) coming: VecDeque<Key>,
}

/// The cache, its model, and the callers that are being polled.
pub(crate) struct World<R: Host> {
    pub(crate) time: Time,
    pub(crate) model: RefCell<Plain>,
    pub(crate) cache: RefCell<Option<Modelled<R>>>,
    pub(crate) random: RefCell<Random>,
    /// Refreshes that callers got, until the test takes them.
    pub(crate) tickets: RefCell<Vec<Boxed>>,
    pub(crate) live: Cell<usize>,
    /// The number of callers that ask for many keys.
    pub(crate) many: Cell<usize>,
    numbers: Cell<u32>,
    pub(crate) polled: RefCell<Vec<Polled>>,
    /// What each caller that has asked must see.
    pub(crate) seen: RefCell<BTreeMap<Seat, Sees>>,
    pub(crate) loading: RefCell<Vec<Id>>,
    inside: Cell<bool>,
    /// Whether loads must not call the cache.
    pub(crate) quiet: Cell<bool>,
    drops: RefCell<Option<Rc<dyn Fn()>>>,
}

impl<R: Host> World<R> {
    pub(crate) fn new(time: &Time, seed: u64, model: Plain) -> Rc<Self> {
        let world = Rc::new(Self {
            time: time.clone(),
            model: RefCell::new(model),
            cache: RefCell::default(),
            random: RefCell::new(Random::new(seed)),
            tickets: RefCell::default(),
            live: Cell::new(0),
            many: Cell::new(0),
            numbers: Cell::new(0),
            polled: RefCell::default(),
            seen: RefCell::default(),
            loading: RefCell::default(),
            inside: Cell::new(false),
            quiet: Cell::new(false),
            drops: RefCell::default(),
        });
        let own = Rc::downgrade(&world);
        *world.drops.borrow_mut() =
            Some(Rc::new(move || own.upgrade().into_iter().for_each(|world| world.call_back())));
        world
    }

    /// The listener and the weigher of this world.
    pub(crate) fn listener(self: &Rc<Self>) -> Listens {
        let world = Rc::downgrade(self);
        Box::new(move |key, value, cause| {
            let Some(world) = world.upgrade() else { return };
            world.model.borrow_mut().event(*key, value.id(), cause, world.time.ms());
            world.call_back();
        })
    }

    pub(crate) fn weigher(self: &Rc<Self>) -> Weighs {
        let world = Rc::downgrade(self);
        Box::new(move |_, value| {
            let reads = |world: Rc<Self>| world.read_inside();
            world.upgrade().into_iter().for_each(reads);
            u64::from(value.id() % 4)
        })
    }

    pub(crate) fn loader(self: &Rc<Self>) -> Plays<R> {
        Plays(Rc::downgrade(self))
    }

    pub(crate) fn cache(&self) -> Modelled<R> {
        self.cache.borrow().clone().expect("it is there until the end")
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    pub(crate) fn keys(&self) -> u64 {
        self.model.borrow().rules.keys
    }

    pub(crate) fn key(&self) -> Key {
        self.below(self.keys()) as Key
    }

    pub(crate) fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    pub(crate) fn value(&self, id: Id) -> Val {
        let drops = self.drops.borrow().as_ref().map_or_else(|| Weak::<fn()>::new() as Weak<dyn Fn()>, Rc::downgrade);
        Val(Rc::new(Tracked { id, drops }))
    }

    pub(crate) fn ttl(&self) -> (Ttl, Option<Ms>) {
        match self.below(8) {
            0 => (Ttl::NotStored, None),
            1 => (Ttl::Forever, Some(Ms::MAX)),
            2 | 3 => {
                let length = self.below(80);
                (Ttl::For(ms(length)), Some(length))
            }
            _ => (Ttl::Inherit, Some(self.model.borrow().rules.ttl.unwrap_or(Ms::MAX))),
        }
    }

    // Direct calls: the model first.

    pub(crate) fn insert(&self, key: Key) {
        let (id, (ttl, length)) = (self.number(), self.ttl());
        self.model.borrow_mut().insert(key, id, length, self.time.ms());
        self.cache().insert_with(key, Loaded::new(self.value(id)).ttl(ttl));
    }

    pub(crate) fn remove(&self, key: Key) {
        let expected = self.model.borrow_mut().remove(key, self.time.ms());
        let removed = self.cache().remove(&key).map(|value| value.id());
        let left_before = self.inside.get() && self.model.borrow().rules.is_small;
        assert!(removed == expected || left_before, "key {key}: {removed:?} instead of {expected:?}");
    }

    pub(crate) fn clear(&self) {
        self.model.borrow_mut().clear(self.time.ms());
        self.cache().clear();
    }

    pub(crate) fn retain(&self, parity: u32) {
        self.model.borrow_mut().retain(|key| key % 2 == parity, self.time.ms());
        self.cache().retain(|key, _| {
            self.read_inside();
            key % 2 == parity
        });
    }

    pub(crate) fn remove_if(&self, parity: u32) {
        let expected = self.model.borrow_mut().remove_if(|key| key % 2 == parity, self.time.ms());
        let left_before = self.inside.get() && self.model.borrow().rules.is_small;
        let removed = self.cache().remove_if(|key| key % 2 == parity);
        assert!(removed == expected || left_before, "{removed} instead of {expected}");
    }

    pub(crate) fn expire(&self, key: Key) {
        let expected = self.model.borrow_mut().expire(key, self.time.ms());
        assert_eq!(self.cache().expire(&key), expected);
    }

    /// By the generation that is stored, or by that of another key.
    pub(crate) fn invalidate(&self, key: Key) {
        let of = |key| self.cache().peek(&key).and_then(|found| found.generation());
        let (right, wrong) = (of(key), of(self.key()));
        let Some(generation) = (if self.below(2) == 0 { right } else { wrong }) else { return };
        let expected = right == Some(generation);
        if expected {
            self.model.borrow_mut().remove(key, self.time.ms());
        }
        assert_eq!(self.cache().invalidate_if(&key, generation), expected);
    }

    pub(crate) fn compute(&self, key: Key) {
        let (id, (ttl, length), change) = (self.number(), self.ttl(), self.below(3));
        let now = self.time.ms();
        let present = self.model.borrow_mut().fresh(key, now);
        match change {
            0 => {}
            1 => self.model.borrow_mut().insert(key, id, length, now),
            _ if present.is_some() => drop(self.model.borrow_mut().remove(key, now)),
            _ => {}
        }
        let computed = self.cache().compute(&key, |found| {
            self.read_inside();
            let found = found.map(|value| value.id());
            assert_eq!(found, present, "key {key}");
            match change {
                0 => Change::Keep,
                1 => Change::Store(Loaded::new(self.value(id)).ttl(ttl)),
                _ => Change::Remove,
            }
        });
        assert!(computed.is_ok());
    }

    pub(crate) fn get_if_present(&self, key: Key) {
        let expected = self.model.borrow_mut().get(key, self.time.ms());
        assert_eq!(self.cache().get_if_present(&key).map(|value| value.id()), expected);
    }

    /// From inside a callback that runs before its call takes effect: only reads, which the model is not told of.
    fn read_inside(&self) {
        if self.may_call_back() {
            let _seen = self.cache().peek(&self.key());
            let _count = self.cache().iter().count();
        }
    }

    /// From inside a callback that runs after its call took effect: writes and reads of any key.
    pub(crate) fn call_back(&self) {
        if !self.may_call_back() || self.below(4) > 0 {
            return;
        }
        let key = self.key();
        if self.is_doubtful(key) {
            return;
        }
        self.inside.set(true);
        match self.below(4) {
            0 => self.insert(key),
            1 => self.remove(key),
            _ if self.model.borrow().rules.is_small => {}
            _ => self.get_if_present(key),
        }
        self.inside.set(false);
    }

    /// Whether a caller that is being polled may have moved on to the newer epoch of this key; the key is left alone
    /// then.
    pub(crate) fn is_doubtful(&self, key: Key) -> bool {
        let (model, loading, now) = (self.model.borrow(), self.loading.borrow(), self.time.ms());
        // A polled caller polls one load at most, and others may be polled from inside that.
        let polled = self.polled.borrow();
        polled
            .iter()
            .enumerate()
            .any(|(depth, polled)| model.is_doubtful((polled.caller, key), loading.get(depth).copied(), now))
    }

    fn may_call_back(&self) -> bool {
        let is_free = self.model.try_borrow_mut().is_ok();
        // The model does not know a caller that has asked for some of its keys only.
        let all_came = self.polled.borrow().iter().all(|polled| polled.coming.is_empty());
        is_free && all_came && !self.inside.get() && !std::thread::panicking() && self.cache.borrow().is_some()
    }

    // New callers.

    /// The polled caller asks for its keys, up to `last` if it is given.
    pub(crate) fn come(&self, last: Option<Key>) {
        let is_coming = |key| self.polled.borrow().last().is_some_and(|polled| polled.coming.contains(&key));
        if last.is_some_and(|key| !is_coming(key)) {
            return;
        }
        while let Some((seat, call)) = self.next_to_come() {
            let inside = self.loading.borrow().last().copied();
            let sees = self.model.borrow_mut().arrive(seat, call, inside, self.time.ms());
            self.seen.borrow_mut().insert(seat, sees);
            if last == Some(seat.1) {
                return;
            }
        }
    }

    fn next_to_come(&self) -> Option<(Seat, Call)> {
        let mut polled = self.polled.borrow_mut();
        let polled = polled.last_mut()?;
        let key = polled.coming.pop_front()?;
        Some(((polled.caller, key), polled.call))
    }
}
