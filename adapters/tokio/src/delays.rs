//! Waits on tokio: one task for each runtime ends all that wait there.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    runtime::{Handle, Id},
    time::{Instant, Sleep, sleep_until},
};

/// A wait on the tokio runtime that was at hand when it began; it ends with that, too.
///
/// All waits on a runtime share a task there, since tokio's own sleep panics when its runtime is gone. That task comes with the
/// first of them and goes with the last. Dropping a wait leaves nothing behind.
///
/// ```
/// use std::time::Duration;
/// use larder_tokio::{CurrentRuntime, parts::Host};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// CurrentRuntime.delay(Duration::from_millis(1)).expect("a runtime is at hand").await;
/// # }
/// ```
#[derive(Debug)]
pub struct TokioDelay {
    agenda: Arc<Agenda>,
    key: Key,
}

/// When a wait ends, and which one it is.
type Key = (Instant, u64);

/// What waits on one runtime.
#[derive(Debug, Default)]
struct Agenda(Mutex<Waits>);

#[derive(Debug, Default)]
struct Waits {
    wakers: BTreeMap<Key, Waker>,
    last: u64,
    /// The task that ends them, and when it looks again by itself.
    task: Option<Waker>,
    looks_at: Option<Instant>,
    /// That task has ended, or has been dropped: nobody comes in any more.
    is_over: bool,
    is_lost: bool,
}

/// The runtimes on which somebody waits. Under this lock that of an agenda is taken, and under that one no other.
static AGENDAS: Mutex<Vec<(Id, Arc<Agenda>)>> = Mutex::new(Vec::new());

impl TokioDelay {
    /// Begins a wait on the runtime at hand; none if nothing but its handle is left of that.
    pub(crate) fn begin(time: Duration) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let (id, due) = (runtime.id(), Instant::now() + time);
        let known = Self::join(&lock(&AGENDAS), id, due);
        if let Some(wait) = known {
            return Some(wait.told());
        }
        // (This panics where the runtime has no timer, so it comes before anything is noted.)
        let sleep = Box::pin(sleep_until(due));
        let mut agendas = lock(&AGENDAS);
        if let Some(wait) = Self::join(&agendas, id, due) {
            drop(agendas);
            return Some(wait.told());
        }
        let agenda = Arc::<Agenda>::default();
        // (It is in before the task looks, which would end at once if there were none.)
        let (key, _) = agenda.lock().enter(due)?;
        agendas.push((id, agenda.clone()));
        drop(agendas);
        let wait = Self { agenda: agenda.clone(), key };
        runtime.spawn(Clerk { agenda, sleep, has_ended: false });
        let is_lost = wait.agenda.lock().is_lost;
        (!is_lost).then_some(wait)
    }

    /// Joins those that wait on this runtime, if any do.
    fn join(agendas: &[(Id, Arc<Agenda>)], id: Id, due: Instant) -> Option<Joined> {
        agendas.iter().filter(|of| of.0 == id).find_map(|(_, agenda)| {
            let (key, task) = agenda.lock().enter(due)?;
            Some(Joined { wait: Self { agenda: agenda.clone(), key }, task })
        })
    }
}

/// A wait that has joined others, and the task if that has to know.
struct Joined {
    wait: TokioDelay,
    task: Option<Waker>,
}

impl Joined {
    fn told(self) -> TokioDelay {
        self.task.into_iter().for_each(wake);
        self.wait
    }
}

impl Future for TokioDelay {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = cx.waker().clone();
        let is_waiting = self.agenda.lock().wakers.get_mut(&self.key).map(|present| mem::swap(present, &mut waker));
        // (The waker that is left is dropped outside the lock: it may be the last of a task that waits here, too.)
        if is_waiting.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for TokioDelay {
    fn drop(&mut self) {
        let mut waits = self.agenda.lock();
        let waker = waits.wakers.remove(&self.key);
        let task = if waits.wakers.is_empty() { waits.task.take() } else { None };
        drop(waits);
        drop(waker);
        task.into_iter().for_each(wake);
    }
}

impl Agenda {
    fn lock(&self) -> MutexGuard<'_, Waits> {
        lock(&self.0)
    }
}

impl Waits {
    /// Notes one more, and returns the task if it has to look earlier for that.
    fn enter(&mut self, due: Instant) -> Option<(Key, Option<Waker>)> {
        if self.is_over {
            return None;
        }
        self.last += 1;
        let key = (due, self.last);
        self.wakers.insert(key, Waker::noop().clone());
        let is_first = self.looks_at.is_none_or(|at| due < at);
        Some((key, if is_first { self.task.take() } else { None }))
    }
}

/// Ends the waits on a runtime when they are due.
struct Clerk {
    agenda: Arc<Agenda>,
    sleep: Pin<Box<Sleep>>,
    has_ended: bool,
}

impl Future for Clerk {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let task = cx.waker().clone();
        loop {
            let now = Instant::now();
            let mut waits = self.agenda.lock();
            let first = waits.wakers.first_key_value().map(|first| first.0.0);
            if first.is_some_and(|first| first <= now) {
                let due = waits.wakers.pop_first();
                drop(waits);
                due.into_iter().for_each(|(_, waker)| wake(waker));
                continue;
            }
            let Some(first) = first else {
                waits.is_over = true;
                drop(waits);
                self.has_ended = true;
                return Poll::Ready(());
            };
            waits.looks_at = Some(first);
            let displaced = waits.task.replace(task.clone());
            drop(waits);
            drop(displaced);
            self.sleep.as_mut().reset(first);
            if self.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Clerk {
    fn drop(&mut self) {
        let mut waits = self.agenda.lock();
        (waits.is_over, waits.is_lost) = (true, !self.has_ended);
        let (wakers, task) = (mem::take(&mut waits.wakers), waits.task.take());
        drop(waits);
        lock(&AGENDAS).retain(|of| !Arc::ptr_eq(&of.1, &self.agenda));
        drop(task);
        wakers.into_values().for_each(wake);
    }
}

/// Wakes; a waker that panics keeps the others from nothing.
fn wake(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
