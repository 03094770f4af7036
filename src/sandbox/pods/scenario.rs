//! Scenarios: rules that give pods their behaviour, from a file.

use serde::Deserialize;
use serde_json::Value;

use super::{behaviour::Behaviour, image};
use crate::rules::fields::{list, text};
use std::collections::BTreeMap;

/// What annotations of pods begin with; behind it stands a field of [`Behaviour`].
pub const PREFIX: &str = "sandbox.evolve/";

/// Rules for pods; the first that fits a container counts, field by field after the pod's own annotations.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    pub rules: Vec<Rule>,
}

/// What containers do that fit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(rename = "match", default)]
    pub choice: Choice,
    pub behaviour: Behaviour,
}

/// Which containers: all that is given must fit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Choice {
    pub namespace: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// The image as the pod names it, with `*` for any letters.
    pub image: Option<String>,
    /// The name of the container.
    pub container: Option<String>,
}

/// The reference application: its images, start-up times, logs, and what a wrong password does.
const TODO: &str = include_str!("todo.yaml");

impl Scenario {
    /// The scenario of the reference application.
    pub fn todo() -> Self {
        serde_saphyr::from_str(TODO).unwrap_or_default()
    }

    /// What a container of a pod does.
    ///
    /// # Errors
    /// An annotation that cannot be read.
    pub fn behaviour(&self, pod: &Value, container: &Value) -> Result<Behaviour, String> {
        let rule = self.rules.iter().find(|rule| rule.choice.fits(pod, container));
        let mut found = rule.map(|rule| rule.behaviour.clone()).unwrap_or_default();
        let annotations = pod["metadata"]["annotations"].as_object().into_iter().flatten();
        let name = text(container, "/name");
        for (key, value) in annotations {
            let Some((owner, field)) = key.split_once(PREFIX) else { continue };
            if !owner.is_empty() && owner.strip_suffix('.') != Some(name) {
                continue;
            }
            let written = value.as_str().unwrap_or_default();
            let told = format!("{field}: {}", written.replace('\n', "\n  "));
            let one: Behaviour = serde_saphyr::from_str(&told).map_err(|error| format!("annotation {key}: {error}"))?;
            found.take(one);
        }
        Ok(found)
    }
}

impl Behaviour {
    /// Takes over what another one gives.
    fn take(&mut self, other: Self) {
        if !other.readiness.is_empty() {
            self.readiness = other.readiness;
        }
        if !other.liveness.is_empty() {
            self.liveness = other.liveness;
        }
        if !other.logs.is_empty() {
            self.logs = other.logs;
        }
        if !other.needs.is_empty() {
            self.needs = other.needs;
        }
        self.startup = other.startup.or(self.startup);
        self.exit = other.exit.or_else(|| self.exit.take());
        self.pull = other.pull.or_else(|| self.pull.take());
        self.stop = other.stop.or(self.stop);
    }
}

impl Choice {
    fn fits(&self, pod: &Value, container: &Value) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        let labels = &pod["metadata"]["labels"];
        is(&self.namespace, text(pod, "/metadata/namespace"))
            && is(&self.container, text(container, "/name"))
            && self.image.as_deref().is_none_or(|wanted| image::fits(wanted, text(container, "/image")))
            && self.labels.iter().all(|(key, value)| labels.get(key).and_then(Value::as_str) == Some(value))
    }
}

/// Whether a pod has annotations of behaviour.
pub fn is_annotated(pod: &Value) -> bool {
    let annotations = pod["metadata"]["annotations"].as_object();
    annotations.is_some_and(|found| found.keys().any(|key| key.contains(PREFIX)))
}

/// All containers of a pod in the order in which they start.
pub fn containers(pod: &Value) -> impl Iterator<Item = (&Value, bool)> {
    let steps = list(pod, "/spec/initContainers").iter().map(|container| (container, true));
    steps.chain(list(pod, "/spec/containers").iter().map(|container| (container, false)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::behaviour::{PullError, Span},
        *,
    };
    use crate::rules::fields::yaml;

    #[test]
    fn annotations_go_before_the_first_rule_that_fits() {
        let scenario: Scenario = serde_saphyr::from_str(
            "rules:\n\
             - match: {image: 'api:*', labels: {app: api}}\n  behaviour: {startup: 2s, stop: 1s}\n\
             - behaviour: {startup: 1m}\n",
        )
        .unwrap();
        let pod = yaml(
            "metadata: {labels: {app: api}, annotations: {sandbox.evolve/startup: 300ms, \
             a.sandbox.evolve/exit: '{code: 3, after: 1s}', b.sandbox.evolve/stop: 9s, \
             sandbox.evolve/pull: '{error: not-found}'}}\n\
             spec: {containers: [{name: a, image: 'api:1'}, {name: c, image: other}]}",
        );
        let a = scenario.behaviour(&pod, &pod["spec"]["containers"][0]).unwrap();
        assert_eq!(a.startup, Some(Span(Duration::from_millis(300))));
        assert_eq!((a.stop, a.exit.map(|exit| exit.code)), (Some(Span(Duration::from_secs(1))), Some(3)));
        assert_eq!(a.pull.and_then(|pull| pull.error), Some(PullError::NotFound));
        let c = scenario.behaviour(&pod, &pod["spec"]["containers"][1]).unwrap();
        assert_eq!((c.stop, c.exit), (None, None));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let pod = yaml("metadata: {annotations: {sandbox.evolve/startup: soon}}");
        let error = Scenario::default().behaviour(&pod, &yaml("name: a")).unwrap_err();
        assert!(error.contains("sandbox.evolve/startup") && error.contains("300ms, 2s"), "{error}");
        assert!(serde_saphyr::from_str::<Scenario>("rules: [{behaviour: {sleep: 1s}}]").is_err());
    }

    #[test]
    fn the_scenario_of_the_reference_application_can_be_read() {
        assert!(serde_saphyr::from_str::<Scenario>(TODO).is_ok_and(|scenario| scenario.rules.len() > 2));
    }
}
