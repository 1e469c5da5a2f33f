//! A chart as SVG text. Pure: the server draws it, the browser draws it again.

use super::{Chart, Quantity, scale};
use crate::{format, server_functions::Series};
use api::Timestamp;
use std::fmt::Write as _;

/// Size of the drawing in its own units.
pub const WIDTH: f32 = 360.0;
/// Height of the drawing.
pub const HEIGHT: f32 = 132.0;
/// Where the plotted area begins: left of it are the values.
pub const LEFT: f32 = 64.0;
/// Where the plotted area ends.
pub const RIGHT: f32 = 354.0;
const TOP: f32 = 8.0;
const BOTTOM: f32 = 110.0;

/// Draws axes and lines. A step without value breaks the line; a value alone between two gaps is
/// a dot.
pub fn svg(chart: &Chart) -> String {
    let ticks = chart.quantity.ticks(greatest(chart));
    let top = ticks.last().copied().unwrap_or(1.0);
    let mut svg = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        format::escape_html(&summary(chart))
    );
    for tick in &ticks {
        let y = y(*tick, top);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"value\" x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            y + 3.5,
            chart.quantity.write(*tick)
        );
    }
    for at in scale::time_ticks(chart.start, chart.end, 5) {
        let x = x(chart, at);
        // A label at the border would be cut off.
        let label = Timestamp::from_millisecond(at)
            .ok()
            .filter(|_| x < RIGHT - 12.0)
            .map(format::hour_and_minute)
            .unwrap_or_default();
        let _ = write!(
            svg,
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{BOTTOM}\" y2=\"{}\"/>\
             <text class=\"time\" x=\"{x:.1}\" y=\"{}\">{label}</text>",
            BOTTOM + 4.0,
            BOTTOM + 16.0
        );
    }
    for (index, line) in chart.lines.iter().enumerate() {
        draw(&mut svg, chart, index, &line.series, top);
    }
    if chart
        .lines
        .iter()
        .all(|line| line.series.extent().is_none())
    {
        let _ = write!(
            svg,
            "<text class=\"nothing\" x=\"{}\" y=\"{}\">nothing was measured in this time</text>",
            f32::midpoint(LEFT, RIGHT),
            f32::midpoint(TOP, BOTTOM)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// What the chart shows in a sentence, for those who do not see it.
pub fn summary(chart: &Chart) -> String {
    let mut text = format!("{}, the last {}:", chart.title, chart.range.label());
    for line in &chart.lines {
        match (line.series.extent(), line.series.last()) {
            (Some((least, greatest)), Some((_, last))) => {
                let _ = write!(
                    text,
                    " {} now {}, at least {}, at most {}.",
                    line.label,
                    chart.quantity.write(f64::from(last)),
                    chart.quantity.write(f64::from(least)),
                    chart.quantity.write(f64::from(greatest))
                );
            }
            _ => {
                let _ = write!(text, " {} was not measured.", line.label);
            }
        }
    }
    text
}

/// Where a time is, in the drawing's units.
pub fn x(chart: &Chart, at: i64) -> f32 {
    let span = (chart.end - chart.start).max(1) as f64;
    let share = (at - chart.start) as f64 / span;
    LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0) as f32
}

/// The time at a place, in milliseconds since 1970.
pub fn time_at(chart: &Chart, x: f32) -> i64 {
    let share = f64::from((x - LEFT) / (RIGHT - LEFT)).clamp(0.0, 1.0);
    chart.start + ((chart.end - chart.start) as f64 * share) as i64
}

fn y(value: f64, top: f64) -> f32 {
    BOTTOM - (BOTTOM - TOP) * (value / top).clamp(0.0, 1.0) as f32
}

fn greatest(chart: &Chart) -> f64 {
    chart
        .lines
        .iter()
        .filter_map(|line| line.series.extent())
        .map(|(_, greatest)| f64::from(greatest))
        .fold(0.0, f64::max)
}

fn draw(svg: &mut String, chart: &Chart, index: usize, series: &Series, top: f64) {
    let mut path = String::new();
    let mut area = String::new();
    let mut dots = String::new();
    for run in runs(series) {
        let points: Vec<(f32, f32)> = run
            .clone()
            .filter_map(|step| {
                let value = series.values.get(step).copied().flatten()?;
                Some((x(chart, series.time(step)), y(f64::from(value), top)))
            })
            .collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            continue;
        };
        if points.len() == 1 {
            let _ = write!(
                dots,
                "<circle class=\"series-{index}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"1.4\"/>",
                first.0, first.1
            );
            continue;
        }
        let mut letter = 'M';
        for (x, y) in &points {
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
            letter = 'L';
        }
        let _ = write!(area, "M{:.1} {BOTTOM}", first.0);
        for (x, y) in &points {
            let _ = write!(area, "L{x:.1} {y:.1}");
        }
        let _ = write!(area, "L{:.1} {BOTTOM}Z", last.0);
    }
    if !area.is_empty() && index == 0 {
        let _ = write!(svg, "<path class=\"area series-{index}\" d=\"{area}\"/>");
    }
    if !path.is_empty() {
        let _ = write!(svg, "<path class=\"line series-{index}\" d=\"{path}\"/>");
    }
    svg.push_str(&dots);
}

/// The stretches without a gap.
fn runs(series: &Series) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (index, value) in series.values.iter().enumerate() {
        match (value, start) {
            (Some(_), None) => start = Some(index),
            (None, Some(from)) => {
                runs.push(from..index);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        runs.push(from..series.values.len());
    }
    runs
}

impl Quantity {
    /// A value with its unit.
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Share => format::percent(value),
            Self::BitRate => format::bits_per_second(value),
        }
    }

    fn ticks(self, greatest: f64) -> Vec<f64> {
        let least = match self {
            Self::Share => 0.02,
            Self::BitRate => 1000.0,
        };
        scale::value_ticks(greatest.max(least), 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chart::Line, server_functions::Range};

    fn chart(values: Vec<Option<f32>>) -> Chart {
        Chart {
            title: "Processor".to_owned(),
            quantity: Quantity::Share,
            range: Range::Hour,
            start: 0,
            end: 3_600_000,
            lines: vec![Line {
                label: "in use".to_owned(),
                series: Series {
                    first: 30_000,
                    step: 30_000,
                    values,
                    simulated: false,
                },
            }],
        }
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let svg = svg(&chart(vec![
            Some(0.1),
            Some(0.2),
            None,
            Some(0.3),
            Some(0.1),
            None,
            Some(0.2),
        ]));
        let line = svg
            .split("class=\"line series-0\" d=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap();
        assert_eq!(line.matches('M').count(), 2, "{line}");
        assert_eq!(svg.matches("<circle").count(), 1, "a value alone is a dot");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let empty = chart(vec![None, None]);
        assert!(svg(&empty).contains("nothing was measured"));
        assert!(summary(&empty).contains("was not measured"));
    }

    #[test]
    fn a_place_leads_back_to_its_time() {
        let chart = chart(vec![Some(0.5)]);
        for at in [0, 1_800_000, 3_600_000] {
            let back = time_at(&chart, x(&chart, at));
            assert!((back - at).abs() < 1000, "{at} became {back}");
        }
    }
}
