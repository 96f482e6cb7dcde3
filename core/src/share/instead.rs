//! A value that a failed load has brought to be served instead.

use core::mem;

use super::{After, EffectsOf, Engine};
use crate::{
    Instant, Key, Loaded, Runtime, Tuning,
    shard::{AsKey, At, News, Seat},
    source::Judgement,
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Holds the value if one of these seats still waits, before any caller there is told that the load has failed.
    pub(crate) fn hold_instead(
        &self,
        hash: u64,
        seats: &[&Seat<R::Notify>],
        loaded: Option<Loaded<V>>,
        key: Option<&dyn AsKey<K>>,
        now: Instant,
        effects: &mut EffectsOf<K, V, E, R, S>,
    ) {
        let Some(mut loaded) = loaded else { return };
        let judgement = match key {
            Some(key) if self.source.judges() => self.source.judge(&key.to_key(), &mut loaded),
            _ => Judgement::default(),
        };
        self.expects_expiry();
        let mut news = Some(News::new(loaded, judgement));
        let mut after = After::new(self);
        mem::swap(after.effects(), effects);
        for seat in seats {
            let at = At { now, rules: &self.rules };
            self.with_room(hash, now, &mut after, |shard, effects| shard.hold_instead(seat, &mut news, at, effects));
        }
        mem::swap(after.effects(), effects);
    }
}
