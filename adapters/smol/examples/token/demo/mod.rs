//! The phases of the demonstration: a hundred clients, and a provider that behaves well or badly.

mod clients;
mod provider;
mod resource;
mod stage;
mod table;

use self::{
    provider::Day,
    stage::{Stage, TICK},
    table::Row,
};
use super::{cache::Refreshing, http::Failure};

/// Runs the demonstration with this many clients; all traffic stays on loopback. Fails if a promise is broken.
pub(crate) async fn run(clients: usize) -> Result<(), Failure> {
    println!(
        "Tokens are good for {} s and refreshed {} s before they expire; the provider has {} s to answer, and is not\n\
         asked for {} s after a failure, {} s at most. {clients} clients call a server every {} s.\n\
         Sockets and tasks are real; the clock is moved forward, so the run need not wait.",
        provider::LIFETIME.as_secs(),
        stage::MARGIN.as_secs(),
        stage::BUDGET.as_secs(),
        stage::RETRY.0.as_secs(),
        stage::RETRY.1.as_secs(),
        TICK.as_secs(),
    );
    let mut broken = Vec::new();
    for (title, refreshing) in
        [("refreshed on calls", Refreshing::OnCalls), ("refreshed by a task", Refreshing::ByTask)]
    {
        println!("\n{}", table::head(title));
        let mut stage = Stage::start(clients, refreshing).await?;
        for phase in PHASES {
            let row = stage.play(phase).await?;
            println!("{row}");
            if !(phase.promise)(&row) {
                broken.push(format!("{title}, {}: {row:?}", phase.title));
            }
        }
    }
    if broken.is_empty() {
        println!("\nAll {} phases kept their promises, in both ways.", PHASES.len());
        Ok(())
    } else {
        Err(format!("these phases broke their promises:\n{}", broken.join("\n")).into())
    }
}

/// One line of the table.
struct Phase {
    title: &'static str,
    /// How many seconds pass without a call before it.
    quiet: u64,
    /// How often the clients call.
    calls: u32,
    day: Day,
    /// What the row has to show.
    promise: fn(&Row) -> bool,
}

const PHASES: &[Phase] = &[
    Phase {
        title: "the first token",
        quiet: 0,
        calls: 1,
        day: Day::Good,
        promise: |row| row.is_served() && (row.asked, row.issued) == (1, 1),
    },
    Phase {
        title: "four minutes",
        quiet: 5,
        calls: 48,
        day: Day::Good,
        promise: |row| row.is_served() && row.waited == 0 && (row.asked, row.issued, row.failed) == (4, 4, 0),
    },
    // The budget ends both fetches.
    Phase {
        title: "the provider stalls",
        quiet: 5,
        calls: 16,
        day: Day::Stalling,
        promise: |row| row.is_served() && row.waited == 0 && (row.asked, row.issued, row.failed) == (2, 0, 2),
    },
    RECOVERY,
    // Fetches after 0, 5 and 15 seconds.
    Phase {
        title: "the provider says 503",
        quiet: 5,
        calls: 18,
        day: Day::Failing,
        promise: |row| row.is_served() && row.waited == 0 && (row.asked, row.issued, row.failed) == (3, 0, 3),
    },
    RECOVERY,
    // Fetches after 0, 5, 15, 35 and 55 seconds.
    Phase {
        title: "all tokens arrive expired",
        quiet: 150,
        calls: 13,
        day: Day::HandingOutExpired,
        promise: |row| row.tokenless == row.requests && row.refused == 0 && (row.asked, row.issued) == (5, 5),
    },
    Phase {
        title: "the provider is back",
        quiet: 15,
        calls: 1,
        day: Day::Good,
        promise: |row| row.is_served() && (row.asked, row.issued) == (1, 1),
    },
    Phase {
        title: "the token is revoked",
        quiet: 5,
        calls: 1,
        day: Day::TakingBack,
        promise: |row| row.refused == row.requests && row.served == row.requests && (row.asked, row.issued) == (1, 1),
    },
    Phase {
        title: "the new token",
        quiet: 5,
        calls: 1,
        day: Day::Good,
        promise: |row| row.is_served() && row.waited == 0 && row.asked == 0,
    },
];

/// The clients have not noticed anything.
const RECOVERY: Phase = Phase {
    title: "the provider is back",
    quiet: 5,
    calls: 1,
    day: Day::Good,
    promise: |row| row.is_served() && row.waited == 0 && (row.asked, row.issued, row.failed) == (1, 1, 0),
};
