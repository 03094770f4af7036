//! When the certificates in Secrets end.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde_json::Value;
use x509_parser::{extensions::GeneralName, pem::Pem, prelude::FromDer, prelude::X509Certificate};

use crate::{
    cluster::{Cluster, ListQuery, Resource},
    error::Result,
    model::ObjectRef,
    rules::alerts::CertificateFact,
};

/// The certificates of all TLS Secrets of the namespaces. Their keys are not kept.
pub(super) async fn certificates(cluster: &Cluster, namespaces: &[String]) -> Result<Vec<CertificateFact>> {
    let query = ListQuery { fields: Some("type=kubernetes.io/tls".into()), ..ListQuery::default() };
    let mut found = Vec::new();
    let places: Vec<Option<&str>> = match namespaces {
        [] => vec![None],
        named => named.iter().map(|name| Some(name.as_str())).collect(),
    };
    for place in places {
        cluster.list(&Resource::secrets(), place, &query, |secret| found.extend(certificate(&secret))).await?;
    }
    Ok(found)
}

/// The first certificate of a Secret, which is the server's own; None where there is none that can be read.
fn certificate(secret: &Value) -> Option<CertificateFact> {
    let text = BASE64_STANDARD.decode(secret["data"]["tls.crt"].as_str()?).ok()?;
    let pem = Pem::iter_from_buffer(&text).next()?.ok()?;
    let (_, certificate) = X509Certificate::from_der(&pem.contents).ok()?;
    let ends = Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?;
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = alternatives.iter().flat_map(|names| &names.value.general_names);
    let mut names: Vec<String> = names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        names.push(certificate.subject().to_string());
    }
    let clean = |name: String| name.chars().filter(|letter| !letter.is_control()).collect();
    Some(CertificateFact { secret: ObjectRef::of(secret), ends, names: names.into_iter().map(clean).collect() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_end_and_the_names_of_a_certificate_are_read() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut wanted = rcgen::CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
        wanted.not_after = rcgen::date_time_ymd(2027, 3, 1);
        let pem = wanted.self_signed(&key).unwrap().pem();
        let secret = |text: &str| {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls", "namespace": "shop"},
                "data": {"tls.crt": BASE64_STANDARD.encode(text)}})
        };
        let found = certificate(&secret(&pem)).unwrap();
        assert_eq!(found.ends.to_string(), "2027-03-01T00:00:00Z");
        assert_eq!(found.names, ["shop.example"]);
        assert!(certificate(&secret("no certificate")).is_none());
    }
}
