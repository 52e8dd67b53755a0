"""What a later reader needs to validate a signature after servers are gone, fetched when somebody signs.

Comes in: certificates with their chains. Goes out: `ValidationData`, or None and the reason; and the refusal of a
certificate that was revoked. Asked are the OCSP responders that certificates name, then the lists of revoked ones that
they name. Addresses are those in the signer's own certificates, http and https only; nothing is fetched where no time
stamp server is configured, and a server that failed once is not asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import AuditError, ConfigError, TryAgain

from .fetch import fetch
from .ocsp import ask_responder, judge_answer, responder_addresses
from .revocation import (
    NOTHING_SAID,
    Revocations,
    find_revoked,
    find_uncovered,
    issuers_of,
    list_addresses,
    load_list,
    path_above,
)

Chain = tuple[x509.Certificate, tuple[x509.Certificate, ...]]
"""A certificate and the certificates that came with it."""
_LARGEST_LIST = 1 << 24


@dataclass(frozen=True, slots=True)
class ValidationData:
    """What a reader needs to validate later, without a network.

    Parameters
    ----------
    certificates : tuple of cryptography.x509.Certificate
        All certificates of all chains, and those of responders.
    said : Revocations
        Lists and answers about them.
    """

    certificates: tuple[x509.Certificate, ...]
    said: Revocations


@dataclass(slots=True)
class RevocationSource:
    """Fetches what authorities say about certificates that they revoked, each once.

    Parameters
    ----------
    needed : bool
        Whether a level that needs it was ordered; else its absence is worth no word.
    required : bool
        Raise where a server does not answer and it is needed.
    timeout : float
        Seconds after which a request is given up.
    notes : list of str
        Why there are no validation data, for the report's reader.
    """

    needed: bool = False
    required: bool = False
    timeout: float = 10.0
    notes: list[str] = field(default_factory=list)
    _lists: dict[str, bytes | None] = field(default_factory=dict, repr=False)
    _answers: dict[bytes, bytes | None] = field(default_factory=dict, repr=False)
    _faults: dict[str, str] = field(default_factory=dict, repr=False)
    _down: set[str] = field(default_factory=set, repr=False)

    def collect(self, chains: Sequence[Chain]) -> ValidationData | None:
        """Return certificates, lists and answers for several chains; None where one is missing, and `notes` says why.

        Raises
        ------
        ConfigError
            A certificate of the signer's was revoked.
        TryAgain
            A server did not answer, and the level is required.
        """
        certificates = tuple(dict.fromkeys(one for leaf, chain in chains for one in (leaf, *chain)))
        said, now = NOTHING_SAID, datetime.now(UTC)
        for leaf, chain in chains:
            for certificate in path_above(leaf, chain):
                said += self._ask_about(certificate, chain)
        self._refuse(chains[0], said, now)
        for leaf, chain in chains:
            if silent := find_uncovered(leaf, chain, said, now):
                self._give_up(self._tell_fault(silent, chain))
                return None
        return ValidationData(certificates, said) if said else None

    def refuse_revoked(self, chain: Chain) -> None:
        """Refuse to sign with a certificate that its authority has revoked.

        Raises
        ------
        ConfigError
            It was revoked; also where a certificate above it was.
        """
        said = NOTHING_SAID
        for certificate in path_above(*chain):
            said += self._ask_about(certificate, chain[1])
        self._refuse(chain, said, datetime.now(UTC))

    def _refuse(self, chain: Chain, said: Revocations, now: datetime) -> None:
        if reason := find_revoked(*chain, said, now):
            raise ConfigError(reason, place="signing.certificate", hint="sign with another certificate")

    def _ask_about(self, certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> Revocations:
        """Return an OCSP answer about a certificate, else a list of its authority, else nothing."""
        for issuer in issuers_of(certificate, others)[:1]:  # who issued it must be known to ask, and to be believed
            if answer := self._answer_about(certificate, issuer):
                return Revocations(self._lists_of_responder(answer, certificate, issuer), (answer,))
        return Revocations(self._lists_of(certificate))

    def _answer_about(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bytes | None:
        key = certificate.public_bytes(Encoding.DER)
        if key not in self._answers:
            addresses = responder_addresses(certificate)
            answers = (self._ask(address, certificate, issuer) for address in addresses)
            self._answers[key] = next(filter(None, answers), None)
        return self._answers[key]

    def _ask(self, address: str, certificate: x509.Certificate, issuer: x509.Certificate) -> bytes | None:
        if address in self._down:
            return None
        try:
            return ask_responder(address, certificate, issuer, timeout=self.timeout)
        except (OSError, ValueError, AuditError) as error:
            self._faults[address] = _tell_error(error)
            if isinstance(error, OSError):
                self._down.add(address)
            return None

    def _lists_of_responder(
        self, answer: bytes, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> tuple[bytes, ...]:
        """Return the list about a responder, unless its authority says that nobody need ask (RFC 6960, 4.2.2.2.1)."""
        now = datetime.now(UTC)
        responder = judge_answer(answer, certificate, [issuer], now).responder
        if responder is None or responder == issuer:
            return ()
        try:
            responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
        except x509.ExtensionNotFound:
            return self._lists_of(responder)
        return ()

    def _lists_of(self, certificate: x509.Certificate) -> tuple[bytes, ...]:
        """Return the first list that one of a certificate's addresses gives, as a tuple of one; or none."""
        for address in list_addresses(certificate):
            if address not in self._lists:
                self._lists[address] = self._fetch(address)
            if data := self._lists[address]:
                return (data,)
        return ()

    def _fetch(self, address: str) -> bytes | None:
        try:
            loaded = load_list(fetch(address, timeout=self.timeout, largest=_LARGEST_LIST))
        except (OSError, ValueError) as error:
            self._faults[address] = _tell_error(error)
            return None
        until = loaded.next_update_utc
        if until and until < datetime.now(UTC):
            self._faults[address] = "its list has run out"
            return None
        return loaded.public_bytes(Encoding.DER)

    def _tell_fault(self, certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> str:
        """Say why nothing counts that is said about a certificate."""
        who = certificate.issuer.rfc4514_string()[:80]
        asked = [*responder_addresses(certificate), *list_addresses(certificate)]
        if told := [f"{address}: {self._faults[address]}" for address in asked if address in self._faults]:
            return f"{who} does not say what it revoked ({'; '.join(told)[:300]})"
        if asked and not issuers_of(certificate, others):
            return f"the certificate of {who} is not at hand, and without it nobody can ask what it revoked"
        return f"{who} gives {'a list that it did not sign' if asked else 'no list of what it revoked'}"

    def _give_up(self, why: str) -> None:
        if self.needed:
            text = f"the signature in the PDF holds no validation data: {why}"
            if self.required:
                raise TryAgain(text, hint="try again later, or take out signing.level")
            if text not in self.notes:
                self.notes.append(text)


def _tell_error(error: Exception) -> str:
    return str(getattr(error, "what", None) or getattr(error, "reason", None) or error)[:120]
