//! Room for a newcomer whose shard has none: other shards give it, one after the other, before the newcomer is stored.

use alloc::vec::Vec;

use super::{After, EffectsOf, Engine, ShardOf};
use crate::{
    Instant, Key, Lock, Runtime, Tuning,
    shard::Need,
    store::{Asking, ROUNDS, Room},
};

/// Room on the way from one shard to another; what is not used goes back.
struct Hand<'a> {
    room: &'a Room,
    weight: u64,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Engine<K, V, E, R, S> {
    /// Does a step in a key's shard that may need room. If it does, others give room, and the step is done again.
    #[inline(always)]
    pub(crate) fn with_room<T>(
        &self,
        hash: u64,
        now: Instant,
        after: &mut After<'_, K, V, E, R, S>,
        mut step: impl FnMut(&mut ShardOf<K, V, E, R, S>, &mut EffectsOf<K, V, E, R, S>) -> T,
    ) -> T {
        after.effects().need = Need::Nothing;
        let done = self.with(hash, |shard| step(shard, after.effects()));
        if after.effects().need == Need::Nothing {
            return done;
        }
        self.with_room_of_others(hash, now, after, step)
    }

    /// Does so for one newcomer at a time: two could each have half of the room, and wait for the rest for ever.
    #[cold]
    pub(super) fn with_room_of_others<T>(
        &self,
        hash: u64,
        now: Instant,
        after: &mut After<'_, K, V, E, R, S>,
        mut step: impl FnMut(&mut ShardOf<K, V, E, R, S>, &mut EffectsOf<K, V, E, R, S>) -> T,
    ) -> T {
        // What a step returns that came to nothing is the user's, and is dropped outside the lock.
        let mut unused = Vec::new();
        self.capacity.with(|whole| {
            let effects = after.effects();
            let own = self.shards.number_of(hash);
            loop {
                let need = effects.need;
                let mut hand = self.gather(own, need, *whole, now, effects);
                effects.need = if need.spares() { Need::Given } else { Need::Met };
                let done = self.with(hash, |shard| {
                    shard.values.receive(core::mem::take(&mut hand.weight));
                    let done = step(shard, effects);
                    shard.give_back();
                    done
                });
                if !effects.lacks_room() {
                    effects.need = Need::Nothing;
                    return done;
                }
                unused.push(done);
            }
        })
    }

    /// Asks all shards for room until there is enough, the newcomer's own as well.
    fn gather(
        &self,
        own: usize,
        need: Need,
        whole: u64,
        now: Instant,
        effects: &mut EffectsOf<K, V, E, R, S>,
    ) -> Hand<'_> {
        let mut hand = Hand { room: &self.room, weight: 0 };
        let (weight, lack, last) = match need {
            Need::Room(room) => (room.weight, room.lack(), ROUNDS + PATIENCE),
            _ => (1, 1, ROUNDS),
        };
        let mut asking = Asking::default();
        // If the capacity has shrunk meanwhile, the newcomer is refused.
        while weight <= whole && hand.weight < lack && asking.goes_on(last) {
            let missing = lack - hand.weight;
            hand.weight += self.ask_for_room(&mut asking, (own, need), missing, whole, now, effects);
        }
        hand
    }

    /// Takes free room, and asks one shard for the rest, up to `most` in all; returns how much there was.
    pub(crate) fn ask_for_room(
        &self,
        asking: &mut Asking,
        (own, need): (usize, Need),
        most: u64,
        whole: u64,
        now: Instant,
        effects: &mut EffectsOf<K, V, E, R, S>,
    ) -> u64 {
        let free = self.room.take(most);
        if free == most {
            return free;
        }
        let (next, part) = asking.next(whole, self.shards.len());
        let shard = (own + next) % self.shards.len();
        let Some(lock) = self.shards.get(shard) else { return free };
        let (given, has_more) = match need {
            // Its own shard keeps its part together with the newcomer.
            Need::Room(room) if shard == own => {
                let (most, keeps) = (most - free, part.saturating_sub(room.lack()));
                lock.with(|shard| match room.former {
                    Some(former) => shard.give_beside(former, most, keeps, now, effects),
                    None => shard.give(most, keeps, now, effects),
                })
            }
            Need::RoomBeside if shard == own => (0, false),
            _ => lock.with(|shard| shard.give(most - free, part, now, effects)),
        };
        if !has_more {
            asking.go_on(self.shards.len());
        }
        free + given
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if self.weight > 0 {
            self.room.give(self.weight);
        }
    }
}

/// How many more rounds there are in which no shard keeps anything: if others take room that was given back, they have
/// to give it in the next round.
const PATIENCE: u64 = 1 << 16;
