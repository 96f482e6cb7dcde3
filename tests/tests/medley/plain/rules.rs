//! What the cache and the calls were configured to do.

use larder::{LookupOptions, OnTimeout, Ttl};
use larder_tests::*;

use super::{Held, Ns};

/// The settings of a cache or a slot.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) ttl: Ttl,
    pub(crate) idle: Option<Ns>,
    pub(crate) jitter: Option<f64>,
    pub(crate) early: Option<f64>,
    pub(crate) margin: Option<Ns>,
    pub(crate) inline: bool,
    pub(crate) lock_age: Option<Ns>,
    pub(crate) over_age_alone: bool,
    pub(crate) attempts: usize,
    pub(crate) budget: Option<Ns>,
    pub(crate) error_ttl: Ns,
    pub(crate) factor: f64,
    pub(crate) cap: Ns,
    pub(crate) patience: Option<(Ns, OnTimeout)>,
    pub(crate) stale: Option<Ns>,
    pub(crate) stale_if_error: Option<Ns>,
    /// How long values are held beyond their deadline.
    pub(crate) hold: Option<Ns>,
    pub(crate) surplus: bool,
    /// Whether its loader takes many keys.
    pub(crate) batches: bool,
    pub(crate) revalidates: bool,
    pub(crate) finishes: bool,
    /// Whether nothing ever has to leave to make room.
    pub(crate) has_room: bool,
    pub(crate) weighs: bool,
    pub(crate) ends: bool,
    /// Whether it is a slot: stale values are for all, expired ones are kept, and failures count without limit.
    pub(crate) is_slot: bool,
    pub(crate) delays_empty: bool,
    /// By how much the margin and the retry delays change at random.
    pub(crate) slot_jitter: Option<f64>,
    /// Whether a task keeps it fresh, which does not tell the model.
    pub(crate) is_kept_fresh: bool,
}

/// What a call takes instead of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Fresh,
    /// A stale value that another caller refreshes.
    Others,
    /// A stale value, and its refresh as a ticket.
    Ticket,
}

/// The options of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) ttl: Ttl,
    pub(crate) weight: Option<u64>,
    pub(crate) patience: Option<Option<(Ns, OnTimeout)>>,
    pub(crate) stale: Option<Ns>,
    pub(crate) stale_if_error: Option<Ns>,
    pub(crate) reload: bool,
}

/// What one call asks for: its options laid over the rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) ttl: Ttl,
    pub(crate) weight: Option<u64>,
    pub(crate) patience: Option<(Ns, OnTimeout)>,
    pub(crate) stale: Option<Ns>,
    pub(crate) stale_if_error: Option<Ns>,
    pub(crate) reload: bool,
    pub(crate) takes: Takes,
    /// It comes from inside a load, which may be that of its own key. (D66)
    pub(crate) is_inside: bool,
    /// Its ticket goes to a spawner.
    pub(crate) spawns: bool,
    /// It brings its load.
    pub(crate) brings: bool,
    /// The load that it brings can begin again and again, because its closure takes many keys.
    pub(crate) is_for_many: bool,
}

/// A duration as the model has it.
pub(crate) fn ns(time: Duration) -> Ns {
    Ns::try_from(time.as_nanos()).unwrap_or(Ns::MAX)
}

impl Options {
    pub(crate) const NONE: Self =
        Self { ttl: Ttl::Inherit, weight: None, patience: None, stale: None, stale_if_error: None, reload: false };

    pub(crate) fn for_lookup(self) -> LookupOptions {
        let mut options = LookupOptions::new().ttl(self.ttl);
        if let Some(weight) = self.weight {
            options = options.weight(weight);
        }
        if let Some(limit) = self.stale {
            options = options.stale_while_refresh(Duration::from_nanos(limit));
        }
        if let Some(limit) = self.stale_if_error {
            options = options.stale_if_error(Duration::from_nanos(limit));
        }
        options = match self.patience {
            None => options,
            Some(None) => options.no_lock_timeout(),
            Some(Some((patience, then))) => options.lock_timeout(Duration::from_nanos(patience), then),
        };
        if self.reload { options.reload() } else { options }
    }
}

