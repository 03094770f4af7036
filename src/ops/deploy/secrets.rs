//! The Secrets that the configuration asks for: from the environment, from files, or generated once and kept.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    cluster::{Cluster, Resource},
    config::{Config, Generator, Secret, SecretKey, SecretSource},
    context::{Ctx, Environment},
    error::{Error, Result},
    model::{Manifest, ObjectRef},
    rules::prune::GENERATED,
};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A Secret and a key of it whose value was generated just now.
pub(crate) type Fresh = (ObjectRef, String);

/// The Secrets of the configuration.
#[derive(Default)]
pub(crate) struct Made {
    pub manifests: Vec<Manifest>,
    pub fresh: Vec<Fresh>,
}

/// The manifests of all Secrets. Nothing is written here: a generated value is kept by being applied, and read again
/// by the next deploy.
///
/// # Errors
/// Usage, naming every variable and file that is missing; never a value.
pub(crate) async fn manifests(ctx: &Ctx, cluster: &Cluster, config: &Config, namespace: &str) -> Result<Made> {
    let mut missing = Vec::new();
    let mut made = Made::default();
    for (index, secret) in config.settings.secrets.iter().enumerate() {
        let namespace = secret.namespace.as_deref().unwrap_or(namespace);
        let kept = kept(cluster, secret, namespace).await?;
        let mut data = Map::new();
        let mut fresh = Vec::new();
        for (key, source) in &secret.keys {
            match value(&ctx.environment, key, source, &kept)? {
                Found::Value(value) => {
                    data.insert(key.clone(), STANDARD.encode(value).into());
                }
                Found::Generated(value) => {
                    data.insert(key.clone(), STANDARD.encode(value).into());
                    fresh.push(key.clone());
                }
                Found::Kept(encoded) => {
                    data.insert(key.clone(), encoded.into());
                }
                Found::LeftOut => {}
                Found::Missing(what) => missing.push(format!("{key} of secret/{} needs {what}", secret.name)),
            }
        }
        let mut metadata = json!({"name": secret.name, "namespace": namespace});
        if is_generated(secret) {
            metadata["annotations"] = json!({GENERATED: "true"});
        }
        let object =
            json!({"apiVersion": "v1", "kind": "Secret", "type": secret.type_, "metadata": metadata, "data": data});
        let place = config.place(&format!("secrets[{index}].name"));
        let reference = ObjectRef::of(&object);
        made.fresh.extend(fresh.into_iter().map(|key| (reference.clone(), key)));
        made.manifests.push(Manifest { reference, object, place });
    }
    if missing.is_empty() {
        return Ok(made);
    }
    Err(Error::usage(missing.join("; "))
        .at(config.place("secrets"))
        .hint("set the variable or write the file; nothing was applied"))
}

/// Whether a value in it is made up at the first deploy.
fn is_generated(secret: &Secret) -> bool {
    secret.keys.values().any(|key| matches!(key.source, SecretSource::Generate { .. }))
}

/// The values in the cluster, for keys that are generated once.
async fn kept(cluster: &Cluster, secret: &Secret, namespace: &str) -> Result<Map<String, Value>> {
    let resource = if is_generated(secret) { cluster.resource("v1", "Secret").await? } else { None };
    let Some(resource) = resource else { return Ok(Map::new()) };
    let live = cluster.get(&resource, Some(namespace), &secret.name).await?;
    let data = live.and_then(|mut live| live.get_mut("data").map(Value::take));
    Ok(match data {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    })
}

/// Puts the values that the cluster has by now in the place of those that were just generated: whoever holds the lock
/// asks again, because another deploy may have been the first.
pub(crate) async fn keep_first(cluster: &Cluster, fresh: &[Fresh], manifests: &mut [Manifest]) -> Result<()> {
    for (reference, key) in fresh {
        let live = cluster.get(&Resource::secrets(), reference.namespace.as_deref(), &reference.name).await?;
        let Some(value) = live.and_then(|live| live["data"].get(key).cloned()) else { continue };
        let ours = manifests.iter_mut().find(|manifest| manifest.reference.identity() == reference.identity());
        if let Some(manifest) = ours {
            manifest.object["data"][key] = value;
        }
    }
    Ok(())
}

