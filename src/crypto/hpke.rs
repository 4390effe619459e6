//! Sealing something to a public key, so that only the private key opens it: HPKE in base mode, one message
//! for each key pair that is made for it (RFC 9180 sections 5.1.1 and 6.1), with DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256 and AES-256-GCM.
//!
//! Not here: what is sealed, to whom, and in which file.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use zeroize::Zeroizing;

use super::{MacKey, random};

/// DHKEM(X25519, HKDF-SHA256) (RFC 9180 section 7.1).
const KEM: [u8; 2] = [0x00, 0x20];
/// HKDF-SHA256 (section 7.2).
const KDF: [u8; 2] = [0x00, 0x01];
const VERSION: &[u8] = b"HPKE-v1";

/// An authenticated cipher, as section 7.3 numbers it.
struct Cipher {
    id: [u8; 2],
    algorithm: &'static Algorithm,
}

const AES_256: Cipher = Cipher { id: [0x00, 0x02], algorithm: &AES_256_GCM };

/// The public half of an X25519 key (RFC 7748): whom something is sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SealingKey(pub [u8; 32]);

/// The private half: who opens it. Prints as stars.
pub struct OpeningKey {
    scalar: Zeroizing<[u8; 32]>,
    public: SealingKey,
}

/// What was sealed, and the public half of the pair made for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedTo {
    pub encapsulated: [u8; 32],
    /// With its tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

impl OpeningKey {
    /// `None` only if the operating system has no randomness to give.
    pub fn generate() -> Option<Self> {
        Self::from_scalar(&Zeroizing::new(random()?))
    }

    pub fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        let public = private(scalar)?.compute_public_key().ok()?;
        let public = SealingKey(public.as_ref().try_into().ok()?);
        Some(Self { scalar: Zeroizing::new(*scalar), public })
    }

    /// The scalar, for writing to a key file.
    pub fn scalar(&self) -> &[u8; 32] {
        &self.scalar
    }

    pub fn public(&self) -> SealingKey {
        self.public
    }

    /// What was sealed to this key for `info` and beside `with`. `None` if it was sealed to another, or for
    /// something else, or was changed.
    pub fn open(&self, info: &[u8], with: &[u8], sealed: &SealedTo) -> Option<Zeroizing<Vec<u8>>> {
        let shared = agree(&self.scalar, &SealingKey(sealed.encapsulated), |dh| {
            shared_secret(dh, &sealed.encapsulated, &self.public)
        })?;
        let (key, nonce) = schedule(&AES_256, &shared, info)?;
        let mut bytes = Zeroizing::new(sealed.ciphertext.clone());
        let length = key.open_in_place(nonce, Aad::from(with), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

impl std::fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpeningKey(***)")
    }
}

impl SealingKey {
    /// Seals for `info`, which says what for; `with` is not sealed, but must be shown again to open. `None`
    /// without randomness, and to a point of small order, which everybody could open (section 7.1.4).
    pub fn seal(&self, info: &[u8], with: &[u8], secret: &[u8]) -> Option<SealedTo> {
        self.seal_by(&AES_256, &OpeningKey::generate()?, (info, with), secret)
    }

    fn seal_by(
        &self,
        cipher: &Cipher,
        made: &OpeningKey,
        (info, with): (&[u8], &[u8]),
        secret: &[u8],
    ) -> Option<SealedTo> {
        let encapsulated = made.public.0;
        let shared = agree(&made.scalar, self, |dh| shared_secret(dh, &encapsulated, self))?;
        let (key, nonce) = schedule(cipher, &shared, info)?;
        let mut ciphertext = secret.to_vec();
        key.seal_in_place_append_tag(nonce, Aad::from(with), &mut ciphertext).ok()?;
        Some(SealedTo { encapsulated, ciphertext })
    }
}

fn private(scalar: &[u8; 32]) -> Option<PrivateKey> {
    PrivateKey::from_private_key(&X25519, scalar).ok()
}

/// X25519; a result of zeros is refused by the library (RFC 7748 section 6.1).
fn agree<T>(scalar: &[u8; 32], with: &SealingKey, then: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let with = UnparsedPublicKey::new(&X25519, with.0);
    agreement::agree(&private(scalar)?, with, (), |dh| Ok(then(dh))).ok()
}

