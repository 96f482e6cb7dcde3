//! Which questions are asked, in which order.

use hickory_proto::rr::RecordType;

use super::zone::ORIGIN;

/// One question of a client.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) name: String,
    pub(super) kind: RecordType,
}

/// A list of questions, a few names of which make up most, as in life.
#[derive(Debug)]
pub(super) struct Mix {
    asks: Vec<Ask>,
}

impl Mix {
    /// Draws questions by Zipf's law: the n-th name is asked 1/n as often as the first.
    ///
    /// The same list every time, so that runs can be compared.
    pub(super) fn new(names: usize, questions: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(2308);
        let mut total = 0.0;
        let sums: Vec<f64> = (1..=names)
            .map(|rank| {
                total += 1.0 / rank as f64;
                total
            })
            .collect();
        let asks = (0..questions)
            .map(|_| {
                let point = random.f64() * total;
                draw(sums.partition_point(|sum| *sum < point), &mut random)
            })
            .collect();
        Self { asks }
    }

    pub(super) fn asks(&self) -> &[Ask] {
        &self.asks
    }
}

/// Asks for the host of this rank; now and then for what it does not have, or for a typing error.
fn draw(rank: usize, random: &mut fastrand::Rng) -> Ask {
    let (letter, kind) = match random.u8(..100) {
        0..90 => ('h', RecordType::A),
        90..97 => ('h', RecordType::AAAA),
        _ => ('j', RecordType::A),
    };
    let name = format!("{letter}{rank}.{ORIGIN}");
    // Some resolvers vary the case to make answers harder to forge; the forwarder must give it back.
    let vary = |character: char| if random.bool() { character.to_ascii_uppercase() } else { character };
    Ask { name: name.chars().map(vary).collect(), kind }
}
