//! All public calls at random, by callers that unwind.

use core::{marker::PhantomData, panic::AssertUnwindSafe};
use std::panic::catch_unwind;

use larder::{AnswerSink, Cache, Change, LoadError, Loaded, LookupOptions, OnTimeout, Previous, Revalidated};
use larder_tests::*;

use crate::{
    dice::{Dice, Told, Trouble, many, one_by_one},
    hostile::{Key, Value},
};

const STEPS: usize = 60;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

pub(crate) struct Medley<R> {
    pub(crate) sim: Sim,
    dice: Rc<Dice>,
    runtime: PhantomData<R>,
}

impl<R: Host> Medley<R> {
    pub(crate) fn new(seed: u64, trouble: Trouble) -> Self {
        let sim = Sim::new();
        let dice = Rc::new(Dice::new(seed, &sim.time, trouble));
        Self { sim, dice, runtime: PhantomData }
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.dice.below(bound)
    }

    pub(crate) fn is(&self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn load(
        &self,
    ) -> impl Fn(Key, Option<Previous<Value>>) -> BoxFuture<Result<Revalidated<Value>, Boom>> + 'static {
        let dice = Rc::clone(&self.dice);
        move |key, old| {
            let dice = Rc::clone(&dice);
            Box::pin(async move {
                let end = dice.wait().await;
                let (number, is_held) = (*key.0, old.is_some());
                // If the drop of a local panics, the compiler leaks the return value.
                drop((key, old));
                match end {
                    0 => Err(Boom(number)),
                    1 if is_held => Ok(Revalidated::Unchanged(dice.ttl())),
                    _ => Ok(Revalidated::New(dice.loaded(number))),
                }
            })
        }
    }

