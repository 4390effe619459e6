#!/usr/bin/env python3
"""Judges an evidence pack of Tolbooth, without Tolbooth and without a network.

    python3 verifier.py FILE.pack [--key LOG.vkey] [--json]

Needs Python 3.11 and its package `cryptography` (41 or later), and shares no code with the gateway. docs/evidence.md says what a
pack holds. Ends with 0 if nothing was found wrong, 1 if something was, 3 if it could not be judged.

What it does not do again: compute the view that was sealed from contract and mapping, and decide by Cedar guardrails.
It says so.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import io
import json
import sys
import tarfile
import tomllib
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

TITLE = "c2sp.org/tlog-proof@v1"
# From the beginning of an exchange to its record, at most; and from a ruleset's record to its coming into force.
UNDER_WAY_SECONDS_MAX = 900
SWAP_SECONDS_MAX = 60
PATH_CERTIFICATES_MAX = 5
FOLDERS = ("agreements", "grants", "templates", "datasets", "issuers")


class Wrong(Exception):
    """It is shown to be otherwise."""


class NotProven(Exception):
    """Nothing here shows it either way."""


class Undecided(Exception):
    """It cannot be judged at all."""


def need(condition, says):
    if not condition:
        raise Wrong(says)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# --- the pack -----------------------------------------------------------------------------------------------------


def read_pack(data):
    """The parts of the tar by name: plain files, each once, and none that no pack has."""
    parts = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for entry in tar:
                need(entry.isreg() and entry.name not in parts, f"the part {entry.name!r} is not one of a pack")
                parts[entry.name] = tar.extractfile(entry).read()
            end = tar.offset
    except tarfile.TarError as error:
        raise Wrong(f"this is not an evidence pack: {error}") from error
    need(not any(data[end:]), "something stands behind the pack's end")
    folders = [f"{folder}/{file}" for folder in ("record", "ruleset", "next") for file in ("envelope.json", "proof.txt")]
    known = {"README.txt", "log.vkey", "record/sealed", *folders}
    for name in parts:
        need(name in known or name.startswith("evidence/"), f"the part {name!r} is none that a pack has")
    return parts


class Key:
    """A verifier key of a C2SP signed note: name+id+base64(algorithm and key)."""

    def __init__(self, text):
        try:
            self.name, key_id, encoded = text.strip().split("+", 2)
            decoded = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise Undecided(f"not a verifier key: {error}") from error
        self.id = hashlib.sha256(self.name.encode() + b"\n" + decoded).digest()[:4]
        if len(decoded) != 33 or decoded[0] != 1 or self.id.hex() != key_id:
            raise Undecided("not a verifier key: wanted Ed25519 under its own id")
        self.bytes = decoded[1:]
        self.public = ed25519.Ed25519PublicKey.from_public_bytes(self.bytes)

    def signed(self, text, lines):
        """Whether a line is this key's signature over the text, and none under its name and id is not."""
        mine = [signature for name, key_id, signature in lines if (name, key_id) == (self.name, self.id)]
        try:
            for signature in mine:
                self.public.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return bool(mine)


def read_note(note):
    """The text of a C2SP signed note, and its signature lines: name, key id, signature."""
    at = note.rfind("\n\n")
    need(at >= 0 and note.endswith("\n"), "not a signed note")
    lines = []
    for line in note[at + 2 :].splitlines():
        words = line.split(" ")
        need(len(words) == 3 and words[0] == "\u2014", "a signature line is not one")
        try:
            decoded = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            raise Wrong("a signature line is not one") from None
        lines.append((words[1], decoded[:4], decoded[4:]))
    return note[: at + 1], lines


def root_of(leaf, index, size, proof):
    """The root an inclusion proof leads to (RFC 9162 section 2.1.3.2)."""
    need(index < size, "the record is not within the checkpoint")
    place, last, node = index, size - 1, leaf
    for step in proof:
        need(last > 0, "the proof is too long")
        if place & 1 or place == last:
            node = hashlib.sha256(b"\x01" + step + node).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + step).digest()
        place, last = place >> 1, last >> 1
    need(last == 0, "the proof is too short")
    return node


