//! How Larder is set up and asked.
//!
//! Everything that makes a token refresh itself is a setting of one slot; what is left to do is to ask it, and to tell it
//! of a token that was refused.

use std::{error::Error, fmt, time::Duration};

use larder_smol::{
    ConfigError, Instant, LoadError, Loaded, LookupOptions, Outcome, Spawn, Stats, TimeLeft, larder::LazySlot,
};

use super::{
    clock::SetForward,
    provider::{Provider, ProviderError, Token},
};

/// What the slot is told. Many programs that ask one provider would add a jitter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How long before its end a token is refreshed.
    pub(crate) margin: Duration,
    /// How long the provider has for an answer.
    pub(crate) budget: Duration,
    /// How long a provider that has failed is left alone, and how long at the most after further failures.
    pub(crate) retry: (Duration, Duration),
    /// Who refreshes.
    pub(crate) refreshing: Refreshing,
}

/// Who refreshes the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refreshing {
    /// A task for each refresh, spawned by the first caller who finds it time for that.
    OnCalls,
    /// One task that is always there.
    ByTask,
}

/// The token in use. A clone is the same.
#[derive(Clone)]
pub(crate) struct Tokens {
    slot: LazySlot<Token, ProviderError, SetForward>,
    refreshing: Refreshing,
}

/// A token and what there is to say about it.
pub(crate) type Found = Outcome<Token, ProviderError>;

impl Tokens {
    pub(crate) fn new(runtime: SetForward, provider: Provider, settings: Settings) -> Result<Self, ConfigError> {
        let Settings { margin, budget, retry: (first, longest), refreshing } = settings;
        let slot = LazySlot::builder(runtime.clone())
            .fetch_fn(move |_| async move {
                let (token, lifetime) = provider.token().await?;
                Ok(Loaded::new(token).ttl(lifetime))
            })
            .refresh_ahead(margin)
            .fetch_budget(budget)
            .retry_after(first)
            .retry_backoff(2.0, longest)
            // A token that has expired is of no use.
            .stale_limit(Duration::ZERO)
            .build()?;
        if refreshing == Refreshing::ByTask {
            // It ends with the slot.
            let _always = runtime.spawn(slot.keep_fresh());
        }
        Ok(Self { slot, refreshing })
    }

    /// Returns a token that is good, and waits for one only where there is none.
    pub(crate) async fn current(&self) -> Result<Found, NoToken> {
        let found = match self.refreshing {
            Refreshing::OnCalls => self.slot.get_stale_spawn().await?.outcome,
            Refreshing::ByTask => self.slot.lookup(LookupOptions::new()).await?,
        };
        // One that came expired has been handed out, too.
        if found.time_left() == TimeLeft::For(Duration::ZERO) { Err(NoToken::Expired) } else { Ok(found) }
    }

    /// Says of a token that it was refused. However many say so, one new token is asked for.
    pub(crate) fn was_refused(&self, found: &Found) {
        if let Some(generation) = found.generation() {
            self.slot.invalidate_if(generation);
        }
    }

    /// Returns when the next token is to be asked for.
    pub(crate) fn refresh_at(&self) -> Instant {
        self.slot.refresh_at()
    }

    /// Returns what happened so far; a load is a token that was asked for.
    pub(crate) fn stats(&self) -> Stats {
        self.slot.stats()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("slot", &self.slot).field("refreshing", &self.refreshing).finish()
    }
}

/// Why there is no token to send.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum NoToken {
    /// When the provider hands out tokens that have expired.
    Expired,
    /// When the provider does not answer.
    Failed(LoadError<ProviderError>),
}

impl From<LoadError<ProviderError>> for NoToken {
    fn from(error: LoadError<ProviderError>) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => write!(f, "the token had expired before it came"),
            Self::Failed(error) => write!(f, "there is no token: {error}"),
        }
    }
}

impl Error for NoToken {}
