//! Entrants take turns in short rounds, so that what else happens on the machine meets all of them.

use larder_benches::Quartiles;

/// A cache that does one workload.
pub(crate) trait Entrant {
    fn name(&self) -> &'static str;

    /// Does one round; returns its figure: of an operation, in the unit of the workload.
    fn round(&mut self) -> f64;

    /// Something to be said of it in the end.
    fn remark(&mut self) -> Option<String> {
        None
    }
}

/// The first entrant against all others.
pub(crate) struct Contest {
    name: &'static str,
    unit: &'static str,
    entrants: Vec<Box<dyn Entrant>>,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) cache: &'static str,
    pub(crate) figures: Quartiles,
    /// The first entrant's figure divided by this one's in the same round.
    pub(crate) ratios: Quartiles,
    pub(crate) remark: Option<String>,
}

impl Contest {
    pub(crate) fn new(name: &'static str, unit: &'static str, entrants: Vec<Box<dyn Entrant>>) -> Self {
        Self { name, unit, entrants }
    }

    pub(crate) fn run(mut self, rounds: usize, mut after_round: impl FnMut()) -> Outcome {
        let count = self.entrants.len();
        let mut figures = vec![Vec::new(); count];
        for round in 0..rounds {
            // Nobody always comes after the slowest.
            for turn in 0..count {
                let whose = (round + turn) % count;
                figures[whose].push(self.entrants[whose].round());
            }
            after_round();
        }
        let ours = figures[0].clone();
        let lines = self.entrants.iter_mut().zip(figures).map(|(entrant, figures)| {
            let ratios = ours.iter().zip(&figures).map(|(ours, theirs)| ours / theirs).collect();
            Line {
                cache: entrant.name(),
                figures: Quartiles::of(figures),
                ratios: Quartiles::of(ratios),
                remark: entrant.remark(),
            }
        });
        Outcome { name: self.name, unit: self.unit, lines: lines.collect() }
    }
}
