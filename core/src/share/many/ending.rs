//! A call for many keys gives up, for now or for good.

use core::mem;

use super::{After, Engine, Key, Many, Runtime, Shape, Tuning};
use crate::contain::{both, each};

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Many<'_, K, Q, V, E, R, S, M, W> {
    /// Gives up what was claimed and not begun: others lead, or this call when it is polled again.
    pub(super) fn give_back(&mut self) {
        let engine = self.engine;
        let mut after = After::new(engine);
        self.units.get_mut().give_back(&mut self.members, &mut after, engine);
        for member in &mut self.members {
            if mem::take(&mut member.is_to_be_made) {
                engine.with(member.hash, |shard| shard.unmake(&member.stay.waiting.seat, after.effects()));
            }
        }
    }
}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Drop
    for Many<'_, K, Q, V, E, R, S, M, W>
{
    fn drop(&mut self) {
        let leave =
            |this: &mut Self| each(this.members.iter_mut(), |member| Engine::leave(this.engine, &mut member.stay));
        both(self, |this| this.units.get_mut().withdraw(), |this| both(this, Self::give_back, leave));
    }
}
