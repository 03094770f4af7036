//! The JSON Schema of `evolve.yaml`, made from the types: what editors read, and what the check goes by.

use schemars::{Schema, generate::SchemaSettings, transform::transform_subschemas};
use serde_json::{Value as Json, json};

use super::{formats, types::Settings};

/// The keys that a profile cannot override.
const FIXED: [&str; 2] = ["apiVersion", "name"];

/// The JSON Schema (draft 2020-12) of the file. `checks` are those that may be named, with their descriptions; any when
/// there are none.
pub fn schema(checks: &[(&str, &str)]) -> Json {
    let mut schema = SchemaSettings::draft2020_12()
        .with_transform(allow_nothing)
        .into_generator()
        .into_root_schema_for::<Settings>()
        .to_value();
    if let Some(property) = schema.pointer_mut("/properties/checks").filter(|_| !checks.is_empty()) {
        property["properties"] = checks.iter().map(|(code, summary)| (*code, level(summary))).collect();
        property["additionalProperties"] = false.into();
    }
    let overrides = overrides(&schema);
    if let Some(definitions) = schema.get_mut("$defs").and_then(Json::as_object_mut) {
        definitions.insert("Profile".to_owned(), overrides);
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) {
        let description = "The profile that is used when none is named.";
        properties.insert(
            "defaultProfile".to_owned(),
            json!({"type": ["string", "null"], "description": description, "pattern": formats::LABEL.pattern}),
        );
        properties.insert(
            "profiles".to_owned(),
            json!({
                "description": "Overrides by profile, such as dev, staging and production. Maps are merged, lists and \
                    single values replaced; null takes a setting back to its default.",
                "type": ["object", "null"],
                "propertyNames": {"pattern": formats::LABEL.pattern},
                "additionalProperties": {"anyOf": [{"$ref": "#/$defs/Profile"}, {"type": "null"}]},
            }),
        );
    }
    schema
}

fn level(summary: &str) -> Json {
    json!({"anyOf": [{"$ref": "#/$defs/Level"}, {"type": "null"}], "description": summary})
}

/// The settings of a profile: those of the file, all optional.
fn overrides(schema: &Json) -> Json {
    let mut properties = schema.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
    properties.retain(|name, _| !FIXED.contains(&name.as_str()));
    for property in properties.values_mut().filter_map(Json::as_object_mut) {
        // What a profile leaves out comes from the file, not from a default.
        property.remove("default");
    }
    json!({
        "description": "The settings that this profile overrides.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Lets every key that is not required be set to nothing, as in a section whose lines are all commented out.
fn allow_nothing(schema: &mut Schema) {
    transform_subschemas(&mut allow_nothing, schema);
    let required: Vec<String> = schema
        .get("required")
        .and_then(Json::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) else { return };
    for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
        let Some(property) = property.as_object_mut() else { continue };
        match property.get_mut("type") {
            Some(Json::String(name)) => {
                let names = json!([name, "null"]);
                property.insert("type".to_owned(), names);
            }
            Some(_) => {}
            None => {
                if let Some(reference) = property.shift_remove("$ref") {
                    property.insert("anyOf".to_owned(), json!([{"$ref": reference}, {"type": "null"}]));
                }
            }
        }
    }
}
