//! Addresses of the web.

use std::net::IpAddr;

use http::Uri;

use crate::error::{Error, Result};

/// A URL without user, password and query; what is no URL as it is.
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Reads an address.
pub(super) fn address(url: &str) -> Result<Uri> {
    let uri = url.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    uri.ok_or_else(|| Error::usage(format!("{} is not a web address (http:// or https://)", shown(url))))
}

/// As in Go, no proxy is asked for this machine itself.
pub(super) fn is_loopback(target: &Uri) -> bool {
    let host = target.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        assert_eq!(shown("https://user:word@host:8/a@b?token=1#x"), "https://host:8/a@b");
        assert_eq!(shown("https://user:word@host?a/b"), "https://host");
    }
}
