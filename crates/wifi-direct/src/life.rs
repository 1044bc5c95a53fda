//! The life of a group: what is to be done as groups form, fail and vanish.

use std::mem;
use std::time::Duration;

use crate::credentials::Credentials;

/// How long wpa_supplicant may take to form or join a group.
const PATIENCE: Duration = Duration::from_secs(25);
/// The pause after the first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often a group is tried to be joined before it counts as gone.
const MAX_JOINS: u32 = 4;
/// A group that ends sooner than this after it came up counts as a failure: the pauses go on growing.
const LASTING: Duration = Duration::from_secs(60);

/// What a node wants of Wi-Fi Direct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// What it is to be in the group.
    pub role: Role,
    /// Which group.
    pub credentials: Credentials,
    /// The channel's frequency in MHz; only the owner's counts. `None` leaves it to the driver.
    pub frequency: Option<u16>,
}

impl Goal {
    /// To own a group.
    pub const fn own(credentials: Credentials, frequency: Option<u16>) -> Self {
        Self {
            role: Role::Owner,
            credentials,
            frequency,
        }
    }

    /// To join a group.
    pub const fn join(credentials: Credentials) -> Self {
        Self {
            role: Role::Member,
            credentials,
            frequency: None,
        }
    }
}

/// What a node is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It joined.
    Member,
    /// It made the group, which ends with it.
    Owner,
}

/// A group that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What wpa_supplicant calls the group's interface on D-Bus.
    pub object: String,
    /// The group's network interface.
    pub interface: String,
    /// What this node is in it.
    pub role: Role,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A group was removed: by its owner, for want of members, by the kernel.
    Finished,
    /// wpa_supplicant refused what was asked of it.
    Refused,
    /// A group is up.
    Started(Group),
    /// wpa_supplicant's name vanished from the bus: it has ended, and its groups with it.
    SupplicantDown,
    /// wpa_supplicant is there, without a group of ours.
    SupplicantUp,
    /// The deadline has come. Spurious timeouts are harmless.
    Timeout,
    /// This is wanted from now on.
    Want(Option<Goal>),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The group is down: its links are of no use.
    Down,
    /// Ask wpa_supplicant for the group.
    Form(Goal),
    /// The group could not be joined, and is not tried any more.
    GiveUp,
    /// Ask wpa_supplicant to stop what it does: it has this group, or is about to form one.
    Leave(Option<Group>),
    /// The group is up.
    Up(Group),
}

/// The life of a node's groups, one at a time.
#[derive(Debug)]
pub struct Life {
    goal: Option<Goal>,
    state: State,
    /// Failures to form or join a group, in a row.
    failures: u32,
    /// Groups that did not last, in a row.
    short: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// wpa_supplicant is not there.
    Alone,
    Forming {
        until: Duration,
    },
    Idle,
    Resting {
        until: Duration,
    },
    Up {
        group: Group,
        since: Duration,
    },
}

impl Default for Life {
    fn default() -> Self {
        Self::new()
    }
}

impl Life {
    /// One without a goal; wpa_supplicant is not there yet.
    pub const fn new() -> Self {
        Self {
            goal: None,
            state: State::Alone,
            failures: 0,
            short: 0,
        }
    }

    /// Takes what happened at `now`, on a clock that never goes back; answers with what to do, in this order.
    pub fn handle(&mut self, now: Duration, happening: Happening) -> Vec<Action> {
        match happening {
            Happening::Finished => self.finished(now),
            Happening::Refused => self.refused(now),
            Happening::Started(group) => self.started(now, group),
            Happening::SupplicantDown => self.vanished(),
            Happening::SupplicantUp => self.appeared(now),
            Happening::Timeout => self.timeout(now),
            Happening::Want(goal) => self.want(now, goal),
        }
    }

    /// When the next timeout is due.
    pub const fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Forming { until } | State::Resting { until } => Some(until),
            State::Alone | State::Idle | State::Up { .. } => None,
        }
    }

    /// What is wanted.
    pub const fn goal(&self) -> Option<&Goal> {
        self.goal.as_ref()
    }

    fn want(&mut self, now: Duration, goal: Option<Goal>) -> Vec<Action> {
        if goal == self.goal {
            return Vec::new();
        }
        self.goal = goal;
        self.failures = 0;
        self.short = 0;
        let mut actions = match mem::replace(&mut self.state, State::Idle) {
            State::Alone => {
                self.state = State::Alone;
                return Vec::new();
            }
            State::Up { group, .. } => vec![Action::Down, Action::Leave(Some(group))],
            State::Forming { .. } => vec![Action::Leave(None)],
            State::Idle | State::Resting { .. } => Vec::new(),
        };
        actions.extend(self.form(now));
        actions
    }

    fn appeared(&mut self, now: Duration) -> Vec<Action> {
        if self.state != State::Alone {
            return Vec::new();
        }
        self.state = State::Idle;
        self.form(now)
    }

    fn vanished(&mut self) -> Vec<Action> {
        match mem::replace(&mut self.state, State::Alone) {
            State::Up { .. } => vec![Action::Down],
            _ => Vec::new(),
        }
    }

    fn started(&mut self, now: Duration, group: Group) -> Vec<Action> {
        let wanted = self.goal.as_ref().map(|goal| goal.role) == Some(group.role);
        if !wanted || !matches!(self.state, State::Forming { .. }) {
            // Of a goal before this one, or nobody's: it must not go on.
            return match &self.state {
                State::Up { group: up, .. } if *up == group => Vec::new(),
                State::Alone => Vec::new(),
                _ => vec![Action::Leave(Some(group))],
            };
        }
        self.failures = 0;
        self.state = State::Up {
            group: group.clone(),
            since: now,
        };
        vec![Action::Up(group)]
    }

    fn finished(&mut self, now: Duration) -> Vec<Action> {
        match mem::replace(&mut self.state, State::Idle) {
            State::Up { since, .. } => {
                let lasted = now.saturating_sub(since) >= LASTING;
                self.short = if lasted {
                    0
                } else {
                    self.short.saturating_add(1)
                };
                let mut actions = vec![Action::Down];
                actions.extend(self.failed(now));
                actions
            }
            // The one before, which was told to go.
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    fn refused(&mut self, now: Duration) -> Vec<Action> {
        match self.state {
            State::Forming { .. } => self.failed(now),
            _ => Vec::new(),
        }
    }

    fn timeout(&mut self, now: Duration) -> Vec<Action> {
        match self.state {
            State::Forming { until } if until <= now => {
                let mut actions = vec![Action::Leave(None)];
                actions.extend(self.failed(now));
                actions
            }
            State::Resting { until } if until <= now => self.form(now),
            _ => Vec::new(),
        }
    }

    /// Rests and tries again; whoever joins gives up at last.
    fn failed(&mut self, now: Duration) -> Vec<Action> {
        let joins = self.goal.as_ref().map(|goal| goal.role) == Some(Role::Member);
        self.failures = self.failures.saturating_add(1);
        if joins && self.failures >= MAX_JOINS {
            self.goal = None;
            self.failures = 0;
            self.state = State::Idle;
            return vec![Action::GiveUp];
        }
        let bad = self.failures.saturating_add(self.short);
        let doublings = (bad - 1).min(6);
        let pause = (FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE);
        self.state = State::Resting { until: now + pause };
        Vec::new()
    }

    fn form(&mut self, now: Duration) -> Vec<Action> {
        let Some(goal) = &self.goal else {
            self.state = State::Idle;
            return Vec::new();
        };
        self.state = State::Forming {
            until: now + PATIENCE,
        };
        vec![Action::Form(goal.clone())]
    }
}
