//! Whom a handshake lets in (P-10): who shows a certificate of the platform's authority that is for
//! clients, is good now, and was not taken back as far as this node knows. It owns that judgement;
//! whose certificate it is, is asked again for every request.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::files::TlsFault;
use crate::certificates::Certificates;

/// The library's own verifier, and what was taken back. A list of revoked certificates signed by
/// the authority would say no more, later, and would need its key at each revocation.
pub(super) struct NotRevoked {
    verifier: Arc<dyn ClientCertVerifier>,
    certificates: Certificates,
}

impl NotRevoked {
    /// Of the authority that there is now.
    pub(super) fn new(
        certificates: &Certificates,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, TlsFault> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates.authority().certificates()? {
            roots.add(certificate)?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| TlsFault::Library(error.to_string()))?;
        Ok(Arc::new(Self { verifier, certificates: certificates.clone() }))
    }
}

impl fmt::Debug for NotRevoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotRevoked").finish_non_exhaustive()
    }
}

impl ClientCertVerifier for NotRevoked {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(end_entity, intermediates, now)?;
        if self.certificates.is_known_to_be_revoked(end_entity) {
            return Err(CertificateError::Revoked.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
