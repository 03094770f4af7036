//! In which form an answer is wanted.

use crate::sandbox::problem::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

/// What objects are made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Whole,
    Table,
    Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub format: Format,
    pub view: View,
}

/// The first form of an `Accept` header that is served.
///
/// # Errors
/// None is.
pub(super) fn negotiate(accept: &str) -> Result<Wanted, Problem> {
    let whole = Wanted { format: Format::Json, view: View::Whole };
    if accept.trim().is_empty() {
        return Ok(whole);
    }
    let mut choices: Vec<(f32, Option<Wanted>)> = accept.split(',').map(choice).collect();
    // A stable sort: what is wanted equally is taken in the order of the header.
    choices.sort_by(|a, b| b.0.total_cmp(&a.0));
    let offered = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    choices.iter().find_map(|(_, wanted)| *wanted).ok_or_else(|| {
        let message = if accept.contains("as=") {
            format!("only the following media types are accepted: {offered}")
        } else {
            format!("406: Not Acceptable\n\nAvailable representations: {offered}")
        };
        let mut problem = Problem::new(406, "NotAcceptable", message);
        problem.bare_details = !accept.contains("as=");
        problem
    })
}

fn choice(text: &str) -> (f32, Option<Wanted>) {
    let mut parts = text.split(';').map(str::trim);
    let format = match parts.next().unwrap_or_default() {
        "application/json" | "*/*" | "application/*" => Some(Format::Json),
        "application/yaml" => Some(Format::Yaml),
        _ => None,
    };
    let (mut weight, mut view, mut group) = (1.0, Some(View::Whole), "");
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        match (key, value) {
            ("q", value) => weight = value.parse().unwrap_or(1.0),
            ("as", "Table") => view = Some(View::Table),
            ("as", "PartialObjectMetadata" | "PartialObjectMetadataList") => view = Some(View::Metadata),
            ("as", _) => view = None,
            ("g", value) => group = value,
            _ => {}
        }
    }
    let known = view.filter(|view| *view == View::Whole || group == "meta.k8s.io");
    (weight, format.zip(known).map(|(format, view)| Wanted { format, view }))
}

/// Whether discovery is wanted in one document, and in which version of it.
pub(super) fn aggregated(accept: &str) -> Option<&'static str> {
    accept.split(',').find_map(|choice| {
        let is = |wanted: &str| choice.split(';').any(|part| part.trim() == wanted);
        if !is("as=APIGroupDiscoveryList") || !is("g=apidiscovery.k8s.io") {
            return None;
        }
        ["v2", "v2beta1"].into_iter().find(|version| is(&format!("v={version}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_is_served_is_taken() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        for (accept, format, view) in [
            ("", Format::Json, View::Whole),
            ("*/*", Format::Json, View::Whole),
            ("application/vnd.kubernetes.protobuf, application/json", Format::Json, View::Whole),
            (table, Format::Json, View::Table),
            ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", Format::Json, View::Metadata),
            ("application/json;q=0.5, application/yaml", Format::Yaml, View::Whole),
        ] {
            assert_eq!(negotiate(accept).unwrap(), Wanted { format, view }, "{accept}");
        }
        assert_eq!(negotiate("text/plain").unwrap_err().code, 406);
        assert_eq!(aggregated("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"), Some("v2"));
    }
}
