//! What can be done to a router now, and if not, why. Pure.

use graph::NodeState;

/// What there is to do to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouterAct {
    /// Pause it in memory.
    Suspend,
    /// Let it go on.
    Resume,
    /// Bring it to another host.
    Move,
}

impl RouterAct {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Suspend, Self::Resume, Self::Move];

    /// The words on a button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Suspend => "Suspend",
            Self::Resume => "Resume",
            Self::Move => "Move…",
        }
    }

    /// Why it cannot be done to a router in this state; none if it can. `current`: its host
    /// answers.
    pub fn why_not(self, state: NodeState, current: bool, is_moving: bool) -> Option<&'static str> {
        if !current {
            return Some("Its host does not answer.");
        }
        if is_moving {
            return Some("It is being moved.");
        }
        match (self, state) {
            (Self::Suspend, NodeState::Running) | (Self::Resume, NodeState::Paused) => None,
            (Self::Suspend, NodeState::Paused) => Some("It is suspended already."),
            (Self::Resume, NodeState::Running) => Some("It runs."),
            (Self::Suspend | Self::Resume, _) => Some("It does not run."),
            (Self::Move, NodeState::Stopping) => Some("It is shutting down."),
            (Self::Move, NodeState::Unknown) => Some("Nobody knows its state."),
            (Self::Move, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_says_why() {
        use NodeState::{Failed, Paused, Running, Stopped, Stopping};
        let can = |state| {
            let acts = RouterAct::ALL.into_iter();
            acts.filter(|act| act.why_not(state, true, false).is_none())
                .collect::<Vec<_>>()
        };
        assert_eq!(can(Running), [RouterAct::Suspend, RouterAct::Move]);
        assert_eq!(can(Paused), [RouterAct::Resume, RouterAct::Move]);
        assert_eq!(can(Stopped), [RouterAct::Move]);
        assert_eq!(can(Failed), [RouterAct::Move]);
        assert_eq!(can(Stopping), []);
        for act in RouterAct::ALL {
            assert!(act.why_not(Running, false, false).is_some());
            assert_eq!(act.why_not(Running, true, true), Some("It is being moved."));
        }
    }
}
