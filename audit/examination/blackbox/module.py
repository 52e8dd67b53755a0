"""TorchScript, and nets that a factory builds and a state fills.

Comes in: the bytes of a TorchScript archive, or a state of tensors and the factory that you name and trust. Goes out: a
`Loaded`, in evaluation mode.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from audit.config.model import ModelSource
from audit.errors import ConfigError, IntakeRefused, suggest_name

from .factory import Factory, find_factory
from .loaded import Argument, Loaded
from .tensors import read_safetensors, read_state
from .vet import check_kinds, check_torchscript, read_archive, write_archive

if TYPE_CHECKING:
    import torch


def load_torchscript(data: bytes, source: ModelSource) -> Loaded:
    """Load a TorchScript archive.

    Raises
    ------
    IntakeRefused
        It is none, is damaged, or touches files.
    """
    import torch

    archive = read_archive(data)
    vetted = check_torchscript(archive)
    rebuilt = write_archive(archive.members.items(), archive.root)
    try:
        with warnings.catch_warnings():
            # deprecated as of torch 2.11, still the format of most deployed models
            warnings.simplefilter("ignore")
            net = torch.jit.load(rebuilt, map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except Exception:  # torch's text repeats code of the file
        raise IntakeRefused(
            "torch cannot load this TorchScript archive; it is damaged or of another version",
            hint="export the model as .pt2 with torch.export",
        ) from None
    operators = check_kinds(_node_kinds(net))
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return Loaded(
        call=net,
        arguments=_script_arguments(net),
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        trust="TorchScript, loaded without unpickling Python objects and vetted for file access; it is not a sandbox",
        vetted=(
            *vetted,
            f"{operators} operators when compiled, all torch's own",
            "switched to evaluation mode",
        ),
        float_type=_float_type(net),
    )


def load_safetensors(data: bytes, source: ModelSource) -> Loaded:
    """Load safetensors into the net that the factory builds.

    Raises
    ------
    ConfigError
        No factory, or no trust.
    IntakeRefused
        The tensors do not fit the net.
    """
    factory = _trusted_factory(source, "safetensors")
    return _fill(factory, read_safetensors(data), source, "safetensors, which hold tensors alone")


def load_state(data: bytes, source: ModelSource) -> Loaded:
    """Load a file of ``torch.save(net.state_dict())`` into the net that the factory builds.

    Raises
    ------
    ConfigError
        No factory, or no trust.
    IntakeRefused
        It holds more than tensors, or they do not fit the net.
    """
    factory = _trusted_factory(source, "state_dict")
    return _fill(factory, read_state(data), source, "a state of tensors, read with weights only")


def wrap_net(net: torch.nn.Module, *, trust: str, vetted: tuple[str, ...] = ()) -> Loaded:
    """Return a net in memory as a `Loaded`, in evaluation mode."""
    net.eval()
    return Loaded(
        call=net,
        arguments=_forward_arguments(net),
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        trust=trust,
        vetted=vetted,
        float_type=_float_type(net),
    )


def _trusted_factory(source: ModelSource, what: str) -> Factory:
    if not source.factory:
        raise ConfigError(
            f"{what} holds weights and no architecture: a factory must build the net",
            place="model.factory",
            hint="factory: module.py:ClassName (with factory_args), or export the net as .pt2",
        )
    if not source.trust_code:
        raise ConfigError(
            f"the factory {source.factory.rsplit('/', 1)[-1]} is code that would be run",
            place="model.trust_code",
            hint="set `trust_code: true` if you trust it, or export the net as .pt2",
        )
    return find_factory(source.factory)


def _fill(factory: Factory, state: dict[str, Any], source: ModelSource, what: str) -> Loaded:
    import torch

    net = factory.build(source.factory_args)
    if not isinstance(net, torch.nn.Module):
        raise IntakeRefused(
            f"the factory {factory.shown} returned {type(net).__name__} instead of a torch.nn.Module",
            hint="name the class of the net, or a function that returns one",
        )
    stripped = strip_prefix(state, source.prefix)
    _check_fit(stripped, net.state_dict())
    net.load_state_dict(stripped)
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return wrap_net(
        net,
        trust=f"`trust_code: true`: the factory {factory.shown} was run to build the net; the weights are {what}",
        vetted=(f"factory {factory.shown}, {factory.sha256}", f"{len(stripped)} tensors fit the net by name and shape"),
    )


def strip_prefix(state: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the entries under `prefix` without it; other entries (a loss, a metric) are left behind."""
    if not prefix:
        return state
    kept = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    if not kept:
        raise ConfigError(
            f"no tensor of the file begins with the prefix {prefix!r}",
            place="model.prefix",
            hint="the first are " + ", ".join(sorted(state)[:3]),
        )
    return kept


def _check_fit(state: dict[str, Any], wanted: dict[str, Any]) -> None:
    lacking = sorted(set(wanted) - set(state))
    foreign = sorted(set(state) - set(wanted))
    if lacking or foreign:
        parts = [
            f"{what} {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}"
            for what, names in (("it lacks", lacking), ("the net does not know", foreign))
            if names
        ]
        raise IntakeRefused(f"the weights do not fit the net: {'; '.join(parts)}", hint=_advise_fit(state, wanted))
    for name, tensor in state.items():
        if tuple(tensor.shape) != tuple(wanted[name].shape):
            raise IntakeRefused(
                f"the weights do not fit the net: {name} has shape {list(tensor.shape)}, the net wants "
                f"{list(wanted[name].shape)}",
                hint="check factory_args",
            )


def _advise_fit(state: dict[str, Any], wanted: dict[str, Any]) -> str:
    for name in state:
        for head in (name[: at + 1] for at, sign in enumerate(name) if sign == "."):
            if {key[len(head) :] for key in state if key.startswith(head)} == set(wanted):
                return f"set `prefix: {head!r}`"
        break
    return suggest_name(next(iter(sorted(set(wanted) - set(state))), ""), state) or "check factory and factory_args"


def _node_kinds(net: Any) -> Iterator[str]:
    """Yield the kind of every node of a compiled module, calls written out."""
    graph = net.inlined_graph  # its nodes live no longer than it does
    waiting = [graph]
    while waiting:
        for node in waiting.pop().nodes():
            yield node.kind()
            waiting += list(node.blocks())


def _script_arguments(net: Any) -> tuple[Argument, ...]:
    return tuple(Argument(item.name, not item.has_default_value()) for item in net.forward.schema.arguments[1:])


def _forward_arguments(net: torch.nn.Module) -> tuple[Argument, ...]:
    try:
        parameters = inspect.signature(net.forward).parameters.values()
    except (TypeError, ValueError):
        return ()
    if any(item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD) for item in parameters):
        return ()
    return tuple(
        Argument(item.name, item.default is item.empty, keyword=item.kind is item.KEYWORD_ONLY) for item in parameters
    )


def _float_type(net: Any) -> str:
    for tensor in (*net.parameters(), *net.buffers()):
        if tensor.is_floating_point():
            return str(tensor.dtype).removeprefix("torch.")
    return "float32"
