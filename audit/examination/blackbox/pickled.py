"""Pickled nets: let in on your word alone, and only the very file that you pinned.

Comes in: bytes whose digest was held against the pin already. Goes out: a `Loaded`. Unpickling runs whatever code the
file names; so it needs ``trust_code: true`` and ``sha256``, tensors are tried first without running anything, and the
report says what was done.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from audit.config.model import ModelSource
from audit.errors import ConfigError, IntakeRefused

from .factory import find_factory
from .loaded import Loaded
from .module import load_state, wrap_net
from .tensors import HOW_TO_SAVE, NESTED, read_state, unpickle_trusted

RAN_CODE = "`trust_code: true` and a pinned digest: loading ran code of the file, a pickle, which nothing can vet"
NEEDS_TRUST = "a pickle runs whatever code is in it when it is loaded, so it is not let in without your word for it"
_LACKING = re.compile(r"Can't get attribute '([A-Za-z_][A-Za-z0-9_.]{0,80})' on")
_MODULE = re.compile(r"No module named '([A-Za-z_][A-Za-z0-9_.]{0,80})'")


def load_pickle(data: bytes, source: ModelSource) -> Loaded:
    """Load a pickled net.

    Parameters
    ----------
    data : bytes
        The file; its digest was checked.
    source : ModelSource
        A `factory` names the class that the pickle looks for where its module is not importable here.

    Raises
    ------
    ConfigError
        No pin; tensors alone and no factory.
    IntakeRefused
        No trust, or not a net.
    """
    check_trust(data, source)
    if holds_tensors(data):
        if not source.factory:
            raise ConfigError(
                "the file holds tensors alone, not a net",
                place="model.format",
                hint="write `format: state_dict` and the factory that builds the net",
            )
        return load_state(data, source)
    net = _find_net(_unpickle(data, source))
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return wrap_net(
        net,
        trust=RAN_CODE,
        vetted=("the digest was held against the pinned one before loading", "loading with weights only was refused"),
    )


def check_trust(data: bytes, source: ModelSource) -> None:
    """Refuse a pickle that nobody vouched for.

    Raises
    ------
    ConfigError
        It is not pinned.
    IntakeRefused
        `trust_code` is not set.
    """
    found = hashlib.sha256(data).hexdigest()
    if not source.trust_code:
        raise IntakeRefused(
            NEEDS_TRUST,
            hint=f"{HOW_TO_SAVE}; or, if you trust whoever wrote it: `format: pickle`, `trust_code: true` and "
            f"`sha256: {found}`",
        )
    if source.sha256 is None:
        raise ConfigError("a pickle is code, which must be pinned", place="model.sha256", hint=f"sha256: {found}")


def holds_tensors(data: bytes) -> bool:
    """Return whether loading with weights only finds a state of tensors."""
    try:
        read_state(data)
    except IntakeRefused:
        return False
    return True


def _unpickle(data: bytes, source: ModelSource) -> Any:
    classes: dict[str, Any] = {}
    if source.factory:
        factory = find_factory(source.factory)
        classes[factory.name] = factory.find()
    try:
        return unpickle_trusted(data, classes)
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # its text may repeat the file
        raise _explain(str(error), type(error).__name__) from None


def _explain(message: str, kind: str) -> IntakeRefused:
    lacking, module = _LACKING.search(message), _MODULE.search(message)
    if lacking or module:
        what = f"the class {lacking.group(1)}" if lacking else f"the module {module.group(1)}" if module else ""
        return IntakeRefused(
            f"the pickle looks for {what}, which is not there",
            hint="a pickle holds no architecture: name the file of its class (factory: module.py:Net), or export the "
            "net as .pt2",
        )
    return IntakeRefused(f"the pickle cannot be loaded ({kind})", hint=HOW_TO_SAVE)


def _find_net(found: Any) -> Any:
    """Return the net in what was unpickled, also out of a checkpoint of a training framework."""
    import torch

    for key in NESTED:
        if isinstance(found, dict) and isinstance(found.get(key), torch.nn.Module):
            return found[key]
    if not isinstance(found, torch.nn.Module):
        raise IntakeRefused(
            f"the pickle holds a {type(found).__name__} instead of a torch.nn.Module",
            hint="write a function of a frame around it (format: python, factory: module.py:predict)",
        )
    return found
