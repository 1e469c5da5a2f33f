//! The jobs that this page knows of. Pure, but for where they are kept.

use api::{Job, JobId, JobKind, JobState, RouterId, Timestamp};
use leptos::prelude::*;

/// So many are kept at most: the others have long ended.
const MOST: usize = 400;
/// So many notes are shown at most.
const MOST_NOTES: usize = 4;

/// The jobs that are known of, the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    jobs: Vec<Job>,
    /// Whether the list was read: before, only what happened since is known.
    pub is_read: bool,
}

/// What is shown before the list was read.
pub const UNKNOWN_YET: &str = "Reading the jobs…";

impl Known {
    /// The jobs, the newest first.
    pub fn all(&self) -> &[Job] {
        &self.jobs
    }

    /// One of them.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The job that acts on a router now.
    pub fn of_router(&self, router: RouterId) -> Option<&Job> {
        let mut jobs = self.jobs.iter();
        jobs.find(|job| job.router == Some(router) && !job.state.is_over())
    }

    /// How many have not ended.
    pub fn active(&self) -> usize {
        let active = self.jobs.iter().filter(|job| !job.state.is_over());
        active.count()
    }

    /// How many failed after this moment, in milliseconds since 1970.
    pub fn failed_since(&self, seen: i64) -> usize {
        let failed = self.jobs.iter().filter(|job| {
            matches!(job.state, JobState::Failed | JobState::Interrupted)
                && (job.finished_at).is_some_and(|at| at.as_millisecond() > seen)
        });
        failed.count()
    }

    /// Takes a job in as it is now; whether it ended by that, as far as this page knows.
    ///
    /// News may come late: from a list that was asked for before the event that was heard.
    pub fn take(&mut self, job: &Job) -> bool {
        let ends = job.state.is_over();
        if let Some(known) = self.jobs.iter_mut().find(|known| known.id == job.id) {
            let later = (job.changed_at, progress(job)) >= (known.changed_at, progress(known));
            if known.state.is_over() || !(later || ends) {
                return false;
            }
            known.clone_from(job);
            return ends;
        }
        let newer = |known: &Job| (known.created_at, known.id) > (job.created_at, job.id);
        let at = self.jobs.partition_point(newer);
        self.jobs.insert(at, job.clone());
        self.jobs.truncate(MOST);
        ends
    }

    /// Takes a list in that was read; those that ended since they were last heard of.
    pub fn read(&mut self, jobs: &[Job]) -> Vec<Job> {
        let mut ended = Vec::new();
        for job in jobs {
            let before = self.job(job.id).map(|known| known.state.is_over());
            if self.take(job) && before == Some(false) {
                ended.push(job.clone());
            }
        }
        self.is_read = true;
        ended
    }
}

fn progress(job: &Job) -> u64 {
    job.progress.as_ref().map_or(0, |progress| {
        progress.done_bytes + progress.iteration.unwrap_or(0)
    })
}

/// Something that ended, told in passing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which note.
    pub number: u32,
    /// The job that it is about, if it is about one.
    pub job: Option<JobId>,
    /// Whether it went well.
    pub good: bool,
    /// What happened, in a sentence.
    pub text: String,
    /// The router that came of it.
    pub made: Option<RouterId>,
}

/// What the parts of the page that show jobs share.
#[derive(Clone, Copy)]
pub struct Desk {
    /// The jobs.
    pub known: RwSignal<Known>,
    /// Events of jobs that nobody has read yet, as the server wrote them.
    pub news: RwSignal<Vec<String>>,
    /// There are jobs to tell about: what shows them is loaded.
    pub wanted: RwSignal<bool>,
    /// What is told in passing.
    pub notes: RwSignal<Vec<Note>>,
    /// Whether the drawer is open, and for which job.
    pub open: RwSignal<Option<Option<JobId>>>,
    /// Until when failures were seen, in milliseconds since 1970.
    pub seen: RwSignal<i64>,
}

impl Desk {
    /// Makes it and offers it to everything below.
    pub fn provide() -> Self {
        let desk = Self {
            known: RwSignal::new(Known::default()),
            news: RwSignal::new(Vec::new()),
            wanted: RwSignal::new(false),
            notes: RwSignal::new(Vec::new()),
            open: RwSignal::new(None),
            seen: RwSignal::new(0),
        };
        provide_context(desk);
        desk
    }

