//! The resources that controllers read and write, under short numbers.

use std::{collections::HashMap, sync::Arc};

/// The number of a resource's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(u32);

/// Where an object is: its table, and `namespace/name` or the name of what belongs to no namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub table: TableId,
    pub place: Arc<str>,
}

impl Key {
    pub fn new(table: TableId, namespace: &str, name: &str) -> Self {
        let place = if namespace.is_empty() { name.into() } else { format!("{namespace}/{name}").into() };
        Self { table, place }
    }

    /// Empty for what belongs to no namespace.
    pub fn namespace(&self) -> &str {
        self.place.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    pub fn name(&self) -> &str {
        self.place.split_once('/').map_or(&self.place, |(_, name)| name)
    }

    /// Another object of the same namespace.
    pub fn beside(&self, table: TableId, name: &str) -> Self {
        Self::new(table, self.namespace(), name)
    }
}

macro_rules! known {
    ($($name:ident = $number:literal, $group:literal, $version:literal, $plural:literal, $kind:literal;)*) => {
        $(pub const $name: TableId = TableId($number);)*
        const KNOWN: &[(&str, &str, &str, &str)] = &[$(($group, $version, $plural, $kind)),*];
    };
}

known! {
    PODS = 0, "", "v1", "pods", "Pod";
    NODES = 1, "", "v1", "nodes", "Node";
    NAMESPACES = 2, "", "v1", "namespaces", "Namespace";
    SERVICES = 3, "", "v1", "services", "Service";
    ENDPOINTS = 4, "", "v1", "endpoints", "Endpoints";
    SLICES = 5, "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice";
    CONFIG_MAPS = 6, "", "v1", "configmaps", "ConfigMap";
    SECRETS = 7, "", "v1", "secrets", "Secret";
    ACCOUNTS = 8, "", "v1", "serviceaccounts", "ServiceAccount";
    EVENTS = 9, "", "v1", "events", "Event";
    DEPLOYMENTS = 10, "apps", "v1", "deployments", "Deployment";
    REPLICA_SETS = 11, "apps", "v1", "replicasets", "ReplicaSet";
    STATEFUL_SETS = 12, "apps", "v1", "statefulsets", "StatefulSet";
    DAEMON_SETS = 13, "apps", "v1", "daemonsets", "DaemonSet";
    REVISIONS = 14, "apps", "v1", "controllerrevisions", "ControllerRevision";
    JOBS = 15, "batch", "v1", "jobs", "Job";
    CRON_JOBS = 16, "batch", "v1", "cronjobs", "CronJob";
    CLAIMS = 17, "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim";
    VOLUMES = 18, "", "v1", "persistentvolumes", "PersistentVolume";
    CLASSES = 19, "storage.k8s.io", "v1", "storageclasses", "StorageClass";
    AUTOSCALERS = 20, "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler";
    BUDGETS = 21, "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget";
    QUOTAS = 22, "", "v1", "resourcequotas", "ResourceQuota";

}

impl TableId {
    /// Its API version and kind, where a controller knows it.
    pub fn kind(self) -> Option<(String, &'static str)> {
        let (group, version, _, kind) = KNOWN.get(self.0 as usize)?;
        Some((if group.is_empty() { (*version).into() } else { format!("{group}/{version}") }, kind))
    }
}

/// The numbers of all resources met so far: the known ones first.
#[derive(Debug)]
pub struct Tables {
    names: Vec<(String, String)>,
    numbers: HashMap<(String, String), TableId>,
}

impl Default for Tables {
    fn default() -> Self {
        let mut tables = Self { names: Vec::new(), numbers: HashMap::new() };
        for (group, _, plural, _) in KNOWN {
            tables.number(group, plural);
        }
        tables
    }
}

impl Tables {
    /// The number of a resource, a new one where it has none yet.
    pub fn number(&mut self, group: &str, plural: &str) -> TableId {
        let name = (group.to_owned(), plural.to_owned());
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        let number = TableId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    /// The number of a resource that was met.
    pub fn find(&self, group: &str, plural: &str) -> Option<TableId> {
        self.numbers.get(&(group.to_owned(), plural.to_owned())).copied()
    }

    /// The group and the plural name.
    pub fn name(&self, table: TableId) -> (&str, &str) {
        self.names.get(table.0 as usize).map_or(("", ""), |(group, plural)| (group, plural))
    }

    /// As messages name it: `deployments.apps`.
    pub fn group_resource(&self, table: TableId) -> String {
        match self.name(table) {
            ("", plural) => format!("{plural}."),
            (group, plural) => format!("{plural}.{group}"),
        }
    }

    /// The known resource of a kind, as a reference names it.
    pub fn of_kind(api_version: &str, kind: &str) -> Option<TableId> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let at = KNOWN.iter().position(|(of, _, _, name)| *of == group && *name == kind)?;
        u32::try_from(at).ok().map(TableId)
    }

    /// The version in which controllers read a known resource.
    pub fn version(table: TableId) -> Option<&'static str> {
        KNOWN.get(table.0 as usize).map(|(_, version, _, _)| *version)
    }
}
