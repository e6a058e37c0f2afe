//! Certificates made for a test, in files: an authority, and whom it vouches for.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use simulators::network::Identity;

/// An authority, with its certificate in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) file: PathBuf,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    pub(crate) fn new(folder: &Path, name: &str) -> Authority {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, issuer.pem()).expect("written");
        Authority { issuer, file }
    }

    /// A certificate for this name with its key, in files named for it; over what was there.
    pub(crate) fn identity(&self, folder: &Path, name: &str) -> Identity {
        let own = KeyPair::generate().expect("a key");
        let certificate = params(name).signed_by(&own, &self.issuer).expect("signed");
        let file = |what: &str| folder.join(format!("{name}-{what}.pem"));
        let identity = Identity { chain: file("chain"), key: file("key") };
        std::fs::write(&identity.chain, certificate.pem()).expect("written");
        std::fs::write(&identity.key, own.serialize_pem()).expect("written");
        identity
    }
}
