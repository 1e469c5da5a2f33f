//! One metric over a span of time.

use super::{State, errors};
use crate::measurement::{Kind, entity};
use api::{
    Aggregation, Error, HistoryPoint, Metric, QueryHistoryReply, QueryHistoryRequest, Timestamp,
};
use std::{sync::Arc, time::Duration};

/// The span that is meant when no start is given.
const HOUR: Duration = Duration::from_hours(1);

/// Points that are aimed at when no step is given.
const POINTS: i64 = 300;

/// Steps that people read easily, in seconds.
const STEPS: [i64; 16] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400,
];

pub(crate) async fn query(
    state: &State,
    request: QueryHistoryRequest,
) -> Result<QueryHistoryReply, Error> {
    let view = state.view();
    let router = Arc::clone(view.find(request.router)?);
    let entity = measured(&request, &router)?;
    let metric = request.metric;
    let counter = metric.is_counter();
    let aggregation = request.aggregation.unwrap_or(if counter {
        Aggregation::Rate
    } else {
        Aggregation::Average
    });
    if aggregation == Aggregation::Rate && !counter {
        return Err(Error::invalid(
            "aggregation",
            format!(
                "{metric} is no counter and has no rate: ask for average, minimum, maximum or last"
            ),
        ));
    }
    let now = Timestamp::now();
    let (start, end) = span(&request, now)?;
    let step = step_seconds(&request, state, start, end)?;
    let query = ::history::Query {
        entity,
        metric: metric.as_str().to_owned(),
        start_ms: start.as_millisecond(),
        end_ms: end.as_millisecond(),
        step_ms: step * 1000,
        aggregation: aggregation_of(aggregation),
        interval_ms: interval_ms(state, metric, start),
    };
    let series = state.history.query(&query).await.map_err(refused)?;
    let (unit, scale) = unit(metric, aggregation);
    Ok(QueryHistoryReply {
        as_of: now,
        source: view.source(&router),
        router: request.router,
        metric,
        unit,
        step_seconds: u32::try_from(step).unwrap_or(u32::MAX),
        aggregation,
        simulated: series.simulated,
        points: series
            .points
            .into_iter()
            .filter_map(|point| {
                Some(HistoryPoint {
                    at: Timestamp::from_millisecond(point.at_ms).ok()?,
                    value: point.value.map(|value| value * scale),
                    coverage: point.coverage,
                })
            })
            .collect(),
    })
}

/// The history's name of what is asked for.
fn measured(request: &QueryHistoryRequest, router: &model::Router) -> Result<String, Error> {
    let (metric, of) = (request.metric, request.metric.measured_of());
    let interfaces: Vec<String> = (router.domain.interfaces.iter())
        .map(|nic| nic.mac.to_string())
        .collect();
    let disks: Vec<String> = (router.domain.disks.iter())
        .map(|disk| disk.target.clone())
        .collect();
    let unwanted = |element: &str| {
        Err(Error::invalid(
            element,
            format!("{metric} is measured of a {of}: leave {element} out"),
        ))
    };
    let missing = |has: &[String]| {
        Error::invalid(
            of,
            format!(
                "{metric} is measured of one {of} of a router, and none is named; of router {}: {}",
                router.domain.name,
                errors::listed(has)
            ),
        )
    };
    if request.interface.is_some() && of != "interface" {
        return unwanted("interface");
    }
    if request.disk.is_some() && of != "disk" {
        return unwanted("disk");
    }
    match of {
        "interface" => {
            let mac = request.interface.ok_or_else(|| missing(&interfaces))?;
            if !interfaces.contains(&mac.to_string()) {
                return Err(errors::no_part(
                    "interface",
                    &mac.to_string(),
                    router,
                    &interfaces,
                ));
            }
            Ok(entity::interface(request.router, mac))
        }
        "disk" => {
            let disk = request.disk.as_ref().ok_or_else(|| missing(&disks))?;
            if !disks.contains(disk) {
                return Err(errors::no_part("disk", disk, router, &disks));
            }
            Ok(entity::disk(request.router, disk))
        }
        _ => Ok(entity::router(request.router)),
    }
}

fn span(request: &QueryHistoryRequest, now: Timestamp) -> Result<(Timestamp, Timestamp), Error> {
    let end = request.end.unwrap_or(now);
    let start = match request.start {
        Some(start) => start,
        None => end
            .checked_sub(HOUR)
            .map_err(|_| Error::invalid("end", "it is too early for an hour before it"))?,
    };
    if start >= end {
        let element = if request.start.is_some() {
            "start"
        } else {
            "end"
        };
        return Err(Error::invalid(
            element,
            format!("the start ({start}) must be before the end ({end})"),
        ));
    }
    Ok((start, end))
}

fn step_seconds(
    request: &QueryHistoryRequest,
    state: &State,
    start: Timestamp,
    end: Timestamp,
) -> Result<i64, Error> {
    if let Some(step) = request.step_seconds {
        return if step == 0 {
            Err(Error::invalid("stepSeconds", "at least 1 was expected"))
        } else {
            Ok(i64::from(step))
        };
    }
    let length = end.as_second() - start.as_second();
    // A step shorter than what lies between two samples would be mostly gaps.
    let least = (length / POINTS)
        .max(interval_ms(state, request.metric, start) / 1000)
        .max(1);
    let step = STEPS.into_iter().find(|step| *step >= least);
    Ok(step.unwrap_or(
        least
            .div_euclid(86400)
            .saturating_add(1)
            .saturating_mul(86400),
    ))
}

/// The longest time between two samples that is none of silence.
fn interval_ms(state: &State, metric: Metric, start: Timestamp) -> i64 {
    let own = match state.sampling.seeded {
        // The demo's samples have all in one.
        Some(_) => state.sampling.interval,
        None => Kind::of(metric).interval(state.sampling.interval),
    };
    let seeded = state.sampling.seeded.filter(|_| start < state.started);
    let interval = seeded.map_or(own, |seeded| seeded.max(own));
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX)
}

fn aggregation_of(aggregation: Aggregation) -> ::history::Aggregation {
    match aggregation {
        Aggregation::Average => ::history::Aggregation::Average,
        Aggregation::Minimum => ::history::Aggregation::Minimum,
        Aggregation::Maximum => ::history::Aggregation::Maximum,
        Aggregation::Last => ::history::Aggregation::Last,
        Aggregation::Rate => ::history::Aggregation::Rate,
    }
}

/// The unit of the values told, and what the history's are multiplied by.
fn unit(metric: Metric, aggregation: Aggregation) -> (String, f64) {
    match (metric, aggregation) {
        // Nanoseconds of processor time a second.
        (Metric::CpuTime, Aggregation::Rate) => ("cpus".to_owned(), 1e-9),
        (_, Aggregation::Rate) => (format!("{}/s", metric.unit()), 1.0),
        _ => (metric.unit().to_owned(), 1.0),
    }
}

fn refused(error: ::history::Error) -> Error {
    match error {
        ::history::Error::TooManyPoints {
            smallest_step_ms, ..
        } => {
            let least = smallest_step_ms.div_euclid(1000) + 1;
            Error::invalid(
                "stepSeconds",
                format!(
                    "that would be more than {} points: ask for a step of at least {least} \
                     seconds, or for a shorter span",
                    ::history::MAXIMUM_POINTS
                ),
            )
        }
        ::history::Error::InvalidQuery(message) => Error::invalid("start", message),
        error => errors::internal("the history cannot be read", &error),
    }
}
