//! Objects that the API server or its storage refuses for their size.

use serde_json::{Map, Value};

use super::rule::{Check, Context, Findings, Rule};
use crate::{
    model::{FieldPath, Severity},
    schema::scalar::base64_length,
};

pub(super) static RULE: Rule = Rule {
    code: "object-too-large",
    severity: Severity::Error,
    summary: "An object is larger than Kubernetes stores",
    help: "A ConfigMap or Secret holds 1 MiB, all annotations of an object 256 KiB, and the storage takes requests of 1.5 MiB. Put large files into an image or a volume.",
    check: Check::Set(check),
};

const DATA: usize = 1 << 20;
const ANNOTATIONS: usize = 256 << 10;
const STORED: usize = 3 << 19;
const REQUEST: usize = 3 << 20;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (index, manifest) in context.set.manifests.iter().enumerate() {
        // Every value's text is a part of the object's: an object that is small as a whole needs no second look.
        let size = size(&manifest.object);
        if size <= ANNOTATIONS {
            continue;
        }
        let annotations = manifest.object["metadata"]["annotations"].as_object();
        let annotations = entries(annotations, |text| Some(text.len())) + keys(annotations);
        let data = match (manifest.reference.api_version.as_str(), manifest.reference.kind.as_str()) {
            ("v1", "ConfigMap" | "Secret") => data(&manifest.object),
            _ => 0,
        };
        let mut add = |path: FieldPath, what: &str, size: usize, limit: usize| {
            let message = format!("{what} {} KiB large, and {} KiB is the limit", size.div_ceil(1024), limit >> 10);
            let severity = if limit == STORED { Severity::Warning } else { Severity::Error };
            findings.add(index, path, message).severity(severity);
        };
        if data > DATA {
            add(FieldPath::default().key("data"), "the data is", data, DATA);
        } else if annotations > ANNOTATIONS {
            let path = FieldPath::default().key("metadata").key("annotations");
            add(path, "the annotations are together", annotations, ANNOTATIONS);
        } else if size > REQUEST {
            add(FieldPath::default(), "the object is", size, REQUEST);
        } else if size > STORED {
            add(FieldPath::default(), "the object is as JSON", size, STORED);
        }
    }
}

fn data(object: &Value) -> usize {
    let plain = |text: &str| Some(text.len());
    match object["kind"].as_str() {
        Some("ConfigMap") => {
            entries(object["data"].as_object(), plain) + entries(object["binaryData"].as_object(), base64_length)
        }
        _ => entries(object["data"].as_object(), base64_length) + entries(object["stringData"].as_object(), plain),
    }
}

fn entries(map: Option<&Map<String, Value>>, length: impl Fn(&str) -> Option<usize>) -> usize {
    map.into_iter().flatten().filter_map(|(_, value)| length(value.as_str()?)).sum()
}

fn keys(map: Option<&Map<String, Value>>) -> usize {
    map.into_iter().flatten().map(|(key, _)| key.len()).sum()
}

/// About how many bytes a value takes as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 3,
        Value::Array(items) => 2 + items.iter().map(size).sum::<usize>(),
        Value::Object(entries) => 2 + entries.iter().map(|(key, value)| key.len() + 4 + size(value)).sum::<usize>(),
    }
}
