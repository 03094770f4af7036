//! Values written as YAML that kubectl reads back as the same values.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::{Error, Result};

/// The value as a YAML document, without `---`. Strings that YAML 1.1 would read as something else are quoted, and
/// texts of several lines are literal blocks where that is safe.
///
/// # Errors
/// None for a value that came from JSON or YAML.
pub fn to_yaml(value: &Value) -> Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&Readable(value), options)
        .map_err(|error| Error::failed("this value cannot be written as YAML").because(error))
}

/// A value whose texts of several lines are literal blocks. The serializer's own choice of blocks includes texts that
/// begin with a tab, which go-yaml refuses.
struct Readable<'v>(&'v Value);

impl Serialize for Readable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Readable)),
            Value::Object(map) => serializer.collect_map(map.iter().map(|(key, value)| (key, Readable(value)))),
            Value::String(text) if fits_block(text) => serde_saphyr::LitStr(text).serialize(serializer),
            value => value.serialize(serializer),
        }
    }
}

/// Whether YAML 1.1 reads the text back from a literal block unchanged.
fn fits_block(text: &str) -> bool {
    let strange = |character: char| {
        character.is_control() && !matches!(character, '\n' | '\t')
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    text.contains('\n') && !text.starts_with(char::is_whitespace) && !text.contains(strange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;
    use crate::source::Sources;

    /// What our reader, which reads as kubectl does, makes of the written value.
    fn again(value: &Value) -> Value {
        let object = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "data": value});
        let text = to_yaml(&object).unwrap();
        let sources = Sources::parse("written", text.as_str()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        sources.manifests[0].object["data"].clone()
    }

    #[test]
    fn strings_that_look_like_something_else_are_quoted() {
        let texts = [
            "yes", "n", "NO", "~", "", "010", "1_000", "1e3", ".5", ".5_0", "0b-1", "<<", "=", "1:30", "- a", "a: b",
            "a #b",
        ];
        for text in texts {
            assert_eq!(again(&json!({text: text})), json!({text: text}));
        }
    }

    #[test]
    fn texts_stay_readable() {
        let long = "word ".repeat(40);
        let value = json!({"script": "#!/bin/sh\nexit 0\n", "long": long.trim_end(), "list": [{"a": 1, "b": []}]});
        let expected = format!("script: |\n  #!/bin/sh\n  exit 0\nlong: {}\nlist:\n- a: 1\n  b: []\n", long.trim_end());
        assert_eq!(to_yaml(&value).unwrap(), expected);
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[-+0-9a-fxob_.eE:~<=yYnNoOfF]{0,8}",
            "[ \\t\\n\\r#:'\"a|>%@`\\-\u{85}\u{2028}\u{feff}]{0,12}",
            "( {0,3}[a#:-]{0,3} {0,2}\n){1,4}",
        ]
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9)
                .prop_filter("an integer is read as one", |float: &f64| float.fract() != 0.0)
                .prop_map(Value::from),
            texts().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((texts(), inner), 0..4)
                    .prop_map(|fields| fields.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            prop_assert_eq!(again(&value), value);
        }
    }
}
