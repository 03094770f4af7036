//! Revisions, kept as Secrets in the application's namespace.
//!
//! The Secret `evolve.<app>.v<N>` holds the revision and its manifests as compressed JSON; manifests too large for one
//! object go on in `evolve.<app>.v<N>.1` and so on. Labels and one annotation repeat what a listing shows, so that
//! listing reads metadata only.

use std::io::{BufWriter, Read};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    cluster::{ApplyMode, Cluster, DeleteOptions, ListQuery, Resource},
    error::{Error, Place, Result},
    model::{ImageUse, Manifest, ObjectRef, Outcome, Revision, RevisionSummary},
    rules::{
        applyset::{self, APPLICATION},
        history::{self as rules, REVISION},
    },
};

const TYPE: &str = "evolve/revision.v1";
const OUTCOME: &str = "evolve/outcome";
const PART: &str = "evolve/part";
const SUMMARY: &str = "evolve/summary";
/// Compressed bytes in one Secret, which may hold 1 MiB with everything around.
const PART_SIZE: usize = 700 * 1024;
/// Compressed bytes of the revision itself, beside the first part of its manifests.
const RECORD_SIZE: usize = 300 * 1024;
/// So many failures are recorded of a deploy that is too large to record them all.
const LARGEST_EVIDENCE: usize = 20;
/// A revision that decompresses to more is not one of ours.
const LARGEST: u64 = 512 * 1024 * 1024;
/// Bytes that are compressed at once.
const WRITTEN_AT_ONCE: usize = 64 * 1024;
/// How often a number that another took first is counted up.
const NUMBERS: usize = 10;

/// The revisions of one application.
pub struct History<'c> {
    cluster: &'c Cluster,
    secrets: Resource,
    application: String,
    namespace: String,
}

/// Manifests as a revision keeps them, compressed.
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs manifests; the label that makes them members of a set is left out again when they are read.
    pub fn of<'m>(manifests: impl IntoIterator<Item = &'m Manifest>) -> Result<Self> {
        let objects: Vec<_> = manifests.into_iter().map(|manifest| (&manifest.object, &manifest.place)).collect();
        pack(&objects).map(Self)
    }
}

/// A listed Secret: its name and what its metadata says.
struct Entry {
    name: String,
    number: u64,
    /// None for a part.
    summary: Option<RevisionSummary>,
}

impl<'c> History<'c> {
    pub fn of(cluster: &'c Cluster, application: &str, namespace: &str) -> Self {
        Self { cluster, secrets: Resource::secrets(), application: application.into(), namespace: namespace.into() }
    }

    fn name(&self, number: u64) -> String {
        format!("evolve.{}.v{number}", self.application)
    }

    async fn entries(&self) -> Result<Vec<Entry>> {
        let labels = Some(format!("{APPLICATION}={},{REVISION}", self.application));
        let query = ListQuery { labels, metadata_only: true, ..ListQuery::default() };
        let mut entries = Vec::new();
        let each = |object: Value| {
            let metadata = &object["metadata"];
            let number = metadata["labels"][REVISION].as_str().and_then(|text| text.parse().ok());
            if let (Some(number), Some(name)) = (number, metadata["name"].as_str()) {
                let summary =
                    metadata["annotations"][SUMMARY].as_str().and_then(|text| serde_json::from_str(text).ok());
                entries.push(Entry { name: name.into(), number, summary });
            }
        };
        self.cluster.list(&self.secrets, Some(&self.namespace), &query, each).await?;
        entries.sort_by_key(|entry| entry.number);
        Ok(entries)
    }

    /// All revisions in a line each, the oldest first.
    pub async fn list(&self) -> Result<Vec<RevisionSummary>> {
        Ok(self.entries().await?.into_iter().filter_map(|entry| entry.summary).collect())
    }

    /// One revision.
    ///
    /// # Errors
    /// Usage, when there is none of the number.
    pub async fn revision(&self, number: u64) -> Result<Revision> {
        let secret = self.read(&self.name(number)).await?;
        let secret = secret.ok_or_else(|| {
            Error::usage(format!("{} has no revision {number} in namespace {}", self.application, self.namespace))
                .hint("`kubectl evolve history` lists the revisions")
        })?;
        unpack(&bytes_of(&secret, "revision"))
    }

    /// The manifests of a revision, those of Secrets with their values.
    pub async fn manifests(&self, number: u64) -> Result<Vec<Manifest>> {
        let name = self.name(number);
        let mut packed = Vec::new();
        let first = self.read(&name).await?.ok_or_else(|| incomplete(number, &name))?;
        packed.extend(bytes_of(&first, "manifests"));
        let parts: usize =
            first["metadata"]["annotations"][PART].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        for part in 1..=parts {
            let name = format!("{name}.{part}");
            let secret = self.read(&name).await?.ok_or_else(|| incomplete(number, &name))?;
            packed.extend(bytes_of(&secret, "manifests"));
        }
        let objects: Vec<(Value, Place)> = unpack(&packed)?;
        let manifest = |(mut object, place): (Value, Place)| {
            applyset::unlabel_member(&mut object);
            Manifest { reference: ObjectRef::of(&object), object, place }
        };
        Ok(objects.into_iter().map(manifest).collect())
    }

