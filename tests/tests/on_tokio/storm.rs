//! Everything at once on real threads: callers that are dropped and aborted, loads woken from other threads, writes.

use core::time::Duration;
use std::sync::mpsc;

use larder::Cache;
use larder_tests::{Random, assert_clean, ms};
use larder_tokio::Tokio;
use tokio::{sync::oneshot, task::yield_now, time::timeout};

type Storm = Cache<u64, u64, u64, Tokio>;

const KEYS: u64 = 20;
const TASKS: u64 = 100;
const STEPS: u64 = 300;

/// No caller waits for ever or sees another key's value, nothing stays behind, and the sums hold. (P1-P4, P6, P8, P12)
#[test]
fn a_storm_leaves_nothing_behind() {
    let workers =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().expect("a runtime");
    workers.block_on(async {
        // A thread that ends loads from outside the runtime.
        let (send, ended) = mpsc::channel::<oneshot::Sender<()>>();
        let ending = std::thread::spawn(move || ended.into_iter().for_each(|load| _ = load.send(())));
        let cache = storm(send);
        let tasks: Vec<_> = (0..TASKS).map(|seed| tokio::spawn(rage(cache.clone(), Random::new(seed + 1)))).collect();
        for task in tasks {
            task.await.expect("no task fails");
        }
        // What was spawned in the background ends as well.
        let is_calm = || (cache.stats().flights, cache.stats().waiters) == (0, 0);
        let calm = async {
            while !is_calm() {
                yield_now().await
            }
        };
        timeout(PATIENCE, calm).await.unwrap_or_else(|_| panic!("{:?}", cache.stats()));
        let stats = cache.stats();
        assert_clean(&stats);
        drop(cache);
        ending.join().expect("no panic");
    });
}

/// Far longer than anything here takes: a caller that waits longer waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn storm(end: mpsc::Sender<oneshot::Sender<()>>) -> Storm {
    let builder = Cache::builder(Tokio::new()).capacity(64).shards(2).ttl(ms(3)).stale_while_refresh(ms(5));
    let load = move |key: u64| {
        let end = end.clone();
        async move {
            let mut random = Random::new(seed_of_a_load(key));
            match random.below(4) {
                0 => yield_now().await,
                1 => {
                    let (send, ended) = oneshot::channel();
                    end.send(send).expect("the thread lives");
                    ended.await.expect("it ends every load");
                }
                // Tokio's timer wakes from a thread of its own choice, which virtual time cannot show.
                2 => tokio::time::sleep(Duration::from_micros(500)).await,
                _ => {
                    for _ in 0..random.below(20) {
                        yield_now().await;
                    }
                }
            }
            if random.below(10) == 0 { Err(key) } else { Ok(2 * key) }
        }
    };
    builder.lock_age(ms(4)).load_fn(load).build().expect("valid")
}

/// A different seed for each load.
fn seed_of_a_load(key: u64) -> u64 {
    use core::sync::atomic::{AtomicU64, Ordering};
    static LOADS: AtomicU64 = AtomicU64::new(1);
    LOADS.fetch_add(1, Ordering::Relaxed) * KEYS + key
}

async fn rage(cache: Storm, mut random: Random) {
    for _ in 0..STEPS {
        let key = random.below(KEYS);
        match random.below(8) {
            0 => drop(timeout(Duration::from_micros(random.below(400)), cache.get(&key)).await),
            1 => {
                let other = cache.clone();
                let task = tokio::spawn(async move { drop(other.get(&key).await) });
                yield_now().await;
                task.abort();
                drop(task.await);
            }
            2 if random.below(4) == 0 => drop(cache.remove(&key)),
            2 => _ = cache.insert(key, 2 * key),
            3 => drop(cache.get_stale_spawn(&key).await),
            4 if random.below(50) == 0 => cache.clear(),
            5 => {
                let load = || async {
                    yield_now().await;
                    Ok(2 * key)
                };
                check(key, timeout(PATIENCE, cache.get_with(&key, load)).await);
            }
            _ => check(key, timeout(PATIENCE, cache.get(&key)).await),
        }
    }
}

fn check<E, T>(key: u64, answer: Result<Result<u64, E>, T>) {
    let Ok(answer) = answer else { panic!("key {key} is waited for in vain") };
    assert!(answer.is_err() || answer.is_ok_and(|value| value == 2 * key), "key {key} has another's value");
}
