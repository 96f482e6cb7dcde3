//! The run without arguments: the same questions without the cache, with it, and with the upstream dead.

mod clients;
mod mix;
mod table;
mod zone;

use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::time::sleep;

use self::{mix::Mix, table::Column, zone::Zone};
use super::{
    forwarder::{Forwarder, Settings},
    server::Server,
};

/// What the demonstration does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) questions: usize,
    /// How many ask at a time, each one question after the other.
    pub(crate) clients: usize,
    pub(crate) names: usize,
    /// What the upstream takes for an answer.
    pub(crate) latency: Duration,
    /// The share of questions that never reach the upstream.
    pub(crate) loss: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { questions: 10_000, clients: 100, names: 2_000, latency: Duration::from_millis(20), loss: 0.01 }
    }
}

/// Runs the demonstration; all its traffic stays on loopback.
pub(crate) async fn run(plan: Plan, settings: Settings) -> Result<(), Box<dyn Error>> {
    let zone = Arc::new(Zone::new(plan.names, plan.latency, plan.loss)?);
    let upstream = Server::bind(LOOPBACK, 1, Arc::clone(&zone)).await?;
    let mix = Arc::new(Mix::new(plan.names, plan.questions));
    println!(
        "The upstream, {}, knows {} names for {} s, takes {:?} and loses {} % of what it is asked.\n\
         {} clients ask {} questions through the forwarder, some names much more often than others, with pauses of {:?}.\n",
        upstream.address(),
        plan.names,
        zone::TTL.as_secs(),
        plan.latency,
        plan.loss * 100.0,
        plan.clients,
        plan.questions,
        clients::PAUSE,
    );

    let direct = Stage::start(upstream.address(), Settings { cache: None, ..settings.clone() }).await?;
    let without = direct.measure("without the cache", plan.clients, &mix).await?;
    drop(direct);

    let cached = Stage::start(upstream.address(), settings).await?;
    let with = cached.measure("with the cache", plan.clients, &mix).await?;

    println!("The upstream dies; until all TTLs have run out: {} s", zone::TTL.as_secs());
    zone.die();
    sleep(zone::TTL + Duration::from_millis(100)).await;
    let dead = cached.measure("upstream dead", plan.clients, &mix).await?;

    println!("\n{}", table::render(&[without, with, dead]));
    Ok(())
}

/// A forwarder that runs.
struct Stage {
    forwarder: Arc<Forwarder>,
    server: Server,
}

impl Stage {
    async fn start(upstream: SocketAddr, settings: Settings) -> Result<Self, Box<dyn Error>> {
        let forwarder = Arc::new(Forwarder::new(&[upstream], settings)?);
        let server = Server::bind(LOOPBACK, 2, Arc::clone(&forwarder)).await?;
        Ok(Self { forwarder, server })
    }

    /// Has all questions of the mix asked, and tells what came of it.
    async fn measure(&self, title: &'static str, clients: usize, mix: &Arc<Mix>) -> Result<Column, Box<dyn Error>> {
        print!("{title:<18}");
        let before = self.forwarder.report();
        let outcome = clients::ask_all(self.server.address(), clients, mix).await?;
        println!();
        Ok(Column { title, outcome, report: self.forwarder.report() - before })
    }
}

/// Any free port.
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
