"""The Merkle root and the checkpoint: published vectors, and every log that is cut off or written anew."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.ledger.checkpoint import describe_log, hold_against, parse_note
from audit.attestation.ledger.entry import read_checkpoint
from audit.attestation.ledger.store import hold_ledger, read_ledger
from audit.attestation.ledger.tree import root_of
from audit.errors import LedgerError

# google/certificate-transparency, merkle_tree_test.cc: the leaves and the roots of the first 1 to 8 of them
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", ROOTS)
def test_roots_that_others_published(size):
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_root_of_nothing_is_the_hash_of_nothing():
    assert root_of([]) == hashlib.sha256(b"").digest()


def as_defined(leaves):
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0]).digest() if leaves else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + as_defined(leaves[:split]) + as_defined(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_root_is_as_defined(leaves):
    assert root_of(leaves) == as_defined(leaves)


def test_checkpoint_is_a_note_that_others_can_read(filled):
    chain, file = read_ledger(filled)
    note = read_checkpoint(file).note().decode()
    origin, size, root, *added = note.split("\n")
    assert (origin, size, added[-1]) == ("glassbox-audit/ledger/v1", "4", "")
    assert base64.b64decode(root) == root_of(chain.lines)
    assert parse_note(note.encode()) == chain.checkpoint


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n4\n", "\n04\n"),
        lambda text: text.replace("\n4\n", "\n5\n"),
        lambda text: text + "extra line\n",
        lambda text: text.replace("glassbox", "other"),
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "",
    ],
    ids=["zero", "longer", "extra", "origin", "cut", "crlf", "empty"],
)
def test_other_notes_are_refused(filled, change):
    chain, file = read_ledger(filled)
    with pytest.raises(LedgerError):
        hold_against(chain.lines, parse_note(change(read_checkpoint(file).note().decode()).encode()))


def test_older_copy_shows_a_log_that_was_cut_off_and_continued(filled, dossier_of, ada):
    """Log and checkpoint put back to an earlier state are whole by themselves; a copy kept elsewhere tells."""
    saved = (filled / "checkpoint").read_bytes()
    older = read_checkpoint(saved)
    lines = read_ledger(filled)[0].lines
    hold_against(lines, older)
    (filled / "log.jsonl").write_bytes(b"".join(line + b"\n" for line in lines[:1]))
    (filled / "checkpoint").unlink()
    with hold_ledger(filled) as ledger:
        for _ in range(4):
            ledger.append(dossier_of(ada), {"SHA256SUMS": b"x"}, ada)
    shorter = read_ledger(filled)[0].lines
    assert len(shorter) == 5
    with pytest.raises(LedgerError, match="another log"):
        hold_against(shorter, older)
    with pytest.raises(LedgerError, match="shorter"):
        hold_against(shorter[:3], older)


@given(st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=12), st.data())
def test_a_log_that_only_grew_holds_against_every_older_checkpoint(lines, data):
    seen = data.draw(st.integers(1, len(lines)))
    hold_against(lines, describe_log(lines[:seen], "2026-03-01T12:00:00Z"))
    place = data.draw(st.integers(0, seen - 1))
    other = [*lines[:place], lines[place] + b"!", *lines[place + 1 :]]
    with pytest.raises(LedgerError):
        hold_against(other, describe_log(lines[:seen], "2026-03-01T12:00:00Z"))
