//! `vms topology`, `vms path` and `vms load`: the network, ways through it, and what it carries.

use super::{
    PathQuery,
    commands::warnings,
    names::Names,
    table::{ABSENT, Table, bit_rate, bytes, or_absent},
};
use api::{
    Caller, Error, FindPathsReply, FindPathsRequest, Flow, GetLoadReply, GetTopologyReply,
    LinkKind, Operations, PathStep,
};
use std::{fmt::Write as _, sync::Arc};

/// Finds the elements that are named, and the paths.
pub(super) async fn find_paths(
    query: PathQuery,
    operations: &dyn Operations,
    caller: &Caller,
) -> Result<FindPathsReply, Error> {
    let names = Names::read(operations, caller).await?;
    let avoid = query.avoid.iter().map(|text| names.find(text));
    let request = FindPathsRequest {
        origin: names.find(&query.origin)?,
        destination: names.find(&query.destination)?,
        view: Some(query.view),
        metric: Some(query.metric),
        alternatives: Some(query.alternatives),
        avoid: avoid.collect::<Result<_, _>>()?,
        include_down: Some(query.include_down),
    };
    operations.find_paths(caller, request).await
}

pub(super) fn topology(reply: &Arc<GetTopologyReply>) -> String {
    let names = Names::from(Arc::clone(reply));
    let mut table = Table::new(&["link", "end", "end", "state", "capacity", "latency", "says"]);
    let mut conflicts = String::new();
    for link in &reply.links {
        let (a, b) = (names.end(&link.a), names.end(&link.b));
        if let Some(conflict) = &link.conflict {
            let _ = writeln!(conflicts, "\nConflict: {a} – {b}. {conflict}");
        }
        table.row([
            kind(link.kind).to_owned(),
            a,
            b,
            link.state.as_str().to_owned(),
            or_absent(link.capacity_bits_per_second.map(capacity)),
            or_absent(link.latency_seconds.map(milliseconds)),
            link.sources
                .iter()
                .map(api::LinkSource::describe)
                .collect::<Vec<_>>()
                .join(", "),
        ]);
    }
    format!(
        "Version {} ({} view): {} hosts, {} routers, {} segments, {} links.\n\n{table}{conflicts}{}",
        reply.version,
        reply.view,
        reply.hosts.len(),
        reply.routers.len(),
        reply.segments.len(),
        reply.links.len(),
        warnings(&reply.sources)
    )
}

pub(super) fn paths(reply: &FindPathsReply) -> String {
    let mut text = String::new();
    for (number, path) in (1..).zip(&reply.paths) {
        let free = path.free_capacity_bits_per_second.map(capacity);
        let _ = writeln!(
            text,
            "Path {number}: {} hops, latency {}, free {}\n\n{}",
            path.hops,
            path.latency_seconds
                .map_or_else(|| "unknown".to_owned(), milliseconds),
            free.unwrap_or_else(|| "unknown".to_owned()),
            steps(&path.steps)
        );
        for under in &path.underlay {
            let ends = [under.steps.first(), under.steps.last()];
            let names: Vec<_> = (under.steps.iter())
                .map(|step| step.name.as_str())
                .collect();
            let _ = match ends {
                [Some(_), Some(_)] => writeln!(text, "  under it: {}", names.join(" → ")),
                _ => writeln!(text, "  under it: no physical link leads there"),
            };
        }
        if !path.underlay.is_empty() {
            text.push('\n');
        }
    }
    if let Some(reason) = &reply.reason {
        let _ = writeln!(text, "{reason}");
    }
    if reply.simulated {
        text.push_str("Rates are simulated.\n");
    }
    text + &warnings(&reply.sources)
}

fn steps(steps: &[PathStep]) -> String {
    let mut table = Table::new(&[
        "element", "in", "out", "link", "state", "latency", "capacity", "carries", "free",
    ]);
    for step in steps {
        let link = step.link.as_ref();
        table.row([
            step.name.clone(),
            or_absent(step.enters_by.as_ref()),
            or_absent(step.leaves_by.as_ref()),
            or_absent(link.map(|link| kind(link.kind))),
            or_absent(link.map(|link| link.state.as_str())),
            or_absent(link.and_then(|link| link.latency_seconds).map(milliseconds)),
            or_absent(
                link.and_then(|link| link.capacity_bits_per_second)
                    .map(capacity),
            ),
            or_absent(
                link.and_then(|link| link.used_bits_per_second)
                    .map(bit_rate),
            ),
            or_absent(
                link.and_then(|link| link.free_capacity_bits_per_second)
                    .map(capacity),
            ),
        ]);
    }
    table.to_string()
}

pub(super) fn load(reply: &GetLoadReply, names: &Names) -> String {
    let mut tables = Vec::new();
    if !reply.hosts.is_empty() {
        let mut table = Table::new(&["host", "processors", "memory used", "of"]);
        for host in &reply.hosts {
            table.row([
                host.host.to_string(),
                or_absent(host.cpu_share.map(percent)),
                or_absent(host.memory_used_bytes.map(bytes)),
                or_absent(host.memory_bytes.map(bytes)),
            ]);
        }
        tables.push(table.to_string());
    }
    if !reply.routers.is_empty() {
        let mut table = Table::new(&["router", "processors"]);
        for router in &reply.routers {
            let share = or_absent(router.cpu_share.map(percent));
            table.row([names.router(router.router), share]);
        }
        tables.push(table.to_string());
    }
    if !reply.links.is_empty() {
        let mut table = Table::new(&["end", "end", "there", "back", "capacity", "there", "back"]);
        let rate = |flow: Option<&Flow>| or_absent(flow.map(|flow| bit_rate(flow.bits_per_second)));
        let share =
            |flow: Option<&Flow>| or_absent(flow.and_then(|flow| flow.utilisation).map(percent));
        for of in &reply.links {
            let ends = names.link(&of.link).map(|link| [&link.a, &link.b]);
            let [a, b] = ends.map_or_else(
                || [of.link.to_string(), ABSENT.to_owned()],
                |ends| ends.map(|end| names.end(end)),
            );
            let (there, back) = (of.a_to_b.as_ref(), of.b_to_a.as_ref());
            table.row([
                a,
                b,
                rate(there),
                rate(back),
                or_absent(of.capacity_bits_per_second.map(capacity)),
                share(there),
                share(back),
            ]);
        }
        tables.push(table.to_string());
    }
    let mut text = tables.join("\n");
    if tables.is_empty() {
        text.push_str("Nothing is measured yet: a tick comes every ten seconds.\n");
    }
    let simulated = (reply.hosts.iter().map(|host| host.simulated))
        .chain(reply.routers.iter().map(|router| router.simulated))
        .chain(reply.links.iter().map(|link| link.simulated));
    if simulated.into_iter().any(|made_up| made_up) {
        text.push_str("Values are simulated.\n");
    }
    text + &warnings(&reply.sources)
}

fn kind(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Physical => "physical",
        LinkKind::Virtual => "virtual",
    }
}

fn capacity(bits_per_second: u64) -> String {
    bit_rate(bits_per_second as f64)
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.3} ms", seconds * 1e3)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
