//! Charts of a router or an interface that follow a range and the measurements as they come.

use crate::{
    Failure,
    chart::{Chart, ChartView, Line, Quantity},
    clock::Clock,
    components::{Choice, Simulated},
    live::Live,
    server_functions::{InterfaceHistory, Range, RouterHistory, Series},
};
use api::{HostId, Timestamp};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_location;
use std::future::Future;

/// What the charts of a panel draw.
pub trait History: Clone + Send + Sync + 'static {
    /// When it was read.
    fn as_of(&self) -> Timestamp;
    /// How far it looks back.
    fn range(&self) -> Range;
}

impl History for RouterHistory {
    fn as_of(&self) -> Timestamp {
        self.as_of
    }

    fn range(&self) -> Range {
        self.range
    }
}

impl History for InterfaceHistory {
    fn as_of(&self) -> Timestamp {
        self.as_of
    }

    fn range(&self) -> Range {
        self.range
    }
}

/// Reads a history again whenever the range changes or the host was measured.
pub fn follow<T, Read, Answer>(
    first: Result<Box<T>, Failure>,
    range: Signal<Range>,
    host: HostId,
    read: Read,
) -> RwSignal<Result<T, Failure>>
where
    T: History,
    Read: Fn(Range) -> Answer + 'static,
    Answer: Future<Output = Result<T, Failure>> + 'static,
{
    let history = RwSignal::new(first.map(|first| *first));
    let live = expect_context::<Live>();
    let clock = expect_context::<Clock>();
    // Answers may overtake each other: only the one to the last question counts.
    let asked = StoredValue::new(0_u32);
    Effect::new(move |before: Option<Option<Timestamp>>| {
        let range = range.get();
        let measured = live.measured.with(|measured| measured.get(&host).copied());
        let has_range = history.with_untracked(|history| {
            history
                .as_ref()
                .is_ok_and(|history| history.range() == range)
        });
        if !has_range || before.is_some_and(|before| measured > before) {
            asked.update_value(|asked| *asked += 1);
            let question = asked.get_value();
            let answer = read(range);
            spawn_local(async move {
                let answer = answer.await;
                if asked.try_get_value() == Some(question) {
                    if let Ok(answer) = &answer {
                        clock.server_said(answer.as_of());
                    }
                    history.try_set(answer);
                }
            });
        }
        measured
    });
    history
}

/// Links that choose how far charts look back.
#[component]
pub fn RangeSwitch(
    /// The present choice.
    range: Signal<Range>,
) -> impl IntoView {
    let location = use_location();
    let address = move |choice: Range| {
        location.query.with(|query| {
            let mut query = query.clone();
            query.replace("range", choice.as_str().to_owned());
            format!("/{}", query.to_query_string())
        })
    };
    view! {
        <nav class="segmented small" aria-label="How far charts look back">
            {Range::ALL
                .into_iter()
                .map(|choice| {
                    view! {
                        <Choice
                            href=Signal::derive(move || address(choice))
                            here=Signal::derive(move || range.get() == choice)
                        >
                            {choice.label()}
                        </Choice>
                    }
                })
                .collect_view()}
        </nav>
    }
}

/// Marks charts of simulated values.
#[component]
pub fn SimulatedMark(
    /// Whether they are.
    #[prop(into)]
    simulated: Signal<bool>,
) -> impl IntoView {
    move || simulated.get().then(|| view! { <Simulated/> })
}

/// A chart of what goes through an interface.
pub fn traffic(title: String, history: &InterfaceHistory) -> Chart {
    framed(
        title,
        Quantity::BitRate,
        history.range,
        history.as_of,
        vec![
            line("received", history.received.clone()),
            line("sent", history.transmitted.clone()),
        ],
    )
}

/// A chart of the share of `vcpus` processors in use.
pub fn processor(vcpus: u32, history: &RouterHistory) -> Chart {
    let mut series = history.cpu.clone();
    let share = 1.0 / vcpus.max(1) as f32;
    for value in series.values.iter_mut().flatten() {
        *value *= share;
    }
    framed(
        "Processor".to_owned(),
        Quantity::Share,
        history.range,
        history.as_of,
        vec![line("in use", series)],
    )
}

fn line(label: &str, series: Series) -> Line {
    Line {
        label: label.to_owned(),
        series,
    }
}

fn framed(
    title: String,
    quantity: Quantity,
    range: Range,
    as_of: Timestamp,
    lines: Vec<Line>,
) -> Chart {
    let end = as_of.as_millisecond();
    Chart {
        title,
        quantity,
        range,
        start: end - i64::from(range.seconds()) * 1000,
        end,
        lines,
    }
}

/// Draws charts, or says why there are none.
#[component]
pub fn Charts(
    /// The charts or why there are none.
    #[prop(into)]
    charts: Signal<Result<Vec<Chart>, Failure>>,
) -> impl IntoView {
    let count = Memo::new(move |_| charts.with(|charts| charts.as_ref().map_or(0, Vec::len)));
    let failure =
        Memo::new(move |_| charts.with(|charts| charts.as_ref().err().map(ToString::to_string)));
    view! {
        {move || failure.get().map(|failure| view! { <p class="notice" role="alert">{failure}</p> })}
        {move || {
            (0..count.get())
                .map(|index| {
                    let chart = Memo::new(move |last: Option<&Chart>| {
                        charts
                            .with(|charts| {
                                charts
                                    .as_ref()
                                    .ok()
                                    .and_then(|charts| charts.get(index).cloned())
                            })
                            .or_else(|| last.cloned())
                            .unwrap_or_else(nothing)
                    });
                    view! { <ChartView chart/> }
                })
                .collect_view()
        }}
    }
}

fn nothing() -> Chart {
    framed(
        String::new(),
        Quantity::BitRate,
        Range::Hour,
        Timestamp::UNIX_EPOCH,
        Vec::new(),
    )
}
