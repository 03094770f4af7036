//! Which workloads of a set need which others first: those whose Service they name as a host.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::Value;

use super::{
    manifests::{Set, Workload},
    waves::WAVE_ANNOTATION,
};
use crate::model::Manifest;

/// What runs for as long as it is wanted, so that others can need it.
const SERVING: [&str; 6] = ["Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet"];
/// Ends of names whose value is a host, also when it stands there alone.
const HOST_NAMES: [&str; 9] = ["HOST", "HOSTNAME", "ADDR", "ADDRESS", "SERVER", "ENDPOINT", "URL", "URI", "DSN"];
/// Longer values are not settings.
const LONGEST_VALUE: usize = 256 * 1024;

/// A host name with what stands around it: the end of `scheme://user:password@`, and a port.
const HOST: &str = r#"(://(?:[^\s/@'"]*@)?)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5})\b)?"#;
// A test holds that it compiles.
static COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(HOST).ok());

/// What workloads need first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// For each manifest the others that it needs directly, without those of its circle.
    pub of: Vec<BTreeSet<usize>>,
    /// How many manifests have to be ready one after the other before it.
    pub level: Vec<usize>,
    /// Workloads that need each other, so that none can be first.
    pub circles: Vec<Vec<usize>>,
}

/// Finds what the workloads of a set name in their variables, arguments, ConfigMaps and Secrets. Only a clear reference
/// counts: the host of a URL, `service:port` with a port of the Service, `service.namespace`, or the bare name in a
/// variable that is called a host. An object whose order is set by hand needs nothing.
pub fn needs(manifests: &[Manifest], namespace: &str) -> Needs {
    let mut needs = Needs { of: vec![BTreeSet::new(); manifests.len()], ..Needs::default() };
    let count = |kinds: &[&str]| {
        manifests.iter().filter(|manifest| kinds.contains(&manifest.reference.kind.as_str())).take(2).count()
    };
    if count(&["Service"]) > 0 && count(&[&SERVING[..], &["Job"]].concat()) > 1 {
        let set = Set::new(manifests, namespace);
        for workload in &set.workloads {
            if let Some(of) = needs.of.get_mut(workload.manifest) {
                *of = named_by(&set, workload);
            }
        }
    }
    untangle(&mut needs);
    needs
}

/// The manifests of the workloads whose Services a workload names.
fn named_by<'a>(set: &Set<'a>, workload: &Workload<'a>) -> BTreeSet<usize> {
    let Some(own) = set.manifests.get(workload.manifest) else { return BTreeSet::new() };
    let waits = SERVING.contains(&own.reference.kind.as_str()) || own.reference.kind == "Job";
    if !waits || by_hand(&own.object).is_some() {
        return BTreeSet::new();
    }
    let hosts = settings(set, workload).into_iter().flat_map(|(name, value)| hosts(name, value));
    let services = hosts.filter_map(|host| host.service(set, workload.namespace));
    let serving = services.flat_map(|(namespace, service)| set.selected(namespace, &service["spec"]["selector"]));
    let others = serving.map(|other| other.manifest).filter(|other| *other != workload.manifest);
    let counts = |other: &usize| {
        set.manifests.get(*other).is_some_and(|other| {
            SERVING.contains(&other.reference.kind.as_str())
                && by_hand(&other.object).is_none_or(|wave| wave.trim() == "0")
        })
    };
    others.filter(counts).collect()
}

fn by_hand(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"].get(WAVE_ANNOTATION)?.as_str()
}

/// The texts that a workload is given, each with the name it has.
fn settings<'a>(set: &Set<'a>, workload: &Workload<'a>) -> Vec<(&'a str, String)> {
    let mut found = Vec::new();
    for container in workload.containers() {
        for variable in container.value["env"].as_array().into_iter().flatten() {
            let name = variable["name"].as_str().unwrap_or_default();
            found.extend(variable["value"].as_str().map(|value| (name, value.to_owned())));
        }
        let words = ["command", "args"].into_iter().filter_map(|field| container.value[field].as_array()).flatten();
        found.extend(words.filter_map(Value::as_str).map(|word| match word.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => ("", word.to_owned()),
        }));
    }
    let referred = set.references.iter().filter(|reference| reference.manifest == workload.manifest);
    for reference in referred {
        let target = &reference.target;
        let namespace = target.namespace.as_deref().unwrap_or_default();
        let Some((_, data)) = set.find(target.group(), &target.kind, namespace, &target.name) else { continue };
        let mut add = |field: &str, read: fn(&str) -> Option<String>| {
            let values = data.object[field].as_object().into_iter().flatten();
            let wanted = values.filter(|(key, _)| reference.key.is_none_or(|wanted| wanted == *key));
            let texts = wanted.filter_map(|(key, value)| Some((key.as_str(), read(value.as_str()?)?)));
            found.extend(texts.collect::<Vec<_>>());
        };
        match target.kind.as_str() {
            "ConfigMap" => add("data", |text| Some(text.to_owned())),
            "Secret" => {
                add("stringData", |text| Some(text.to_owned()));
                add("data", decoded);
            }
            _ => {}
        }
    }
    found.retain(|(_, value)| value.len() <= LONGEST_VALUE);
    found
}