    async fn read(&self, name: &str) -> Result<Option<Value>> {
        self.cluster.get(&self.secrets, Some(&self.namespace), name).await
    }

    /// Records a revision as begun, under the next number. The caller holds the lock, so one that is still pending was
    /// killed, and is recorded as interrupted.
    pub async fn begin(
        &self,
        known: &[RevisionSummary],
        mut revision: Revision,
        manifests: &Packed,
    ) -> Result<Revision> {
        for killed in known.iter().filter(|summary| summary.outcome == Outcome::Pending) {
            let mut killed = self.revision(killed.number).await?;
            killed.summary.outcome = Outcome::Interrupted;
            self.store(&killed).await?;
        }
        let parts: Vec<&[u8]> = manifests.0.chunks(PART_SIZE).collect();
        let mut number = known.last().map_or(1, |newest| newest.number + 1);
        for _ in 0..NUMBERS {
            revision.summary.number = number;
            let name = self.name(number);
            let mut secret = self.secret(&name, number);
            let first = parts.first().copied().unwrap_or_default();
            secret["data"] = json!({"manifests": STANDARD.encode(first)});
            merge(&mut secret, self.record(&revision)?);
            secret["metadata"]["annotations"][PART] = (parts.len().max(1) - 1).to_string().into();
            match self.cluster.create(&self.secrets, &secret).await {
                Ok(_) => {}
                Err(error) if error.code() == 409 => {
                    number += 1;
                    continue;
                }
                Err(error) => return Err(error.context("recording the revision")),
            }
            // Only who has the number writes its parts. Without them, the revision cannot be gone back to.
            for (index, part) in parts.iter().enumerate().skip(1) {
                let mut secret = self.secret(&format!("{name}.{index}"), number);
                secret["data"] = json!({"manifests": STANDARD.encode(part)});
                self.cluster.apply(&self.secrets, &secret, ApplyMode { dry_run: false, force: true }).await?;
            }
            return Ok(revision);
        }
        Err(Error::failed(format!("the revisions up to {number} exist already, though they were not listed")))
    }

    /// Writes down how a revision ended.
    pub async fn store(&self, revision: &Revision) -> Result<()> {
        let name = self.name(revision.summary.number);
        self.cluster.patch(&self.secrets, Some(&self.namespace), &name, &self.record(revision)?).await.map(|_| ())
    }

    /// Drops all but the newest `keep` revisions, and never the newest that was deployed.
    pub async fn trim(&self, keep: usize) -> Result<()> {
        let entries = self.entries().await?;
        let summaries: Vec<RevisionSummary> = entries.iter().filter_map(|entry| entry.summary.clone()).collect();
        let surplus = rules::surplus(&summaries, keep);
        // Parts of a revision that is not listed are what a killed deploy or trim left.
        let is_known = |number| summaries.iter().any(|summary| summary.number == number);
        let old = entries.iter().filter(|entry| surplus.contains(&entry.number) || !is_known(entry.number));
        for entry in old {
            self.cluster.delete(&self.secrets, Some(&self.namespace), &entry.name, &DeleteOptions::default()).await?;
        }
        Ok(())
    }

    /// Drops all revisions.
    pub async fn forget(&self) -> Result<()> {
        for entry in self.entries().await? {
            self.cluster.delete(&self.secrets, Some(&self.namespace), &entry.name, &DeleteOptions::default()).await?;
        }
        Ok(())
    }

    fn secret(&self, name: &str, number: u64) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": TYPE,
            "metadata": {
                "name": name, "namespace": self.namespace,
                "labels": {APPLICATION: self.application, REVISION: number.to_string()},
            },
        })
    }

    /// The fields that change when a revision ends.
    fn record(&self, revision: &Revision) -> Result<Value> {
        let summary = serde_json::to_string(&revision.summary)
            .map_err(|cause| Error::failed("a revision cannot be written as JSON").because(cause))?;
        Ok(json!({
            "metadata": {
                "labels": {OUTCOME: revision.summary.outcome.word()},
                "annotations": {SUMMARY: summary},
            },
            "data": {"revision": STANDARD.encode(fitted(revision)?)},
        }))
    }
}

