//! The write-back cache: nothing is lost, no caller waits for another's key, and dependencies are on disk first.

use core::cell::RefCell;

use larder::{CircleError, Pinned, Room, WriteBack, WriteBackBuilder};
use larder_tests::*;

mod clock_end;
mod closing;
mod depend;
mod depend_failing;
mod drops;
mod edges;
mod edges_invalidated;
mod edges_many;
mod edges_refused;
mod edges_taken_back;
mod end;
mod far;
mod flush;
mod flush_shared;
mod fuzz;
mod handles;
mod hostile;
mod hostile_calls;
mod inside;
mod kept;
mod leave;
mod linear;
mod loads;
mod locks;
mod long_steps;
mod nested_storm;
mod order;
mod origins;
mod origins_order;
mod outage;
mod outage_patience;
mod over;
mod room;
mod room_again;
mod room_storm;
mod room_waiting;
mod threads;
mod torn;
mod unmarked;
mod unwound;
mod unwound_by_keys;
mod victims;
mod victims_stalled;

type Pages<R> = WriteBack<u32, V, Boom, R>;
type Setting<R> = WriteBackBuilder<u32, V, Boom, R>;

/// Handles that a test keeps, so that their entries stay pinned.
type Kept<R> = Rc<RefCell<Vec<Pinned<u32, V, Boom, R>>>>;

fn pages<R: Host>(sim: &Sim, disk: &Disk, setup: impl FnOnce(Setting<R>) -> Setting<R>) -> Pages<R> {
    setup(WriteBack::builder(R::on(sim.clock()), disk.clone())).build().expect("the configuration is valid")
}

/// A simulation, a disk called `a`, and a cache of this capacity in front of it.
fn start<R: Host>(capacity: usize) -> (Sim, Disk, Pages<R>) {
    let sim = Sim::new();
    let disk = Disk::new(&sim.time, "a");
    let pages = pages::<R>(&sim, &disk, |p| p.capacity(capacity).name("a"));
    (sim, disk, pages)
}

/// Another cache of the same simulation, with a disk of its own that writes to the same log.
fn beside<R: Host>(sim: &Sim, disk: &Disk, name: &'static str) -> (Disk, Pages<R>) {
    let disk = disk.beside(name);
    let pages = pages::<R>(sim, &disk, |p| p.name(name));
    (disk, pages)
}

/// The names along a circle that was refused.
fn circle(refused: Result<(), CircleError>) -> String {
    refused.map_or_else(|error| error.names().collect::<Vec<_>>().join(" "), |()| "no circle".into())
}

/// The value of a key that is there; this counts as a use of it.
fn value<R: Host>(pages: &Pages<R>, key: u32) -> Option<u32> {
    pages.try_get(&key).map(|handle| *handle.value())
}

/// Asserts that no pin, place or wait has been left behind: all places can be taken, and no more.
#[track_caller]
fn assert_all_is_free<R: Host>(sim: &mut Sim, disk: &Disk, pages: &Pages<R>, capacity: u32) {
    disk.loads_by(|_, _| ready());
    disk.flushes_by(|_, _| ready());
    // If a flush has failed, it works again now.
    sim.flush(pages);
    assert_eq!(pages.pinned(), 0, "pinned entries");
    assert!(pages.len() <= capacity as usize);
    let handles: Vec<_> = (0..capacity).map(|nth| sim.pin(pages, 900 + nth)).collect();
    assert_eq!((pages.len(), pages.pinned()), (capacity as usize, capacity as usize));
    let more = sim.load_with(pages, 899, Room::Try);
    assert!(sim.saw(more).ends_with(": Full"), "{}", sim.saw(more));
    drop(handles);
}

/// The calls that most cases make, each by a caller of its own that runs until no caller has anything to do.
trait Calls {
    fn load<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> usize;
    fn load_with<R: Host>(&mut self, pages: &Pages<R>, key: u32, room: Room) -> usize;
    /// Loads an entry and keeps the handle.
    fn pin<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> Kept<R>;
    /// Keeps the handle once there is one.
    fn pin_later<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> (usize, Kept<R>);
    fn write<R: Host>(&mut self, pages: &Pages<R>, key: u32, value: u32);
    fn insert<R: Host>(&mut self, pages: &Pages<R>, key: u32, value: u32, room: Room) -> usize;
    fn remove<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> usize;
    fn invalidate<R: Host>(&mut self, pages: &Pages<R>) -> usize;
    fn close<R: Host>(&mut self, pages: &Pages<R>) -> usize;
    fn flush<R: Host>(&mut self, pages: &Pages<R>) -> usize;
    fn flush_key<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> usize;
}

impl Calls for Sim {
    fn load<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> usize {
        self.load_with(pages, key, Room::Wait)
    }

    fn load_with<R: Host>(&mut self, pages: &Pages<R>, key: u32, room: Room) -> usize {
        let pages = pages.clone();
        self.call(async move { told(pages.get_or_load_with(&key, room).await) })
    }

    fn pin<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> Kept<R> {
        self.pin_later(pages, key).1
    }

    fn pin_later<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> (usize, Kept<R>) {
        let (kept, pages) = (Kept::<R>::default(), pages.clone());
        let keeper = kept.clone();
        let caller = self.call(async move {
            let handle = pages.get_or_load(&key).await.expect("it is loaded");
            keeper.borrow_mut().push(handle);
        });
        (caller, kept)
    }

    fn write<R: Host>(&mut self, pages: &Pages<R>, key: u32, value: u32) {
        let pages = pages.clone();
        let i = self.call(async move {
            pages.get_or_load(&key).await.expect("it is loaded").set(V::new(value));
        });
        assert_eq!(self.end(i).map(ToString::to_string).as_deref(), Some("done"));
    }

    fn insert<R: Host>(&mut self, pages: &Pages<R>, key: u32, value: u32, room: Room) -> usize {
        let pages = pages.clone();
        self.call(async move { told(pages.insert(key, V::new(value), room).await) })
    }

    fn remove<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> usize {
        let pages = pages.clone();
        self.call(async move {
            Answer::Text(match pages.remove(&key).await {
                Ok(Some(value)) => format!("V{value}"),
                Ok(None) => "nothing".into(),
                Err(error) => why(&error),
            })
        })
    }

    fn invalidate<R: Host>(&mut self, pages: &Pages<R>) -> usize {
        let pages = pages.clone();
        self.call(
            async move { Answer::Text(pages.invalidate().await.map_or_else(|error| why(&error), |()| "done".into())) },
        )
    }

    fn close<R: Host>(&mut self, pages: &Pages<R>) -> usize {
        let pages = pages.clone();
        self.call(async move { pages.close().await })
    }

    fn flush<R: Host>(&mut self, pages: &Pages<R>) -> usize {
        let flush = pages.flush();
        self.call(flush)
    }

    fn flush_key<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> usize {
        let flush = pages.flush_key(&key);
        self.call(flush)
    }
}
