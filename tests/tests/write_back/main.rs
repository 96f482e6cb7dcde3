//! The write-back cache: nothing is lost, nobody waits for what is not his, and what has to be on disk first is.

use core::cell::RefCell;

use larder::{OneThread, Pinned, Room, WriteBack, WriteBackBuilder};
use larder_tests::*;

mod room;
mod smoke;

type Pages<R> = WriteBack<u32, Disk, R, OneThread>;
type Setting<R> = WriteBackBuilder<u32, Disk, R, OneThread>;

/// Handles that a test keeps, so that their entries stay pinned.
type Kept<R> = Rc<RefCell<Vec<Pinned<u32, Disk, R, OneThread>>>>;

fn pages<R: Host>(sim: &Sim, disk: &Disk, setup: impl FnOnce(Setting<R>) -> Setting<R>) -> Pages<R> {
    setup(WriteBack::builder(R::on(sim.clock()), disk.clone()).one_thread())
        .build()
        .expect("the configuration is valid")
}

trait Calls {
    fn load<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> usize;
    fn load_with<R: Host>(&mut self, pages: &Pages<R>, key: u32, room: Room) -> usize;
    fn pin<R: Host>(&mut self, pages: &Pages<R>, key: u32) -> Kept<R>;
    fn write<R: Host>(&mut self, pages: &Pages<R>, key: u32, value: u32);
    fn flush<R: Host>(&mut self, pages: &Pages<R>) -> usize;
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
        let (kept, pages) = (Kept::<R>::default(), pages.clone());
        let keeper = kept.clone();
        self.call(async move {
            let handle = pages.get_or_load(&key).await.expect("it is loaded");
            keeper.borrow_mut().push(handle);
        });
        kept
    }

    fn write<R: Host>(&mut self, pages: &Pages<R>, key: u32, value: u32) {
        let pages = pages.clone();
        let i = self.call(async move {
            pages.get_or_load(&key).await.expect("it is loaded").set(V::new(value));
        });
        assert_eq!(self.end(i).map(ToString::to_string).as_deref(), Some("done"));
    }

    fn flush<R: Host>(&mut self, pages: &Pages<R>) -> usize {
        let flush = pages.flush();
        self.call(flush)
    }
}
