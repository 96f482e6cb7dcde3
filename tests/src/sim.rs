//! Callers polled one by one in virtual time.

use core::fmt;
use core::future::Future;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::Context;
use std::panic::catch_unwind;

use larder::{Builder, Cache, ConfigError, ManualClock};

use crate::{
    Answer, Bang, Batched, Batches, Boom, Host, Loads, Script, Time, V,
    queue::{Queue, Task},
};

/// A future that a caller got, which it may poll, keep or drop.
pub type Ticket = Pin<Box<dyn Future<Output = ()>>>;

/// The builder of a cache whose loads follow scripts.
pub type Setup<R> = Builder<u32, V, Boom, R>;

/// The builder of a cache whose loads of many keys follow scripts.
pub type BatchSetup<R> = Builder<u32, V, Boom, R>;

/// A cache whose loads follow scripts.
pub type Scripted<R> = Cache<u32, V, Boom, R>;

/// An executor on one thread with a manual clock; woken callers are polled, those woken first come first.
#[derive(Default)]
pub struct Sim {
    /// The virtual time of all callers, loads and caches.
    pub time: Time,
    callers: Vec<Caller>,
    queue: Queue,
}

struct Caller {
    future: Option<Pin<Box<dyn Future<Output = Answer>>>>,
    task: Task,
    parked: bool,
    saw: Option<(u64, Saw)>,
}

/// How a caller ended.
pub enum Saw {
    /// It returned this.
    Answer(Answer),
    /// It unwound with a scripted panic.
    Bang(Bang),
    /// It unwound with this message.
    Panic(String),
    /// The test dropped it.
    Dropped,
}

impl fmt::Display for Saw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => answer.fmt(f),
            Self::Bang(Bang(n)) => write!(f, "unwound {n}"),
            Self::Panic(message) => write!(f, "panic: {message}"),
            Self::Dropped => write!(f, "dropped"),
        }
    }
}

impl Sim {
    /// A simulation at time zero without callers.
    pub fn new() -> Self {
        Self::default()
    }

    /// A loader that plays `script` at every call.
    pub fn loads(&self, script: Script) -> Loads {
        Loads::new(&self.time, move |_, _| script.clone())
    }

    /// A loader that plays these scripts in turn, and the last one again and again.
    pub fn loads_in_turn<const N: usize>(&self, scripts: [Script; N]) -> Loads {
        Loads::new(&self.time, move |_, call| scripts[call.min(N - 1)].clone())
    }

    /// A loader that asks for a script by the key and the number of the call.
    pub fn loads_by(&self, script: impl Fn(u32, usize) -> Script + 'static) -> Loads {
        Loads::new(&self.time, script)
    }

    /// A cache on host `R` with this loader and what `setup` adds.
    #[track_caller]
    pub fn cache<R: Host>(&self, loads: &Loads, setup: impl FnOnce(Setup<R>) -> Setup<R>) -> Scripted<R> {
        self.try_cache(loads, setup).expect("the configuration is valid")
    }

    /// The same, but returns the builder's result.
    pub fn try_cache<R: Host>(
        &self,
        loads: &Loads,
        setup: impl FnOnce(Setup<R>) -> Setup<R>,
    ) -> Result<Scripted<R>, ConfigError> {
        setup(Cache::builder(R::on(self.clock())).loader(loads.clone())).build()
    }

    /// A loader of many keys that plays `script` at every call.
    pub fn batches(&self, script: Script) -> Batches {
        Batches::new(&self.time, move |_, _| script.clone())
    }

    /// A cache on host `R` with this loader of many keys and what `setup` adds.
    #[track_caller]
    pub fn batched<R: Host>(
        &self,
        batches: &Batches,
        setup: impl FnOnce(BatchSetup<R>) -> BatchSetup<R>,
    ) -> Batched<R> {
        let builder = Cache::builder(R::on(self.clock())).many_loader(batches.clone());
        setup(builder).build().expect("the configuration is valid")
    }

    /// The clock of everything in this simulation.
    pub fn clock(&self) -> ManualClock {
        self.time.clock()
    }

    /// Adds a caller that will be polled by the next run.
    pub fn spawn<A: Into<Answer>>(&mut self, future: impl Future<Output = A> + 'static) -> usize {
        let number = self.callers.len();
        let task = self.queue.task(number);
        task.waker().wake_by_ref();
        let future = Box::pin(async move { future.await.into() });
        self.callers.push(Caller { future: Some(future), task, parked: false, saw: None });
        number
    }

