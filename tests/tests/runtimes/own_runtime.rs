//! A runtime as a user would write it.

use core::future::Future;

use futures_lite::future;
use larder::{Clock, Instant, ManyThreads, Runtime, Spawn, Timer, parts::EventNotify};

#[path = "../../examples/own_runtime.rs"]
#[allow(dead_code)] // its `main`
mod example;

use example::OnThreads;

flavour!(threads: OnThreads, future::block_on);

/// The same, whose callers are woken by `event-listener`.
#[derive(Clone)]
struct Events(OnThreads);

impl Events {
    fn new() -> Self {
        Self(OnThreads::new())
    }
}

impl Clock for Events {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Timer for Events {
    type Sleep = <OnThreads as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Runtime for Events {
    type Lock<T> = <OnThreads as Runtime>::Lock<T>;
    type Notify = EventNotify;
    type Threads = ManyThreads;
}

impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for Events {
    fn spawn(&self, future: F) -> Result<(), F> {
        self.0.spawn(future)
    }
}

flavour!(events: Events, future::block_on);
