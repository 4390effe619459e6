//! Revocation lists, really signed by a member's CA.

use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber};

use super::agreements::replace;
use super::forge;

/// A list of a CA: its number, the serial numbers on it, and for how long from now it is current.
pub fn signed(issuer: &Issuer<'_, KeyPair>, number: u64, serials: &[Vec<u8>], current: Duration) -> String {
    let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(unix());
    let revoked = |serial: &Vec<u8>| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: now,
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: now,
        next_update: now + current,
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(issuer).unwrap().pem().unwrap()
}

/// Now, in seconds since 1970.
pub fn unix() -> u64 {
    tolbooth::clock::Clock::new().unwrap().now().as_second().try_into().unwrap()
}

/// A day's list of the CA of `member`, put where its entry names it.
pub fn put(home: &Path, member: &str, number: u64, serials: &[Vec<u8>]) {
    let list = signed(&forge::ca(home, member), number, serials, Duration::from_secs(24 * 3600));
    replace(&home.join(file(member)), list.as_bytes());
}

/// Where the entry of `member` names its list.
pub fn file(member: &str) -> String {
    format!("certs/{member}.crl")
}

/// The line of an entry that names it.
pub fn line(member: &str) -> String {
    format!("crl = [\"{}\"]\n", file(member))
}
