//! Days pass in a millisecond: `cargo run -p larder --example own_clock`. Each function that `main` calls could be a
//! test.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_lite::future::{block_on, zip};
use larder::{Cache, Clock, Instant, LoadError, ManualClock, OnTimeout, Status, Timer, parts::Local};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MOMENT: Duration = Duration::from_nanos(1);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begun = std::time::Instant::now();
    a_value_lives_for_a_day()?;
    a_load_takes_an_hour()?;
    patience_ends_before_the_load()?;
    a_value_is_stale()?;
    println!("All as it should be, after days that took {:?}.", begun.elapsed());
    Ok(())
}

/// Code that does not wait for the clock needs only a `block_on`; the test moves time in between.
fn a_value_lives_for_a_day() -> Result<(), Box<dyn std::error::Error>> {
    let clock = ManualClock::new();
    let cache = Cache::builder(Local::new(clock.clone()))
        .ttl(DAY)
        .load_fn(|id: u32| async move { Ok::<_, io::Error>(format!("page {id}")) })
        .build()?;
    assert_eq!(block_on(cache.get(&7))?, "page 7");
    clock.advance(DAY - MOMENT);
    assert_eq!(block_on(cache.lookup(&7))?.status(), Status::Hit);
    clock.advance(MOMENT);
    assert_eq!(block_on(cache.lookup(&7))?.status(), Status::Expired);
    assert_eq!(cache.stats().loads_begun, 2);
    Ok(())
}

/// Code that waits is run with the clock: whenever there is nothing else to do, the clock moves to the next deadline.
fn a_load_takes_an_hour() -> Result<(), Box<dyn std::error::Error>> {
    let clock = ManualClock::new();
    let timer = clock.clone();
    let cache = Cache::builder(Local::new(clock.clone())).load_fn(move |id| load(timer.clone(), id)).build()?;
    let lookup = || cache.lookup(&7);
    let (first, second) = run(&clock, zip(lookup(), lookup()));
    let (first, second) = (first?, second?);
    assert_eq!((first.status(), first.waited()), (Status::Miss, HOUR));
    assert_eq!((second.status(), second.waited()), (Status::LockHit, HOUR));
    assert_eq!((cache.stats().loads_begun, clock.now()), (1, Instant::ZERO.saturating_add(HOUR)));
    Ok(())
}

/// Timeouts of the cache are deadlines like any other.
fn patience_ends_before_the_load() -> Result<(), Box<dyn std::error::Error>> {
    let clock = ManualClock::new();
    let timer = clock.clone();
    let cache = Cache::builder(Local::new(clock.clone()))
        .lock_timeout(HOUR / 2, OnTimeout::Fail)
        .load_fn(move |id| load(timer.clone(), id))
        .build()?;
    assert!(matches!(run(&clock, cache.get(&7)), Err(LoadError::LockTimeout)));
    assert_eq!(clock.now(), Instant::ZERO.saturating_add(HOUR / 2));
    assert_eq!(cache.stats().loads_dropped, 1);
    Ok(())
}

/// Both ways in one test.
fn a_value_is_stale() -> Result<(), Box<dyn std::error::Error>> {
    let clock = ManualClock::new();
    let timer = clock.clone();
    let cache = Cache::builder(Local::new(clock.clone()))
        .ttl(DAY)
        .stale_while_refresh(HOUR)
        .load_fn(move |id| load(timer.clone(), id))
        .build()?;
    cache.insert(7, 1);
    clock.advance(DAY + HOUR / 4);
    let stale = block_on(cache.get_stale(&7))?; // at once
    assert_eq!((*stale.outcome.value(), stale.outcome.status()), (1, Status::Stale(HOUR / 4)));
    let refresh = stale.refresh.ok_or("another call has it")?;
    run(&clock, refresh);
    assert_eq!(cache.get_if_present(&7), Some(14));
    assert_eq!(clock.now(), Instant::ZERO.saturating_add(DAY + HOUR / 4 + HOUR));
    Ok(())
}

/// Takes an hour.
async fn load(clock: ManualClock, id: u32) -> io::Result<u32> {
    clock.sleep_until(clock.now().saturating_add(HOUR)).await;
    Ok(id * 2)
}

/// Runs a future to its end. While it waits for time only, the clock moves to the next deadline.
fn run<F: Future>(clock: &ManualClock, future: F) -> F::Output {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut future = pin!(future);
    loop {
        woken.0.store(false, SeqCst);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if !woken.0.load(SeqCst) {
            clock.set(clock.next_deadline().expect("the future waits for a deadline"));
        }
    }
}

/// Records whether there is something to do.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}
