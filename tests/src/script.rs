//! Loads that follow a script.

use core::cell::{Cell, RefCell};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use alloc::rc::Rc;

use larder::{Loaded, ManualClock, Revalidated, Timer, Ttl};

use crate::{Bang, Boom, Time, V};

/// What one load does, from its first poll to its end.
#[derive(Clone)]
pub struct Script {
    wait: Wait,
    end: End,
    ttl: Ttl,
    weight: Option<u64>,
    age: u64,
}

#[derive(Clone)]
enum Wait {
    Sleeps { left: u32, each: u64 },
    Polls(u32),
    Gate(Gate),
    Never,
}

#[derive(Clone, Copy)]
enum End {
    Value(u32),
    Unchanged,
    Error(u32),
    Panic(u32),
}

/// A load that is ready `t` milliseconds after its first poll.
pub const fn after(t: u64) -> Script {
    steps(2, t)
}

/// A load that is ready in its first poll.
pub const fn ready() -> Script {
    steps(1, 0)
}

/// A load of `polls` polls, each `each` milliseconds after the one before; spurious polls do not count.
pub const fn steps(polls: u32, each: u64) -> Script {
    Script::new(Wait::Sleeps { left: polls - 1, each })
}

/// A load that is ready in its `n`-th poll, whatever the caller and the reason of the poll; it yields until then.
pub const fn polls(n: u32) -> Script {
    Script::new(Wait::Polls(n - 1))
}

/// A load that never ends.
pub const fn never() -> Script {
    Script::new(Wait::Never)
}

impl Script {
    const fn new(wait: Wait) -> Self {
        Self { wait, end: End::Value(0), ttl: Ttl::Inherit, weight: None, age: 0 }
    }

    /// Ends with the value `n`.
    pub const fn gives(mut self, n: u32) -> Self {
        self.end = End::Value(n);
        self
    }

    /// Ends by returning that the previous value is still good.
    pub const fn unchanged(mut self) -> Self {
        self.end = End::Unchanged;
        self
    }

    /// Ends with the error `n`.
    pub const fn fails(mut self, n: u32) -> Self {
        self.end = End::Error(n);
        self
    }

    /// Ends with a panic whose payload is `Bang(n)`.
    pub const fn panics(mut self, n: u32) -> Self {
        self.end = End::Panic(n);
        self
    }

    /// Gives the value this time to live.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Gives a value that expired `since` milliseconds ago.
    pub fn stale(self, since: u64) -> Self {
        self.ttl(Ttl::stale(crate::ms(since)))
    }

    /// Gives a value that was published `age` milliseconds ago.
    pub const fn aged(mut self, age: u64) -> Self {
        self.age = age;
        self
    }

    /// Gives the value this weight.
    pub const fn weight(mut self, weight: u64) -> Self {
        self.weight = Some(weight);
        self
    }
}

/// A gate that holds a load back until the test opens it.
#[derive(Clone, Default)]
pub struct Gate(Rc<GateState>);

#[derive(Default)]
struct GateState {
    open: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Gate {
    /// A load that is ready once this gate is open.
    pub fn script(&self) -> Script {
        Script::new(Wait::Gate(self.clone()))
    }

    /// Ready once the gate is open; the waker of the last poll is woken.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.0.open.get() {
            return Poll::Ready(());
        }
        self.0.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }

    /// Opens it without waking a task: the next poll, by any caller, finds it open.
    pub fn open_quietly(&self) {
        self.0.open.set(true);
        self.0.waker.take();
    }

    /// Opens it and wakes the task that polled the load last.
    pub fn open(&self) {
        self.0.open.set(true);
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }
}

/// A script that is being played: its current sleep and its remaining steps.
pub struct Play {
    script: Script,
    sleep: Option<<ManualClock as Timer>::Sleep>,
}

impl Play {
    /// Begins to play this script.
    pub const fn new(script: Script) -> Self {
        Self { script, sleep: None }
    }

    /// Continues it; it must not be polled after its end.
    pub fn poll(&mut self, time: &Time, context: &mut Context<'_>) -> Poll<Result<Revalidated<V>, Boom>> {
        match &mut self.script.wait {
            Wait::Sleeps { left, each } => {
                while *left > 0 {
                    let end = time.instant(time.ms() + *each);
                    let sleep = self.sleep.get_or_insert_with(|| time.clock().sleep_until(end));
                    if Pin::new(sleep).poll(context).is_pending() {
                        return Poll::Pending;
                    }
                    self.sleep = None;
                    *left -= 1;
                }
            }
            Wait::Polls(left) if *left > 0 => {
                *left -= 1;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Wait::Polls(_) => {}
            Wait::Gate(gate) => {
                if gate.poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
            Wait::Never => return Poll::Pending,
        }
        match self.script.end {
            End::Value(n) => {
                let loaded = Loaded::new(V::new(n)).ttl(self.script.ttl).aged(crate::ms(self.script.age));
                Poll::Ready(Ok(self.script.weight.into_iter().fold(loaded, Loaded::weight).into()))
            }
            End::Unchanged => Poll::Ready(Ok(Revalidated::Unchanged(self.script.ttl))),
            End::Error(n) => Poll::Ready(Err(Boom(n))),
            End::Panic(n) => std::panic::panic_any(Bang(n)),
        }
    }
}
