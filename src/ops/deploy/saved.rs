//! Plans on disk: exactly what was reviewed is what is run.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{job::Job, secrets::Fresh};
use crate::{
    context::{Ctx, Environment},
    error::{Error, Place, Result},
    model::{API_VERSION, Change, DeployRequest, Manifest, ObjectRef, Origin, Plan},
};

const KIND: &str = "SavedPlan";
/// The variable with the key for the digests of secrets, where a plan is made on one machine and run on another.
pub const KEY_VARIABLE: &str = "EVOLVE_PLAN_KEY";
const KEY_FILE: &str = "plan.key";
const KEY_BYTES: usize = 32;

/// A plan as it is saved: the request, the manifests without the values of secrets, and what they would change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedPlan {
    api_version: String,
    kind: String,
    /// The API server that the plan was made for.
    pub server: String,
    pub request: DeployRequest,
    pub origin: Origin,
    pub manifests: Vec<SavedManifest>,
    pub plan: Plan,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedManifest {
    /// For a Secret, without its values.
    object: Value,
    place: Place,
    /// The keyed digest of each value of a Secret; None for a value that the deploy generates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digests: Option<BTreeMap<String, Option<String>>>,
}

impl SavedPlan {
    pub fn new(server: &str, request: DeployRequest, job: &Job, plan: Plan, key: &PlanKey) -> Self {
        Self {
            api_version: API_VERSION.into(),
            kind: KIND.into(),
            server: server.into(),
            request,
            origin: job.origin.clone(),
            manifests: job.manifests.iter().map(|manifest| SavedManifest::new(manifest, &job.fresh, key)).collect(),
            plan,
        }
    }

    /// Writes the plan so that a reader sees all of it or nothing.
    pub fn write(&self, file: &Path) -> Result<()> {
        let unwritten = |cause: std::io::Error| {
            Error::failed(format!("the plan cannot be written to {}", file.display())).because(cause)
        };
        let part = file.with_extension(format!("{}.part", std::process::id()));
        let text = serde_json::to_vec_pretty(self).map_err(|cause| unwritten(cause.into()))?;
        fs::write(&part, text).map_err(unwritten)?;
        fs::rename(&part, file).map_err(unwritten)
    }

    /// # Errors
    /// Usage, when the file cannot be read or is no plan of this version.
    pub fn read(file: &Path) -> Result<Self> {
        let wrong = |cause: String| {
            Error::usage(format!("{} is no plan: {cause}", file.display()))
                .hint("`kubectl evolve plan --out FILE` makes one")
        };
        let text = fs::read(file).map_err(|cause| wrong(cause.to_string()))?;
        let saved: Self = serde_json::from_slice(&text).map_err(|cause| wrong(cause.to_string()))?;
        if saved.kind != KIND || saved.api_version != API_VERSION {
            return Err(wrong(format!("it is a {} of {}", saved.kind, saved.api_version)));
        }
        Ok(saved)
    }

    /// The manifests to apply: as planned, with the values of secrets from `read_again`, which have to be the same.
    pub fn manifests(&self, read_again: &[Manifest], key: &PlanKey) -> Result<Vec<Manifest>> {
        self.manifests.iter().map(|saved| saved.restore(read_again, key)).collect()
    }

    /// Refuses when the changes now are not those that were planned.
    pub fn check_unmoved(&self, changes: &[Change]) -> Result<()> {
        let moved: Vec<String> = self
            .plan
            .changes
            .iter()
            .filter(|planned| !changes.contains(planned))
            .map(|planned| planned.object.to_string())
            .chain(
                changes
                    .iter()
                    .filter(|change| !self.plan.changes.iter().any(|planned| planned.object == change.object))
                    .map(|change| change.object.to_string()),
            )
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        Err(Error::failed(format!("the cluster has moved since the plan was made: {}", moved.join(", ")))
            .hint("make a new plan and review it; nothing was changed"))
    }
}

impl SavedManifest {
    fn new(manifest: &Manifest, fresh: &[Fresh], key: &PlanKey) -> Self {
        let mut object = manifest.object.clone();
        let reference = &manifest.reference;
        let digest = |(name, value): (&String, &Value)| {
            let is_fresh = fresh.iter().any(|(secret, key)| secret == reference && key == name);
            (name.clone(), (!is_fresh).then(|| key.digest(reference, name, value)))
        };
        let digests = values_of(reference, &mut object).map(|values| values.iter().map(digest).collect());
        Self { object, place: manifest.place.clone(), digests }
    }

