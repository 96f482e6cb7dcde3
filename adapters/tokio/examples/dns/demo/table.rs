//! The table at the end.

use std::{fmt::Write, time::Duration};

use super::{super::report::Report, clients::Outcome};

/// One run, as the clients and the forwarder saw it.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) outcome: Outcome,
    pub(super) report: Report,
}

impl Column {
    /// Returns the latency that this share of the questions kept to.
    fn latency(&self, share: f64) -> Duration {
        let latencies = &self.outcome.latencies;
        let index = (latencies.len() as f64 * share) as usize;
        latencies.get(index.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Writes the runs side by side.
pub(super) fn render(columns: &[Column]) -> String {
    let mut table = String::new();
    let mut row = |label: &str, cell: &dyn Fn(&Column) -> String| {
        let cells: String = columns.iter().map(|column| format!("{:>20}", cell(column))).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{label:<20}{cells}");
    };
    row("", &|run| run.title.to_owned());
    row("questions", &|run| run.report.questions.to_string());
    row("answered", &|run| run.outcome.answered.to_string());
    row("failed", &|run| run.outcome.failed.to_string());
    row("upstream questions", &|run| run.report.upstream.to_string());
    row("hits", &|run| run.report.hits.to_string());
    row("joins", &|run| run.report.joins.to_string());
    row("stale", &|run| run.report.stale.to_string());
    row("p50 latency", &|run| milliseconds(run.latency(0.5)));
    row("p99 latency", &|run| milliseconds(run.latency(0.99)));
    row("time", &|run| format!("{:.2} s", run.outcome.took.as_secs_f64()));
    table
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