enum Found {
    Value(Vec<u8>),
    /// Made just now.
    Generated(Vec<u8>),
    /// From the cluster, in base64.
    Kept(String),
    LeftOut,
    Missing(String),
}

fn value(environment: &Environment, key: &str, source: &SecretKey, kept: &Map<String, Value>) -> Result<Found> {
    let found = match &source.source {
        SecretSource::Env(name) => match environment.variables.get(name).filter(|value| !value.is_empty()) {
            Some(value) => Found::Value(value.clone().into_bytes()),
            None => Found::Missing(format!("the environment variable {name}")),
        },
        SecretSource::File(path) => match std::fs::read(environment.folder.join(path)) {
            Ok(value) => Found::Value(value),
            Err(cause) => Found::Missing(format!("the file {} ({cause})", path.display())),
        },
        SecretSource::Generate { kind, length } => match kept.get(key).and_then(Value::as_str) {
            Some(encoded) => Found::Kept(encoded.to_owned()),
            None => Found::Generated(generate(*kind, *length)?.into_bytes()),
        },
    };
    Ok(match found {
        Found::Missing(_) if source.optional => Found::LeftOut,
        found => found,
    })
}

fn generate(kind: Generator, length: u32) -> Result<String> {
    let length = length as usize;
    Ok(match kind {
        Generator::Password => password(length)?,
        Generator::Hex => {
            let digits: String = random(length.div_ceil(2))?.iter().map(|byte| format!("{byte:02x}")).collect();
            digits.chars().take(length).collect()
        }
        Generator::Uuid => uuid(&random(16)?),
    })
}

/// Every letter is equally likely: bytes that would favour the first ones are dropped.
fn password(length: usize) -> Result<String> {
    let fair = u8::MAX - u8::MAX % LETTERS.len() as u8;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let letters = random(length)?.into_iter().filter(|byte| *byte < fair);
        let letters = letters.filter_map(|byte| LETTERS.get(usize::from(byte) % LETTERS.len()));
        text.extend(letters.take(length - text.len()).map(|byte| char::from(*byte)));
    }
    Ok(text)
}

/// A random UUID (RFC 9562, version 4).
fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        let byte = match position {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn random(length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|cause| Error::failed("the system gives no random numbers").because(cause))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_values_have_their_form() {
        let password = generate(Generator::Password, 24).unwrap();
        assert!(password.len() == 24 && password.bytes().all(|byte| LETTERS.contains(&byte)));
        assert_ne!(password, generate(Generator::Password, 24).unwrap());
        assert_eq!(generate(Generator::Hex, 7).unwrap().len(), 7);
        assert_eq!(uuid(&[0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn a_value_that_was_generated_is_kept() {
        let key =
            SecretKey { source: SecretSource::Generate { kind: Generator::Password, length: 8 }, optional: false };
        let kept = Map::from_iter([("PASSWORD".to_owned(), json!("a2VwdA=="))]);
        assert!(
            matches!(value(&Environment::default(), "PASSWORD", &key, &kept), Ok(Found::Kept(text)) if text == "a2VwdA==")
        );
    }

    #[test]
    fn a_missing_variable_is_named_unless_it_is_optional() {
        let mut key = SecretKey { source: SecretSource::Env("TOKEN".into()), optional: false };
        let found = value(&Environment::default(), "TOKEN", &key, &Map::new());
        assert!(matches!(found, Ok(Found::Missing(text)) if text.contains("TOKEN")));
        key.optional = true;
        assert!(matches!(value(&Environment::default(), "TOKEN", &key, &Map::new()), Ok(Found::LeftOut)));
    }
}