    fn restore(&self, read_again: &[Manifest], key: &PlanKey) -> Result<Manifest> {
        let reference = ObjectRef::of(&self.object);
        let mut object = self.object.clone();
        if let Some(digests) = &self.digests {
            let again = read_again.iter().find(|manifest| manifest.reference.identity() == reference.identity());
            let values =
                again.and_then(|manifest| values_of(&reference, &mut manifest.object.clone())).unwrap_or_default();
            let same = |(name, digest): (&String, &Option<String>)| {
                let value = values.get(name);
                value.is_some_and(|value| {
                    digest.as_ref().is_none_or(|digest| *digest == key.digest(&reference, name, value))
                })
            };
            if values.len() != digests.len() || !digests.iter().all(same) {
                return Err(Error::failed(format!("the values of {reference} are not those of the plan"))
                    .at(self.place.clone())
                    .hint("make a new plan, or give the same values again; nothing was changed")
                    .hint(format!(
                        "on another machine, {KEY_VARIABLE} must hold the key that the plan was made with"
                    )));
            }
            object["data"] = Value::Object(values);
        }
        Ok(Manifest { reference, object, place: self.place.clone() })
    }
}

/// Takes the values out of a Secret.
fn values_of(reference: &ObjectRef, object: &mut Value) -> Option<Map<String, Value>> {
    let is_secret = reference.kind == "Secret" && reference.group().is_empty();
    let values = object.as_object_mut().filter(|_| is_secret)?.remove("data");
    Some(match values {
        Some(Value::Object(values)) => values,
        _ => Map::new(),
    })
}

/// The key of the digests. Without it, a digest of a short secret could be guessed by trying.
pub(crate) struct PlanKey(Vec<u8>);

impl PlanKey {
    /// The key in the environment, else that of this user, which is made at the first plan.
    ///
    /// # Errors
    /// When there is no place to keep a key.
    pub fn of(ctx: &Ctx) -> Result<Self> {
        if let Some(key) = ctx.environment.variables.get(KEY_VARIABLE).filter(|key| !key.is_empty()) {
            return Ok(Self(key.clone().into_bytes()));
        }
        let file = key_file(&ctx.environment)?;
        if let Ok(key) = fs::read(&file) {
            return Ok(Self(key));
        }
        let mut key = vec![0; KEY_BYTES];
        getrandom::fill(&mut key)
            .map_err(|cause| Error::failed("the system gives no random numbers").because(cause))?;
        keep(&file, &key).map_err(|cause| {
            Error::failed(format!("the key of plans cannot be kept in {}", file.display()))
                .because(cause)
                .hint(format!("set {KEY_VARIABLE} to a secret of your own instead"))
        })?;
        Ok(Self(key))
    }

    fn digest(&self, object: &ObjectRef, name: &str, value: &Value) -> String {
        // A key of any length is taken, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(
            format!("{}\0{}\0{name}\0{value}", object.namespace.as_deref().unwrap_or_default(), object.name).as_bytes(),
        );
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn key_file(environment: &Environment) -> Result<PathBuf> {
    environment.state.as_ref().map(|folder| folder.join(KEY_FILE)).ok_or_else(|| {
        Error::failed("there is no home folder to keep the key of plans in").hint(format!("set {KEY_VARIABLE}"))
    })
}

/// Writes a file that only its owner can read, from its first moment on.
fn keep(file: &Path, key: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(file)?.write_all(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(password: &str) -> Manifest {
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"},
            "data": {"password": password}
        });
        Manifest { reference: ObjectRef::of(&object), object, place: Place::default() }
    }

    #[test]
    fn a_plan_holds_no_value_and_knows_another_one() {
        let key = PlanKey(b"key".to_vec());
        let saved = SavedManifest::new(&manifest("aHVudGVyMg=="), &[], &key);
        let text = serde_json::to_string(&saved).unwrap();
        assert!(!text.contains("aHVudGVyMg=="), "{text}");
        assert_eq!(saved.restore(&[manifest("aHVudGVyMg==")], &key).unwrap(), manifest("aHVudGVyMg=="));
        assert!(saved.restore(&[manifest("b3RoZXI=")], &key).is_err());
        assert!(saved.restore(&[], &key).is_err());
        let fresh = [(manifest("").reference, "password".to_owned())];
        let generated = SavedManifest::new(&manifest("bm93"), &fresh, &key);
        assert_eq!(generated.restore(&[manifest("bGF0ZXI=")], &key).unwrap(), manifest("bGF0ZXI="));
        assert!(saved.restore(&[manifest("aHVudGVyMg==")], &PlanKey(b"other".to_vec())).is_err());
    }
}
