//! What a container depends on.

use serde_json::Value;

use super::{
    behaviour::{Need, Without},
    config,
    run::Step,
    state::Running,
};
use crate::sandbox::controllers::{
    Cache, endpoints, objects,
    tables::{self, Key},
};

/// Whether a Service has a ready endpoint.
fn has_endpoints(cache: &Cache, namespace: &str, name: &str) -> bool {
    let Some(service) = cache.get(&Key::new(tables::SERVICES, namespace, name)) else { return false };
    cache
        .all(tables::PODS, Some(namespace))
        .filter(|(_, entry)| entry.head.deleted.is_none())
        .filter_map(|(_, entry)| entry.pod.as_deref())
        .any(|pod| pod.ready.is_some() && endpoints::selects(&service, pod))
}

impl Need {
    /// Whether it is there for a container of a pod.
    fn is_met(&self, cache: &Cache, pod: &Value, running: &Running) -> bool {
        let namespace = objects::namespace(pod);
        if let Some(service) = &self.service
            && !has_endpoints(cache, namespace, service)
        {
            return false;
        }
        let held = match (&self.secret, &self.key) {
            (Some(secret), Some(key)) => config::value(cache, tables::SECRETS, namespace, secret, key),
            _ => None,
        };
        match (&self.variable, &self.value, &self.secret) {
            (Some(variable), wanted, _) => running.variables.get(variable) == wanted.as_ref().or(held.as_ref()),
            (None, Some(wanted), Some(_)) => held.as_ref() == Some(wanted),
            (None, None, Some(_)) => held.is_some(),
            (None, _, None) => true,
        }
    }
}

impl Step<'_> {
    /// The first need of a kind that is not met.
    pub fn unmet(&self, at: usize, without: Without) -> Option<Need> {
        let run = &self.run.containers[at];
        let running = run.running()?;
        let unmet = |need: &&Need| need.without == without && !need.is_met(self.view.cache, self.pod, running);
        run.behaviour.needs.iter().find(unmet).cloned()
    }
}
