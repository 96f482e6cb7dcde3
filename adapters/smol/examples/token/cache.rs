//! How Larder is configured and called.
//!
//! All that makes a token refresh itself is configuration of one slot. What is left is to ask the slot for a token, and
//! to report a token that was refused.

use std::{error::Error, fmt, time::Duration};

use larder_smol::{
    ConfigError, Instant, LoadError, Loaded, LookupOptions, Outcome, Spawn, Stats, TimeLeft, larder::LazySlot,
};

use super::{
    clock::SetForward,
    provider::{Provider, ProviderError, Token},
};

/// The settings of the slot. If many programs ask one provider, add a jitter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How long before it expires a token is refreshed.
    pub(crate) margin: Duration,
    /// How long a request to the provider may take.
    pub(crate) budget: Duration,
    /// How long a provider that has failed is not asked again: at first, and at most.
    pub(crate) retry: (Duration, Duration),
    /// What refreshes the token.
    pub(crate) refreshing: Refreshing,
}

/// What refreshes the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refreshing {
    /// A task for each refresh, spawned by the first caller that finds a refresh due.
    OnCalls,
    /// One task that runs all the time.
    ByTask,
}

/// The current token. Clones share it.
#[derive(Clone)]
pub(crate) struct Tokens {
    slot: LazySlot<Token, ProviderError, SetForward>,
    refreshing: Refreshing,
}

/// A token and how it was found.
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
            // An expired token is useless.
            .stale_limit(Duration::ZERO)
            .build()?;
        if refreshing == Refreshing::ByTask {
            // The task ends with the slot.
            let _always = runtime.spawn(slot.keep_fresh());
        }
        Ok(Self { slot, refreshing })
    }

    /// Returns a good token; waits only if there is none.
    pub(crate) async fn current(&self) -> Result<Found, NoToken> {
        let found = match self.refreshing {
            Refreshing::OnCalls => self.slot.get_stale_spawn().await?.outcome,
            Refreshing::ByTask => self.slot.lookup(LookupOptions::new()).await?,
        };
        // The slot also returns a token that the provider issued as expired.
        if found.time_left() == TimeLeft::For(Duration::ZERO) { Err(NoToken::Expired) } else { Ok(found) }
    }

    /// Reports a token that was refused. One new token is fetched, however many callers report it.
    pub(crate) fn was_refused(&self, found: &Found) {
        if let Some(generation) = found.generation() {
            self.slot.invalidate_if(generation);
        }
    }

    /// Returns when the next token is due to be fetched.
    pub(crate) fn refresh_at(&self) -> Instant {
        self.slot.refresh_at()
    }

    /// Returns what happened so far; each load is one fetch of a token.
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
    /// The provider issues tokens that have already expired.
    Expired,
    /// The provider does not answer.
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
            Self::Failed(error) => write!(f, "no token: {error}"),
        }
    }
}

impl Error for NoToken {}
