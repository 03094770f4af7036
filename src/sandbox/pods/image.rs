//! Names of images, and which of them can be pulled.

use super::behaviour::PullError;

/// Whether an image fits a pattern in which `*` stands for any letters.
pub fn fits(pattern: &str, image: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = image.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The full name, as the container runtime writes it: `docker.io/library/busybox:1.36`. None where it is no name.
pub fn full(image: &str) -> Option<String> {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let path_start = name.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match name[path_start..].find(':') {
        Some(at) => (&name[..path_start + at], Some(&name[path_start + at + 1..])),
        None => (name, None),
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest.to_owned()),
        Some(_) => ("docker.io", name.to_owned()),
        None => ("docker.io", format!("library/{name}")),
    };
    let plain = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
    };
    let tagged = tag.is_none_or(|tag| {
        let letters = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        !tag.is_empty() && tag.len() <= 128 && letters && !tag.starts_with(['.', '-'])
    });
    if !path.split('/').all(plain) || !tagged || digest.is_some_and(|digest| !digest.contains(':')) {
        return None;
    }
    let end = match (tag, digest) {
        (_, Some(digest)) => format!("@{digest}"),
        (Some(tag), None) => format!(":{tag}"),
        (None, None) => ":latest".into(),
    };
    Some(format!("{registry}/{path}{end}"))
}

/// What the kubelet says of a name that is none.
///
/// Source: `ParseNormalizedNamed` of `github.com/distribution/reference`.
pub fn invalid(image: &str) -> String {
    let has_host = |first: &str| first.contains(['.', ':']) || first == "localhost" || first != first.to_lowercase();
    let path = match image.split_once('/') {
        Some((first, rest)) if has_host(first) => rest.to_owned(),
        Some(_) => image.to_owned(),
        None => format!("library/{image}"),
    };
    let name = path.split(':').next().unwrap_or_default();
    let why = if name == name.to_lowercase() {
        String::new()
    } else {
        format!(": repository name ({name}) must be lowercase")
    };
    format!(
        "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference \
         format{why}"
    )
}

/// What keeps an image from being pulled by its name alone: the sandbox has no registry, and takes every image to be
/// there but those whose name or tag holds `does-not-exist`, `missing` or `nope`, and those of hosts that no machine
/// can have (RFC 2606).
pub fn fault(image: &str) -> Option<PullError> {
    if ["does-not-exist", "missing", "nope"].iter().any(|word| image.contains(word)) {
        return Some(PullError::NotFound);
    }
    let full = full(image)?;
    let (host, _) = full.split_once('/')?;
    let host = host.split(':').next().unwrap_or_default();
    [".example", ".invalid"].iter().any(|end| host.ends_with(end)).then_some(PullError::NoHost)
}

/// What the container runtime says when a pull fails.
pub fn failure(error: PullError, image: &str) -> String {
    let full = full(image).unwrap_or_else(|| image.to_owned());
    let start = format!("failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\":");
    let (registry, rest) = full.split_once('/').unwrap_or(("docker.io", &full));
    let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
    let (path, tag) = rest.rsplit_once([':', '@']).unwrap_or((rest, "latest"));
    let url = format!("https://{host}/v2/{path}/manifests/{tag}");
    match error {
        PullError::NotFound => format!("rpc error: code = NotFound desc = {start} {full}: not found"),
        PullError::Unauthorized => format!(
            "{start} pull access denied, repository does not exist or may require authorization: server message: \
             insufficient_scope: authorization failed"
        ),
        PullError::NoHost => {
            format!("{start} failed to do request: Head \"{url}\": dial tcp: lookup {host}: no such host")
        }
        PullError::Timeout => {
            format!("{start} failed to do request: Head \"{url}\": dial tcp 192.0.2.1:443: i/o timeout")
        }
        PullError::RateLimit => {
            format!("{start} unexpected status from HEAD request to {url}: 429 Too Many Requests")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_the_runtime_does() {
        for (image, name) in [
            ("busybox", Some("docker.io/library/busybox:latest")),
            ("busybox:1.36", Some("docker.io/library/busybox:1.36")),
            ("bitnami/redis:7", Some("docker.io/bitnami/redis:7")),
            ("localhost:5000/a:1", Some("localhost:5000/a:1")),
            ("ghcr.io/a/b@sha256:00", Some("ghcr.io/a/b@sha256:00")),
            ("Busybox", None),
            ("a:", None),
            ("", None),
        ] {
            assert_eq!(full(image).as_deref(), name, "{image}");
        }
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, image, fitting) in [
            ("api:*", "api:1", true),
            ("*", "", true),
            ("api", "api:1", false),
            ("*/api:*", "ghcr.io/x/api:2", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, image), fitting, "{pattern} {image}");
        }
    }
}
