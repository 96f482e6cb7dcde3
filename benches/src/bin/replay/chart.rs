//! Draws the hit ratios over the capacities.

use std::{error::Error, path::Path};

use plotters::prelude::{
    BLACK, ChartBuilder, Color, IntoDrawingArea, IntoLogRange, LineSeries, Palette, Palette99, PathElement, SVGBackend,
    WHITE,
};

use crate::cells::Cells;

pub(crate) fn draw(file: &Path, name: &str, cells: &Cells) -> Result<(), Box<dyn Error>> {
    let text = ("sans-serif", 16);
    let area = SVGBackend::new(file, (1000, 640)).into_drawing_area();
    area.fill(&WHITE)?;
    let (Some(least), Some(most)) = (cells.capacities.first(), cells.capacities.last()) else { return Ok(()) };
    // (A range of nothing cannot be drawn.)
    let capacities = (*least as f64..(*most as f64).max(*least as f64 * 2.0)).log_scale();
    let highest = cells.lines.iter().flat_map(|(_, ratios)| ratios).fold(1.0_f64, |highest, ratio| highest.max(*ratio));
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .caption(name, ("sans-serif", 20))
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(capacities, 0.0..(highest * 1.05).min(100.0))?;
    chart
        .configure_mesh()
        .x_desc("capacity")
        .y_desc("hits in percent")
        .label_style(text)
        .axis_desc_style(text)
        .draw()?;
    for (number, (name, ratios)) in cells.lines.iter().enumerate() {
        let style = Palette99::pick(number).stroke_width(2);
        let points = cells.capacities.iter().zip(ratios).map(|(capacity, ratio)| (*capacity as f64, *ratio));
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], style));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.9)).border_style(BLACK).label_font(text).draw()?;
    area.present()?;
    Ok(())
}