fn decoded(text: &str) -> Option<String> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

/// What may be the name of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    labels: Vec<String>,
    port: Option<u64>,
    /// Whether it cannot be anything else than a host.
    is_sure: bool,
}

fn hosts(name: &str, text: String) -> Vec<Host> {
    let Some(pattern) = &*COMPILED else { return Vec::new() };
    let name = name.to_ascii_uppercase();
    let is_host_name = HOST_NAMES.iter().any(|end| name.ends_with(end));
    let trimmed = text.trim();
    let host = |found: regex::Captures| {
        let host = found.get(2)?;
        let is_begun = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
        let is_url = found.get(1).is_some();
        if !is_url && !text.get(..host.start()).is_some_and(is_begun) {
            return None;
        }
        Some(Host {
            labels: host.as_str().split('.').map(str::to_owned).collect(),
            port: found.get(3).and_then(|port| port.as_str().parse().ok()),
            is_sure: is_url || (is_host_name && host.as_str() == trimmed),
        })
    };
    pattern.captures_iter(&text).filter_map(host).collect()
}

impl Host {
    /// The Service of the set that this names, seen from a namespace, with the Service's own namespace.
    fn service<'a>(&self, set: &Set<'a>, from: &'a str) -> Option<(&'a str, &'a Value)> {
        let labels: Vec<&str> = self.labels.iter().map(String::as_str).collect();
        // A pod of a StatefulSet is named before its Service.
        [labels.as_slice(), labels.get(1..).unwrap_or_default()].into_iter().find_map(|labels| {
            let (name, rest) = labels.split_first()?;
            let namespace = match rest {
                [] => from,
                [namespace] | [namespace, "svc", ..] => namespace,
                _ => return None,
            };
            let (_, service) = set.find("", "Service", namespace, name)?;
            let is_port = |port: &Value| {
                let own = [&port["port"], &port["targetPort"]];
                self.port.is_some_and(|wanted| own.iter().any(|own| own.as_u64() == Some(wanted)))
            };
            let ports = service.object["spec"]["ports"].as_array().into_iter().flatten();
            let is_clear = self.is_sure || !rest.is_empty() || ports.into_iter().any(is_port);
            is_clear.then(|| (set.namespace_of(service), &service.object))
        })
    }
}

/// Finds the circles, takes them apart, and numbers the levels.
fn untangle(needs: &mut Needs) {
    let starts: Vec<usize> = (0..needs.of.len()).filter(|index| !needs.of[*index].is_empty()).collect();
    let reach: HashMap<usize, BTreeSet<usize>> =
        starts.iter().map(|start| (*start, reachable(&needs.of, *start))).collect();
    let reaches = |from: usize, to: usize| reach.get(&from).is_some_and(|all| all.contains(&to));
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    for start in starts {
        if reaches(start, start) && !seen.contains(&start) {
            let circle: Vec<usize> =
                reach.keys().copied().filter(|other| reaches(start, *other) && reaches(*other, start)).collect();
            let circle: BTreeSet<usize> = circle.into_iter().collect();
            for member in &circle {
                needs.of[*member].retain(|need| !circle.contains(need));
            }
            seen.extend(&circle);
            needs.circles.push(circle.into_iter().collect());
        }
    }
    // What one of a circle needs, all of it waits for.
    for circle in &needs.circles {
        let all: BTreeSet<usize> = circle.iter().flat_map(|member| needs.of[*member].clone()).collect();
        circle.iter().for_each(|member| needs.of[*member].clone_from(&all));
    }
    needs.level = vec![0; needs.of.len()];
    // No way is longer than there are manifests with needs.
    for _ in 0..=reach.len() {
        for index in reach.keys() {
            let above = needs.of[*index].iter().map(|need| needs.level[*need] + 1).max();
            needs.level[*index] = above.unwrap_or(0);
        }
    }
}