    /// Whether anything of it is to be shown.
    pub fn is_wanted(self) -> bool {
        self.wanted.get()
            || !self.news.with(Vec::is_empty)
            || !self.notes.with(Vec::is_empty)
            || self.open.with(Option::is_some)
    }

    /// A job is another than it was.
    pub fn hear(self, job: &Job) {
        let mut ended = false;
        // The page may be gone.
        self.known.try_update(|known| ended = known.take(job));
        if ended {
            self.tell_end(job);
        }
    }

    /// The jobs were read.
    pub fn read(self, jobs: &[Job]) {
        let mut ended = Vec::new();
        self.known.try_update(|known| ended = known.read(jobs));
        for job in &ended {
            self.tell_end(job);
        }
    }

    fn tell_end(self, job: &Job) {
        let good = job.state == JobState::Succeeded;
        let made = job
            .router
            .filter(|_| good && job.kind == JobKind::RouterCreation);
        self.note(Some(job.id), good, super::words::ended(job), made);
    }

    /// Tells something in passing.
    pub fn tell(self, job: Option<JobId>, good: bool, text: String) {
        self.note(job, good, text, None);
    }

    fn note(self, job: Option<JobId>, good: bool, text: String, made: Option<RouterId>) {
        self.notes.try_update(|notes| {
            let number = notes.last().map_or(0, |note| note.number + 1);
            notes.push(Note {
                number,
                job,
                good,
                text,
                made,
            });
            let spare = notes.len().saturating_sub(MOST_NOTES);
            notes.drain(..spare);
        });
    }

    /// All failures until now are seen.
    pub fn see(self, now: Timestamp) {
        self.seen.set(now.as_millisecond());
        #[cfg(feature = "hydrate")]
        kept::store(now.as_millisecond());
    }

    /// Goes by what this browser has seen before.
    pub fn recall(self) {
        #[cfg(feature = "hydrate")]
        self.seen.set(kept::read());
    }
}

/// Where the browser keeps what was seen.
#[cfg(feature = "hydrate")]
mod kept {
    const KEY: &str = "vms.jobs.seen";

    fn storage() -> Option<web_sys::Storage> {
        web_sys::window()?.local_storage().ok().flatten()
    }

    pub fn read() -> i64 {
        storage()
            .and_then(|storage| storage.get_item(KEY).ok().flatten())
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    pub fn store(seen: i64) {
        if let Some(storage) = storage() {
            // Where nothing can be kept, they are seen until the page is left.
            let _ = storage.set_item(KEY, &seen.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::words::tests::job;

    #[test]
    fn the_newest_is_first_and_news_replace() {
        let mut known = Known::default();
        for n in [2, 5, 1] {
            assert!(!known.take(&job(n, JobState::Running)));
        }
        let order = |known: &Known| -> Vec<_> {
            let jobs = known.all().iter();
            jobs.map(|job| job.created_at.as_second()).collect()
        };
        assert_eq!(order(&known), [5, 2, 1]);
        assert_eq!(known.active(), 3);
        assert!(known.take(&job(2, JobState::Succeeded)), "it ends");
        assert!(!known.take(&job(2, JobState::Succeeded)), "only once");
        assert!(!known.take(&job(2, JobState::Running)), "late news");
        assert_eq!(known.active(), 2);
        assert_eq!(order(&known), [5, 2, 1]);
    }

    #[test]
    fn what_was_over_before_the_page_came_is_no_news() {
        let mut known = Known::default();
        known.take(&job(3, JobState::Running));
        let ended = known.read(&[job(3, JobState::Failed), job(1, JobState::Failed)]);
        assert_eq!(ended, [job(3, JobState::Failed)]);
        assert!(known.is_read);
        assert_eq!(known.failed_since(0), 2);
        assert_eq!(known.failed_since(i64::MAX), 0);
        let router = job(3, JobState::Running).router.unwrap();
        assert!(known.of_router(router).is_none(), "it has ended");
    }
}