    /// Adds a caller and runs until all callers are idle.
    pub fn call<A: Into<Answer>>(&mut self, future: impl Future<Output = A> + 'static) -> usize {
        let number = self.spawn(future);
        self.run();
        number
    }

    /// Polls woken callers, those woken first come first, until all are idle.
    pub fn run(&mut self) {
        let mut polls = 0_u32;
        while let Some(next) = self.queue.pop() {
            self.poll_if_awake(next);
            polls += 1;
            assert!(polls < 10_000_000, "callers wake each other for ever");
        }
    }

    /// Lets time pass until `t`, and runs at every deadline on the way.
    #[track_caller]
    pub fn to(&mut self, t: u64) {
        assert!(t >= self.time.ms(), "time {t} has passed");
        self.run();
        while let Some(next) = self.time.next_deadline().filter(|next| *next <= t) {
            if next == self.time.ms() {
                break;
            }
            self.time.set(next);
            self.run();
        }
        self.time.set(t);
        self.run();
    }

    /// Sets the clock to `t` without polling.
    pub fn jump(&mut self, t: u64) {
        self.time.set(t);
    }

    /// Polls caller `i` now, woken or not, parked or not.
    pub fn poll(&mut self, i: usize) {
        let caller = &mut self.callers[i];
        let Some(mut future) = caller.future.take() else { return };
        let waker = caller.task.waker().clone();
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker))));
        let saw = match polled {
            Ok(core::task::Poll::Pending) => {
                self.callers[i].future = Some(future);
                return;
            }
            Ok(core::task::Poll::Ready(answer)) => Saw::Answer(answer),
            Err(payload) => payload.downcast::<Bang>().map_or_else(
                |other| Saw::Panic(other.downcast_ref::<&str>().map_or_else(|| "?".into(), ToString::to_string)),
                |bang| Saw::Bang(*bang),
            ),
        };
        self.callers[i].saw = Some((self.time.ms(), saw));
    }

    fn poll_if_awake(&mut self, i: usize) {
        if !self.callers[i].parked {
            self.poll(i);
        }
    }

    /// Drops caller `i`.
    pub fn drop(&mut self, i: usize) {
        let caller = &mut self.callers[i];
        if let Some(future) = caller.future.take() {
            caller.saw = Some((self.time.ms(), Saw::Dropped));
            drop(future);
        }
    }

    /// Keeps caller `i` alive and does not poll it again.
    pub fn park(&mut self, i: usize) {
        self.callers[i].parked = true;
    }

    /// Asserts that all these callers have been woken if they have something to do, except for parked ones. (P3)
    ///
    /// This polls them, which makes up for a lost wake.
    #[track_caller]
    pub fn assert_nobody_is_forgotten(&mut self, callers: impl IntoIterator<Item = usize>) {
        self.run();
        for i in callers {
            if self.callers[i].saw.is_none() && !self.callers[i].parked {
                self.poll(i);
                assert!(self.callers[i].saw.is_none(), "caller {i} was not woken: {}", self.saw(i));
            }
        }
    }

    /// Polls caller `i` again when it is woken, and once now.
    pub fn unpark(&mut self, i: usize) {
        self.callers[i].parked = false;
        self.poll(i);
    }

    /// When and how caller `i` ended: `"50: V1 Hit"`, or `"waits"`.
    pub fn saw(&self, i: usize) -> String {
        self.callers[i].saw.as_ref().map_or_else(|| "waits".into(), |(at, saw)| format!("{at}: {saw}"))
    }

    /// How caller `i` ended, without the time.
    pub fn end(&self, i: usize) -> Option<&Saw> {
        self.callers[i].saw.as_ref().map(|(_, saw)| saw)
    }

    /// The result of caller `i`.
    #[track_caller]
    pub fn answer(&self, i: usize) -> &Answer {
        match self.end(i) {
            Some(Saw::Answer(answer)) => answer,
            _ => panic!("caller {i}: {}", self.saw(i)),
        }
    }

    /// Takes the ticket that caller `i` got.
    #[track_caller]
    pub fn ticket(&mut self, i: usize) -> Ticket {
        match &mut self.callers[i].saw {
            Some((_, Saw::Answer(Answer::Outcome(_, ticket)))) => {
                ticket.take().expect("the caller was handed a ticket")
            }
            _ => panic!("caller {i} was handed no ticket"),
        }
    }

    /// How many callers there are.
    pub fn callers(&self) -> usize {
        self.callers.len()
    }

    /// How often caller `i` was woken.
    pub fn wakes(&self, i: usize) -> usize {
        self.callers[i].task.wakes()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.callers.clear();
        self.queue.clear();
    }
}
