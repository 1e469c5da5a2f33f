//! The table of jobs.

use super::{
    Desk,
    card::{JobCard, JobStateChip, progress},
    words,
};
use crate::{
    Element,
    components::{Choice, Search, TableFrame},
    format,
    live::read_again_when_live,
    server_functions::list_jobs,
    tables::{Order, SortableHead, failed, matches, order_or},
};
use api::{Job, JobState, ListJobsReply, TopologyView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};

/// So many jobs are listed.
const MOST: u32 = 200;

/// A name in the address, the words, and what it lets through.
type Filter = (&'static str, &'static str, fn(JobState) -> bool);

/// What one can filter by.
const FILTERS: [Filter; 4] = [
    ("active", "under way", |state| !state.is_over()),
    ("succeeded", "succeeded", |state| {
        state == JobState::Succeeded
    }),
    ("failed", "failed", |state| {
        matches!(state, JobState::Failed | JobState::Interrupted)
    }),
    ("cancelled", "cancelled", |state| {
        state == JobState::Cancelled
    }),
];

/// `/jobs`, with `?state=` as a filter, and `?job=` for one of them.
#[component]
pub fn JobsPage() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| list_jobs(MOST));
    read_again_when_live(first, Result::is_err);
    view! {
        <Title text="Jobs · VMS"/>
        <div class="page">
            <h1>"Jobs"</h1>
            <Suspense fallback=|| view! { <p class="empty">{super::UNKNOWN_YET}</p> }>
                {move || Suspend::new(async move {
                    match first.await {
                        Ok(first) => view! { <Table first/> }.into_any(),
                        Err(failure) => failed(&failure).into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
    .into_any()
}

#[component]
fn Table(
    /// As the server read it.
    first: ListJobsReply,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    desk.read(&first.jobs);
    let order = order_or("-asked");
    let search = expect_context::<Search>().text;
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(|query| query.get("state")).unwrap_or_default());
    let one = Memo::new(move |_| query.with(|query| query.get("job")?.parse().ok()));
    let shown = Memo::new(move |_| {
        let lets = FILTERS.iter().find(|(name, ..)| filter.with(|f| f == name));
        let search = search.read();
        let mut jobs: Vec<Job> = desk.known.with(|known| {
            let jobs = known.all().iter();
            jobs.filter(|job| lets.is_none_or(|(_, _, lets)| lets(job.state)))
                .filter(|job| matches(&words::title(job), &search))
                .cloned()
                .collect()
        });
        order.with(|order| sort(&mut jobs, order));
        jobs
    });
    let count = move |lets: Option<fn(JobState) -> bool>| {
        desk.known.with(|known| {
            let jobs = known.all().iter();
            jobs.filter(|job| lets.is_none_or(|lets| lets(job.state)))
                .count()
        })
    };
    let choice =
        move |name: &'static str, label: &'static str, lets: Option<fn(JobState) -> bool>| {
            let href = if name.is_empty() {
                "/jobs".to_owned()
            } else {
                format!("/jobs?state={name}")
            };
            let here = Signal::derive(move || filter.with(|filter| filter == name));
            view! {
                <Choice href here>
                    {label} " " <span class="count">{move || count(lets)}</span>
                </Choice>
            }
        };
    let head = view! {
        <SortableHead column="job" label="Job" order/>
        <SortableHead column="state" label="State" order/>
        <SortableHead column="from" label="From" order/>
        <SortableHead column="to" label="To" order/>
        <SortableHead column="by" label="Asked for by" order/>
        <SortableHead column="asked" label="At" order number=true/>
        <SortableHead column="took" label="Took" order number=true/>
    }
    .into_any();
    view! {
        <div class="filters">
            <nav class="segmented" aria-label="By state">
                {choice("", "all", None)}
                {FILTERS.map(|(name, label, lets)| choice(name, label, Some(lets))).into_iter().collect_view()}
            </nav>
        </div>
        {move || one.get().map(|id| view! {
            <h2 class="visually-hidden">"The job that was asked for"</h2>
            <ul class="jobs alone"><JobCard id asked=true/></ul>
        })}
        <TableFrame caption="Jobs; the heads of the columns sort" hidden=Signal::derive(move || shown.with(Vec::is_empty)) head>
            {move || shown.with(|jobs| jobs.iter().map(row).collect_view())}
        </TableFrame>
        {move || shown.with(Vec::is_empty).then(|| {
            let none = desk.known.with(|known| known.all().is_empty());
            view! {
                <p class="empty">
                    {if none {
                        "No job yet. What takes a while stands here: routers that are made or moved, links, images on their way to hosts.".into_any()
                    } else {
                        view! { "No job matches. " <A href="/jobs">"Show all jobs"</A> }.into_any()
                    }}
                </p>
            }
        })}
    }
    .into_any()
}

fn sort(jobs: &mut [Job], order: &Order) {
    jobs.sort_by_key(|job| (job.created_at, job.id));
    match order.column.as_str() {
        "job" => jobs.sort_by_key(words::title),
        "state" => jobs.sort_by_key(|job| job.state.as_str()),
        "from" => jobs.sort_by(|a, b| a.source.cmp(&b.source)),
        "to" => jobs.sort_by(|a, b| a.destination.cmp(&b.destination)),
        "by" => jobs.sort_by(|a, b| a.requested_by.cmp(&b.requested_by)),
        "took" => jobs.sort_by_key(length),
        _ => {}
    }
    if order.descending {
        jobs.reverse();
    }
}

/// How long it took, in milliseconds; none while it works.
fn length(job: &Job) -> Option<u64> {
    let (start, end) = (job.started_at?, job.finished_at?);
    u64::try_from(end.as_millisecond() - start.as_millisecond()).ok()
}

fn row(job: &Job) -> AnyView {
    let host = |host: &Option<api::HostId>| {
        host.clone().map(|id| {
            let name = id.to_string();
            view! { <A href=Element::Host(id).href(TopologyView::Combined)>{name}</A> }
        })
    };
    let (from, to) = (host(&job.source), host(&job.destination));
    let at = job.created_at;
    let works = (!job.state.is_over()).then(|| progress(job));
    let said = job.error.as_ref().map(|error| error.message.clone());
    let (title, state, by) = (words::title(job), job.state, job.requested_by.clone());
    let address = format!("/jobs?job={}", job.id);
    view! {
        <tr>
            <th scope="row"><A href=address scroll=false>{title}</A></th>
            <td>
                <JobStateChip state/>
                {works}
                {said.map(|said| view! { <p class="minor">{said}</p> })}
            </td>
            <td>{from}</td>
            <td>{to}</td>
            <td>{by}</td>
            <td class="number">
                <time datetime=at.to_string() title=format::date_and_time(at)>
                    {format::time_of_day(at)} " UTC"
                </time>
            </td>
            <td class="number">{length(job).map(words::took)}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::words::tests::job;

    #[test]
    fn jobs_sort_by_any_column_and_the_newest_first() {
        let mut jobs = vec![
            job(1, JobState::Succeeded),
            job(3, JobState::Failed),
            job(2, JobState::Running),
        ];
        let mut sorted = |column: &str, descending| {
            let column = column.to_owned();
            sort(&mut jobs, &Order { column, descending });
            let seconds = jobs.iter().map(|job| job.created_at.as_second());
            seconds.collect::<Vec<_>>()
        };
        assert_eq!(sorted("asked", true), [3, 2, 1]);
        assert_eq!(sorted("job", false), [1, 2, 3]);
        assert_eq!(sorted("state", false), [3, 2, 1]);
        assert_eq!(sorted("took", false)[0], 2, "what works has no length yet");
    }

    #[test]
    fn every_state_is_under_one_filter() {
        for state in JobState::ALL {
            let lets = FILTERS.iter().filter(|(_, _, lets)| lets(state));
            assert_eq!(lets.count(), 1, "{state:?}");
        }
    }
}
