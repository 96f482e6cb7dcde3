//! The run without arguments: one page, a hundred clients, and an origin that behaves well or badly.

pub(crate) mod clients;
pub(crate) mod origin;
mod table;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::time::{sleep, timeout};

use self::{
    clients::Crowd,
    origin::{Day, Scripted},
    table::Row,
};
use super::{
    cache::{PageCache, Settings},
    clock::Skipping,
    origin::{Failure, Origin},
    proxy::Proxy,
    server::Server,
};

/// Runs the demonstration; all traffic stays on loopback. Fails if the cache breaks a promise.
pub(crate) async fn run() -> Result<(), Failure> {
    let stage = Stage::start().await?;
    let Settings { stale_while_revalidate, stale_if_error, recheck, .. } = Settings::default();
    println!(
        "The origin's page may be kept for {} s. {CLIENTS} clients ask for it through the proxy, which may serve it for {} s\n\
         more while it is refreshed, and for {} s more if the origin fails; a failed origin is not asked for {} s.\n\
         Sockets and latencies are real; the clock of the cache is moved forward, so the run need not wait.\n",
        origin::MAX_AGE.as_secs(),
        stale_while_revalidate.as_secs(),
        stale_if_error.as_secs(),
        recheck.as_secs(),
    );
    println!("{}", table::HEAD);
    let mut broken = Vec::new();
    for phase in PHASES {
        let row = stage.play(phase).await?;
        println!("{row}");
        if !(phase.promise)(&row) {
            broken.push(format!("{}: {row:?}", phase.title));
        }
    }
    if broken.is_empty() {
        println!("\nAll {} phases kept their promises.", PHASES.len());
        Ok(())
    } else {
        Err(format!("these phases broke their promises:\n{}", broken.join("\n")).into())
    }
}

/// One line of the table.
struct Phase {
    title: &'static str,
    /// How many seconds the clock is moved forward before it.
    later: u64,
    day: Day,
    path: &'static str,
    crowd: Crowd,
    /// What the row has to show.
    promise: fn(&Row) -> bool,
}

const BURST: Phase = Phase {
    title: "",
    later: 0,
    day: Day::Good,
    path: "/page",
    crowd: Crowd { clients: CLIENTS, at_once: true },
    promise: |_| false,
};

const PHASES: &[Phase] = &[
    Phase {
        title: "nothing cached",
        promise: |row| row.is_served(1) && row.asked == [1, 1, 0, 0] && row.seen("miss") == 1,
        ..BURST
    },
    Phase {
        title: "cached",
        promise: |row| row.is_served(1) && row.asked == [0; 4] && row.seen("hit") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "expired long ago, unchanged",
        later: 100,
        promise: |row| row.is_served(1) && row.asked == [1, 0, 1, 0] && row.seen("expired") == 1 && row.since >= 100,
        ..BURST
    },
    Phase {
        title: "expired, and the origin stalls",
        later: 70,
        day: Day::Stalling,
        // The origin answers only after all clients were served.
        promise: |row| row.is_served(1) && row.asked == [1, 0, 1, 0] && row.seen("stale") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "the origin has answered meanwhile",
        promise: |row| row.is_served(1) && row.asked == [0; 4] && row.seen("hit") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "expired, and a newer page exists",
        later: 70,
        day: Day::Publishing,
        promise: |row| row.is_served(1) && row.asked == [1, 1, 0, 0] && row.seen("stale") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "the newer page",
        promise: |row| row.is_served(2) && row.asked == [0; 4] && row.seen("hit") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "the origin answers 503",
        later: 100,
        day: Day::Failing,
        promise: |row| row.is_served(2) && row.asked == [1, 0, 0, 1] && row.seen("stale_if_error") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "the origin hangs up",
        later: 10,
        day: Day::HangingUp,
        promise: |row| row.is_served(2) && row.asked == [1, 0, 0, 1] && row.seen("stale_if_error") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "it hangs up for too long",
        later: 600,
        day: Day::HangingUp,
        promise: |row| row.asked == [1, 0, 0, 1] && row.seen("error") == CLIENTS,
        ..BURST
    },
    Phase {
        title: "the origin is back, page unchanged",
        later: 10,
        promise: |row| row.is_served(2) && row.asked == [1, 0, 1, 0] && row.seen("expired") == 1,
        ..BURST
    },
    Phase {
        title: "one by one, a no-store page",
        path: "/no-store",
        crowd: Crowd { clients: 5, at_once: false },
        promise: |row| row.is_served(2) && row.asked == [5, 5, 0, 0] && row.seen("miss") == 5,
        ..BURST
    },
    Phase {
        title: "one by one, a max-age=0 page",
        path: "/max-age-0",
        crowd: Crowd { clients: 5, at_once: false },
        promise: |row| row.is_served(2) && row.asked == [5, 5, 0, 0] && row.seen("miss") == 5,
        ..BURST
    },
];

/// The origin and the proxy, both running.
pub(crate) struct Stage {
    pub(crate) clock: Skipping,
    pub(crate) origin: Arc<Scripted>,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) server: Server,
    pub(crate) _origin_server: Server,
}

impl Stage {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let origin = Arc::new(Scripted::new());
        let origin_server = Server::bind(LOOPBACK, Arc::clone(&origin)).await?;
        let clock = Skipping::new();
        let pages = PageCache::new(clock.clone(), Origin::new(origin_server.address()), Settings::default())?;
        let proxy = Arc::new(Proxy::new(pages));
        let server = Server::bind(LOOPBACK, Arc::clone(&proxy)).await?;
        Ok(Self { clock, origin, proxy, server, _origin_server: origin_server })
    }

    async fn play(&self, phase: &Phase) -> Result<Row, Failure> {
        self.clock.skip(Duration::from_secs(phase.later));
        self.origin.begin(phase.day);
        let before = self.origin.counts();
        let seen = timeout(PATIENCE, clients::ask(self.server.address(), phase.path, phase.crowd)).await??;
        // A stalling origin answers only now; background refreshes count for this phase.
        self.origin.begin(Day::Good);
        timeout(PATIENCE, async {
            while self.proxy.pages().stats().flights > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await?;
        let mut asked = self.origin.counts();
        asked.iter_mut().zip(before).for_each(|(count, before)| *count -= before);
        Ok(Row::new(phase.title, phase.later, seen, asked))
    }
}

/// Any free port.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

const CLIENTS: usize = 100;

/// How long anything may take; only a hang takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
