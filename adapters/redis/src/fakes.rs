//! Stand-ins for tests: a host whose time passes when nothing else is left to do, and connections of any manners.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use larder::{Clock, Instant, ManualClock, Timer};

use crate::{
    host::{Background, BoxFuture, Host},
    link::{FirstOf, FirstTier, Link},
    settings::Settings,
    wire::{Call, Heard, Line, Lost, Reply, Wire},
};

impl Host for ManualClock {
    fn now(&self) -> Instant {
        Clock::now(self)
    }

    fn sleep_until(&self, deadline: Instant) -> Background {
        Box::pin(Timer::sleep_until(self, deadline))
    }

    fn spawn(&self, _: Background) -> bool {
        false
    }
}

/// Runs a future for this long at most; time passes as soon as it waits for nothing else.
pub(crate) fn run<T>(clock: &ManualClock, longest: Duration, future: impl Future<Output = T>) -> Option<T> {
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }
    let woken = Arc::new(Woken(true.into()));
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = pin!(future);
    let end = Clock::now(clock).saturating_add(longest);
    loop {
        if woken.0.swap(false, SeqCst) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(output);
            }
            continue;
        }
        let next = clock.next_deadline().filter(|next| *next <= end)?;
        clock.set(next);
    }
}

/// A first tier that holds nothing.
#[derive(Default)]
pub(crate) struct Nothing {
    /// Its calls panic.
    pub(crate) panics: Arc<AtomicBool>,
}

impl Nothing {
    fn act(&self) {
        assert!(!self.panics.load(SeqCst), "on purpose");
    }
}

impl FirstTier for Nothing {
    fn invalidate(&self, _: &str) {
        self.act();
    }

    fn expire(&self, _: &str) {
        self.act();
    }

    fn clear(&self) {
        self.act();
    }

    fn expire_all(&self) {
        self.act();
    }

    fn trust_until(&self, _: Instant) {
        self.act();
    }
}

impl FirstOf<u64> for Nothing {
    fn invalidate(&self, _: &u64) {
        self.act();
    }

    fn expire(&self, _: &u64) {
        self.act();
    }

    fn age(&self, _: &u64) -> Option<Duration> {
        None
    }
}

pub(crate) fn link(clock: &ManualClock, settings: Settings) -> Arc<Link> {
    link_to(clock, settings, Nothing::default())
}

pub(crate) fn link_to(clock: &ManualClock, settings: Settings, first_tier: Nothing) -> Arc<Link> {
    Arc::new(Link::new(settings, Box::new(clock.clone()), Box::new(first_tier)))
}

type Answer<T> = BoxFuture<Result<T, Lost>>;

/// A server that answers as it is told, by one connection at a time.
pub(crate) struct Manners {
    pub(crate) call: Box<dyn Fn(Call) -> Answer<Reply> + Send + Sync>,
    pub(crate) ping: Box<dyn Fn() -> Answer<()> + Send + Sync>,
    pub(crate) calls: AtomicUsize,
    pub(crate) pings: AtomicUsize,
}

impl Manners {
    /// Calls are answered so, and pings at once.
    pub(crate) fn new<F>(call: impl Fn(Call) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Result<Reply, Lost>> + Send + 'static,
    {
        let call = move |asked| Box::pin(call(asked)) as Answer<Reply>;
        let ping = || Box::pin(async { Ok(()) }) as Answer<()>;
        Arc::new(Self { call: Box::new(call), ping: Box::new(ping), calls: 0.into(), pings: 0.into() })
    }

    pub(crate) fn line(self: &Arc<Self>) -> Arc<dyn Line> {
        Arc::new(Arc::clone(self))
    }
}

impl Line for Arc<Manners> {
    fn call(&self, call: Call) -> Answer<Reply> {
        self.calls.fetch_add(1, SeqCst);
        (self.call)(call)
    }

    fn ping(&self) -> Answer<()> {
        self.pings.fetch_add(1, SeqCst);
        (self.ping)()
    }
}

impl Wire for Arc<Manners> {
    fn connect(&self, _: String, _: Box<dyn Fn(Heard<'_>) + Send + Sync>) -> Answer<Arc<dyn Line>> {
        let line = self.line();
        Box::pin(async move { Ok(line) })
    }
}
