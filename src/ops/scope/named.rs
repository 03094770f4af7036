//! The objects that a word names.

use futures::future::try_join_all;
use regex::Regex;
use serde_json::Value;

use super::{
    kinds::{Kind, Kinds},
    resolve::{Found, is_controlled},
};
use crate::{
    cluster::{Cluster, ListQuery, Resource},
    context::Ctx,
    error::{Error, Result},
    model::ObjectRef,
    rules::scope::{Word, near},
};

/// Where is looked: one namespace at a time.
struct Place<'a> {
    cluster: &'a Cluster,
    namespaces: &'a [String],
    kinds: Kinds,
}

/// What a word means: one object, or for an expression all whose names fit.
///
/// # Errors
/// Usage, when nothing fits, when a name means several objects, and when the kind is not one that is meant here.
pub(super) async fn named(
    ctx: &Ctx,
    cluster: &Cluster,
    namespaces: &[String],
    word: &str,
    kinds: Kinds,
) -> Result<Vec<Found>> {
    let place = Place { cluster, namespaces, kinds };
    let looking = async {
        match Word::parse(word)? {
            Word::Named { kind, name } => place.of_kind(&kind, &name).await.map(|found| vec![found]),
            Word::Name(name) => place.by_name(&name).await.map(|found| vec![found]),
            Word::Pattern(pattern) => place.by_pattern(&pattern).await,
        }
    };
    ctx.unless_cancelled("looking for what is named", looking).await
}

impl Place<'_> {
    async fn of_kind(&self, word: &str, name: &str) -> Result<Found> {
        let resource = self.cluster.named(word).await?.ok_or_else(|| {
            Error::usage(format!("{word}/{name}: the cluster has no kind {word}"))
                .hint("`kubectl api-resources` lists the kinds")
        })?;
        if !self.kinds.others && !self.kinds.has(&resource.group, &resource.kind) {
            return Err(
                Error::usage(format!("{word}/{name}: {word} cannot {}", self.kinds.done)).hint(self.kinds.words)
            );
        }
        let mut found = self.get(&resource, name).await?;
        match found.len() {
            0 | 1 => match found.pop() {
                Some(found) => Ok(found),
                None => Err(self.missing(&resource.kind, std::slice::from_ref(&resource), name).await),
            },
            _ => Err(self.several(name, &found)),
        }
    }

    async fn by_name(&self, name: &str) -> Result<Found> {
        let mut refused = None;
        for tier in self.kinds.tiers {
            let mut found = Vec::new();
            for resource in self.resources(tier).await? {
                match self.get(&resource, name).await {
                    Err(error) if error.code() == 403 => refused = refused.or(Some(error)),
                    got => found.extend(got?),
                }
            }
            if found.len() > 1 {
                return Err(self.several(name, &found));
            }
            if let Some(found) = found.pop() {
                return Ok(found);
            }
        }
        match refused {
            Some(error) => Err(error.hint(format!("name the kind too, as in deployment/{name}"))),
            None => {
                let first = self.kinds.first();
                Err(self.missing(&Kinds::names(first), &self.resources(first).await?, name).await)
            }
        }
    }

    async fn by_pattern(&self, pattern: &Regex) -> Result<Vec<Found>> {
        for tier in self.kinds.tiers {
            let mut found = Vec::new();
            for resource in self.resources(tier).await? {
                for namespace in self.places(&resource) {
                    let keep = |object: Value| {
                        let fits = pattern.is_match(&ObjectRef::of(&object).name);
                        if fits && (resource.kind == "Pod" || !is_controlled(&object)) {
                            found.push(Found { resource: resource.clone(), object });
                        }
                    };
                    let listed = self.cluster.list(&resource, namespace, &ListQuery::default(), keep).await;
                    // A kind that may not be listed is not meant.
                    if let Err(error) = listed
                        && error.code() != 403
                    {
                        return Err(error);
                    }
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Err(Error::usage(format!("no name in {} fits /{pattern}/", self.whereabouts()))
            .hint("`kubectl evolve status` shows what there is"))
    }

    async fn resources(&self, kinds: &[Kind]) -> Result<Vec<Resource>> {
        let found = try_join_all(kinds.iter().map(|(group, kind)| self.cluster.preferred(group, kind))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    fn places(&self, resource: &Resource) -> Vec<Option<&str>> {
        match resource.namespaced {
            true => self.namespaces.iter().map(|name| Some(name.as_str())).collect(),
            false => vec![None],
        }
    }

    async fn get(&self, resource: &Resource, name: &str) -> Result<Vec<Found>> {
        let places = self.places(resource);
        let asked = places.into_iter().map(|namespace| self.cluster.get(resource, namespace, name));
        let objects = try_join_all(asked).await?.into_iter().flatten();
        Ok(objects.map(|object| Found { resource: resource.clone(), object }).collect())
    }

    fn whereabouts(&self) -> String {
        self.namespaces.join(", ")
    }

    fn several(&self, name: &str, found: &[Found]) -> Error {
        let names: Vec<String> = found
            .iter()
            .map(|found| format!("{} in {}", found.reference(), found.reference().namespace.unwrap_or_default()))
            .collect();
        let kinds: Vec<String> = found.iter().map(|found| format!("`{}/{name}`", found.resource.singular)).collect();
        let same = found.windows(2).all(|pair| matches!(pair, [a, b] if a.resource == b.resource));
        let error = Error::usage(format!("{name} means several objects: {}", names.join(", ")));
        match same {
            true => error.hint("say which namespace with -n"),
            false => error.hint(format!("say which: {}", kinds.join(" or "))),
        }
    }

    /// The error for what is not there, with the names that are near to it.
    async fn missing(&self, kinds: &str, resources: &[Resource], name: &str) -> Error {
        let mut known = Vec::new();
        let query = ListQuery { metadata_only: true, ..ListQuery::default() };
        for resource in resources {
            for namespace in self.places(resource) {
                let keep = |object: Value| {
                    if !is_controlled(&object) {
                        known.push((resource.singular.clone(), ObjectRef::of(&object).name));
                    }
                };
                // Only for the hint: without it, the error is as true.
                let _ = self.cluster.list(resource, namespace, &query, keep).await;
            }
        }
        let error = Error::usage(format!("there is no {kinds} {name} in {}", self.whereabouts()));
        let near = near(name, known.iter().map(|(_, name)| name.as_str()));
        let meant: Vec<String> = known
            .iter()
            .filter(|(_, name)| near.contains(&name.as_str()))
            .map(|(kind, name)| format!("{kind}/{name}"))
            .collect();
        match (meant.is_empty(), known.is_empty()) {
            (false, _) => error.hint(format!("did you mean {}?", meant.join(" or "))),
            (true, false) => error.hint(format!("there are {}", first(&known))),
            (true, true) => error.hint("-n names another namespace; -A looks in all where a command has it"),
        }
    }
}

/// The first few names.
fn first(known: &[(String, String)]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<String> = known.iter().take(SHOWN).map(|(kind, name)| format!("{kind}/{name}")).collect();
    let more = if known.len() > SHOWN { format!(" and {} more", known.len() - SHOWN) } else { String::new() };
    names.join(", ") + &more
}