/// `ExtractAndExpand` of section 4.1.
fn shared_secret(dh: &[u8], encapsulated: &[u8; 32], to: &SealingKey) -> Zeroizing<[u8; 32]> {
    let suite = [b"KEM".as_slice(), &KEM].concat();
    let extracted = extract(&suite, &[], b"eae_prk", dh);
    let context = [*encapsulated, to.0].concat();
    expand::<32>(&suite, &extracted, b"shared_secret", &context)
}

/// `KeySchedule` of section 5.1 in base mode, and from it the key and the nonce of the first message.
fn schedule(cipher: &Cipher, shared: &[u8; 32], info: &[u8]) -> Option<(LessSafeKey, Nonce)> {
    const BASE: u8 = 0;
    let suite = [b"HPKE".as_slice(), &KEM, &KDF, &cipher.id].concat();
    let mut context = vec![BASE];
    context.extend_from_slice(&*extract(&suite, &[], b"psk_id_hash", &[]));
    context.extend_from_slice(&*extract(&suite, &[], b"info_hash", info));
    let secret = extract(&suite, shared, b"secret", &[]);
    let key = match cipher.algorithm.key_len() {
        16 => UnboundKey::new(cipher.algorithm, &*expand::<16>(&suite, &secret, b"key", &context)),
        _ => UnboundKey::new(cipher.algorithm, &*expand::<32>(&suite, &secret, b"key", &context)),
    };
    let nonce = expand::<NONCE_LEN>(&suite, &secret, b"base_nonce", &context);
    Some((LessSafeKey::new(key.ok()?), Nonce::assume_unique_for_key(*nonce)))
}

/// `LabeledExtract` of section 4.
fn extract(suite: &[u8], salt: &[u8], label: &[u8], from: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(MacKey::new(salt).tag(&[VERSION, suite, label, from]))
}

/// `LabeledExpand` of section 4, of at most one block (RFC 5869 section 2.3).
fn expand<const N: usize>(suite: &[u8], from: &[u8; 32], label: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 32) };
    let length = [0, N as u8];
    let block = Zeroizing::new(MacKey::new(from).tag(&[&length, VERSION, suite, label, info, &[1]]));
    let mut out = Zeroizing::new([0; N]);
    for (to, from) in out.iter_mut().zip(block.iter()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::AES_128_GCM;

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
        digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()
    }

    fn key(hex: &str) -> OpeningKey {
        OpeningKey::from_scalar(&bytes(hex).try_into().unwrap()).unwrap()
    }

    /// RFC 9180 appendix A.1.1: the same but for the cipher, which is AES-128-GCM there.
    #[test]
    fn what_the_rfc_seals_is_sealed_alike() {
        let made = key("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736");
        let receiver = key("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8");
        let encapsulated = bytes("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        assert_eq!(made.public().0.to_vec(), encapsulated);
        let shared =
            agree(&made.scalar, &receiver.public, |dh| shared_secret(dh, &made.public.0, &receiver.public));
        let wanted = "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc";
        assert_eq!(shared.unwrap().to_vec(), bytes(wanted));
        let info = bytes("4f6465206f6e2061204772656369616e2055726e");
        let cipher = Cipher { id: [0, 1], algorithm: &AES_128_GCM };
        let sealed = receiver
            .public
            .seal_by(&cipher, &made, (&info, b"Count-0"), b"Beauty is truth, truth beauty")
            .unwrap();
        let wanted = "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9\
                      6d8770ac83d07bea87e13c512a";
        assert_eq!(sealed.ciphertext, bytes(wanted));
    }

    #[test]
    fn only_the_key_it_was_sealed_to_opens_it_for_what_it_was_sealed_for() {
        let (key, other) = (OpeningKey::generate().unwrap(), OpeningKey::generate().unwrap());
        let sealed = key.public().seal(b"for", b"with", b"secret").unwrap();
        assert_eq!(key.open(b"for", b"with", &sealed).unwrap().as_slice(), b"secret");
        assert!(other.open(b"for", b"with", &sealed).is_none());
        assert!(key.open(b"for another", b"with", &sealed).is_none());
        assert!(key.open(b"for", b"without", &sealed).is_none());
        let mut changed = sealed.clone();
        changed.ciphertext[0] ^= 1;
        assert!(key.open(b"for", b"with", &changed).is_none());
        assert_eq!(format!("{key:?}"), "OpeningKey(***)");
    }

    #[test]
    fn nothing_is_sealed_to_a_point_of_small_order() {
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(SealingKey([0; 32]).seal(b"", b"", b"secret"), None);
        assert_eq!(SealingKey(one).seal(b"", b"", b"secret"), None);
    }
}
