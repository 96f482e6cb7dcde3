//! Which records of a reply belong to its question: nothing else is kept or passed on.

use super::{names::Name, question::Question, records::Record};

/// Takes the answers and the authorities that belong to the question; none if the question cannot be read.
///
/// Answers are of the name that was asked, or of one that it is an alias of. Authorities are of a zone above those
/// names: the SOA of a denial, and for those that ask for DNSSEC its proofs. Everything else a client can ask for.
pub(crate) fn sift(
    question: Question<'_>,
    answers: &mut Vec<Record<'_>>,
    authorities: &mut Vec<Record<'_>>,
) -> Option<()> {
    let names = aliases(Name::first(question.0)?, answers);
    let secure = question.dnssec_ok();
    let is_above = |zone: &Name| names.iter().any(|name| zone.is_above(name));
    answers.retain(|record| names.contains(&record.owner) || (record.kind == DNAME && is_above(&record.owner)));
    let is_denial = !answers.iter().any(|record| record.kind == question.kind().into());
    let zone = authorities.iter().find(|record| matches!(record.kind, SOA | NS) && is_above(&record.owner));
    let zone = zone.map(|record| record.owner.clone());
    let is_of_zone = |name: &Name| match &zone {
        Some(zone) => zone.is_above(name),
        // Nothing says which it is.
        None => names.iter().any(|asked| name.is_near(asked)),
    };
    authorities.retain(|record| match record.kind {
        SOA => is_denial && is_above(&record.owner),
        NSEC | NSEC3 | RRSIG | DS => secure && is_of_zone(&record.owner),
        _ => false,
    });
    Some(())
}

/// Returns the name and all that it is an alias of, as far as these records say.
fn aliases(name: Name, answers: &[Record<'_>]) -> Vec<Name> {
    let mut names = vec![name];
    while let Some(next) = names.last().and_then(|last| target(last, answers)) {
        // (A circle ends here, too.)
        if names.contains(next) {
            break;
        }
        names.push(next.clone());
    }
    names
}

fn target<'a>(name: &Name, answers: &'a [Record<'_>]) -> Option<&'a Name> {
    answers
        .iter()
        .filter(|record| record.kind == CNAME && record.owner == *name)
        .find_map(|record| record.names.first())
}

// Types of records.
const NS: u16 = 2;
const CNAME: u16 = 5;
pub(crate) const SOA: u16 = 6;
const DNAME: u16 = 39;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const NSEC3: u16 = 50;
