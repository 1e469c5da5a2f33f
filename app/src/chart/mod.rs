//! Charts of measurements: axes with round ticks and units, gaps shown as gaps, a readout under
//! the cursor.

pub mod plot;
pub mod scale;

use crate::{
    format,
    server_functions::{Range, Series},
};
use api::Timestamp;
use leptos::{ev, html, prelude::*};

/// What is measured, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A share of 0 to 1, in percent.
    Share,
    /// In bit/s.
    BitRate,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is.
    pub label: String,
    /// Its values.
    pub series: Series,
}

/// What is to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it is a chart of.
    pub title: String,
    /// What its values are.
    pub quantity: Quantity,
    /// How far it looks back.
    pub range: Range,
    /// Its left end, in milliseconds since 1970.
    pub start: i64,
    /// Its right end.
    pub end: i64,
    /// The lines, the most telling first.
    pub lines: Vec<Line>,
}

/// A chart with a legend that tells the values under the cursor, and else the last, least and
/// greatest. Arrow keys move the cursor.
#[component]
pub fn ChartView(
    /// What is drawn.
    #[prop(into)]
    chart: Signal<Chart>,
) -> impl IntoView {
    let cursor = RwSignal::new(None::<i64>);
    let area = NodeRef::<html::Div>::new();
    let to = move |event: ev::PointerEvent| {
        if let Some(share) = share_of_width(&area, &event) {
            chart.with_untracked(|chart| {
                cursor.set(Some(plot::time_at(chart, share * plot::WIDTH)));
            });
        }
    };
    let step = move |event: ev::KeyboardEvent| {
        let direction = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            "Escape" if cursor.get_untracked().is_some() => {
                event.stop_propagation();
                cursor.set(None);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        chart.with_untracked(|chart| {
            let step = chart
                .lines
                .first()
                .map_or(60_000, |line| line.series.step.max(1000));
            let at = cursor.get_untracked().unwrap_or(chart.end) + direction * step;
            cursor.set(Some(at.clamp(chart.start, chart.end)));
        });
    };
    let cursor_at = move || {
        cursor.get().map(|at| {
            let x = chart.with(|chart| plot::x(chart, at)) / plot::WIDTH * 100.0;
            view! { <span class="cursor" aria-hidden="true" style:left=format!("{x:.2}%")></span> }
        })
    };
    let legend = move || {
        chart.with(|chart| {
            chart
                .lines
                .iter()
                .enumerate()
                .map(|(index, line)| legend_line(chart, index, line, cursor.get()))
                .collect_view()
        })
    };
    let title = move || chart.with(|chart| chart.title.clone());
    let time = move || {
        cursor
            .get()
            .and_then(|at| Timestamp::from_millisecond(at).ok())
            .map(|at| format!("{} UTC", format::hour_and_minute(at)))
    };
    view! {
        <figure class="chart">
            <figcaption>
                <span class="chart-title">{title}</span>
                <span class="cursor-time">{time}</span>
            </figcaption>
            <div
                class="plot-area"
                node_ref=area
                tabindex="0"
                role="group"
                aria-label=move || chart.with(plot::summary)
                on:pointermove=to
                on:pointerleave=move |_| cursor.set(None)
                on:blur=move |_| cursor.set(None)
                on:keydown=step
            >
                <div class="plot-frame" inner_html=move || chart.with(plot::svg)></div>
                {cursor_at}
            </div>
            <ul class="legend">{legend}</ul>
        </figure>
    }
}

fn legend_line(
    chart: &Chart,
    index: usize,
    line: &Line,
    cursor: Option<i64>,
) -> impl IntoView + use<> {
    let write = |value: f32| chart.quantity.write(f64::from(value));
    let (value, extent) = if let Some(at) = cursor {
        let value = line.series.at(at).and_then(|(_, value)| value);
        (value.map_or_else(|| "not measured".to_owned(), write), None)
    } else {
        (
            line.series
                .last()
                .map_or_else(|| "not measured".to_owned(), |(_, value)| write(value)),
            line.series
                .extent()
                .map(|(least, greatest)| format!("min {} · max {}", write(least), write(greatest))),
        )
    };
    view! {
        <li>
            <span class=format!("swatch series-{index}") aria-hidden="true"></span>
            <span class="legend-label">{line.label.clone()}</span>
            <span class="legend-value">{value}</span>
            <span class="legend-extent">{extent}</span>
        </li>
    }
}

/// How far to the right in the area the pointer is, 0 to 1.
fn share_of_width(area: &NodeRef<html::Div>, event: &ev::PointerEvent) -> Option<f32> {
    #[cfg(feature = "hydrate")]
    {
        let place = area.get_untracked()?.get_bounding_client_rect();
        (place.width() > 0.0)
            .then(|| ((f64::from(event.client_x()) - place.left()) / place.width()) as f32)
    }
    #[cfg(not(feature = "hydrate"))]
    {
        // No pointer points on the server.
        let _ = (area, event);
        None
    }
}
