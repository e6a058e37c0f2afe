//! TLS where the platform itself connects: whose certificates it takes, and what it shows. It owns
//! that trust is what the operator named and nothing else: no list of public authorities is asked.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

use super::files::{Pair, TlsFault, read_whole};
use super::settings::ServerFiles;

/// Ready for handshakes. Blocks on files.
pub(crate) fn client(ca: &Path, own: Option<&ServerFiles>) -> Result<ClientConfig, TlsFault> {
    let missing = || TlsFault::Missing { path: ca.to_owned(), wanted: "certificate" };
    let bytes = read_whole(ca)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        roots.add(certificate.map_err(|_| missing())?)?;
    }
    if roots.is_empty() {
        return Err(missing());
    }
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&versions)?
        .with_root_certificates(roots);
    Ok(match own {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let pair = Pair::read(files)?.certified()?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair)))
        }
    })
}
