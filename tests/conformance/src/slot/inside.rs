//! Fetches that ask their own slot.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;

use alloc::rc::Rc;

use larder::{LazySlot, LoadError, Loaded};

use super::{Stage, Subject};
use crate::{Boom, Here};

type Ask<V> = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<V, LoadError<Boom>>>>>>;

/// A fetch that asks its own slot gets the old value, or an error if there is none; it does not wait for itself.
pub async fn a_slots_fetch_asks_its_slot<E: Subject>(stage: Stage<E>) {
    let inside = Rc::<RefCell<Option<Ask<E::Value>>>>::default();
    let asks = inside.clone();
    let fetch = move |_| {
        let asked = asks.borrow().as_ref().map(|ask| ask());
        async move {
            match asked.expect("it is set").await {
                Ok(value) => Ok(Loaded::new(E::Value::from(*value + 1))),
                Err(LoadError::Reentrant) => Err(Boom(66)),
                Err(_) => Err(Boom(0)),
            }
        }
    };
    let slot =
        LazySlot::builder(Here(stage.runtime.clone())).fetch_fn(fetch).build().expect("the configuration is valid");
    let own = slot.clone();
    *inside.borrow_mut() = Some(Box::new(move || {
        let own = own.clone();
        Box::pin(async move { own.get().await })
    }));
    assert_eq!(slot.get().await.err().as_ref().and_then(LoadError::error), Some(&Boom(66)));
    slot.set(E::Value::from(90));
    assert!(slot.expire());
    assert_eq!(slot.get().await.ok().as_deref(), Some(&91));
    stage.slot_ends_clean(&slot).await;
    inside.take();
}