fn reachable(of: &[BTreeSet<usize>], start: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut next: Vec<usize> = of.get(start).into_iter().flatten().copied().collect();
    while let Some(index) = next.pop() {
        if found.insert(index) {
            next.extend(of.get(index).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::ObjectRef, rules::fields::yaml};

    fn manifests(texts: &[String]) -> Vec<Manifest> {
        let manifest = |text: &String| {
            let object = yaml(text);
            Manifest { reference: ObjectRef::of(&object), object, place: Default::default() }
        };
        texts.iter().map(manifest).collect()
    }

    fn workload(kind: &str, name: &str, container: &str) -> String {
        format!(
            "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}}}, spec: {{template: {{metadata: \
             {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: main, {container}}}]}}}}}}}}"
        )
    }

    fn service(name: &str, port: u16) -> String {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{selector: {{app: {name}}}, ports: \
             [{{port: {port}}}]}}}}"
        )
    }

    /// Whether a container with these fields needs the database `postgres` in the namespace `shop`.
    fn needs_database(container: &str) -> bool {
        let data = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {DB_HOST: postgres, \
                    app.ini: 'db = postgres:5432', other: postgres}}";
        let url = "{apiVersion: v1, kind: Secret, metadata: {name: url}, stringData: \
                   {url: 'postgresql://todo:tulip@postgres/todo'}}";
        let set = manifests(&[
            workload("Deployment", "api", container),
            workload("StatefulSet", "postgres", "env: [{name: SELF, value: 'postgres:5432'}]"),
            service("postgres", 5432),
            data.into(),
            url.into(),
        ]);
        let needs = needs(&set, "shop");
        assert_eq!(needs.circles, Vec::<Vec<usize>>::new());
        assert_eq!(needs.of[1], BTreeSet::new());
        needs.of[0] == BTreeSet::from([1]) && needs.level == [1, 0, 0, 0, 0]
    }

    #[test]
    fn a_clear_reference_counts() {
        for container in [
            "env: [{name: DATABASE_URL, value: 'postgres://todo:a@b@postgres:5432/todo'}]",
            "env: [{name: DB_HOST, value: postgres}]",
            "env: [{name: DB, value: 'postgres:5432'}]",
            "env: [{name: DB, value: 'db=postgres.shop.svc.cluster.local;x=1'}]",
            "env: [{name: DB, value: 'other:1,postgres-0.postgres.shop:5432'}]",
            "args: ['--database-host=postgres']",
            "command: [sh, -c, 'wait-for postgres:5432']",
            "envFrom: [{configMapRef: {name: settings}}]",
            "env: [{name: X, valueFrom: {configMapKeyRef: {name: settings, key: app.ini}}}]",
            "env: [{name: X, valueFrom: {secretKeyRef: {name: url, key: url}}}]",
        ] {
            assert!(needs_database(container), "{container}");
        }
    }

    #[test]
    fn a_word_that_is_only_alike_does_not_count() {
        for container in [
            "env: [{name: DB_USER, value: postgres}]",
            "env: [{name: DB_HOST, value: other-postgres}]",
            "env: [{name: DB, value: 'postgres:1234'}]",
            "env: [{name: DB, value: 'my-postgres:5432 postgres.elsewhere:1'}]",
            "image: 'library/postgres:16'",
            "command: [psql, -U, postgres]",
            "env: [{name: X, valueFrom: {configMapKeyRef: {name: settings, key: other}}}]",
            "env: [{name: DB_HOST, value: 'https://postgres.example.org'}]",
        ] {
            assert!(!needs_database(container), "{container}");
        }
    }

    #[test]
    fn levels_follow_each_other_and_circles_stand_together() {
        let names = |name: &str, other: &str| workload("Deployment", name, &format!("args: ['http://{other}:80']"));
        let set = manifests(&[
            names("front", "api"),
            names("api", "jobs"),
            names("jobs", "api"),
            workload("Deployment", "db", "args: []"),
            workload("Deployment", "mail", "args: ['http://db']"),
            names("api2", "db"),
            service("api", 80),
            service("jobs", 80),
            service("db", 80),
        ]);
        let found = needs(&set, "shop");
        assert_eq!(found.level, [1, 0, 0, 0, 1, 1, 0, 0, 0]);
        assert_eq!(found.circles, [vec![1, 2]]);
        assert_eq!(found.of[0], BTreeSet::from([1]));
    }

    #[test]
    fn an_order_by_hand_wins() {
        let mut set = manifests(&[
            workload("Deployment", "api", "args: ['http://db']"),
            workload("Deployment", "db", "args: []"),
            service("db", 80),
        ]);
        assert_eq!(needs(&set, "shop").level, [1, 0, 0]);
        set[0].object["metadata"]["annotations"][WAVE_ANNOTATION] = "0".into();
        assert_eq!(needs(&set, "shop").level, [0, 0, 0]);
        set[0].object["metadata"]["annotations"] = Value::Null;
        set[1].object["metadata"]["annotations"][WAVE_ANNOTATION] = "1".into();
        assert_eq!(needs(&set, "shop").level, [0, 0, 0]);
    }
}
