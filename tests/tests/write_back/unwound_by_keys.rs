//! Calls whose polls have unwound by keys and values: polled again, they do what is left, and say what they have done.
//! (D107)
use super::*;

use core::panic::AssertUnwindSafe;
use larder::FlushError;
use std::panic::catch_unwind;

use super::hostile::{CAPACITY, Hostile, Key, Slow, Value, wakers_run};

on_every_runtime! {
    d79_flushes_go_on
    d80_failures_are_told
    d107_insertions_go_on
    d107_removals_go_on
}

const SPOTS: [&str; 6] = ["clone of a key", "eq", "hash", "drop of a key", "clone", "drop"];

/// One run of a case, with a trap at one call of user code.
struct Run {
    spot: &'static str,
    after: u32,
    is_over: Cell<bool>,
}

impl Run {
    /// Polls until it is ready, whether it unwinds in the trap or not.
    fn insist<F: Future + Unpin>(&self, mut future: F) -> F::Output {
        arm(self.spot, self.after);
        for _ in 0..1000 {
            let poll = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut future)));
            match poll {
                Ok(Poll::Ready(output)) => {
                    self.is_over.set(calm());
                    return output;
                }
                Ok(Poll::Pending) => {}
                Err(panic) => assert!(panic.is::<Bang>()),
            }
        }
        panic!("{self}: it hangs");
    }
}

impl core::fmt::Display for Run {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}", self.spot, self.after)
    }
}

/// Plays a case with a trap at the first call of each kind of user code, at the second, and so on.
fn at_each_call(case: impl Fn(&Run)) {
    for spot in SPOTS {
        let is_over = (0..400).any(|after| {
            let run = Run { spot, after, is_over: Cell::new(false) };
            case(&run);
            run.is_over.get()
        });
        assert!(is_over, "{spot:?} is reached too often to be tried out");
    }
}

fn on<R: Host>(sim: &Sim, disk: &Slow) -> Hostile<R> {
    let builder = WriteBack::builder(R::on(sim.clock()), disk.clone()).capacity(CAPACITY as usize);
    let pages: Hostile<R> = builder.build().expect("valid");
    for key in 0..CAPACITY {
        drop(wakers_run(pages.insert(Key(key), Value(key), Room::Wait)).expect("there is room"));
    }
    pages
}

fn is_dirty<R: Host>(pages: &Hostile<R>, key: u32) -> bool {
    pages.try_get(&Key(key)).expect("it is there").is_dirty()
}

fn failed(end: &Result<(), FlushError<Key, Boom>>) -> Vec<u32> {
    let mut keys: Vec<_> =
        end.as_ref().err().into_iter().flat_map(|error| error.failed()).map(|(key, _)| key.0).collect();
    keys.sort_unstable();
    keys
}

/// All that was dirty is written, also what was changed while a flush of another caller was under way.
fn d79_flushes_go_on<R: Host>() {
    for (kind, joins) in [(0, false), (1, false), (2, false), (0, true), (1, true)] {
        at_each_call(|run| {
            let sim = Sim::new();
            let pages = on::<R>(&sim, &Slow::default());
            let mut first = pages.flush();
            if joins {
                assert!(wakers::poll_once(&mut first).is_pending());
                (0..CAPACITY).for_each(|key| pages.try_get(&Key(key)).expect("it is there").set(Value(100)));
            }
            let flush = match kind {
                0 => pages.flush(),
                1 => pages.flush_key(&Key(1)),
                _ => pages.flush_older_than(Duration::ZERO),
            };
            let end = run.insist(flush);
            // (That a flush has panicked is told again.)
            let failed = failed(&end);
            let dirty = (0..CAPACITY).filter(|key| is_dirty(&pages, *key) && (kind != 1 || *key == 1));
            assert_eq!(failed, dirty.collect::<Vec<_>>(), "{run}: {end:?}");
        });
    }
}

/// D80: no failure is forgotten.
fn d80_failures_are_told<R: Host>() {
    for is_one in [false, true] {
        at_each_call(|run| {
            let (sim, disk) = (Sim::new(), Slow::default());
            let pages = on::<R>(&sim, &disk);
            disk.is_full.set(true);
            let flush = if is_one { pages.flush_key(&Key(1)) } else { pages.flush() };
            let end = run.insist(flush);
            assert_eq!(
                (failed(&end), pages.dirty()),
                (if is_one { vec![1] } else { vec![0, 1, 2] }, 3),
                "{run}: {end:?}"
            );
            disk.is_full.set(false);
            wakers_run(pages.flush()).expect("it works");
        });
    }
}

/// The value is stored once, and its handle comes out.
fn d107_insertions_go_on<R: Host>() {
    for (key, is_clean, leaves) in
        [(1, false, false), (1, true, false), (7, true, false), (7, false, false), (7, true, true)]
    {
        at_each_call(|run| {
            let sim = Sim::new();
            let pages = on::<R>(&sim, &Slow::default());
            if is_clean {
                wakers_run(pages.flush()).expect("it works");
            }
            if leaves {
                wakers_run(pages.remove(&Key(0))).expect("it is not pinned");
            }
            let inserts = pages.insert(Key(key), Value(70), Room::Wait);
            let handle = run.insist(inserts);
            let handle = handle.unwrap_or_else(|error| panic!("{run}: {error:?}"));
            assert_eq!((handle.value().0, handle.is_dirty(), pages.pinned()), (70, true, 1), "{run}");
            drop(handle);
            assert_eq!(pages.pinned(), 0, "{run}");
            wakers_run(pages.flush()).expect("it works");
        });
    }
}

/// The value comes out once it has left.
fn d107_removals_go_on<R: Host>() {
    for is_clean in [false, true] {
        at_each_call(|run| {
            let sim = Sim::new();
            let pages = on::<R>(&sim, &Slow::default());
            if is_clean {
                wakers_run(pages.flush()).expect("it works");
            }
            let key = Key(1);
            let end = run.insist(pages.remove(&key));
            assert!(matches!(end, Ok(Some(Value(1)))), "{run}: {end:?}");
            assert_eq!(pages.len(), 2, "{run}");
            wakers_run(pages.flush()).expect("it works");
        });
    }
}
