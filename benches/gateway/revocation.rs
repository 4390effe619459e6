//! One member, its CA, a system, and a revocation list as long as wanted; in memory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use tolbooth::directory::{self, Directory};

const MEMBERS: &str = r#"
format = 1
federation = "caledonia.example"
[[member]]
id = "nhs-lomond"
name = "NHS Lomond"
class = "health"
anchors = ["ca.pem"]
crl = ["ca.crl"]
"#;

pub struct Files(HashMap<PathBuf, Vec<u8>>);

impl Files {
    pub fn directory(&self) -> Directory {
        let read = |path: &Path| self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        directory::load("members.toml", MEMBERS, &read, None).unwrap()
    }
}

/// The files, and the system's chain, which is not among the `entries` revoked.
pub fn federation(entries: u32) -> (Files, Vec<Vec<u8>>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let mut leaf = CertificateParams::default();
    let name = "spiffe://nhs-lomond.caledonia.example/ed-trak".try_into().unwrap();
    leaf.subject_alt_names = vec![SanType::URI(name)];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.serial_number = Some(SerialNumber::from_slice(&[0x42; 16]));
    let chain = vec![leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec()];
    let revoked = |number: u32| {
        // As long as serial numbers are.
        let serial = [&[0x41; 12][..], &number.to_be_bytes()].concat();
        RevokedCertParams {
            serial_number: SerialNumber::from_slice(&serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2096, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: (0..entries).map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&issuer).unwrap();
    let files = [("ca.pem", ca.pem().into_bytes()), ("ca.crl", list.der().to_vec())]
        .map(|(name, bytes)| (name.into(), bytes));
    (Files(files.into()), chain)
}
