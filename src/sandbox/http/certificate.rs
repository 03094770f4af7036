//! Who the server is: a certificate authority of its own, a certificate for the loopback address, and a token.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::error::{Error, Result};

/// What a server proves itself with, and what its clients do.
#[derive(Clone)]
pub struct Identity {
    /// In PEM.
    pub authority: String,
    /// What clients send as `Authorization: Bearer`.
    pub token: String,
    pub(super) tls: Arc<ServerConfig>,
}

impl Identity {
    /// Makes a new one.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self> {
        let broken = |error: rcgen::Error| Error::failed("cannot make a certificate").because(error);
        let key = KeyPair::generate().map_err(broken)?;
        let mut authority = CertificateParams::new(Vec::new()).map_err(broken)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority.distinguished_name.push(DnType::CommonName, "kubectl-evolve sandbox");
        let issuer = CertifiedIssuer::self_signed(authority, key).map_err(broken)?;
        let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc"].map(String::from);
        let mut own = CertificateParams::new(names.to_vec()).map_err(broken)?;
        own.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        let own_key = KeyPair::generate().map_err(broken)?;
        let certificate = own.signed_by(&own_key, &issuer).map_err(broken)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private))
            .map_err(|error| Error::failed("cannot set TLS up").because(error))?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { authority: issuer.pem(), token: token()?, tls: Arc::new(tls) })
    }
}

/// 32 random bytes in hexadecimal.
fn token() -> Result<String> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| Error::failed("the system gives no randomness").because(error))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The text of a kubeconfig for the server at that address.
pub fn kubeconfig(url: &str, identity: &Identity) -> String {
    let authority = BASE64_STANDARD.encode(&identity.authority);
    let token = &identity.token;
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: sandbox
  cluster:
    server: {url}
    certificate-authority-data: {authority}
users:
- name: sandbox
  user:
    token: {token}
contexts:
- name: sandbox
  context:
    cluster: sandbox
    user: sandbox
    namespace: default
current-context: sandbox
"
    )
}
