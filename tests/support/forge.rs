//! Certificates no honest CA makes, under a member's real CA.

use std::path::Path;
use std::process::Command;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, SanType};
use tolbooth::cli::trial::Partner;

/// The name of NHS Lomond's system.
pub const ED_TRAK: &str = "spiffe://nhs-lomond.caledonia.example/ed-trak";

pub fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

/// A client certificate under the CA of `member`, for ED_TRAK unless `change` says otherwise.
/// `home` is the gateway's folder; the files are named `name`.
pub fn client(
    home: &Path,
    member: &str,
    name: &str,
    key: &KeyPair,
    change: impl FnOnce(&mut CertificateParams),
) -> Partner {
    let folder = home.parent().unwrap().join(format!("keys/{member}"));
    let params = changed(change);
    write(&folder, name, &params.signed_by(key, &ca(home, member)).unwrap().pem(), key)
}

/// The file of a certificate as [`client`] makes them, for the key in a file, whatever its kind.
pub fn client_of_key(home: &Path, member: &str, name: &str, key: &Path) -> std::path::PathBuf {
    let file = home.parent().unwrap().join(format!("keys/{member}/{name}.pem"));
    let extensions = key.with_extension("cnf");
    let text = format!(
        "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=URI:{ED_TRAK}\n"
    );
    std::fs::write(&extensions, text).unwrap();
    let (request, folder) = (key.with_extension("csr"), file.parent().unwrap());
    let run = |arguments: &[&std::ffi::OsStr]| {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&[
        "req".as_ref(),
        "-new".as_ref(),
        "-subj".as_ref(),
        "/CN=odd".as_ref(),
        "-key".as_ref(),
        key.as_ref(),
        "-out".as_ref(),
        request.as_ref(),
    ]);
    let (ca, ca_key) = (folder.join("ca.pem"), folder.join("ca.key"));
    run(&[
        "x509".as_ref(),
        "-req".as_ref(),
        "-days".as_ref(),
        "20".as_ref(),
        "-in".as_ref(),
        request.as_ref(),
        "-CA".as_ref(),
        ca.as_ref(),
        "-CAkey".as_ref(),
        ca_key.as_ref(),
        "-set_serial".as_ref(),
        "77".as_ref(),
        "-extfile".as_ref(),
        extensions.as_ref(),
        "-out".as_ref(),
        file.as_ref(),
    ]);
    file
}

/// The CA of `member`, with its key.
pub fn ca(home: &Path, member: &str) -> Issuer<'static, KeyPair> {
    let folder = home.parent().unwrap().join(format!("keys/{member}"));
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    Issuer::from_ca_cert_pem(&read("ca.pem"), KeyPair::from_pem(&read("ca.key")).unwrap()).unwrap()
}

/// A partner whose system shows `chain`, leaf first, and holds the leaf's key.
pub fn chained(home: &Path, name: &str, chain: &str, key: &KeyPair) -> Partner {
    write(&home.parent().unwrap().join("keys"), name, chain, key)
}

/// As [`client`], under a CA nobody lists.
pub fn stranger(home: &Path, name: &str) -> Partner {
    let mut ca = CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    let issuer = Issuer::new(ca, KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let pem = changed(|_| {}).signed_by(&key, &issuer).unwrap().pem();
    write(&home.parent().unwrap().join("keys"), name, &pem, &key)
}

fn changed(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Within any trial: the CA's own dates bound it.
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2090, 1, 1);
    params.subject_alt_names = vec![uri(ED_TRAK)];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    change(&mut params);
    params
}

fn write(folder: &Path, name: &str, certificate: &str, key: &KeyPair) -> Partner {
    let partner =
        Partner { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
    std::fs::write(&partner.certificate, certificate).unwrap();
    std::fs::write(&partner.key, key.serialize_pem()).unwrap();
    partner
}

/// Puts a partner's certificate on its member's deny-list.
pub fn revoke(home: &Path, member: &str, system: &str) {
    let digest = digest(home, member, system);
    super::agreements::edit(&home.join("members.toml"), |text| {
        with_member(&text, member, &format!("revoked = [\"{digest}\"]\n"))
    });
}

/// The members' file with more lines in the entry of `member`.
pub fn with_member(text: &str, member: &str, more: &str) -> String {
    let anchors = format!("anchors = [\"certs/{member}-ca.pem\"]\n");
    assert!(text.contains(&anchors), "{text}");
    text.replace(&anchors, &format!("{anchors}{more}"))
}

/// The serial number of a trial partner's certificate.
pub fn serial(home: &Path, member: &str, system: &str) -> Vec<u8> {
    let serial = read(home, member, system).serial;
    let hex = serial.as_str();
    let digits: Vec<char> = hex.chars().collect();
    digits.chunks(2).map(|byte| u8::from_str_radix(&String::from_iter(byte), 16).unwrap()).collect()
}

/// A new CA of `member` beside its first, as a path relative to the gateway's folder.
pub fn authority(home: &Path, member: &str) -> String {
    let mut ca = CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    ca.subject_alt_names = vec![uri(&format!("spiffe://{member}.caledonia.example"))];
    let certificate = ca.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let name = format!("certs/{member}-ca-2.pem");
    std::fs::write(home.join(&name), certificate.pem()).unwrap();
    name
}

/// The digest of a trial partner's certificate.
pub fn digest(home: &Path, member: &str, system: &str) -> String {
    read(home, member, system).digest.to_string()
}

fn read(home: &Path, member: &str, system: &str) -> tolbooth::tls::Certificate {
    let pem = home.parent().unwrap().join(format!("keys/{member}/{system}.pem"));
    let der = tolbooth::tls::issue::der_of(&std::fs::read_to_string(pem).unwrap()).unwrap();
    tolbooth::tls::Certificate::from_der(&der).unwrap()
}
