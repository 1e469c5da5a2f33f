//! What can be done to a router now, and if not, why. Pure.

use api::{Job, Router};
use graph::NodeState;
use serde::{Deserialize, Serialize};

/// What the server does to a router when it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deed {
    /// Start one that is off.
    Start,
    /// Ask it to shut down.
    Shutdown,
    /// Ask it to start anew.
    Reboot,
    /// Pause it in memory.
    Suspend,
    /// Let it go on.
    Resume,
    /// Start it anew at once, as by the button of a machine.
    Reset,
    /// Switch it off at once.
    SwitchOff,
    /// Delete it.
    Delete,
}

impl Deed {
    /// The name, as in a form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Reset => "reset",
            Self::SwitchOff => "switchOff",
            Self::Delete => "delete",
        }
    }

    /// What is told once it is done: "r1 is …".
    pub fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Shutdown => "being shut down",
            Self::Reboot => "asked to reboot",
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Reset => "reset",
            Self::SwitchOff => "switched off",
            Self::Delete => "being deleted",
        }
    }

    /// Whether it is asked first: something may be lost, or be interrupted.
    pub fn asks(self) -> bool {
        !matches!(self, Self::Start | Self::Suspend | Self::Resume)
    }
}

/// How a router is shut down or deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct How {
    /// How long it may take to shut down, in seconds.
    pub deadline_seconds: Option<u32>,
    /// Whether it is switched off where it does not shut down, or runs.
    pub force: bool,
    /// Whether its disks stay.
    pub keep_disks: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acted {
    /// The router as it is now; absent if it is gone, or if a job acts.
    pub router: Option<Router>,
    /// The job that acts.
    pub job: Option<Job>,
}

impl Acted {
    /// It is done.
    pub fn now(router: Router) -> Self {
        Self {
            router: Some(router),
            job: None,
        }
    }

    /// A job does it.
    pub fn by(job: Job) -> Self {
        Self {
            router: None,
            job: Some(job),
        }
    }
}

/// What there is to do to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouterAct {
    /// What the server does when it is asked to.
    Do(Deed),
    /// Bring it to another host.
    Move,
    /// Link it with another router.
    Link,
    /// Look at its console.
    Console,
    /// Change its processors and memory.
    Resize,
}

impl RouterAct {
    /// All of them, in the order in which they are offered; the groups are set apart.
    pub const ALL: [&[Self]; 3] = [
        &[
            Self::Do(Deed::Start),
            Self::Do(Deed::Shutdown),
            Self::Do(Deed::Reboot),
            Self::Do(Deed::Suspend),
            Self::Do(Deed::Resume),
        ],
        &[Self::Console, Self::Move, Self::Link, Self::Resize],
        &[
            Self::Do(Deed::Reset),
            Self::Do(Deed::SwitchOff),
            Self::Do(Deed::Delete),
        ],
    ];

    /// The words on a button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Do(Deed::Start) => "Start",
            Self::Do(Deed::Shutdown) => "Shut down…",
            Self::Do(Deed::Reboot) => "Reboot…",
            Self::Do(Deed::Suspend) => "Suspend",
            Self::Do(Deed::Resume) => "Resume",
            Self::Do(Deed::Reset) => "Reset…",
            Self::Do(Deed::SwitchOff) => "Switch off…",
            Self::Do(Deed::Delete) => "Delete…",
            Self::Move => "Move…",
            Self::Link => "Link to…",
            Self::Console => "Console",
            Self::Resize => "Resize…",
        }
    }

    /// Why it cannot be done to a router in this state; none if it can. `current`: its host
    /// answers.
    pub fn why_not(self, state: NodeState, current: bool, is_moving: bool) -> Option<&'static str> {
        use NodeState::{Failed, Paused, Running, Stopped, Stopping, Unknown};
        if !current {
            return Some("Its host does not answer.");
        }
        if is_moving {
            return Some("It is being moved.");
        }
        let is_off = matches!(state, Stopped | Failed);
        match self {
            Self::Do(Deed::Start) => match state {
                _ if is_off => None,
                Paused => Some("It is suspended: resume it."),
                Stopping => Some("It is shutting down."),
                Unknown => Some("Nobody knows its state."),
                _ => Some("It runs."),
            },
            Self::Do(Deed::Suspend) if state == Paused => Some("It is suspended already."),
            Self::Do(Deed::Resume) => match state {
                Paused => None,
                Running => Some("It runs."),
                _ => Some("It does not run."),
            },
            Self::Do(Deed::Shutdown | Deed::Reboot) if state == Paused => {
                Some("It is suspended: resume it first.")
            }
            Self::Do(Deed::Shutdown | Deed::Suspend | Deed::Reboot) => match state {
                Running => None,
                Stopping => Some("It is shutting down."),
                _ => Some("It does not run."),
            },
            Self::Do(Deed::Reset | Deed::SwitchOff) | Self::Console if is_off => {
                Some("It does not run.")
            }
            Self::Move | Self::Link | Self::Resize => match state {
                Stopping => Some("It is shutting down."),
                Unknown => Some("Nobody knows its state."),
                _ => None,
            },
            Self::Do(Deed::Reset | Deed::SwitchOff | Deed::Delete) | Self::Console => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_says_why() {
        use NodeState::{Failed, Paused, Running, Stopped, Stopping};
        let all = || RouterAct::ALL.into_iter().flatten().copied();
        let can = |state| {
            let can = all().filter(|act| act.why_not(state, true, false).is_none());
            can.map(RouterAct::label).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            can(Running),
            "Shut down… Reboot… Suspend Console Move… Link to… Resize… Reset… Switch off… Delete…"
        );
        assert_eq!(
            can(Paused),
            "Resume Console Move… Link to… Resize… Reset… Switch off… Delete…"
        );
        let off = "Start Move… Link to… Resize… Delete…";
        assert_eq!((can(Stopped), can(Failed)), (off.into(), off.into()));
        assert_eq!(can(Stopping), "Console Reset… Switch off… Delete…");
        for act in all() {
            assert!(act.why_not(Running, false, false).is_some());
            assert_eq!(act.why_not(Running, true, true), Some("It is being moved."));
        }
    }

    #[test]
    fn a_deed_has_the_name_that_a_form_sends() {
        for act in RouterAct::ALL.into_iter().flatten() {
            if let RouterAct::Do(deed) = act {
                let name = serde_json::to_value(deed).unwrap();
                assert_eq!(name, deed.as_str());
            }
        }
    }
}
