"""DSSE: known answers, openssl, and no byte free to change."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.seal.envelope import encode_for_signature, key_id, open_envelope, seal_payload
from audit.attestation.seal.keys import public_key_pem
from audit.errors import SealError


def test_known_answer_of_the_specification():
    kind, payload = "http://example.com/HelloWorld", b"hello world"
    assert encode_for_signature(kind, payload) == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_length_counts_bytes_not_characters():
    assert encode_for_signature("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "


@given(st.text(max_size=20), st.binary(max_size=60), st.text(max_size=20), st.binary(max_size=60))
def test_no_two_payloads_share_an_encoding(kind, payload, other_kind, other):
    if (kind, payload) != (other_kind, other):
        assert encode_for_signature(kind, payload) != encode_for_signature(other_kind, other)


@given(st.binary(max_size=300))
def test_what_was_sealed_comes_back(ada, payload):
    opened = open_envelope(seal_payload("application/x", payload, ada))
    assert (opened.payload_type, opened.payload) == ("application/x", payload)
    assert opened.certificate == ada.certificate


@pytest.mark.parametrize("who", ["ada", "rsa_signer"])
def test_openssl_verifies(who, request, tmp_path):
    signer = request.getfixturevalue(who)
    envelope = json.loads(seal_payload("application/x", b"payload", signer))
    (tmp_path / "pub").write_bytes(public_key_pem(signer.certificate))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    (tmp_path / "pae").write_bytes(b"DSSEv1 13 application/x 7 payload")
    command = ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "pae"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout.strip() == "Verified OK"


def test_every_changed_byte_is_noticed_or_is_another_certificate(ada):
    envelope = seal_payload("application/x", b'{"verdict":"failed"}', ada)
    for place in range(len(envelope)):
        changed = bytearray(envelope)
        changed[place] ^= 1 << (place % 7)
        try:
            assert open_envelope(bytes(changed)).certificate != ada.certificate
        except SealError:
            continue
        assert envelope.find(b'"certificate"') < place < envelope.find(b'"keyid"')


def test_other_spellings_of_the_same_json_are_refused(ada):
    envelope = seal_payload("application/x", b"1", ada)
    value = json.loads(envelope)
    twice = envelope[:-1] + b',"payloadType":"application/x"}'
    for changed in (json.dumps(value).encode(), json.dumps(value, indent=1).encode(), envelope + b"\n", twice):
        with pytest.raises(SealError):
            open_envelope(changed)


@pytest.mark.parametrize(
    "hostile",
    [b"", b"{}", b"[]", b"null", b"1", b"\xff", b"[" * 100_000, b'{"signatures":[]}', b'{"signatures":{"a":1}}',
     b'{"payloadType":1,"payload":"","signatures":[{"sig":"","certificate":""}]}'],
)  # fmt: skip
def test_hostile_input_is_refused(hostile):
    with pytest.raises(SealError):
        open_envelope(hostile)


def test_two_signatures_are_refused(ada, eve):
    value = json.loads(seal_payload("application/x", b"1", ada))
    value["signatures"] += json.loads(seal_payload("application/x", b"1", eve))["signatures"]
    with pytest.raises(SealError):
        open_envelope(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def test_key_id_is_the_digest_of_the_public_key(ada, tmp_path):
    (tmp_path / "pub").write_bytes(public_key_pem(ada.certificate))
    command = "openssl pkey -pubin -in pub -outform DER | sha256sum"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == key_id(ada.certificate)