/// The images of all workloads among the manifests.
pub fn images<'m>(manifests: impl IntoIterator<Item = &'m Manifest>) -> Vec<ImageUse> {
    let mut images = Vec::new();
    manifests.into_iter().for_each(|manifest| collect_images(&manifest.object["spec"], &mut images));
    images.sort();
    images.dedup();
    images
}

fn collect_images(value: &Value, images: &mut Vec<ImageUse>) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        match value {
            Value::Array(containers) if matches!(key.as_str(), "containers" | "initContainers") => {
                let named = containers.iter().filter_map(|container| container["image"].as_str());
                images.extend(named.map(|image| ImageUse { image: image.into(), ..ImageUse::default() }));
            }
            Value::Object(_) => collect_images(value, images),
            _ => {}
        }
    }
}

/// The packed revision, without what makes it too large: the values of changed fields first, then the fields.
fn fitted(revision: &Revision) -> Result<Vec<u8>> {
    let packed = pack(revision)?;
    if packed.len() <= RECORD_SIZE {
        return Ok(packed);
    }
    let mut short = revision.clone();
    short.plan.warnings.push("the values of the changed fields are left out here: they are too large".into());
    for field in short.plan.changes.iter_mut().flat_map(|change| &mut change.fields) {
        (field.old, field.new) = (None, None);
    }
    let packed = pack(&short)?;
    if packed.len() <= RECORD_SIZE {
        return Ok(packed);
    }
    short.plan.changes.iter_mut().for_each(|change| change.fields.clear());
    short.evidence.truncate(LARGEST_EVIDENCE);
    pack(&short)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert_with(|| Map::new().into()), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn incomplete(number: u64, name: &str) -> Error {
    Error::failed(format!("revision {number} is incomplete: secret/{name} is not there"))
        .hint("`kubectl evolve history` lists the others")
}

fn bytes_of(secret: &Value, key: &str) -> Vec<u8> {
    secret["data"][key].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default()
}

fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let unwritten = |cause: std::io::Error| Error::failed("a revision cannot be compressed").because(cause);
    // The serializer writes a few bytes at a time, and each write to the encoder is costly.
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut buffered = BufWriter::with_capacity(WRITTEN_AT_ONCE, encoder);
    serde_json::to_writer(&mut buffered, value).map_err(|cause| unwritten(cause.into()))?;
    let encoder = buffered.into_inner().map_err(|broken| unwritten(broken.into_error()))?;
    encoder.finish().map_err(unwritten)
}

fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut text = Vec::new();
    let broken =
        || Error::failed("a revision is damaged: it cannot be read").hint("`kubectl evolve history` lists the others");
    GzDecoder::new(bytes).take(LARGEST).read_to_end(&mut text).map_err(|cause| broken().because(cause))?;
    serde_json::from_slice(&text).map_err(|cause| broken().because(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, Change, FieldChange};

    #[test]
    fn a_revision_survives_its_packing() {
        let revision = Revision { application: "shop".into(), ..Revision::default() };
        assert_eq!(unpack::<Revision>(&pack(&revision).unwrap()).unwrap(), revision);
        assert!(unpack::<Revision>(b"broken").is_err());
    }

    #[test]
    fn a_revision_that_is_too_large_loses_values_and_keeps_its_objects() {
        let mut state = 7_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_string()
        };
        let mut revision = Revision::default();
        for name in 0..200 {
            let value: String = (0..500).map(|_| noise()).collect();
            let field = FieldChange { path: "data.key".into(), old: None, new: Some(value.into()) };
            let object = ObjectRef { kind: "ConfigMap".into(), name: name.to_string(), ..ObjectRef::default() };
            revision.plan.changes.push(Change {
                object,
                action: Action::Change,
                wave: 0,
                fields: vec![field],
                conflicts: Vec::new(),
                reason: None,
                blocked: None,
                live: String::new(),
            });
        }
        assert!(pack(&revision).unwrap().len() > RECORD_SIZE);
        let fitted: Revision = unpack(&fitted(&revision).unwrap()).unwrap();
        assert_eq!(fitted.plan.changes.len(), 200);
        assert_eq!(fitted.plan.changes[0].fields[0].new, None);
        assert!(fitted.plan.warnings[0].contains("left out"));
    }

    #[test]
    fn images_are_found_wherever_a_kind_has_its_pods() {
        let manifest = |spec: Value| {
            let object = json!({"kind": "X", "spec": spec});
            Manifest { reference: ObjectRef::of(&object), object, place: Place::default() }
        };
        let pod = json!({"containers": [{"image": "b"}], "initContainers": [{"image": "a"}]});
        let found = images(&[
            manifest(pod.clone()),
            manifest(json!({"jobTemplate": {"spec": {"template": {"spec": pod}}}})),
            manifest(json!({"template": {"spec": {"containers": [{"image": "c"}]}}})),
        ]);
        let names: Vec<&str> = found.iter().map(|image| image.image.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
