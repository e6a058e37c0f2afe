//! What handshakes of a listener are made with: TLS 1.3 and 1.2, with authenticated encryption and
//! ephemeral keys alone (P-10). It owns the choice of versions and suites, and that a client whose
//! certificate is asked for shows it in every handshake anew.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::clients::NotRevoked;
use super::files::TlsFault;
use crate::certificates::Certificates;

/// Set up with this certificate of its own; `clients` where those of clients are asked for.
pub(super) fn engine(
    own: CertifiedKey,
    clients: Option<&Certificates>,
) -> Result<Arc<ServerConfig>, TlsFault> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = match clients {
        Some(certificates) => NotRevoked::new(certificates, Arc::clone(&provider))?,
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    if clients.is_some() {
        // A session taken up again is not verified again: none is.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
    }
    Ok(Arc::new(server))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{CipherSuite, SupportedCipherSuite};

    use super::*;

    #[test]
    fn only_authenticated_suites_with_ephemeral_keys_are_offered() {
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::default().self_signed(&key).expect("a certificate");
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let signing = aws_lc_rs::sign::any_supported_type(&private).expect("a key");
        let own = CertifiedKey::new(vec![certificate.der().clone()], signing);
        let server = engine(own, None).expect("set up");
        let suites = &server.crypto_provider().cipher_suites;
        assert_eq!(suites.len(), 9);
        for suite in suites {
            let name = format!("{:?}", suite.suite());
            let sealed = ["_GCM_", "_CHACHA20_POLY1305_"].iter().any(|part| name.contains(part));
            let ephemeral = match suite {
                SupportedCipherSuite::Tls13(_) => true,
                SupportedCipherSuite::Tls12(_) => name.contains("_ECDHE_"),
            };
            assert!(sealed && ephemeral, "{name}");
        }
        let oldest =
            suites.iter().any(|suite| suite.suite() == CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA);
        assert!(!oldest);
    }
}
