//! The phases, and the times of the fleet.

use std::time::Duration;

pub(crate) const KEYS: u64 = 1_000;
/// Keys from here on are written through, each by one worker: only the order of one writer is that of the source.
pub(crate) const WRITTEN_THROUGH: u64 = 900;
/// How many keys are read and written in a storm.
pub(crate) const STORM: u64 = 5;
pub(crate) const WORKERS: u64 = 6;
pub(crate) const NAMESPACE: &str = "t";
pub(crate) const LEASE: Duration = Duration::from_millis(400);
pub(crate) const TTL: Duration = Duration::from_secs(5);
pub(crate) const STALE: Duration = Duration::from_secs(1);
pub(crate) const HEARING_LIMIT: Duration = Duration::from_millis(400);
pub(crate) const ALONE_TTL: Duration = Duration::from_millis(500);

/// What goes wrong in a phase.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// The holder of a lease is killed in the middle of its load, again and again.
    KillHolders,
    /// The server is stopped and goes on.
    StopServer,
    /// The server is killed and comes back empty.
    RestartServer,
    /// Connections are cut.
    Cut,
    /// Connections hang, and go on.
    Freeze,
    /// Workers are stopped and go on.
    StopWorkers,
}

#[derive(Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    /// Whether workers read many keys at once, too.
    pub(crate) batches: bool,
    /// Whether they write; all the time, and the same few keys.
    pub(crate) writes: Writes,
    /// Whether loads take longer than the lease.
    pub(crate) slow: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    No,
    Some,
    Storm,
}

const fn of(name: &'static str, fault: Fault, writes: Writes) -> Phase {
    Phase { name, fault, batches: false, writes, slow: false }
}

pub(crate) const PHASES: &[Phase] = &[
    of("quiet", Fault::Nothing, Writes::No),
    of("tier", Fault::Nothing, Writes::Some),
    of("kill", Fault::KillHolders, Writes::Some),
    of("kill-quiet", Fault::KillHolders, Writes::No),
    of("stop", Fault::StopServer, Writes::Some),
    of("restart", Fault::RestartServer, Writes::Some),
    of("cut", Fault::Cut, Writes::Some),
    of("freeze", Fault::Freeze, Writes::Some),
    of("pause", Fault::StopWorkers, Writes::Some),
    of("storm-kill", Fault::KillHolders, Writes::Storm),
    of("storm-cut", Fault::Cut, Writes::Storm),
    Phase { batches: true, ..of("batch-kill", Fault::KillHolders, Writes::Some) },
    Phase { batches: true, ..of("batch-freeze", Fault::Freeze, Writes::Some) },
    Phase { slow: true, ..of("slow", Fault::Nothing, Writes::Some) },
];

/// Each mutant of `src/mutant.rs`, and the phase in which it shows.
pub(crate) const MUTANTS: [(&str, &str); 7] = [
    ("publish-always", "storm-kill"),
    ("no-nx", "tier"),
    ("keep-epoch", "storm-kill"),
    ("no-notice", "tier"),
    ("no-tracking", "tier"),
    ("no-flush", "cut"),
    ("no-late", "slow"),
];

pub(crate) fn phase(name: &str) -> Option<Phase> {
    PHASES.iter().find(|phase| phase.name == name).copied()
}

/// The longest that a load takes, in milliseconds, and the shortest.
pub(crate) const fn load_millis(slow: bool) -> (u64, u64) {
    if slow { (450, 900) } else { (5, 60) }
}
