//! What came of the contests, as a table and as JSON.

use serde_json::json;

use crate::contest::Outcome;

/// Prints a contest, the fastest first.
pub(crate) fn print(outcome: &Outcome) {
    println!("\n{:<40}{:>10}   larder to it (quartiles)", outcome.name, outcome.unit);
    let mut lines: Vec<_> = outcome.lines.iter().collect();
    lines.sort_by(|one, other| one.figures.median.total_cmp(&other.figures.median));
    for line in lines {
        print!("  {:<38}{:>10.1}", line.cache, line.figures.median);
        if !std::ptr::eq(line, &raw const outcome.lines[0]) {
            print!("   {:.2} ({:.2} to {:.2})", line.ratios.median, line.ratios.lower, line.ratios.upper);
        }
        println!("{}", line.remark.as_deref().map(|remark| format!("   {remark}")).unwrap_or_default());
    }
}

/// All figures, to be kept or drawn.
pub(crate) fn json(outcomes: &[Outcome]) -> String {
    let lines = outcomes.iter().flat_map(|outcome| {
        outcome.lines.iter().map(move |line| {
            json!({
                "workload": outcome.name,
                "unit": outcome.unit,
                "cache": line.cache,
                "lower": line.figures.lower,
                "median": line.figures.median,
                "upper": line.figures.upper,
                "larder_to_it": line.ratios.median,
                "remark": line.remark,
            })
        })
    });
    format!("{:#}\n", serde_json::Value::Array(lines.collect()))
}
