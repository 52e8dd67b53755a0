"""Whether an authority stands behind a signer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from audit.attestation.seal.keys import KeySigner, certificates_pem
from audit.attestation.seal.trust import STAMP_USAGES, doubt_certificate, read_anchors
from audit.errors import ConfigError

NOW = datetime.now(UTC)


def doubt(signer, *anchors, moment=NOW, **more):
    return doubt_certificate(signer.certificate, signer.chain, anchors, moment, **more)


def test_root_vouches_through_the_chain(ada, authority):
    assert doubt(ada, authority.root) == ""


def test_intermediate_alone_vouches(ada, authority):
    assert doubt(ada, authority.middle) == ""


def test_without_the_chain_there_is_no_path(ada, authority):
    assert "no path" in doubt_certificate(ada.certificate, (), (authority.root,), NOW)


def test_the_certificate_itself_may_be_trusted(ada, eve, development):
    assert doubt(ada, ada.certificate) == ""
    assert doubt(eve, eve.certificate) == ""
    assert doubt(development, development.certificate) == ""


def test_somebody_elses_authority_does_not_vouch(eve, ada, authority):
    assert "no path" in doubt(eve, authority.root)
    assert "no path" in doubt(ada, eve.certificate)


def test_nobody_is_trusted_without_authorities(ada):
    assert "no path" in doubt(ada)


def test_a_signer_is_no_authority(ada, certify):
    """Ada's certificate may not certify others, whoever is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    forged = KeySigner(certify(key, "Mallory", issuer=ada.certificate, issuer_key=ada.key), (), None, key)
    chain = (ada.certificate, *ada.chain)
    assert doubt_certificate(forged.certificate, chain, (ada.chain[0],), NOW) != ""


def test_outside_its_time(ada, authority):
    late = ada.certificate.not_valid_after_utc + timedelta(days=1)
    assert "no trusted time stamp" in doubt(ada, authority.root, moment=late)
    assert "no trusted time stamp" in doubt(ada, ada.certificate, moment=late)


@pytest.mark.parametrize(
    ("usage", "good"),
    [
        (ExtendedKeyUsageOID.EMAIL_PROTECTION, True),
        (ExtendedKeyUsageOID.CLIENT_AUTH, True),
        (ExtendedKeyUsageOID.SERVER_AUTH, False),
        (ExtendedKeyUsageOID.TIME_STAMPING, False),
        (ExtendedKeyUsageOID.OCSP_SIGNING, False),
    ],
)
def test_purposes(usage, good, authority):
    signer = authority.signer(usages=[usage])
    assert (doubt(signer, authority.root) == "") is good


def test_stamp_authority_needs_its_purpose(authority, ada):
    assert doubt_certificate(authority.stamp, (), (authority.root,), NOW, usages=STAMP_USAGES) == ""


def test_a_key_that_may_not_sign(authority):
    assert doubt_certificate(authority.middle, (), (authority.root,), NOW) != ""


def test_inside_a_running_loop(ada, authority):
    """Notebooks run one."""

    async def inside():
        return doubt(ada, authority.root)

    assert asyncio.run(inside()) == ""


def test_anchors_are_read(tmp_path, authority, ada):
    (tmp_path / "ca.pem").write_bytes(certificates_pem((authority.root, ada.certificate)))
    assert read_anchors(tmp_path / "ca.pem") == (authority.root, ada.certificate)


@pytest.mark.parametrize("text", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_anchors_that_are_none(tmp_path, text):
    (tmp_path / "ca.pem").write_bytes(text)
    with pytest.raises(ConfigError):
        read_anchors(tmp_path / "ca.pem")
    with pytest.raises(ConfigError):
        read_anchors(tmp_path / "absent.pem")