class Part:
    """A record: its envelope as stored, and the proof beside it."""

    def __init__(self, parts, folder):
        names = (f"{folder}/envelope.json", f"{folder}/proof.txt")
        self.is_there = names[0] in parts or names[1] in parts
        if not self.is_there:
            return
        need(all(name in parts for name in names), f"`{folder}` wants an envelope and its proof")
        self.envelope = parts[names[0]]
        try:
            head, self.note = parts[names[1]].decode().split("\n\n", 1)
            title, index, *hashes = head.split("\n")
            self.index = int(index.removeprefix("index "))
            self.proof = [base64.b64decode(step, validate=True) for step in hashes]
        except (ValueError, binascii.Error):
            raise Wrong(f"`{names[1]}` is not a tlog-proof") from None
        need(title == TITLE and index.startswith("index "), f"`{names[1]}` is not a tlog-proof")

    def check(self, key):
        """Size and origin of the checkpoint, if the key signed it and the envelope is under it."""
        text, lines = read_note(self.note)
        need(key.signed(text, lines), "the checkpoint bears no valid signature of this log's key")
        origin, size, root, *_ = text.split("\n")
        need(origin == key.name, "the checkpoint is of another log")
        leaf = hashlib.sha256(b"\x00" + self.envelope).digest()
        found = root_of(leaf, self.index, int(size), self.proof)
        need(found == base64.b64decode(root), "the envelope is not in the tree of the checkpoint")
        return int(size)

    def json(self, kind):
        try:
            value = json.loads(self.envelope)
        except ValueError:
            raise Wrong("an envelope is not JSON") from None
        need(isinstance(value, dict) and value.get("kind") == kind, f"an envelope is not one of kind {kind}")
        return value


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def london(at):
    """The day in London."""
    return in_london(at).date()


def in_london(at):
    try:
        return at.astimezone(ZoneInfo("Europe/London"))
    except ZoneInfoNotFoundError as error:
        raise Undecided("this machine knows no time zones: install `tzdata`") from error


def open_between(grant):
    """From when until before when a grant may be used."""
    decided = moment(grant["decided"])
    return decided, moment(grant["expires"]) if "expires" in grant else decided + datetime.timedelta(hours=72)


# What every exchange has, and what it has or leaves open.
EXCHANGE_TEXTS = ("log", "time", "exchange", "consumer", "provider", "ruleset", "outcome", "sealed")
EXCHANGE_TEXTS_IF_ANY = (
    "dataset", "operation", "agreement", "agreement_digest", "purpose", "role", "assurance", "fields_digest"
)


def is_exchange(words):
    """Whether an envelope says all that is read of an exchange; what is absent is left open."""
    for key in (*EXCHANGE_TEXTS_IF_ANY, "fields"):
        words.setdefault(key, None)
    names = words["fields"]
    try:
        moment(words.get("time"))
    except (TypeError, ValueError, AttributeError):
        return False
    return (
        words.get("v") == 1
        and all(isinstance(words.get(key), str) for key in EXCHANGE_TEXTS)
        and all(isinstance(words[key], str | None) for key in EXCHANGE_TEXTS_IF_ANY)
        and all(type(words.get(key)) is int and words[key] >= 0 for key in ("v", "index", "rows"))
        and (names is None or (isinstance(names, list) and all(isinstance(name, str) for name in names)))
    )


def as_agreement(words):
    """A grant's words as those of an agreement: it is one, in another form."""
    if grant := words.get("grant"):
        decided, expires = open_between(grant)
        until = london(expires - datetime.timedelta(microseconds=1))
        words["agreement"] = {**grant, "version": 1}
        words["dates"] = {"from": london(decided), "until": until}
    return words


def signs(party):
    """Providers and consumers sign; of the others those that are controllers."""
    return party["side"] in ("provider", "consumer") or party.get("controller", "sole") in ("sole", "joint")


def same_office(one, other):
    """Capitals and underscores are not what tells two offices apart."""
    return one.strip().replace("_", " ").lower() == other.strip().replace("_", " ").lower()


# --- certificates -------------------------------------------------------------------------------------------------


