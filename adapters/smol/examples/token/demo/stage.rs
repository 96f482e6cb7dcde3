//! The provider, the server, the clients and the clock, all running.

use std::{sync::Arc, time::Duration};

use larder_smol::{Clock, ManualClock, parts::Hosted};
use smol::{Timer, future::or};

use super::{
    super::{
        cache::{Refreshing, Settings, Tokens},
        http::{Failure, Server},
        provider::Provider,
    },
    Phase,
    clients::Client,
    provider::{Day, Scripted},
    resource::Resource,
    table::Row,
};

/// How long before it expires a token is refreshed.
pub(super) const MARGIN: Duration = Duration::from_secs(40);

/// How long a request to the provider may take.
pub(super) const BUDGET: Duration = Duration::from_secs(5);

/// How long a provider that has failed is not asked again: at first, and at most.
pub(super) const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(20));

/// The time between calls.
pub(super) const TICK: Duration = Duration::from_secs(5);

pub(super) struct Stage {
    clock: ManualClock,
    provider: Arc<Scripted>,
    tokens: Tokens,
    refreshing: Refreshing,
    crowd: Vec<Client>,
    /// The counts of the rows so far: tokens asked for, issued, and failed.
    counted: (u64, u64, u64),
    _servers: [Server; 2],
}

impl Stage {
    pub(super) async fn start(clients: usize, refreshing: Refreshing) -> Result<Self, Failure> {
        let clock = ManualClock::new();
        let provider = Arc::new(Scripted::new(clock.clone()));
        let at_provider = Server::start(Arc::clone(&provider)).await?;
        let resource = Server::start(Arc::new(Resource(Arc::clone(&provider)))).await?;
        let settings = Settings { margin: MARGIN, budget: BUDGET, retry: RETRY, refreshing };
        let runtime = Hosted::with_clock(clock.clone());
        let tokens = Tokens::new(runtime, Provider::new(at_provider.address()), settings)?;
        let crowd = Client::crowd(clients, resource.address(), &tokens).await?;
        let (counted, _servers) = ((0, 0, 0), [at_provider, resource]);
        Ok(Self { clock, provider, tokens, refreshing, crowd, counted, _servers })
    }

    /// Plays a phase and returns its row.
    pub(super) async fn play(&mut self, phase: &Phase) -> Result<Row, Failure> {
        self.provider.begin(phase.day);
        let mut row = Row::new(phase.title);
        for call in 0..phase.calls {
            self.clock.advance(if call == 0 { Duration::from_secs(phase.quiet) } else { TICK });
            if self.refreshing == Refreshing::ByTask {
                self.settle().await?;
            }
            let crowd = Client::all_call(&mut self.crowd);
            row.saw(&or(crowd, Self::too_long("the clients get no answers")).await?);
            self.settle().await?;
        }
        let (before, (asked, issued)) = (self.counted, self.provider.counts());
        self.counted = (asked, issued, self.tokens.stats().loads_failed);
        (row.asked, row.issued, row.failed) = (asked - before.0, issued - before.1, self.counted.2 - before.2);
        row.until = self.clock.now();
        Ok(row)
    }

    /// Waits until everything that is due has been done, so that the clock may advance.
    async fn settle(&self) -> Result<(), Failure> {
        let settled = async {
            while !self.is_settled() {
                Timer::after(Duration::from_millis(1)).await;
            }
            Ok(())
        };
        or(settled, Self::too_long("the token is not refreshed")).await
    }

    /// Returns whether there is nothing to do until the clock advances.
    fn is_settled(&self) -> bool {
        let now = self.clock.now();
        match self.tokens.stats().loads_in_flight {
            0 => self.tokens.refresh_at() > now,
            // It waits for the provider, which still has time to answer.
            _ => self.provider.day() == Day::Stalling && self.provider.last_asked().saturating_add(BUDGET) > now,
        }
    }

    async fn too_long<T>(what: &str) -> Result<T, Failure> {
        Timer::after(PATIENCE).await;
        Err(what.into())
    }
}

/// How long anything may take; only a hang takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
