//! Where a path leads.

use percent_encoding::percent_decode_str;

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Root,
    Version,
    /// `/healthz`, `/livez`, `/readyz` and what is below them.
    Health,
    /// `/api`
    CoreVersions,
    /// `/apis`
    Groups,
    /// `/apis/apps`
    Group(String),
    /// `/api/v1`, `/apis/apps/v1`
    GroupVersion {
        group: String,
        version: String,
    },
    /// `/openapi/v2`
    OldOpenApi,
    /// `/openapi/v3`
    OpenApi,
    /// `/openapi/v3/apis/apps/v1`
    OpenApiOf {
        group: String,
        version: String,
    },
    Objects(Objects),
    Unknown,
}

/// Objects of a resource, or one of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Objects {
    pub group: String,
    pub version: String,
    pub namespace: Option<String>,
    pub plural: String,
    /// Empty for all of them.
    pub name: String,
    pub subresource: String,
    /// The path has the old word `watch` in it.
    pub watch: bool,
}

impl Route {
    pub fn of(path: &str) -> Self {
        let decoded: Vec<String> =
            path.split('/').skip(1).map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
        let mut parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        if parts.last().is_some_and(|last| last.is_empty()) {
            parts.pop();
        }
        match parts.as_slice() {
            [] => Self::Root,
            ["version"] => Self::Version,
            ["healthz" | "livez" | "readyz", ..] => Self::Health,
            ["api"] => Self::CoreVersions,
            ["apis"] => Self::Groups,
            ["apis", group] => Self::Group((*group).into()),
            ["api", version] => Self::GroupVersion { group: String::new(), version: (*version).into() },
            ["apis", group, version] => Self::GroupVersion { group: (*group).into(), version: (*version).into() },
            ["openapi", "v2"] => Self::OldOpenApi,
            ["openapi", "v3"] => Self::OpenApi,
            ["openapi", "v3", "api", version] => Self::OpenApiOf { group: String::new(), version: (*version).into() },
            ["openapi", "v3", "apis", group, version] => {
                Self::OpenApiOf { group: (*group).into(), version: (*version).into() }
            }
            ["api", version, rest @ ..] => objects("", version, rest),
            ["apis", group, version, rest @ ..] => objects(group, version, rest),
            _ => Self::Unknown,
        }
    }
}

fn objects(group: &str, version: &str, rest: &[&str]) -> Route {
    let (watch, rest) = match rest {
        ["watch", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = Objects { group: group.into(), version: version.into(), watch, ..Objects::default() };
    let own = |part: &str| part == "status" || part == "finalize";
    let rest = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() && !matches!(rest, [part] if own(part)) => {
            found.namespace = Some((*namespace).into());
            rest
        }
        rest => rest,
    };
    match rest {
        [plural] => found.plural = (*plural).into(),
        [plural, name] => (found.plural, found.name) = ((*plural).into(), (*name).into()),
        [plural, name, subresource @ ..] if !subresource.is_empty() => {
            (found.plural, found.name) = ((*plural).into(), (*name).into());
            found.subresource = subresource.join("/");
        }
        _ => return Route::Unknown,
    }
    Route::Objects(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_objects() {
        let words = |path: &str| match Route::of(path) {
            Route::Objects(found) => format!(
                "{}/{} {} {} {} {} {}",
                found.group,
                found.version,
                found.namespace.unwrap_or_default(),
                found.plural,
                found.name,
                found.subresource,
                found.watch
            ),
            other => format!("{other:?}"),
        };
        assert_eq!(words("/api/v1/pods"), "/v1  pods   false");
        assert_eq!(words("/api/v1/namespaces/a"), "/v1  namespaces a  false");
        assert_eq!(words("/api/v1/namespaces/a/status"), "/v1  namespaces a status false");
        assert_eq!(words("/api/v1/namespaces/a/pods/b/log"), "/v1 a pods b log false");
        assert_eq!(words("/apis/apps/v1/watch/namespaces/a/deployments/b"), "apps/v1 a deployments b  true");
        assert_eq!(words("/apis/apps"), "Group(\"apps\")");
        assert_eq!(words("/api/v1/namespaces/a/pods/a%2Fb"), "/v1 a pods a/b  false");
        assert_eq!((words("/"), words("/nope")), ("Root".into(), "Unknown".into()));
    }
}
