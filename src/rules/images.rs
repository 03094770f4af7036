//! Images that a revision ran: whether their names mean the same now, and how they are held to what they meant.

use serde_json::Value;

use crate::model::{ImageUse, Manifest};

/// How much of a digest is told.
const SHOWN: usize = "sha256:".len() + 12;

/// The names that meant another image then than they mean now, in words.
pub fn moved(then: &[ImageUse], now: &[ImageUse]) -> Vec<String> {
    let moved = |then: &ImageUse| {
        let was = then.digest.as_ref()?;
        let digests: Vec<&String> =
            now.iter().filter(|now| now.image == then.image).filter_map(|now| now.digest.as_ref()).collect();
        let is = digests.first().filter(|_| !digests.contains(&was))?;
        let (is, was) = (short(is), short(was));
        Some(format!("the image {} has moved: it ran as {was} then, and is {is} now", then.image))
    };
    then.iter().filter_map(moved).collect()
}

fn short(digest: &str) -> &str {
    digest.get(..SHOWN).unwrap_or(digest)
}

/// Writes beside the name of each image the digest that it had. Returns the images of which none is known, or none
/// that a registry has.
pub fn pin(manifests: &mut [Manifest], then: &[ImageUse]) -> Vec<String> {
    let mut unknown = Vec::new();
    manifests.iter_mut().for_each(|manifest| pin_in(&mut manifest.object["spec"], then, &mut unknown));
    unknown.sort();
    unknown.dedup();
    unknown
}

fn pin_in(value: &mut Value, then: &[ImageUse], unknown: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        match value {
            Value::Array(containers) if matches!(key.as_str(), "containers" | "initContainers") => {
                for image in containers.iter_mut().filter_map(|container| container.get_mut("image")) {
                    let name = image.as_str().unwrap_or_default().to_owned();
                    if name.is_empty() || name.contains('@') {
                        continue;
                    }
                    let ran = then.iter().find(|ran| ran.image == name && !ran.only_on_node);
                    match ran.and_then(|ran| ran.digest.as_ref()) {
                        Some(digest) => *image = format!("{name}@{digest}").into(),
                        None => unknown.push(name),
                    }
                }
            }
            Value::Object(_) => pin_in(value, then, unknown),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::ObjectRef;

    fn ran(image: &str, digest: &str) -> ImageUse {
        ImageUse { image: image.into(), digest: Some(format!("sha256:{digest}")), only_on_node: false }
    }

    #[test]
    fn a_name_that_means_another_image_is_told() {
        let then = [ran("api:1", "a"), ran("web:1", "a"), ran("db:1", "0123456789abcdef"), ImageUse::default()];
        let now = [ran("api:1", "a"), ran("db:1", "b"), ran("new:1", "c")];
        let told = "the image db:1 has moved: it ran as sha256:0123456789ab then, and is sha256:b now";
        assert_eq!(moved(&then, &now), [told]);
    }

    #[test]
    fn images_are_held_to_their_digests() {
        let object = json!({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": {
            "initContainers": [{"image": "old:1"}, {"image": "local:1"}],
            "containers": [{"image": "api:1"}, {"image": "held:1@sha256:f"}, {}]}}}}}});
        let mut manifests = [Manifest { reference: ObjectRef::of(&object), object, place: Default::default() }];
        let local = ImageUse { only_on_node: true, ..ran("local:1", "e") };
        assert_eq!(pin(&mut manifests, &[ran("api:1", "a"), local]), ["local:1", "old:1"]);
        let pod = &manifests[0].object["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        assert_eq!(pod["containers"][0]["image"], "api:1@sha256:a");
        assert_eq!(pod["containers"][1]["image"], "held:1@sha256:f");
        assert_eq!(pod["initContainers"][1]["image"], "local:1");
    }
}
