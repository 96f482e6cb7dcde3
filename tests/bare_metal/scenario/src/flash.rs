//! The case of a write-back cache: pages of a flash memory, which are erased before they are written.

use alloc::{boxed::Box, rc::Rc, vec::Vec};
use core::cell::{Cell, RefCell};

use larder::{Backend, LocalBoxIo, WriteBack};

use crate::{
    Checked, Host, check, millis,
    source::REFUSED,
    tasks::{Task, all, step},
};

const PAGES: usize = 4;
const ERASED: u8 = 0xff;

type Page = [u8; 16];

/// A small flash memory.
struct Flash<R> {
    runtime: R,
    chip: Rc<Chip>,
}

struct Chip {
    pages: RefCell<[Page; PAGES]>,
    loads: Cell<u32>,
    flushes: Cell<u32>,
    /// The next page that is written is lost.
    fails: Cell<bool>,
}

/// Why a page is not there, or not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NoSuchPage,
    Write,
}

impl<R: Host> Backend<u32> for Flash<R> {
    type Value = Page;
    type Error = Fault;
    type Load = LocalBoxIo<Result<Page, Fault>>;
    type Flush = LocalBoxIo<Result<(), Fault>>;
    type Discard = LocalBoxIo<()>;

    fn load(&self, page: u32) -> Self::Load {
        let (runtime, chip) = (self.runtime.clone(), Rc::clone(&self.chip));
        Box::pin(async move {
            chip.loads.set(chip.loads.get() + 1);
            runtime.sleep_until(runtime.now().saturating_add(millis(2))).await;
            chip.pages.borrow().get(page as usize).copied().ok_or(Fault::NoSuchPage)
        })
    }

    fn flush(&self, page: u32, value: Page) -> Self::Flush {
        let (runtime, chip) = (self.runtime.clone(), Rc::clone(&self.chip));
        Box::pin(async move {
            chip.flushes.set(chip.flushes.get() + 1);
            if chip.fails.replace(false) {
                return Err(Fault::Write);
            }
            let page = page as usize;
            *chip.pages.borrow_mut().get_mut(page).ok_or(Fault::NoSuchPage)? = [ERASED; 16];
            runtime.sleep_until(runtime.now().saturating_add(millis(4))).await;
            // Bits can be cleared only.
            for (cell, byte) in chip.pages.borrow_mut()[page].iter_mut().zip(value) {
                *cell &= byte;
            }
            Ok(())
        })
    }

    fn discard(&self, _: u32, _: Page) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, _: Vec<u32>) {}
}

/// Three callers share the load of a page and each changes it; room for others is made by writing it; what cannot be
/// written stays, and is written later.
pub(crate) async fn pages<R: Host>(runtime: R) -> Checked {
    let pages = RefCell::new([[7; 16]; PAGES]);
    let chip = Rc::new(Chip { pages, loads: Cell::new(0), flushes: Cell::new(0), fails: Cell::new(false) });
    let flash = Flash { runtime: runtime.clone(), chip: Rc::clone(&chip) };
    let cache = WriteBack::builder(runtime, flash).capacity(2).hash_seed(7).build().map_err(|_| REFUSED)?;
    let change = |page: u32| {
        let cache = &cache;
        async move {
            let page = cache.get_or_load(&page).await.ok()?;
            page.update(|bytes| bytes[0] += 1).ok().map(|bytes| bytes[0])
        }
    };
    let mut callers = [change(0), change(0), change(0)].map(Task::new);
    check!(!step(&mut callers));
    all(&mut callers).await;
    check!(callers.iter_mut().all(|caller| matches!(caller.output(), Some(Some(8..=10)))));
    check!(chip.loads.get() == 1);
    check!(cache.dirty() == 1);
    check!(chip.pages.borrow()[0][0] == 7);

    for page in [1, 2, 3] {
        check!(change(page).await == Some(8));
        check!(cache.len() <= 2);
    }
    check!(chip.pages.borrow()[0][0] == 10);
    check!(change(0).await == Some(11));

    chip.fails.set(true);
    check!(cache.flush().await.is_err());
    check!(cache.dirty() >= 1);
    check!(cache.flush().await.is_ok());
    check!(cache.dirty() == 0);
    check!(chip.pages.borrow().each_ref().map(|page| page[0]) == [11, 8, 8, 8]);
    check!(cache.get_or_load(&9).await.is_err());
    check!(cache.close().await.is_ok());
    Ok(())
}
