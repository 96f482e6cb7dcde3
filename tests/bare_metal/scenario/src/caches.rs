//! The cases of caches.

use alloc::rc::Rc;
use core::time::Duration;

use larder::{Builder, Cache, LoadError, OnTimeout};

use crate::{
    Checked, Host, check, millis,
    source::{Answers, Counted, NOTHING, REFUSED, Source, Unknown},
    tasks::{Task, all, step},
};

const TTL: Duration = millis(100);

type Got = Result<u32, LoadError<Unknown>>;

/// A cache of eight entries, with further settings.
macro_rules! cache {
    ($runtime:expr, $counted:expr $(, $setting:ident($($value:expr),*))*) => {
        settings(&$runtime, &$counted)$(.$setting($($value),*))*.build().map_err(|_| REFUSED)?
    };
}

fn settings<R: Host>(runtime: &R, counted: &Rc<Counted>) -> Builder<u32, u32, Unknown, R> {
    let source = Source { runtime: runtime.clone(), counted: Rc::clone(counted) };
    Cache::builder(runtime.clone()).capacity(8).hash_seed(7).ttl(TTL).loader(source)
}

fn is_told(task: &mut Task<'_, Got>, is_it: impl Fn(&Got) -> bool) -> bool {
    task.output().is_some_and(|output| is_it(&output))
}

fn got(task: &mut Task<'_, Got>, value: u32) -> bool {
    is_told(task, |output| matches!(output, Ok(found) if *found == value))
}

/// Three callers share one load, the next one hits; what has failed to be there is asked for once for all who wait.
pub(crate) async fn coalescing<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(5);
    let cache = cache!(runtime, counted);
    // (Where the promise is to be broken, no two of them ask the same cache.)
    let broken = [cache!(runtime, counted), cache!(runtime, counted)];
    let others: [&Answers<R>; 2] = if cfg!(feature = "broken") { broken.each_ref() } else { [&cache, &cache] };
    let mut callers = [cache.get(&1), others[0].get(&1), others[1].get(&1)].map(Task::new);
    check!(!step(&mut callers));
    all(&mut callers).await;
    check!(callers.iter_mut().all(|caller| got(caller, 2)));
    check!(counted.loads.get() == 1);
    check!(cache.get_if_present(&1) == Some(2));
    let mut one = [Task::new(cache.get(&1))];
    check!(step(&mut one));
    check!(got(&mut one[0], 2));
    check!(counted.loads.get() == 1);
    Ok(())
}

/// A value is loaded anew once its lifetime is over, and not before.
pub(crate) async fn expiry<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(2);
    let cache = cache!(runtime, counted, ttl(millis(20)));
    let began = runtime.now();
    check!(matches!(cache.get(&1).await, Ok(2)));
    while cache.contains(&1) {
        runtime.sleep_until(runtime.now().saturating_add(millis(1))).await;
    }
    check!(runtime.now().saturating_since(began) >= millis(22));
    check!(matches!(cache.get(&1).await, Ok(2)));
    check!(counted.loads.get() == 2);
    Ok(())
}

/// The first of three leaves: the load goes on. The last one leaves: nothing stays behind.
pub(crate) async fn leaving<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(5);
    let cache = cache!(runtime, counted);
    let mut callers = [1, 1, 1].map(|key| Task::new(get(&cache, key)));
    check!(!step(&mut callers));
    let [first, second, third] = callers;
    drop(first);
    let mut left = [second, third];
    all(&mut left).await;
    check!(left.iter_mut().all(|caller| got(caller, 2)));
    check!(counted.loads.get() == 1);
    let mut lone = [Task::new(cache.get(&2))];
    check!(!step(&mut lone));
    drop(lone);
    let stats = cache.stats();
    check!(stats.waiters == 0);
    check!(stats.flights == 0);
    Ok(())
}

/// A caller waits for another one's load no longer than it is willing to, then loads for itself, and for all.
pub(crate) async fn lock_timeout<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(100);
    let cache = cache!(runtime, counted, lock_timeout(millis(10), OnTimeout::Load));
    let mut callers = [Task::new(get(&cache, 1)), Task::new(get(&cache, 1))];
    check!(!step(&mut callers));
    counted.takes.set(5);
    let began = runtime.now();
    all(&mut callers).await;
    check!(callers.iter_mut().all(|caller| got(caller, 2)));
    let waited = runtime.now().saturating_since(began);
    check!(waited >= millis(15));
    check!(waited < millis(75));
    check!(counted.loads.get() == 2);
    Ok(())
}

/// A load hangs: one of those who wait loads anew, and what that brings is for all.
pub(crate) async fn takeover<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(5);
    counted.hangs.set(true);
    let cache = cache!(runtime, counted, lock_age(millis(20)));
    let mut callers = [1, 1, 1].map(|key| Task::new(get(&cache, key)));
    all(&mut callers).await;
    check!(callers.iter_mut().all(|caller| got(caller, 2)));
    check!(counted.loads.get() == 2);
    check!(cache.stats().takeovers == 1);
    Ok(())
}

/// Three callers of a load that fails get its error, and a later one starts afresh.
pub(crate) async fn failure<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(5);
    let cache = cache!(runtime, counted);
    let mut callers = [NOTHING; 3].map(|key| Task::new(get(&cache, key)));
    all(&mut callers).await;
    let has_failed = |output: &Got| matches!(output, Err(error) if error.error() == Some(&Unknown(NOTHING)));
    check!(callers.iter_mut().all(|caller| is_told(caller, has_failed)));
    check!(counted.loads.get() == 1);
    check!(has_failed(&cache.get(&NOTHING).await));
    check!(counted.loads.get() == 2);
    Ok(())
}

/// A cache of one entry: it holds the last one, and each caller gets its own.
pub(crate) async fn one_place<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(3);
    let cache = cache!(runtime, counted, capacity(1));
    let mut callers = [1, 2, 1].map(|key| Task::new(get(&cache, key)));
    all(&mut callers).await;
    check!([2, 4, 2].iter().zip(&mut callers).all(|(value, caller)| got(caller, *value)));
    check!(counted.loads.get() == 2);
    check!(cache.len() == 1);
    for key in [5, 6, 5] {
        check!(matches!(cache.get(&key).await, Ok(value) if value == 2 * key));
        check!(cache.len() == 1);
        check!(cache.contains(&key));
    }
    check!(counted.loads.get() == 5);
    Ok(())
}

/// Two callers share each of a hundred loads that only an interrupt can wake.
pub(crate) async fn many_interrupts<R: Host>(runtime: R) -> Checked {
    let counted = Counted::of(2);
    let cache = cache!(runtime, counted);
    for key in 500..600 {
        let mut callers = [Task::new(get(&cache, key)), Task::new(get(&cache, key))];
        all(&mut callers).await;
        check!(callers.iter_mut().all(|caller| got(caller, 2 * key)));
        check!(cache.len() <= 8);
    }
    check!(counted.loads.get() == 100);
    Ok(())
}

/// A caller that brings its key along.
async fn get<R: Host>(cache: &Answers<R>, key: u32) -> Got {
    cache.get(&key).await
}