    pub(crate) fn load_many(&self) -> impl Fn(Vec<Key>) -> BoxFuture<Result<Told, Boom>> + 'static {
        let dice = Rc::clone(&self.dice);
        move |keys| Box::pin(many(Rc::clone(&dice), keys))
    }

    pub(crate) fn load_each(
        &self,
    ) -> impl Fn(Vec<Key>, AnswerSink<Key, Value, Boom, R>) -> BoxFuture<Result<(), Boom>> + 'static {
        let dice = Rc::clone(&self.dice);
        move |keys, answers| Box::pin(one_by_one(Rc::clone(&dice), keys, answers))
    }

    pub(crate) fn time(&self, most: u64) -> Duration {
        self.dice.time(most)
    }

    pub(crate) fn weight(&self, most: u64) -> u64 {
        self.dice.weight(most)
    }

    fn key(&self) -> u32 {
        self.dice.key()
    }

    fn options(&self) -> LookupOptions {
        let options = LookupOptions::new();
        match self.below(6) {
            0 => options.reload(),
            1 => options.ttl(self.dice.ttl()),
            2 => options.lock_timeout(self.time(30), OnTimeout::Load),
            3 => options.stale_if_error(self.time(90)),
            _ => options,
        }
    }

    /// Plays, and checks whether the cache has withstood it.
    pub(crate) fn play(mut self, cache: &Cache<Key, Value, Boom, R>) {
        let mut callers = Vec::new();
        for _ in 0..STEPS {
            if self.is(2) {
                self.dice.arm();
            }
            match self.below(10) {
                0..5 => callers.push(self.asks(cache)),
                5 if !callers.is_empty() => {
                    let i = callers[self.below(callers.len() as u64) as usize];
                    stands(|| self.sim.drop(i));
                }
                5 | 6 if self.dice.is_extreme() => {
                    self.sim.clock().set(self.dice.moment());
                    self.sim.run();
                }
                5 | 6 => {
                    let to = self.sim.time.ms() + self.below(30);
                    // Drops in between may panic anywhere: it continues until all is done.
                    while !stands(|| self.sim.to(to)) {}
                }
                _ => {
                    stands(|| self.acts(cache));
                }
            }
            while !stands(|| self.sim.run()) {}
            calm();
            assert_sums(&cache.stats());
            assert!(cache.weight() <= cache.capacity());
        }
        self.rests();
        self.sim.assert_nobody_is_forgotten(callers.iter().copied());
        for i in callers {
            let saw = self.sim.saw(i);
            assert!(saw != "waits" && !saw.contains("panic: "), "caller {i}: {saw}");
        }
        assert_clean(&cache.stats());
        for key in 0..Dice::KEYS {
            for _ in 0..3 {
                let asks = cache.clone();
                let i = self.sim.call(async move {
                    check(key, asks.refresh(&Key::new(key)).await.map(larder::Outcome::into_value))
                });
                self.rests();
                assert!(self.sim.saw(i).ends_with("done"), "{}", self.sim.saw(i));
            }
        }
        cache.set_capacity(cache.capacity().min(50));
        for key in 0..200 {
            cache.insert(Key::new(key), Value::new(key));
        }
        let held = cache.iter().map(|(key, value)| assert_eq!(key.0, value.0)).count();
        assert!(held as u64 <= cache.capacity() && cache.weight() <= cache.capacity());
        cache.clear();
        assert_eq!((cache.len(), cache.weight()), (0, 0));
        assert_clean(&cache.stats());
    }

    /// Lets all loads end.
    fn rests(&mut self) {
        if self.dice.is_extreme() {
            self.sim.run();
        } else {
            let end = self.sim.time.ms() + 1000;
            self.sim.to(end);
        }
    }

    /// A caller that waits.
    fn asks(&mut self, cache: &Cache<Key, Value, Boom, R>) -> usize {
        let (cache, key, options) = (cache.clone(), self.key(), self.options());
        let (dice, other) = (Rc::clone(&self.dice), self.key());
        match self.below(9) {
            0 | 1 => self.sim.spawn(async move { check(key, cache.get(&Key::new(key)).await) }),
            2 => self.sim.spawn(async move {
                check(key, cache.lookup(&Key::new(key)).options(options).await.map(larder::Outcome::into_value));
            }),
            3 | 4 => self.sim.spawn(async move {
                let told = cache.lookup(&Key::new(key)).options(options).stale().await;
                let Ok(told) = told else { return };
                assert_eq!(*told.outcome.value().0, key);
                if let Some(ticket) = told.refresh {
                    ticket.await;
                }
            }),
            5 => self.sim.spawn(async move {
                let load = || async {
                    match dice.wait().await {
                        0 => Err(Boom(key)),
                        _ => Ok(dice.loaded(key)),
                    }
                };
                check(
                    key,
                    cache.lookup(&Key::new(key)).options(options).lend(load).await.map(larder::Outcome::into_value),
                );
            }),
            6 | 7 => self.sim.spawn(async move {
                let keys = [key, other, (key + 1) % 6, key].map(Key::new);
                let told = cache.lookup_many(&keys).options(options).await;
                assert_eq!(told.len(), 4);
                for (key, told) in keys.iter().zip(told) {
                    check(*key.0, told.map(larder::Outcome::into_value));
                }
            }),
            _ => self.sim.spawn(async move {
                let keys = [key, other, (key + 1) % 6, key].map(Key::new);
                let told = cache.lookup_many(&keys).options(options).by(|keys| many(Rc::clone(&dice), keys)).await;
                assert_eq!(told.len(), 4);
                for (key, told) in keys.iter().zip(told) {
                    check(*key.0, told.map(larder::Outcome::into_value));
                }
            }),
        }
    }

    /// A call that does not wait.
    fn acts(&self, cache: &Cache<Key, Value, Boom, R>) {
        let key = Key::new(self.key());
        let is_right = |value: &Value| assert_eq!(value.0, key.0);
        match self.below(15) {
            0..3 => drop(cache.insert_with(Key::new(*key.0), self.dice.loaded(*key.0))),
            3 => drop(cache.remove(&key).inspect(is_right)),
            4 => drop(cache.get_if_present(&key).inspect(is_right)),
            5 => {
                let seen = cache.peek(&key);
                if let Some(generation) = seen.and_then(|seen| seen.generation()) {
                    cache.invalidate_if(&key, generation);
                }
            }
            6 => drop(cache.expire(&key)),
            7 => {
                let (change, number) = (self.below(3), *key.0);
                let _now = cache.compute(&key, |seen| {
                    seen.inspect(|value| is_right(value));
                    match change {
                        0 => Change::Store(Loaded::new(Value::new(number))),
                        1 => Change::Remove,
                        _ => Change::Keep,
                    }
                });
            }
            8 => cache.retain(|key, value| {
                assert_eq!(key.0, value.0);
                *key.0 % 3 != 0
            }),
            9 => cache.clear(),
            10 => cache.iter().for_each(|(key, value)| assert_eq!(key.0, value.0)),
            11 => cache.set_capacity([self.weight(20), 100, 800][self.below(3) as usize]),
            12 => {
                let _next = cache.next_deadline();
                cache.sweep();
            }
            13 => drop(cache.contains(&key)),
            _ => drop(cache.get_if_present(&key)),
        }
    }
}

/// Does the work and returns whether it came to its end; otherwise a scripted panic stopped it.
pub(crate) fn stands(work: impl FnOnce()) -> bool {
    let Err(panic) = catch_unwind(AssertUnwindSafe(work)) else { return true };
    if !panic.is::<Bang>() {
        std::panic::resume_unwind(panic);
    }
    false
}

/// Checks whether it is the key's own value.
fn check(key: u32, told: Result<Value, LoadError<Boom>>) {
    if let Ok(value) = told {
        assert_eq!(*value.0, key);
    }
}
