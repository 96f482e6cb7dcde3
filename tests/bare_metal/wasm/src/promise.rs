//! A load that the host makes.

use alloc::rc::Rc;
use core::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Begins a load. Whatever becomes of it, the host tells by `settled`, once.
    fn load(promise: *const (), key: u32);
    /// A load is not needed any more.
    fn abort(promise: *const ());
}

/// A promise of the host, as a future; dropping it aborts what it stands for.
pub struct Promise(Rc<Shared>);

/// What the host and the future share.
#[derive(Default)]
struct Shared {
    answer: Cell<Option<Result<u32, u32>>>,
    waker: RefCell<Option<Waker>>,
    is_settled: Cell<bool>,
}

impl Promise {
    pub fn begin(key: u32) -> Self {
        let shared = Rc::<Shared>::default();
        // SAFETY: the host gives it back to `settled`, once.
        unsafe { load(Rc::into_raw(Rc::clone(&shared)).cast(), key) };
        Self(shared)
    }
}

impl Future for Promise {
    type Output = Result<u32, u32>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(answer) = self.0.answer.take() {
            return Poll::Ready(answer);
        }
        *self.0.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.0.waker.take();
        if !self.0.is_settled.get() {
            // SAFETY: the host knows it, as it has not given it back yet.
            unsafe { abort(Rc::as_ptr(&self.0).cast()) };
        }
    }
}

/// What came of a load.
///
/// # Safety
///
/// It is one that `load` was called with, and this is called once for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn settled(promise: *const (), is_ok: bool, value: u32) {
    // SAFETY: passed on from the caller.
    let shared = unsafe { Rc::from_raw(promise.cast::<Shared>()) };
    shared.is_settled.set(true);
    shared.answer.set(Some(if is_ok { Ok(value) } else { Err(value) }));
    let waker = shared.waker.take();
    waker.into_iter().for_each(Waker::wake);
}
