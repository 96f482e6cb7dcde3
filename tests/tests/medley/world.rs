//! What a medley is played in: the loads of its caches, and the model that hears of all events.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use larder::{Generation, Loaded, Outcome, Previous, Revalidated, Ttl};
use larder_tests::*;

use super::{
    asking::{Going, Task},
    plain::{Kind, Ns, Plain, Rules, Said, Why},
};

pub(crate) type Asks = Rc<dyn Fn(u32) -> Pin<Box<dyn Future<Output = ()>>>>;
type Peeks = Rc<dyn Fn(u32) -> Option<Outcome<V, Boom>>>;
pub(crate) type Loading<T> = Pin<Box<dyn Future<Output = Result<T, Boom>>>>;

/// The keys that callers ask for.
pub(crate) const KEYS: u32 = 8;
/// The keys that loads may bring.
pub(crate) const ALL_KEYS: u32 = 12;

pub(crate) struct World {
    random: RefCell<Random>,
    time: Time,
    pub(crate) plain: RefCell<Plain>,
    /// The callers that are being polled, the innermost last.
    pub(crate) polled: RefCell<Vec<Option<usize>>>,
    /// Asks the cache for a key from inside a load.
    pub(crate) inside: RefCell<Option<Asks>>,
    pub(crate) peeks: RefCell<Option<Peeks>>,
    /// Takes what a spawner was handed since the last look.
    pub(crate) spawned: Box<dyn Fn() -> Vec<Task>>,
    pub(crate) tasks: RefCell<Vec<Task>>,
    pub(crate) live: Cell<usize>,
    /// How many lookups have begun.
    pub(crate) lookups: Cell<u64>,
    numbers: Cell<u32>,
}

impl World {
    pub(crate) fn new<R: Host>(random: Random, time: &Time, rules: Rules, spawner: &Spawning<R>) -> Rc<Self> {
        let spawner = spawner.clone();
        Rc::new(Self {
            random: RefCell::new(random),
            time: time.clone(),
            plain: RefCell::new(Plain::new(rules)),
            polled: RefCell::default(),
            inside: RefCell::default(),
            peeks: RefCell::default(),
            spawned: Box::new(move || spawner.take()),
            tasks: RefCell::default(),
            live: Cell::new(0),
            lookups: Cell::new(0),
            numbers: Cell::new(0),
        })
    }

