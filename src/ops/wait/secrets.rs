//! The values that must not be shown: those of the Secrets that the targets refer to.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};

use super::{WaitRequest, run::ASIDE};
use crate::{
    cluster::{Cluster, Resource},
    model::Manifest,
    rules::{manifests::Set, prune::some_of, redact::Redactor},
};

/// Requests sent at once; the client bounds them too.
const SIDE_BY_SIDE: usize = 16;

/// Reads the Secrets that the watched targets refer to and that the redactor does not know. What may not be read, or
/// does not come in time, is said.
pub(super) async fn learn_secrets(cluster: &Cluster, request: &mut WaitRequest, open: &[usize]) -> Option<String> {
    let wanted = referred(request, open);
    let resource = Resource::secrets();
    let reading = stream::iter(wanted).map(|(namespace, name)| {
        let resource = &resource;
        async move {
            let read = tokio::time::timeout(ASIDE, cluster.get(resource, Some(&namespace), &name)).await;
            (name, read.ok().and_then(Result::ok))
        }
    });
    let mut reading = reading.buffer_unordered(SIDE_BY_SIDE);
    let mut unread = Vec::new();
    while let Some((name, read)) = reading.next().await {
        match read {
            Some(found) => request.redactor.learn(Redactor::of_secrets(&found)),
            None => unread.push(format!("secret/{name}")),
        }
    }
    // Names are there for everybody to read, and an answer without them would tell nothing.
    request.redactor.spare(&public_words(request));
    unread.sort();
    let unknown = || format!("the values of {} could not be read, so they are not masked in logs", some_of(&unread));
    (!unread.is_empty()).then(unknown)
}

/// The names of the targets, of their namespaces, containers and images.
fn public_words(request: &WaitRequest) -> String {
    let mut words = Vec::new();
    for target in &request.targets {
        let reference = target.reference();
        words.extend([reference.name, reference.namespace.unwrap_or_default()]);
        let spec = &target.object["spec"];
        for pod in [spec, &spec["template"]["spec"], &spec["jobTemplate"]["spec"]["template"]["spec"]] {
            let lists = ["initContainers", "containers"].into_iter().filter_map(|field| pod[field].as_array());
            let texts = lists.flatten().flat_map(|container| [&container["name"], &container["image"]]);
            words.extend(texts.filter_map(|text| text.as_str()).map(str::to_owned));
        }
    }
    words.join(" ")
}

/// The namespaces and names of the Secrets that pods of the watched targets use.
fn referred(request: &WaitRequest, open: &[usize]) -> BTreeSet<(String, String)> {
    let manifest = |index: &usize| {
        let target = request.targets.get(*index)?;
        Some(Manifest { object: target.object.clone(), reference: target.reference(), place: Default::default() })
    };
    let manifests: Vec<Manifest> = open.iter().filter_map(manifest).collect();
    let set = Set::new(&manifests, "");
    let secrets = set.references.into_iter().map(|reference| reference.target).filter(|target| target.kind == "Secret");
    let names = secrets.filter_map(|secret| Some((secret.namespace?, secret.name)));
    names.filter(|name| !request.known_secrets.contains(name)).collect()
}
