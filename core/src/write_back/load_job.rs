//! Loading one key: room is made first, then it is loaded, and only then does leave what has to.

use alloc::{boxed::Box, sync::Arc};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{
    Fault,
    pinned::Pinned,
    settle::{Settled, Settling},
    shared::Shared,
    threads::Threads,
};
use crate::{Backend, Key, Runtime};

/// One load of one key.
pub(crate) struct LoadJob<K: Key, B: Backend<K>, R: Runtime, D: Threads> {
    shared: Arc<Shared<K, B, R, D>>,
    key: K,
    settling: Settling<K, B, R, D>,
    /// Which invalidation was the last before the load.
    epoch: u64,
    load: Option<Pin<Box<B::Load>>>,
    value: Option<B::Value>,
}

impl<K: Key, B: Backend<K>, R: Runtime, D: Threads> LoadJob<K, B, R, D> {
    pub(super) const fn new(shared: Arc<Shared<K, B, R, D>>, key: K, settling: Settling<K, B, R, D>) -> Self {
        Self { shared, key, settling, epoch: 0, load: None, value: None }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pinned<K, B, R, D>, Fault<K, B::Error>>> {
        loop {
            if let Some(load) = &mut self.load {
                let result = ready!(load.as_mut().poll(cx));
                self.load = None;
                self.value = Some(result.map_err(Fault::Backend)?);
            }
            if let Some(value) = self.value.take() {
                match self.settling.place(&self.key, value, None, Some(self.epoch)) {
                    Settled::At(handle) | Settled::Present(handle, _) => return Poll::Ready(Ok(handle)),
                    Settled::Not(value) => {
                        self.value = Some(value);
                        ready!(self.settling.make_room(cx))?;
                        continue;
                    }
                    Settled::Void => {}
                }
            } else if let Some(handle) = Pinned::of(&self.shared, &self.key) {
                return Poll::Ready(Ok(handle));
            }
            ready!(self.settling.make_room(cx))?;
            self.epoch = self.shared.with(|book| book.epoch);
            self.load = Some(Box::pin(self.shared.backend.load(self.key.clone())));
        }
    }
}
