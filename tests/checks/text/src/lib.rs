//! What the programs beside this have once or eight times, to see what each further one adds to a program's text.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use futures_lite::future::block_on;
use larder::{
    Cache,
    parts::{NoTimer, Std, StdClock},
};

/// The caches whose calls bring their loads.
pub type Users = Cache<u64, u64, io::Error, Runtime>;

/// A clock and a real lock, and nothing else.
pub type Runtime = Std<NoTimer<StdClock>>;

const TTL: Duration = Duration::from_secs(60);

/// Builds and uses a cache: for each `N` one of the same types, with a closure of its own.
#[inline(never)]
pub fn cache<const N: u64>() -> u64 {
    let load = |id: u64| async move { answer(id, N) };
    let Ok(users) = Cache::builder(runtime()).ttl(TTL).load_fn(load).build() else { return 0 };
    let sum: u64 = (0..3).map(|id| block_on(users.get(&black_box(id))).unwrap_or(0)).sum();
    users.insert(5, 6);
    sum + users.remove(&5).unwrap_or(0)
}

/// Builds the cache that the calls have in common.
#[inline(never)]
pub fn users() -> Option<Users> {
    Cache::builder(runtime()).ttl(TTL).build().ok()
}

/// Asks by a load of its own: for each `N` another call site.
#[inline(never)]
pub fn call<const N: u64>(users: &Users) -> u64 {
    let id = black_box(N % 3);
    block_on(users.get_or_load(&id, move || async move { answer(id, N) })).unwrap_or(0)
}

fn answer(id: u64, more: u64) -> io::Result<u64> {
    if id == 77 { Err(io::Error::other("nobody")) } else { Ok(id + more) }
}

fn runtime() -> Runtime {
    Std::new(NoTimer::new(StdClock::new()))
}
