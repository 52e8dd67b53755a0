"""The Merkle tree over the lines of a log, so that one short digest stands for all of them.

Comes in: lines. Goes out: the root. Built as RFC 6962, section 2.1 has it, so that anybody's tools for transparency
logs can check it: a leaf is ``SHA-256(0x00 || line)``, a node ``SHA-256(0x01 || left || right)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def root_of(lines: Sequence[bytes]) -> bytes:
    """Return the root of the tree over some lines; of none, the SHA-256 of nothing.

    Parameters
    ----------
    lines : sequence of bytes
        The leaves' contents, in order.

    Notes
    -----
    The tree of `n` leaves joins that of the largest power of two below `n` with that of the rest. Whole subtrees are
    joined as soon as they are equally high, as one adds binary digits; what is left is joined from the right.
    """
    stack: list[tuple[int, bytes]] = []
    for line in lines:
        height, node = 0, hashlib.sha256(b"\x00" + line).digest()
        while stack and stack[-1][0] == height:
            height, node = height + 1, _join(stack.pop()[1], node)
        stack.append((height, node))
    if not stack:
        return hashlib.sha256(b"").digest()
    node = stack.pop()[1]
    while stack:
        node = _join(stack.pop()[1], node)
    return node


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