    /// The task that was spawned last, if there is one; the others are kept without an owner.
    pub(crate) fn take_last(self: &Rc<Self>) -> Option<Task> {
        let mut tasks = (self.spawned)();
        let last = tasks.pop();
        let of_nobody = |future| Box::pin(Going { world: Rc::clone(self), by: None, future }) as Task;
        self.tasks.borrow_mut().extend(tasks.into_iter().map(of_nobody));
        last
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    pub(crate) fn now(&self) -> Ns {
        self.time.ms() * 1_000_000
    }

    /// A number that was not used before.
    pub(crate) fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    pub(crate) fn ttl(&self) -> Ttl {
        match self.below(12) {
            0 => Ttl::NotStored,
            1 => Ttl::Forever,
            2 => Ttl::ExpiresAtOnce,
            3..6 => Ttl::For(ms(self.below(80))),
            _ => Ttl::Inherit,
        }
    }

    pub(crate) fn weight(&self) -> Option<u64> {
        (self.below(3) == 0).then(|| self.below(5))
    }

    pub(crate) fn loaded(&self) -> (Loaded<V>, (u32, Ttl, Option<u64>)) {
        let (id, ttl) = (self.number(), self.ttl());
        let weight = if self.plain.borrow().rules.is_slot { None } else { self.weight() };
        let loaded = Loaded::new(V::new(id)).ttl(ttl);
        (weight.into_iter().fold(loaded, Loaded::weight), (id, ttl, weight))
    }

    /// Tells the model what is seen of each change.
    pub(crate) fn observe(&self) {
        let peeks = self.peeks.borrow().clone();
        let Some(peeks) = peeks else { return };
        let unseen = self.plain.borrow_mut().unseen();
        for key in unseen {
            let seen = peeks(key);
            self.plain.borrow_mut().observe(key, seen.as_ref(), self.now());
        }
    }

    /// Compares all that is seen with what has to be.
    pub(crate) fn check(&self) {
        self.observe();
        let peeks = self.peeks.borrow().clone().expect("there is a cache");
        for key in 0..ALL_KEYS {
            self.plain.borrow().check(key, peeks(key).as_ref(), self.now());
        }
    }

    /// A load of one key that may get the previous value.
    pub(crate) fn load(self: &Rc<Self>, key: u32, old: Option<Previous<V>>, kind: Kind) -> Loading<Revalidated<V>> {
        let running = self.begin(&[key], kind);
        if let Some(old) = &old {
            self.plain.borrow().was_handed(key, old);
        }
        let told = Rc::clone(&running);
        playing(running, async move {
            let (running, world) = (&told, Rc::clone(&told.world));
            match (running.wait(key).await, old) {
                (0, _) => Err(running.fails()),
                (1, Some(old)) => {
                    let ttl = world.ttl();
                    let former: (Generation, Ns) = (old.generation(), old.published().as_nanos());
                    let id = **old.value();
                    running.ends(|_| Said::Unchanged { id, ttl, former });
                    Ok(Revalidated::Unchanged(ttl))
                }
                (1, None) if world.plain.borrow().rules.revalidates => {
                    running.ends(|_| Said::Failed(Why::NothingToKeep));
                    Ok(Revalidated::Unchanged(world.ttl()))
                }
                _ => {
                    let (loaded, (id, ttl, weight)) = world.loaded();
                    running.ends(|_| Said::New { id, ttl, weight });
                    Ok(Revalidated::New(loaded))
                }
            }
        })
    }

    /// A load of one key that a call brings.
    pub(crate) fn load_one(self: &Rc<Self>, key: u32, old: Option<&Previous<V>>) -> Loading<Loaded<V>> {
        let running = self.begin(&[key], Kind::Call);
        old.into_iter().for_each(|old| self.plain.borrow().was_handed(key, old));
        let told = Rc::clone(&running);
        playing(running, async move {
            let running = &told;
            if running.wait(key).await == 0 {
                return Err(running.fails());
            }
            let (loaded, (id, ttl, weight)) = running.world.loaded();
            running.ends(|_| Said::New { id, ttl, weight });
            Ok(loaded)
        })
    }

    pub(crate) fn begin(self: &Rc<Self>, keys: &[u32], kind: Kind) -> Rc<Running> {
        let by = self.polled.borrow().last().copied().flatten();
        let load = self.plain.borrow_mut().begin(by, keys, kind, self.now());
        self.live.set(self.live.get() + 1);
        Rc::new(Running { world: Rc::clone(self), load, is_over: Cell::new(false) })
    }

    async fn ask_inside(&self, key: u32) {
        let asks = self.inside.borrow().clone();
        if let Some(asks) = asks {
            asks(key).await;
        }
    }
}

/// A load under way.
pub(crate) struct Running {
    pub(crate) world: Rc<World>,
    load: usize,
    is_over: Cell<bool>,
}

/// Plays a load; it panics if something that it calls does.
pub(crate) fn playing<T: 'static>(
    running: Rc<Running>,
    load: impl Future<Output = Result<T, Boom>> + 'static,
) -> Loading<T> {
    struct Unwinding<'a>(&'a Running);

    impl Drop for Unwinding<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() && !self.0.is_over.get() {
                self.0.ends(|_| Said::Failed(Why::Panicked));
            }
        }
    }

    let mut load = Box::pin(load);
    Box::pin(core::future::poll_fn(move |context| {
        let _unwinding = Unwinding(&running);
        load.as_mut().poll(context)
    }))
}

impl Running {
    pub(crate) fn ends(&self, says: impl Fn(u32) -> Said) {
        self.is_over.set(true);
        self.answers(|key| Some(says(key)));
    }

    pub(crate) fn answers(&self, says: impl Fn(u32) -> Option<Said>) {
        self.world.plain.borrow_mut().answered(self.load, says, self.world.now());
    }

    /// It has values for keys that it was not asked for.
    pub(crate) fn brings(&self, surplus: Vec<(u32, (u32, Ttl, Option<u64>))>) {
        for (key, new) in surplus {
            self.world.plain.borrow_mut().surplus(self.load, key, new, self.world.now());
        }
    }

    pub(crate) fn fails(&self) -> Boom {
        let boom = self.world.number();
        self.ends(|_| Said::Failed(Why::Boom(boom)));
        Boom(boom)
    }

    /// Lets a load last for a while; returns how it ends.
    pub(crate) async fn wait(&self, key: u32) -> u64 {
        let world = &self.world;
        world.plain.borrow_mut().is_polled(self.load);
        if world.below(8) == 0 {
            world.ask_inside(key).await;
        }
        for _ in 0..world.below(4) {
            if world.below(2) == 0 {
                futures_lite::future::yield_now().await;
            } else {
                sleep(&world.time, world.below(40)).await;
            }
        }
        if world.below(12) == 0 {
            self.ends(|_| Said::Failed(Why::Panicked));
            std::panic::panic_any(Bang(key));
        }
        if world.below(12) == 0 {
            world.ask_inside(key).await;
        }
        world.below(7)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let world = &self.world;
        world.live.set(world.live.get() - 1);
        if !self.is_over.get() {
            let is_polled = !world.polled.borrow().is_empty();
            world.plain.borrow_mut().dropped(self.load, is_polled, world.now());
        }
    }
}
