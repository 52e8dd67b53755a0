"""What captum does best and people ask for by name; the only file that imports it.

Comes in: a model, rows, a reference row. Goes out: an `Attribution`, or `NotDone` with the reason why a method cannot
run on this model. captum is an extra: without it each of its methods says so. Layers are hooked on a copy of the net,
and what captum then says is held against the score, because it does not notice when it meets steps that it does not
know.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.evidence import NotDone
from audit.examination.blackbox.network import Network

from .attribution import Attribution, Floats, spread_of
from .line import Moving, open_line
from .mixing import open_mixer

if TYPE_CHECKING:
    import pandas as pd
    import torch

MOST_ERROR = 0.05
"""Mean distance of DeepLift's sums from the scores, in their standard deviations, beyond which it is not shown."""

MISSING = "captum is not installed; it comes with the extra `explain` of this package"
CODES = "codes inside a scripted program cannot be reached, and captum would explain its numbers alone"
FIXED = "the file takes a fixed number of rows per call, and captum asks for others"
NO_LAYERS = "the file holds a program instead of layers, and this method replaces what layers do"


def attribute_ablation(blackbox: Any, frame: pd.DataFrame, reference: pd.DataFrame) -> Attribution | NotDone:
    """Attribute by captum's FeatureAblation: what is lost when one column alone gets its reference value.

    Parameters
    ----------
    blackbox : BlackBox
        Any model: whole columns are replaced, before they are encoded.
    frame : pandas.DataFrame, shape [n, columns]
        Rows.
    reference : pandas.DataFrame, shape [1, columns]
        The reference.
    """
    if not has_captum():
        return NotDone(not_done=MISSING)
    import torch

    mixer = open_mixer(blackbox.link, frame, reference)
    n, players = len(frame), len(mixer.columns)

    def ask(kept: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        places = rows.numpy()
        return torch.from_numpy(mixer.ask(places, np.zeros_like(places), kept.numpy() > 0.5))

    with quiet_captum() as attr:
        ablation = attr.FeatureAblation(ask)
        found = ablation.attribute(
            torch.ones(n, players, dtype=torch.float64),
            baselines=torch.zeros(1, players, dtype=torch.float64),
            additional_forward_args=torch.arange(n),
            perturbations_per_eval=8,
        )
    base = np.repeat(mixer.ask_background(), n)
    return Attribution(
        mixer.columns, found.numpy(), None, base, mixer.ask_rows(), "feature_ablation", n * (players + 1)
    )


def attribute_deep_lift(blackbox: Any, frame: pd.DataFrame, reference: pd.DataFrame) -> Attribution | NotDone:
    """Attribute by captum's DeepLift (Shrikumar and others 2017, rescale rule).

    Parameters
    ----------
    blackbox : BlackBox
        A net of layers.
    frame, reference : pandas.DataFrame
        Rows, and the one row they are compared with.
    """
    moving = _open_layers(blackbox, frame, reference)
    if isinstance(moving, NotDone):
        return moving
    found = _ask(moving, lambda attr, net: attr.DeepLift(net).attribute(_stop(moving), tuple(moving.start)))
    if isinstance(found, NotDone):
        return found
    base = np.repeat(blackbox.link(reference), len(frame))
    made = _gather(blackbox, moving.add_up(found), base, blackbox.link(frame), "deep_lift", 2)
    unit = spread_of(made.link, made.base)
    missed = float(made.completeness.mean()) / unit if unit > 0 else 0.0
    if not missed <= MOST_ERROR:
        return NotDone(
            not_done=f"its sums miss the scores by {missed:.2g} standard deviations: the net has steps that DeepLift "
            "does not know, such as products, normalisation by row, or functions that are no layers"
        )
    return made


def attribute_relevance(blackbox: Any, frame: pd.DataFrame, reference: pd.DataFrame) -> Attribution | NotDone:
    """Attribute by captum's LRP, layer-wise relevance propagation (Bach and others 2015, epsilon rule).

    Parameters
    ----------
    blackbox : BlackBox
        A net of linear layers and plain activations.
    frame, reference : pandas.DataFrame
        Rows; the reference plays no part in the values.
    """
    moving = _open_layers(blackbox, frame, reference)
    if isinstance(moving, NotDone):
        return moving
    found = _ask(moving, lambda attr, net: attr.LRP(net).attribute(_stop(moving)))
    if isinstance(found, NotDone):
        return found
    zero = np.zeros(len(frame))
    return _gather(blackbox, moving.add_up(found), zero, blackbox.link(frame), "lrp", 2, sums=False)


def attribute_saliency(blackbox: Any, frame: pd.DataFrame, reference: pd.DataFrame) -> Attribution | NotDone:
    """Attribute by captum's Saliency: absolute gradients, which on tables rank no better than chance.

    Parameters
    ----------
    blackbox : BlackBox
        A net.
    frame, reference : pandas.DataFrame
        Rows; the reference plays no part in the values.
    """
    moving = _open_moving(blackbox, frame, reference)
    if isinstance(moving, NotDone):
        return moving
    found = _ask(moving, lambda attr, net: attr.Saliency(net).attribute(_stop(moving)))
    if isinstance(found, NotDone):
        return found
    zero = np.zeros(len(frame))
    return _gather(blackbox, moving.add_up(found), zero, blackbox.link(frame), "saliency", 1, sums=False)


def activate_layer(blackbox: Any, frame: pd.DataFrame, layer: str) -> Floats | NotDone:
    """Return what one layer gives for each row, by captum's LayerActivation, shape [n, units].

    Parameters
    ----------
    blackbox : BlackBox
        A net of layers.
    frame : pandas.DataFrame
        Rows.
    layer : str
        Its name, as ``named_modules`` gives it.
    """
    import torch

    if not has_captum():
        return NotDone(not_done=MISSING)
    if not isinstance(blackbox, Network) or not _has_layers(blackbox.net):
        return NotDone(not_done=NO_LAYERS)
    own = blackbox.copy()
    layers = dict(own.net.named_modules())
    if layer not in layers:
        return NotDone(not_done=f"the net has no layer {layer}; it has {', '.join(name for name in layers if name)}")
    try:
        with quiet_captum() as attr, torch.no_grad():
            inputs = tuple(own.to_tensors(own.encode(frame)))
            found = attr.LayerActivation(wrap_link(own.net, lambda *given: own.torch_link(list(given))), layers[layer])
            units = found.attribute(inputs)
        return np.asarray(units.detach().double().numpy()[: len(frame)])
    except Exception as error:
        # without the text of the error, which may come from the model
        return NotDone(not_done=f"the layer gives no one tensor for these rows ({type(error).__name__})")


def has_captum() -> bool:
    """Return whether captum is installed."""
    return importlib.util.find_spec("captum") is not None


@contextmanager
def quiet_captum() -> Iterator[Any]:
    """Give ``captum.attr`` and keep its remarks about hooks and required gradients from the log."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import captum.attr as attr

        yield attr


def wrap_link(net: Any, link: Callable[..., torch.Tensor]) -> torch.nn.Module:
    """Return a module around a net whose output is the link, shape [n]; its layers stay what captum can hook."""
    import torch

    class LinkModule(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if isinstance(net, torch.nn.Module):
                self.net = net

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            return link(*tensors)

    return LinkModule().eval()


def _open_layers(blackbox: Any, frame: pd.DataFrame, reference: pd.DataFrame) -> Moving | NotDone:
    """Return rows and reference as a copy of the net receives them; its layers may be hooked."""
    if not has_captum():
        return NotDone(not_done=MISSING)
    if isinstance(blackbox, Network) and not _has_layers(blackbox.net):
        return NotDone(not_done=NO_LAYERS)
    return _open_moving(blackbox.copy() if isinstance(blackbox, Network) else blackbox, frame, reference)


def _open_moving(blackbox: Any, frame: pd.DataFrame, reference: pd.DataFrame) -> Moving | NotDone:
    if not has_captum():
        return NotDone(not_done=MISSING)
    if isinstance(blackbox, Network) and blackbox.is_fixed:
        return NotDone(not_done=FIXED)
    line = open_line(blackbox, frame, reference)
    if line is None:
        return NotDone(not_done="the format gives no gradients")
    if any(shape.whole for shape in line.network.input_shapes) and not line.owners:
        return NotDone(not_done=CODES)
    return line.move(np.arange(len(frame)))


def _ask(moving: Moving, call: Callable[[Any, torch.nn.Module], Any]) -> list[torch.Tensor] | NotDone:
    """Run a method; captum raises errors of many types on layers that it does not know."""
    try:
        with quiet_captum() as attr:
            found = call(attr, wrap_link(moving.net, lambda *given: moving.link(list(given))))
    except Exception as error:
        # without the text of the error, which may come from the model
        return NotDone(not_done=f"captum does not know a layer of this net ({type(error).__name__})")
    return [part.detach() for part in found]


def _stop(moving: Moving) -> tuple[torch.Tensor, ...]:
    return tuple(tensor.detach().clone().requires_grad_(True) for tensor in moving.stop)


def _has_layers(net: Any) -> bool:
    import torch

    program = (torch.fx.GraphModule, torch.jit.ScriptModule)
    return isinstance(net, torch.nn.Module) and not isinstance(net, program)


def _gather(
    network: Network, values: Floats, base: Floats, link: Floats, method: str, times: int, *, sums: bool = True
) -> Attribution:
    return Attribution(network.columns, values, None, base, link, method, times * len(link), sums=sums)