def validity(certificate):
    """Both ends, in UTC; older versions of the package give them without a zone."""
    if hasattr(certificate, "not_valid_before_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    utc = datetime.timezone.utc
    return certificate.not_valid_before.replace(tzinfo=utc), certificate.not_valid_after.replace(tzinfo=utc)


def is_signed_by(signed, body, key):
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signed.signature, body)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signed.signature, body, ec.ECDSA(signed.signature_hash_algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            # PKCS#1 v1.5 or PSS, as the certificate says.
            key.verify(signed.signature, body, signed.signature_algorithm_parameters, signed.signature_hash_algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def extension(certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def may_issue(certificate, below):
    basic = extension(certificate, x509.BasicConstraints)
    return basic is not None and basic.ca and (basic.path_length is None or below <= basic.path_length)


def path_to(leaf, others, anchors, at):
    """Certificates from the leaf to an anchor, each signed by the next and valid then."""

    def holds(certificate):
        first, last = validity(certificate)
        return first <= at <= last

    def climb(path):
        top = path[-1]
        if not holds(top):
            return None
        for is_anchor, candidates in ((True, anchors), (False, others)):
            for issuer in candidates:
                fits = issuer.subject == top.issuer and issuer not in path and may_issue(issuer, len(path) - 1)
                if not (fits and is_signed_by(top, top.tbs_certificate_bytes, issuer.public_key())):
                    continue
                if is_anchor and holds(issuer):
                    return [*path, issuer]
                if not is_anchor and len(path) < PATH_CERTIFICATES_MAX:
                    found = climb([*path, issuer])
                    if found:
                        return found
        return None

    return climb([leaf])


def pems(data):
    end = b"-----END CERTIFICATE-----"
    blocks = [block + end for block in data.split(end) if b"-----BEGIN CERTIFICATE-----" in block]
    return [x509.load_pem_x509_certificate(block) for block in blocks]


def crls(data):
    end = b"-----END X509 CRL-----"
    if end not in data:
        return [x509.load_der_x509_crl(data)]
    return [x509.load_pem_x509_crl(block + end) for block in data.split(end) if b"-----BEGIN X509 CRL-----" in block]


# --- judging ------------------------------------------------------------------------------------------------------


class Case:
    def __init__(self, parts, given):
        self.parts = parts
        self.given = given
        if "log.vkey" not in parts:
            raise Wrong("the pack has no `log.vkey`")
        self.key = given or self.enclosed()
        self.record, self.ruleset, self.next = (Part(parts, folder) for folder in ("record", "ruleset", "next"))
        need(self.record.is_there, "the pack has no `record/envelope.json`")
        self.exchange = self.record.json("exchange")
        need(is_exchange(self.exchange), "the record is not an exchange of a version this program knows")
        self.sealed = None
        self.rules = {}
        self.agreement = None
        self.findings = []

    def enclosed(self):
        try:
            return Key(self.parts["log.vkey"].decode())
        except (UnicodeDecodeError, Undecided) as error:
            raise Wrong(f"the key in the pack: {error}") from None

    def find(self, what, check):
        try:
            verdict, says = "proven", check()
        except Wrong as wrong:
            verdict, says = "wrong", str(wrong)
        except NotProven as not_proven:
            verdict, says = "not proven", str(not_proven)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, UnsupportedAlgorithm) as error:
            verdict, says = "wrong", f"what it stands on does not read: {error!r}"
        self.findings.append({"what": what, "verdict": verdict, "says": says})

    def judge(self):
        for what in ("key", "record", "sealed", "ruleset", "in_force", "files"):
            self.find(what, getattr(self, f"check_{what}"))
        if self.key.name.split("/")[0].split(".", 1)[-1].startswith("sandbox."):
            self.find("sandbox", self.check_sandbox)
            return
        self.find("members", self.check_members)
        self.find("agreement", self.check_agreement)
        if self.exchange["agreement"] is None and not self.was_answered():
            return
        checks = ("signatures", "dates", "seal", "parties", "purpose", "role", "assurance", "fields", "guardrails", "chain")
        grant = self.agreement is not None and "grant" in self.agreement
        if grant and self.was_answered():
            self.find("once", self.check_once)
            self.find("about", self.check_about)
        for what in checks if self.was_answered() else ("fields", "chain"):
            self.find(what, getattr(self, f"check_{what}"))

    # What the record says.

    def was_answered(self):
        return self.exchange["outcome"] in ("answered", "no_match")

    def began(self):
        """When the question came: the time in its id (RFC 9562 section 5.7), as far as that can be."""
        recorded = moment(self.exchange["time"])
        try:
            milliseconds = int(self.exchange["exchange"].replace("-", "")[:12], 16)
            began = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
        except (ValueError, OverflowError, OSError):
            return recorded
        seconds = (recorded - began).total_seconds()
        return began if 0 <= seconds <= UNDER_WAY_SECONDS_MAX else recorded

    def day(self):
        return london(self.began())

    def file(self, digest):
        """The evidence of this digest, if it is that."""
        data = self.parts.get("evidence/" + digest.removeprefix("sha256:"))
        return data if data is not None and sha256(data) == digest else None

    def folder(self, folder, ending):
        for name, data in sorted(self.rules.items()):
            steps = name.split("/")
            if name.endswith(ending) and len(steps) > 1 and steps[-2] == folder:
                yield name, data

    # The log.

    def check_key(self):
        if not self.given:
            raise NotProven("that the key is the log's: it came with the pack (--key)")
        enclosed = self.enclosed()
        need((enclosed.name, enclosed.bytes) == (self.given.name, self.given.bytes), "the key in the pack is another")
        return f"the pack is of the log whose key was given, {self.given.name}"

    def check_record(self):
        size = self.record.check(self.key)
        stands = (self.exchange["index"], self.exchange["log"])
        need(stands == (self.record.index, self.key.name), "the record says it stands elsewhere than its proof")
        return f"record {self.record.index} is in the log, under a signed checkpoint over {size} records"

    def check_sealed(self):
        sealed = self.parts.get("record/sealed")
        if sealed is None:
            raise NotProven("anything of the sealed part of the record: it is not in the pack")
        # Judged by what it says also where it is not the one: each check stands for itself.
        self.sealed = json.loads(sealed[32:])
        need(sha256(sealed) == self.exchange["sealed"], "the sealed part is not the one the record names")
        return "the sealed part is the one the record names"

    def entry(self, part):
        part.check(self.key)
        need(part.note == self.record.note, "the ruleset's entry is proved under another checkpoint than the record")
        entry = part.json("ruleset")
        stands = (entry["index"], entry["log"])
        need(stands == (part.index, self.key.name), "the ruleset's entry says it stands elsewhere than its proof")
        return entry

    def check_ruleset(self):
        need(self.ruleset.is_there, "the entry that brought the record's ruleset into force is not in the pack")
        entry = self.entry(self.ruleset)
        need(entry["index"] < self.exchange["index"], "the ruleset's entry stands behind the record")
        need(entry["ruleset"] == self.exchange["ruleset"], "the ruleset's entry is of another ruleset")
        return f"its ruleset came into force by record {entry['index']}, and the record names it"

    def check_in_force(self):
        if not self.next.is_there:
            raise NotProven("that no other ruleset came into force before the record: only the whole log shows it")
        later = self.entry(self.next)
        need(self.ruleset.is_there and later["index"] > self.ruleset.index, "the later entry is not a later one")
        if later.get("before") is None:
            raise NotProven("that the later ruleset came right after: its entry does not say what it replaced")
        need(later["before"] == self.exchange["ruleset"], "the later entry says that it replaced another ruleset")
        if later["index"] > self.exchange["index"]:
            return f"it was in force until record {later['index']}, behind the record"
        late = int(self.began().timestamp()) - int(moment(later["time"]).timestamp())
        need(late <= SWAP_SECONDS_MAX, "the question came after another ruleset had come into force")
        return f"it was in force when the question came, and replaced by record {later['index']} meanwhile"

    # The rules.

    def check_files(self):
        if not self.ruleset.is_there:
            raise NotProven("anything of the ruleset's files: its entry is not there")
        entry = self.ruleset.json("ruleset")
        manifest = self.file(entry["manifest"])
        need(manifest is not None, "the list of the ruleset's files is not in the pack as its entry names it")
        listed = json.loads(manifest)
        self.rules = {name: data for name, digest in listed["files"] if (data := self.file(digest)) is not None}
        lines = "".join(f"{digest.removeprefix('sha256:')} {name}\n" for name, digest in listed["files"])
        same = listed["ruleset"] == self.exchange["ruleset"] == sha256(lines.encode())
        need(same, "the list of files is of another ruleset than the record names")
        for name, digest in listed["files"]:
            need(name in self.rules, f"{name} is not in the pack as the ruleset had it ({digest})")
        return f"all {len(self.rules)} files of the ruleset are here as they were"

    def members(self):
        lists = [
            (name, data)
            for name, data in self.rules.items()
            if name.endswith(".toml") and name.split("/")[-2:][0] not in FOLDERS
        ]
        need(len(lists) == 1, "the ruleset has not one members' file")
        self.base = lists[0][0].rpartition("/")[0]
        return tomllib.loads(lists[0][1].decode())

    def member(self, member_id):
        found = [member for member in self.members()["member"] if member["id"] == member_id]
        need(len(found) == 1, f"the members' file does not have {member_id}")
        return found[0]

    def beside_members(self, name):
        return self.rules.get(f"{self.base}/{name}" if self.base else name)

    def check_members(self):
        federation = self.members()["federation"]
        log = f"{self.exchange['provider']}.{federation}/"
        need(self.key.name.startswith(log), "the log is not one of the member that answered")
        return f"the log is one of {self.exchange['provider']} in {federation}"

    def check_sandbox(self):
        raise NotProven("that anything was released: the log is a sandbox's, whose answers are made up")

    # The agreement.

    def check_agreement(self):
        named = self.exchange["agreement"]
        if named is None:
            need(not self.was_answered(), "the record says that it was answered, and names no agreement")
            need(self.exchange["rows"] == 0 and self.exchange["fields"] == [], "something was released, without agreement")
            return "nothing was released"
        digest = self.exchange["agreement_digest"]
        files = [*self.folder("agreements", ".toml"), *self.folder("grants", ".toml")]
        found = [(name, data) for name, data in files if sha256(data) == digest]
        need(found, "no agreement of the ruleset has the digest the record names")
        self.agreement_file, data = found[0]
        self.agreement = as_agreement(tomllib.loads(data.decode()))
        head = self.agreement["agreement"]
        need(f"{head['id']}@{head['version']}" == named, "the agreement is not the version the record names")
        if not self.was_answered():
            return f"the record names {named}; nothing was released under it"
        entry = self.ruleset.json("ruleset")
        if [named, digest] not in entry["agreements"]:
            begins = self.agreement["dates"]["from"]
            if begins == self.day() and london(moment(entry["time"])) < begins:
                raise NotProven("that the log had the agreement in force: it began on that day, after the entry")
            raise Wrong("the ruleset's entry does not have the agreement in force")
        return f"the record names {named} by its exact bytes, and so does its ruleset's entry"

    def agreed(self):
        if self.agreement is None:
            raise NotProven("anything of this: the agreement could not be read")
        return self.agreement

    def check_signatures(self):
        agreement = self.agreed()
        head = agreement["agreement"]
        note = self.rules.get(self.agreement_file.removesuffix(".toml") + ".sig")
        need(note is not None, "the agreement was not signed")
        text, lines = read_note(note.decode())
        digest = self.exchange["agreement_digest"]
        kind = "grant" if "grant" in agreement else "agreement"
        wanted = f"tolbooth/{kind}/v1\n{head['id']}\n{head['version']}\n{digest}\n"
        need(text == wanted, "the agreement was changed after it was signed")
        signed = []
        for party in filter(signs, agreement["party"]):
            member = party["member"]
            officers = self.member(member).get("officer", [])
            counted = [one for one in officers if head["stage"] == "trial" or not one.get("trial", False)]
            who = [one for one in counted if Key(one["key"]).signed(text, lines)]
            named = party.get("caldicott_guardian")
            guardians = [one for one in who if named and same_office(one["office"], named["office"])]
            need(len(who) > len(guardians), f"the agreement was not signed for {member} by an officer whose key counts")
            need(guardians or not named, f"the agreement was not signed by the Caldicott Guardian of {member}")
            signed += [f"{one['name']} for {member}" for one in who]
        return "these bytes are signed for every party: " + ", ".join(signed)

    def check_dates(self):
        dates = self.agreed()["dates"]
        day = self.day()
        in_force = dates["from"] <= day and ("until" not in dates or day <= dates["until"])
        need(in_force, f"the agreement was not in force on {day}")
        moments = (self.began(), moment(self.exchange["time"]))
        need(any(self.is_open(at) for at in moments), "the agreement allows no questions at that hour")
        # A grant has moments, and its days are only those they lie in.
        if grant := self.agreement.get("grant"):
            decided, expires = open_between(grant)
            need(decided <= self.began() < expires, f"the grant was open from {decided} until {expires} alone")
            return f"the grant was open from {decided} until {expires}, when the question came"
        return f"it was in force on {day}"

    def is_open(self, at):
        """Whether questions may be asked at a moment, by London's clock."""
        hours = self.agreed().get("access", {}).get("hours", "24x7")
        if hours == "24x7":
            return True
        local = in_london(at)
        spans = (span.split("-") for span in hours.get(DAYS[local.weekday()], []))
        return any(begins <= local.strftime("%H:%M") < ends for begins, ends in spans)

    def check_once(self):
        raise NotProven("that the grant was used this once: only the whole log shows that nothing else was under it")

    def check_about(self):
        raise NotProven("that the question was about whom the grant names: the key of its commitments is in no pack")

    def check_seal(self):
        agreement = self.agreed()
        need("view" in agreement.get("seal", {}), "the agreement is not sealed")
        if agreement["agreement"]["stage"] == "trial":
            need(self.is_synthetic(agreement["dataset"]), "it was a trial, and its source is not marked synthetic")
        raise NotProven("that contract and mapping give the view that was sealed: this program does not compute it")

    def is_synthetic(self, dataset):
        """Whether the file of this dataset says so; it names its contract, and that its version."""
        for _, data in self.folder("datasets", ".toml"):
            file = tomllib.loads(data.decode())
            contract = json.loads(self.rules.get(file["contract"], b"{}"))
            major = contract.get("info", {}).get("version", "").split(".")[0]
            if (file["dataset"], major) == (dataset["id"], str(dataset["major"])):
                return file.get("synthetic", False)
        return False

    def system(self):
        member, system = self.exchange["consumer"].split("/")
        for party in self.agreed()["party"]:
            if party["member"] == member and party["side"] == "consumer":
                for listed in party["system"]:
                    if listed["id"] == system:
                        return listed
        raise Wrong(f"the agreement does not list the system {self.exchange['consumer']}")

    def check_parties(self):
        agreement = self.agreed()
        providers = [party["member"] for party in agreement["party"] if party["side"] == "provider"]
        need(providers == [self.exchange["provider"]], "the agreement has another provider than the record")
        dataset = agreement["dataset"]
        need(f"{dataset['id']}/v{dataset['major']}" == self.exchange["dataset"], "it is on another dataset")
        need(self.exchange["operation"] in dataset["operations"], "the operation is none of the agreement's")
        self.system()
        return f"it lets {self.exchange['consumer']} ask {self.exchange['provider']} for {self.exchange['dataset']}"

    def check_purpose(self):
        purpose = self.exchange["purpose"]
        need(purpose in self.system()["purposes"], f"the agreement does not let the system ask for {purpose}")
        return f"it lets the system ask for {purpose}"

    def check_role(self):
        roles, role = self.system().get("roles", []), self.exchange["role"]
        need(role in roles or not roles, f"the agreement does not let the system ask as {role}")
        return f"it lets the system ask as {role or 'nobody in particular'}"

    def check_assurance(self):
        steps = ("certificate", "token", "signed")
        access = self.agreed()["access"]
        wanted, shown = access["assurance"], self.exchange["assurance"]
        need(shown in steps and steps.index(shown) >= steps.index(wanted), f"it wants {wanted}, and the record has {shown}")
        if access.get("user") in ("required", "named_user", "user_pseudonym") and self.sealed is not None:
            need(self.sealed.get("user") is not None, "the agreement wants a user stated, and there is none")
        return f"it wants {wanted}, and the record has {shown}"

    def check_fields(self):
        self.agreed()
        names = self.exchange["fields"]
        if names is None:
            if self.sealed is None:
                raise NotProven("that no other field left than the agreement releases: the names are sealed")
            names = self.sealed.get("fields") or []
            written = json.dumps(names, separators=(",", ":"), ensure_ascii=False).encode()
            need(sha256(written) == self.exchange["fields_digest"], "the sealed names are not those of the record")
        if self.exchange["outcome"] != "answered":
            need(not names and self.exchange["rows"] == 0, "nothing was told, and something was released")
            return "no field left"
        most = self.agreed().get("limits", {}).get("rows_per_answer")
        need(most is None or self.exchange["rows"] <= most, "more records left than the agreement allows in one answer")
        entries = self.agreed()["data"]["release"]
        released = {entry if isinstance(entry, str) else entry["field"] for entry in entries}
        for name in names:
            need(name in released, f"{name} left, and the agreement does not release it")
        return "what left is what it releases: " + ", ".join(names)

    def check_guardrails(self):
        self.agreed()
        raise NotProven("that no guardrail forbade it: this program does not decide by Cedar")

    def check_chain(self):
        self.agreed()
        if self.sealed is None:
            raise NotProven("which certificates the caller showed: they are named in the sealed part")
        digest = self.sealed.get("chain")
        if digest is None:
            raise NotProven("which certificates the caller showed: the record does not name them")
        if not self.sealed.get("chain_kept"):
            raise NotProven("which certificates the caller showed: they were not kept, only their digest")
        data = self.file(digest)
        need(data is not None, "the caller's certificates are not in the pack as the record names them")
        leaf, *others = pems(data)
        member_id, system = self.exchange["consumer"].split("/")
        member = self.member(member_id)
        if member.get("binding"):
            raise NotProven(f"whose certificate it was: {member_id} has bindings, which this program does not follow")
        anchors = [anchor for name in member["anchors"] for anchor in pems(self.beside_members(name) or b"")]
        path = path_to(leaf, others, anchors, self.began())
        need(path, f"the caller's certificates lead to no anchor of {member_id} that was valid then")
        need(not may_issue(leaf, 0), "the caller's certificate is that of a CA")
        usage, key_usage = extension(leaf, x509.ExtendedKeyUsage), extension(leaf, x509.KeyUsage)
        need(usage is not None and ExtendedKeyUsageOID.CLIENT_AUTH in usage, "it is not for clients")
        need(key_usage is not None and key_usage.digital_signature, "it may not sign")
        names = extension(leaf, x509.SubjectAlternativeName)
        uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names is not None else []
        wanted = f"spiffe://{member_id}.{self.members()['federation']}/{system}"
        need(uris == [wanted], f"the caller's certificate names {uris}, not {wanted}")
        self.not_revoked(member, path)
        return f"the caller's certificate leads to an anchor of {member_id} and names {wanted}"

    def not_revoked(self, member, path):
        """Neither by the member's deny-list nor by a list of the CA that issued it."""
        denied = set(member.get("revoked", []))
        lists = [crl for name in member.get("crl", []) for crl in crls(self.beside_members(name) or b"")]
        for place, certificate in enumerate(path):
            digest = "sha256:" + hashlib.sha256(certificate.public_bytes(encoding())).hexdigest()
            serial = f"{certificate.serial_number:x}"
            serials = {text.replace(":", "").lower().lstrip("0") for text in denied if not text.startswith("sha256:")}
            need(digest not in denied, "a certificate of the chain was on the deny-list")
            # An anchor's number is nobody's below it.
            if place < len(path) - 1:
                need(serial not in serials, "a certificate of the chain was on the deny-list")
                for crl in lists:
                    found = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
                    need(crl.issuer != certificate.issuer or found is None, "a certificate of the chain was revoked")


def encoding():
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def judged(arguments):
    try:
        with open(arguments.pack, "rb") as file:
            data = file.read()
        text = arguments.key
        if text and "+" not in text:
            with open(text, encoding="utf-8") as file:
                text = file.read()
        given = Key(text) if text else None
    except OSError as error:
        raise Undecided(str(error)) from error
    case = Case(read_pack(data), given)
    case.judge()
    return case


def main():
    parser = argparse.ArgumentParser(description="Judges an evidence pack of Tolbooth, offline.")
    parser.add_argument("pack", help="the pack")
    parser.add_argument("--key", help="the log's public key, got by another way: a file, or the key itself")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    arguments = parser.parse_args()
    try:
        case = judged(arguments)
    except Wrong as fault:
        print(json.dumps({"verified": False, "fault": str(fault)}) if arguments.json else f"NOT VERIFIED: {fault}")
        return 1
    except Undecided as fault:
        print(f"verifier: {fault}", file=sys.stderr)
        return 3
    holds = all(found["verdict"] != "wrong" for found in case.findings)
    if arguments.json:
        print(json.dumps({"verified": holds, "findings": case.findings}))
    else:
        print(f"{'VERIFIED' if holds else 'NOT VERIFIED'}: exchange {case.exchange['exchange']}")
        for verdict in ("wrong", "proven", "not proven"):
            for found in (found for found in case.findings if found["verdict"] == verdict):
                print(f"  {verdict}: {found['what']}: {found['says']}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