impl Rules {
    pub(crate) fn call(&self, options: Options, wants_ticket: bool, is_inside: bool) -> Call {
        // A limit longer than the hold counts as the hold. (D56)
        let held = |limit: Ns| self.hold.map(|hold| limit.min(hold));
        Call {
            ttl: options.ttl,
            weight: options.weight,
            patience: options.patience.unwrap_or(self.patience),
            stale: options.stale.and_then(held).or(self.stale),
            stale_if_error: options.stale_if_error.and_then(held).or(self.stale_if_error),
            reload: options.reload,
            takes: match (wants_ticket, self.is_slot) {
                (true, _) => Takes::Ticket,
                (false, true) => Takes::Others,
                (false, false) => Takes::Fresh,
            },
            is_inside,
            spawns: false,
            brings: false,
            is_for_many: false,
        }
    }

    /// Whether it is known which failures are kept: with little room they make way (D30), a budget passes at a look
    /// (D93), and jitter shortens their times.
    pub(super) const fn knows_failures(&self) -> bool {
        let is_exact = self.has_room && self.budget.is_none() && self.slot_jitter.is_none() && !self.surplus;
        is_exact || (self.error_ttl == 0 && !self.is_slot)
    }

    /// The end of a life that begins now; none if the value is not to be stored. (D52)
    pub(super) fn end(&self, load: Ttl, call: Ttl, by_value: Ttl, now: Ns) -> Option<Ns> {
        let ttl = [load, call, by_value, self.ttl].into_iter().find(|ttl| *ttl != Ttl::Inherit);
        match ttl.unwrap_or(Ttl::Forever) {
            Ttl::NotStored => None,
            Ttl::ExpiresAtOnce | Ttl::For(Duration::ZERO) => self.is_slot.then_some(now),
            Ttl::For(time) => Some(now.saturating_add(ns(time))),
            _ => Some(Ns::MAX),
        }
    }

    /// Whether the lifetime is zero, which delays the next fetch of a slot. (D74)
    pub(super) fn is_over(&self, load: Ttl, call: Ttl, by_value: Ttl) -> bool {
        let ttl = [load, call, by_value, self.ttl].into_iter().find(|ttl| *ttl != Ttl::Inherit);
        self.is_slot && ttl == Some(Ttl::For(Duration::ZERO))
    }

    /// When a fresh value is to be refreshed ahead of its end, at the earliest and at the latest. (D55, D100)
    pub(super) fn due(&self, held: &Held) -> Option<(Ns, Ns)> {
        let Held { since, end, .. } = *held;
        let life = end.saturating_sub(since);
        let margin = self.margin.filter(|_| end != Ns::MAX)?;
        let ahead = if margin < life { margin } else { life / 2 };
        // The jitter only makes it earlier, and leaves half of the time before it.
        let extra = self.slot_jitter.map_or(0, |share| (share * ahead.min((life - ahead) / 2) as f64) as Ns);
        Some((end - ahead - extra, end - ahead))
    }

    /// Whether a fresh value is to be refreshed ahead of its end; none if that cannot be told.
    pub(super) fn is_due(&self, held: &Held, now: Ns) -> Option<bool> {
        let Held { since, end, .. } = *held;
        let by_share = |share: f64| now.saturating_sub(since) as f64 >= end.saturating_sub(since) as f64 * share;
        match (self.early.filter(|_| end != Ns::MAX).map(by_share), self.due(held)) {
            (Some(is_due), _) => Some(is_due),
            (None, Some((_, latest))) if latest <= now => Some(true),
            (None, Some((earliest, _))) if earliest <= now => None,
            _ => Some(false),
        }
    }

    /// How long a failure is kept after one that was kept for this long.
    pub(super) fn longer(&self, delay: Ns) -> Ns {
        ((delay as f64 * self.factor) as Ns).min(self.cap).max(self.error_ttl.min(self.cap))
    }
}

/// The lifetime that a value has by itself, if the cache asks. (D52)
pub(crate) fn end_of(id: u32) -> Ttl {
    match id % 7 {
        0 => Ttl::For(ms(u64::from(id % 50))),
        1 => Ttl::Forever,
        2 => Ttl::NotStored,
        _ => Ttl::Inherit,
    }
}

/// The weight of a value, if the cache asks.
pub(crate) const fn weight_of(id: u32) -> u64 {
    id as u64 % 4
}
