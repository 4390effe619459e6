//! Every bound of the house that is not configuration, with its reason.

/// A partner's question: identifiers and a few parameters; a list of 1,000 identifiers fits.
pub const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// Nesting of any JSON read from outside; records seen go to 6, and every parser here is iterative
/// or bounded by this.
pub const JSON_DEPTH_MAX: usize = 64;

/// A source's whole answer when the configuration says nothing else.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A header value of ours that the caller sets (user, reason, case): goes to the sealed part.
pub const CLAIM_BYTES_MAX: usize = 256;

/// `Signature-Input` with every header of ours covered is under 600 bytes; twenty of them fit.
pub const SIGNATURE_INPUT_BYTES_MAX: usize = 2048;
pub const SIGNATURE_COMPONENTS_MAX: usize = 32;

/// `Signature` with one Ed25519 signature is under 100 bytes.
pub const SIGNATURE_BYTES_MAX: usize = 1024;

/// A receipt in its header, base64url (design 3): what common clients and proxies let through.
pub const RECEIPT_BYTES_MAX: usize = 6 * 1024;

/// Names of dropped unknown fields kept in a sealed part, and the bytes of each (design 5).
pub const DRIFT_NAMES_MAX: usize = 16;
pub const DRIFT_NAME_BYTES_MAX: usize = 64;

/// The longest a trial agreement may last.
pub const TRIAL_DAYS_MAX: i64 = 90;

/// Recovery keys subject keys are wrapped to: two hold when one is lost, and each can read every subject key.
pub const RECOVERY_KEYS_MAX: usize = 4;

/// Whoever steals a key's file may guess for years: a shorter passphrase is guessed.
pub const PASSPHRASE_CHARS_MIN: usize = 12;

/// How long sealed parts are kept where nothing else is said (`retention.audit_years`).
pub const AUDIT_YEARS_DEFAULT: u8 = 7;
/// Of agreements about children: until the youngest of them is 25 (`retention.audit_years`).
pub const AUDIT_YEARS_CHILDREN: u8 = 25;
/// A lifetime; more is a typing mistake.
pub const AUDIT_YEARS_MAX: u8 = 100;

/// How long a grant can be used where it says nothing else: a request is answered in days, and is stale after.
pub const GRANT_HOURS_DEFAULT: i64 = 72;
/// The longest a grant may be open: what is wanted for longer is no one-off disclosure.
pub const GRANT_DAYS_MAX: i64 = 30;
/// Questions a minute under a grant. One is answered; the others are for a source that failed, and too few to
/// find out whom a grant is about.
pub const GRANT_QUESTIONS_PER_MINUTE: u32 = 6;
/// Whom one grant may be about: a family; more is a dataset, and wants an agreement.
pub const GRANT_SUBJECTS_MAX: usize = 16;
