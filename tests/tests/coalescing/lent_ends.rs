//! A load that borrows is dropped when its caller gets a result, although the call still exists.

use core::future::pending;

use larder::OnTimeout;
use larder_tests::*;

on_every_runtime! {
    d16_told_by_a_write
    d16_told_by_a_timeout
}

/// Something that a load borrows, for as long as the load exists.
#[derive(Default)]
struct Lent(Cell<bool>);

impl Lent {
    /// A load that never ends.
    async fn load(&self) -> Result<V, Boom> {
        struct Held<'a>(&'a Cell<bool>);

        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.set(false);
            }
        }

        self.0.set(true);
        let _held = Held(&self.0);
        pending().await
    }
}

/// D16: its caller gets a value that was written.
fn d16_told_by_a_write<R: Host>() {
    let (sim, lent) = (Sim::new(), Lent::default());
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c);
    let mut call = cache.get_with(&7, || lent.load());
    assert!(wakers::poll_once(&mut call).is_pending());
    assert!(lent.0.get());
    cache.insert(7, V::new(1));
    assert!(matches!(wakers::poll_once(&mut call), Poll::Ready(Ok(value)) if *value == 1));
    assert!(!lent.0.get(), "it is gone before the call is");
    assert!(wakers::poll_once(&mut call).is_pending());
    assert_clean(&cache.stats());
}

/// D16: its caller stops waiting.
fn d16_told_by_a_timeout<R: Host>() {
    let (mut sim, lent) = (Sim::new(), Lent::default());
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.lock_timeout(ms(50), OnTimeout::Fail));
    let mut call = cache.get_with(&7, || lent.load());
    assert!(wakers::poll_once(&mut call).is_pending());
    sim.to(50);
    assert!(matches!(wakers::poll_once(&mut call), Poll::Ready(Err(larder::LoadError::LockTimeout))));
    assert!(!lent.0.get(), "it is gone before the call is");
    assert_clean(&cache.stats());
}
