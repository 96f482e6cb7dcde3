//! Questions of a slot only: how its value is, and when it is to be refreshed.

use super::{LoadsAnew, Rules, Shard};
use crate::{
    Instant, Outcome,
    store::{Trouble, policy::Policy},
};

impl<K: Eq + Clone, V: Clone, E, C: LoadsAnew, P: Policy> Shard<K, V, E, C, P> {
    /// Describes what is stored, and the last failure beside it, and changes nothing.
    pub(crate) fn look(&self, hash: u64, now: Instant, eq: impl Fn(&K) -> bool) -> Option<Outcome<V, E>> {
        let error = self.trouble(hash, &eq).and_then(|trouble| trouble.failure);
        Some(Outcome { error, ..self.peek(hash, now, eq)? })
    }

    /// Returns what is known of a key whose loads fail.
    pub(crate) fn trouble(&self, hash: u64, eq: impl FnMut(&K) -> bool) -> Option<Trouble<E>> {
        self.failures.trouble(hash, eq)
    }

    /// Returns when a value is to be refreshed, or loaded if there is none, but not before the retry time.
    pub(crate) fn refresh_at(&self, hash: u64, rules: &Rules, eq: impl Fn(&K) -> bool) -> Instant {
        let due = self.values.find(hash, &eq).map_or(Instant::ZERO, |place| {
            let deadline = self.values.ends(place);
            let margin = rules.early.margin.zip(self.values.life(place));
            margin.map_or(deadline, |(margin, life)| margin.start(life))
        });
        let retry_at = self.trouble(hash, eq).map_or(Instant::ZERO, |trouble| trouble.retry_at);
        due.max(retry_at)
    }
}
