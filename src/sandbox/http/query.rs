//! The query of a request.

use percent_encoding::percent_decode_str;

use crate::sandbox::{
    api::{ListQuery, Validation, Write, options_problem},
    go,
    problem::Problem,
};

/// Parameters in their order.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Self {
        let decode = |part: &str| {
            let spaced = part.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        };
        Self(text.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    /// The first value of a parameter; empty where it is absent.
    pub fn text(&self, key: &str) -> &str {
        self.0.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    /// All parameters.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    /// As Go's conversion of query parameters reads them: anything but `false` and `0` is true.
    pub fn flag(&self, key: &str) -> bool {
        self.has(key) && !matches!(self.text(key).to_ascii_lowercase().as_str(), "false" | "0")
    }

    /// # Errors
    /// It is no whole number.
    pub fn number(&self, key: &str) -> Result<Option<i64>, Problem> {
        let text = self.text(key);
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = |_| Problem::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
        text.parse().map(Some).map_err(wrong)
    }

    pub fn list(&self) -> Result<ListQuery, Problem> {
        let limit = self.number("limit")?.unwrap_or(0);
        Ok(ListQuery {
            label_selector: self.text("labelSelector").into(),
            field_selector: self.text("fieldSelector").into(),
            limit: usize::try_from(limit).unwrap_or(0),
            continue_token: self.text("continue").into(),
            resource_version: self.text("resourceVersion").into(),
            resource_version_match: self.text("resourceVersionMatch").into(),
        })
    }

    /// Whether nothing is to be stored.
    ///
    /// # Errors
    /// Dry runs are of all stages or none.
    pub fn dry_run(&self, options: &str) -> Result<bool, Problem> {
        let values: Vec<&str> =
            self.0.iter().filter(|(name, _)| name == "dryRun").map(|(_, value)| value.as_str()).collect();
        check_dry_run(options, &values)
    }

    /// Who writes, and how; `agent` names who does not say (`managerOrUserAgent` of apiserver's handlers).
    ///
    /// # Errors
    /// A parameter with a value that it does not have.
    pub fn write(&self, options: &str, agent: &str) -> Result<Write, Problem> {
        let manager = self.text("fieldManager");
        if manager.chars().count() > 128 {
            let message = "Too long: may not be more than 128 bytes".to_owned();
            return Err(options_problem(options, "FieldValueTooLong", message, "fieldManager"));
        }
        if let Some((at, letter)) = manager.char_indices().find(|(_, letter)| letter.is_control()) {
            let code = u32::from(letter);
            let message =
                format!("Invalid value: {}: invalid character U+{code:04X} (at position {at})", go::quoted(manager));
            return Err(options_problem(options, "FieldValueInvalid", message, "fieldManager"));
        }
        let validation = match self.text("fieldValidation") {
            "" | "Warn" => Validation::Warn,
            "Ignore" => Validation::Ignore,
            "Strict" => Validation::Strict,
            other => {
                let message =
                    format!("Unsupported value: {other:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
                return Err(options_problem(options, "FieldValueNotSupported", message, "fieldValidation"));
            }
        };
        let manager = if manager.is_empty() { agent.split('/').next().unwrap_or_default() } else { manager };
        let manager: String = manager.chars().take(128).collect();
        let mut write = Write::by(&manager);
        write.dry_run = self.dry_run(options)?;
        write.force = self.flag("force");
        write.validation = validation;
        Ok(write)
    }
}

/// # Errors
/// Dry runs are of all stages or none.
pub(super) fn check_dry_run(options: &str, values: &[&str]) -> Result<bool, Problem> {
    if values.iter().all(|value| *value == "All") {
        return Ok(!values.is_empty());
    }
    let found = serde_json::to_string(values).unwrap_or_default();
    let message = format!("Unsupported value: {found}: supported values: \"All\"");
    Err(options_problem(options, "FieldValueNotSupported", message, "dryRun"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("labelSelector=a%3Db%2Cc&watch=1&x=+&dryRun=All&force=false");
        assert_eq!((query.text("labelSelector"), query.text("x"), query.text("none")), ("a=b,c", " ", ""));
        assert!(query.flag("watch") && !query.flag("force") && query.dry_run("CreateOptions").unwrap());
        assert_eq!(
            Query::parse("limit=x").list().unwrap_err().message,
            "strconv.ParseInt: parsing \"x\": invalid syntax"
        );
    }
}
