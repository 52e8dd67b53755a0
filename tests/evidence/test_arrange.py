"""The order of names: declared by the configuration, lost in canonical JSON, found again by whoever reads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audit.evidence import Decision, canonical_bytes
from audit.evidence.arrange import arrange_keys

NAMES = st.lists(st.text(min_size=1, max_size=4), max_size=6, unique=True)


@given(NAMES, st.data())
def test_keys_stand_as_listed_and_the_rest_by_alphabet(names, data):
    mapping = {name: place for place, name in enumerate(data.draw(st.permutations(names)))}
    listed = data.draw(st.lists(st.sampled_from([*names, "never"]), max_size=8)) if names else ["never"]
    before, digest = dict(mapping), canonical_bytes(mapping)
    arrange_keys(mapping, listed)
    assert mapping == before
    assert canonical_bytes(mapping) == digest
    first = [name for name in dict.fromkeys(listed) if name in before]
    assert list(mapping) == [*first, *sorted(set(before) - set(first))]


@given(st.permutations(["reject", "review", "approve", "fast lane"]))
def test_bands_are_read_back_in_the_order_in_which_they_are_tried(names):
    made = Decision(
        favourable="x", bands={name: f"score >= {place}" for place, name in enumerate(names)}, outcomes=tuple(names)
    )
    assert list(Decision.parse(made.canonical()).bands) == list(made.bands) == list(names)
    assert Decision.parse(made.canonical()).digest() == made.digest()
