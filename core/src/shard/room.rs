//! Room for newcomers: found in the shard, or asked of others; and given to others.

use super::{
    Carries, Effects, Shard,
    kept::failures_share,
    need::{Need, RoomNeed, Spared},
};
use crate::{
    Instant,
    store::{FEW, policy::Policy},
};

impl<K: Eq + Clone, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Finds room for a newcomer of this weight in place of the present value; if not, others have to give it.
    ///
    /// That value may come to another place.
    #[inline(always)]
    pub(super) fn finds_room(
        &mut self,
        place: &mut Option<u32>,
        weight: u64,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        let former = place.map_or(0, |place| self.values.weight_at(place));
        let used = self.weight() - former;
        self.values.finds_room(used, weight) || self.makes_room(place, (used, weight), now, effects)
    }

    /// A few values leave for the newcomer, or it asks others.
    #[cold]
    #[inline(never)]
    fn makes_room(
        &mut self,
        place: &mut Option<u32>,
        (used, weight): (u64, u64),
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) -> bool {
        self.values.evict_few(place, (used, weight), now, &mut effects.leavers)
            || self.has_asked(*place, weight, effects)
    }

    /// There is no room: the newcomer has already asked others for it, or has to.
    fn has_asked(&self, place: Option<u32>, weight: u64, effects: &mut Effects<K, V, E, C>) -> bool {
        // The value that it was to replace may have left in the meantime.
        let has_asked =
            effects.need == Need::Met || (effects.need == Need::Given && weight <= self.values.allowance.own);
        if !has_asked {
            let former = place.filter(|_| effects.need != Need::Given).map(|place| {
                let (entry, weight) = (self.values.entry(place), self.values.weight_at(place));
                Spared { hash: entry.hash, generation: entry.generation, weight }
            });
            effects.need = Need::Room(RoomNeed { weight, former });
        }
        has_asked
    }

    /// Finds room for what is kept of a flight's key beside its value.
    pub(super) fn finds_room_beside(&mut self, place: u32, effects: &mut Effects<K, V, E, C>) -> bool {
        let is_asked = matches!(effects.need, Need::Met | Need::Given) || self.values.allowance.is_alone();
        if is_asked || self.flights.at(place).key.is_none() {
            return true;
        }
        let Some((value, known)) = self.places_in_need(place) else { return true };
        let others = self.values.len() - usize::from(value.is_some()) + self.failures.len();
        let used = self.weight();
        let finds = known.is_some() || others > 0 || self.values.allowance.lack(used, 1) == 0;
        if !finds {
            effects.need = Need::RoomBeside;
        }
        finds
    }
}

impl<K: Eq, V: Clone, E, C: Carries, P: Policy> Shard<K, V, E, C, P> {
    /// Gives room for others, up to `most`, as long as this shard has more than it `keeps`; a few values may leave for
    /// that.
    ///
    /// Returns how much, and whether there is more.
    pub(crate) fn give(
        &mut self,
        most: u64,
        keeps: u64,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) -> (u64, bool) {
        let mut left = FEW;
        while left > 0 && self.weight() > keeps && self.values.allowance.spare(self.weight()) < most {
            left -= 1;
            if !self.values.evict(None, now, &mut effects.leavers) {
                effects.keep_failure(self.failures.forget_first());
            }
        }
        let given = self.values.allowance.hand_out(self.weight(), most);
        self.give_back();
        (given, left == 0 && given < most)
    }

    /// Gives room for a newcomer of this shard that is to replace a value, and spares that value.
    #[cold]
    pub(crate) fn give_beside(
        &mut self,
        former: Spared,
        most: u64,
        keeps: u64,
        now: Instant,
        effects: &mut Effects<K, V, E, C>,
    ) -> (u64, bool) {
        let Some(place) = self.values.find_generation(former.hash, former.generation) else {
            return self.give(most, keeps, now, effects);
        };
        self.values.spare(place);
        let given = self.give(most, keeps.max(former.weight), now, effects);
        self.values.end_sparing();
        given
    }

    /// Gives back the room that is not used any more.
    #[inline(always)]
    pub(crate) fn give_back(&mut self) {
        self.values.allowance.settle(self.values.weight() + self.failures.len() as u64);
    }

    /// Changes the capacity of the cache; true if there are still too many failures.
    ///
    /// Values beyond the new capacity have to be [given](Self::give) after that.
    pub(crate) fn resize(&mut self, whole: u64, part: u64, effects: &mut Effects<K, V, E, C>) -> bool {
        self.values.resize(whole, part);
        let share = failures_share(part, whole);
        for _ in 0..FEW {
            if self.failures.len() as u64 <= share {
                break;
            }
            effects.keep_failure(self.failures.forget_first());
        }
        self.note_due();
        self.give_back();
        self.failures.len() as u64 > share
    }
}
