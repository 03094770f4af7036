//! Which kinds a command acts on.

/// Group and kind.
pub type Kind = (&'static str, &'static str);

/// The kinds that words may mean.
#[derive(Debug, Clone, Copy)]
pub struct Kinds {
    /// What a name alone means: the first tier in which something has the name decides.
    pub tiers: &'static [&'static [Kind]],
    /// Whether `kind/name` may name any other kind too.
    pub others: bool,
    /// What cannot be done with other kinds, as in `be restarted`.
    pub done: &'static str,
    /// What can, for the hint.
    pub words: &'static str,
}

const DEPLOYMENT: Kind = ("apps", "Deployment");
const STATEFUL_SET: Kind = ("apps", "StatefulSet");
const DAEMON_SET: Kind = ("apps", "DaemonSet");
const JOB: Kind = ("batch", "Job");
const CRON_JOB: Kind = ("batch", "CronJob");

/// What runs an application, of whichever kind; every other kind may be named in full.
pub const WORKLOADS: Kinds = Kinds {
    tiers: &[&[DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB], &[("", "Pod")], &[("", "Service")]],
    others: true,
    done: "be looked at",
    words: "a Deployment, a StatefulSet, a DaemonSet, a Job, a CronJob or a Pod",
};

/// Everything that has pods.
pub const WITH_PODS: Kinds = Kinds {
    tiers: &[
        &[DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB],
        &[("", "Pod")],
        &[("", "Service"), ("apps", "ReplicaSet"), ("", "ReplicationController")],
        &[("", "Node")],
    ],
    others: false,
    done: "have pods",
    words: "a workload, a Pod, a Service and a Node do",
};

/// What a command can be run in.
pub const EXECUTED: Kinds = Kinds {
    tiers: &[
        &[DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB],
        &[("", "Pod")],
        &[("", "Service"), ("apps", "ReplicaSet"), ("", "ReplicationController")],
    ],
    others: false,
    done: "run a command",
    words: "a workload, a Pod and the pods of a Service can",
};

/// What has ports to connect to.
pub const FORWARDED: Kinds = Kinds {
    tiers: &[
        &[("", "Service")],
        &[DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB],
        &[("", "Pod")],
        &[("apps", "ReplicaSet"), ("", "ReplicationController")],
    ],
    others: false,
    done: "be connected to",
    words: "a Service, a workload and a Pod can",
};

/// What has a number of replicas; kinds of others may have one too.
pub const SCALED: Kinds = Kinds {
    tiers: &[&[DEPLOYMENT, STATEFUL_SET], &[("apps", "ReplicaSet"), ("", "ReplicationController")]],
    others: true,
    done: "be scaled",
    words: "a Deployment and a StatefulSet can",
};

/// What a rolling restart acts on.
pub const RESTARTED: Kinds = Kinds {
    tiers: &[&[DEPLOYMENT, STATEFUL_SET, DAEMON_SET]],
    others: false,
    done: "be restarted",
    words: "a Deployment, a StatefulSet or a DaemonSet can",
};

impl Kinds {
    /// What a scope without words holds.
    pub fn first(&self) -> &'static [Kind] {
        self.tiers.first().copied().unwrap_or_default()
    }

    pub fn has(&self, group: &str, kind: &str) -> bool {
        self.tiers.iter().copied().flatten().any(|known| *known == (group, kind))
    }

    /// The kinds of a tier in words: `Deployment, StatefulSet or DaemonSet`.
    pub fn names(kinds: &[Kind]) -> String {
        let names: Vec<&str> = kinds.iter().map(|(_, kind)| *kind).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}
