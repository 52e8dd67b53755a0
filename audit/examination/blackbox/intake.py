"""The door for models: vetted, loaded, fed, tried; then trusted.

Comes in: the configuration and the data. Goes out: a `BlackBox` (None where only scores or decisions are stored) and
the `Intake` that the report prints: digest, trust decision, what was vetted, every clause of the contract.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.config.schema import ExamineConfig
from audit.errors import ConfigError
from audit.evidence import Intake
from audit.examination.data.kinds import LARGE_ROWS

from .blackbox import BlackBox
from .contract import SAMPLE, check_scores
from .encode import Encoder, check_columns
from .function import FunctionModel, adopt_function, default_columns, open_function
from .load import check_path, load_model
from .loaded import Loaded
from .mlflow import settle_inputs
from .network import Network
from .output import OutputReading, read_output
from .stored import name_favourable, read_decisions, read_extremes, read_scores
from .survey import describe_survey, survey_facts
from .trial import Trial, try_model

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.data.dataset import Dataset
    from audit.examination.engine.progress import Progress

NOT_IDENTIFIED = "model not identified"
"""Digest of a function that cannot be hashed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the report says a model is.

    Parameters
    ----------
    format : str
        Format.
    file : str
        File name; empty for an object.
    sha256 : str
        Digest, or `NOT_IDENTIFIED`.
    size : int or None
        Bytes.
    parameters : int or None
        Number of weights.
    trust : str
        The trust decision in words.
    vetted : tuple of str
        What was looked at before loading.
    isolation : str
        How it is kept apart, in words; empty where it is not.
    """

    format: str
    file: str
    sha256: str
    size: int | None
    parameters: int | None
    trust: str
    vetted: tuple[str, ...]
    isolation: str = ""


def take_in(
    config: ExamineConfig, dataset: Dataset, *, progress: Progress | None = None
) -> tuple[BlackBox | None, Intake]:
    """Take in the model that the configuration names.

    Parameters
    ----------
    config : ExamineConfig
        The configuration.
    dataset : Dataset
        The rows to be judged.
    progress : Progress, optional
        Hears of every batch that is looked through for unknown levels.

    Returns
    -------
    BlackBox or None
        None where only scores or decisions are stored.
    Intake
        What the report prints.

    Raises
    ------
    ConfigError
        A missing file or column, a declaration that does not fit, trust that was not given.
    IntakeRefused
        A file that is not let in, or a model that breaks its contract.
    """
    source = config.model
    if source.scores is not None:
        return None, _take_in_scores(config, dataset)
    if source.format == "scores":
        raise ConfigError("the format is scores, but no column holds them", place="model.scores", hint="scores: COLUMN")
    if source.format == "none":
        return None, _take_in_decisions(config, dataset)
    if source.format == "python":
        return _take_in_python(config, dataset)
    return _take_in_file(config, dataset, progress)


def take_in_callable(predict: Callable[[Any], Any], config: ExamineConfig, dataset: Dataset) -> tuple[BlackBox, Intake]:
    """Take in a model that is an object: a function from a frame to scores, or a net with its `inputs`.

    Parameters
    ----------
    predict : callable or torch.nn.Module
        The model. A function takes a frame and returns one score per row, shape ``[n]``; a net takes the tensors that
        ``model.inputs`` describes.
    config : ExamineConfig
        The configuration.
    dataset : Dataset
        The rows to be judged.

    Raises
    ------
    ConfigError, IntakeRefused
        As `take_in`.
    """
    if not callable(predict):
        raise ConfigError(
            f"the model is a {type(predict).__name__}, which cannot be called",
            place="predict",
            hint="give a function from a frame of rows to scores",
        )
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(predict, torch.nn.Module) and config.model.inputs:
        return _take_in_net(predict, config, dataset)
    identity = Identity(
        "python",
        "",
        NOT_IDENTIFIED,
        None,
        None,
        "a function given as an object, run as it is; it is not identified by a digest",
        (),
    )
    return _take_in_function(predict, identity, config, dataset)


def _take_in_file(config: ExamineConfig, dataset: Dataset, progress: Progress | None) -> tuple[BlackBox, Intake]:
    check_path(config.model)
    config = settle_inputs(config)
    encoder, reading = _prepare(config, dataset)
    file, loaded = load_model(config.model)
    identity = Identity(
        file.format,
        file.name,
        file.sha256,
        len(file.data),
        loaded.parameters,
        loaded.trust,
        loaded.vetted,
        loaded.isolation,
    )
    return _take_in_loaded(loaded, identity, encoder, reading, config, dataset, progress)


def _take_in_net(net: Any, config: ExamineConfig, dataset: Dataset) -> tuple[BlackBox, Intake]:
    from .module import wrap_net

    encoder, reading = _prepare(config, dataset)
    loaded = wrap_net(net, trust="a net given as an object, in evaluation mode")
    identity = Identity(
        "python",
        "",
        digest_net(net),
        None,
        loaded.parameters,
        loaded.trust,
        ("its digest is that of its state as safetensors bytes",),
    )
    return _take_in_loaded(loaded, identity, encoder, reading, config, dataset)


def _prepare(config: ExamineConfig, dataset: Dataset) -> tuple[Encoder, OutputReading]:
    """Check all that can be checked before a file is opened."""
    if not config.model.inputs:
        raise ConfigError(
            "the model has no inputs",
            place="model.inputs",
            hint="list the columns in the order of its input tensor, or give blocks",
        )
    encoder = Encoder(config.model.inputs)
    check_columns(encoder.columns, dataset.columns, "model.inputs")
    if config.model.expected_score:
        check_columns([config.model.expected_score], dataset.columns, "model.expected_score")
    return encoder, read_output(config.model.output)


def _take_in_loaded(
    loaded: Loaded,
    identity: Identity,
    encoder: Encoder,
    reading: OutputReading,
    config: ExamineConfig,
    dataset: Dataset,
    progress: Progress | None = None,
) -> tuple[BlackBox, Intake]:
    network = Network(loaded, encoder, reading, identity.format)
    survey = survey_facts(encoder, dataset) if dataset.rows >= LARGE_ROWS else None
    survey = survey or encoder.survey(_heard(dataset, progress))
    encoder.refuse_unlisted(survey)
    trial = try_model(network, sample_rows(dataset, config.seed), reading, config, dataset.rows)
    notes = (*trial.notes, *describe_survey(survey))
    return network, _write_intake(identity, encoder.columns, encoder.describe(), config, reading, trial, notes)


def _heard(dataset: Dataset, progress: Progress | None) -> Iterator[pd.DataFrame]:
    """Yield all rows batch by batch, and tell of each."""
    done = 0
    for frame in dataset.batches():
        yield frame
        done += len(frame)
        if progress:
            progress.step(done, dataset.rows)


def _take_in_python(config: ExamineConfig, dataset: Dataset) -> tuple[BlackBox, Intake]:
    predict, factory, isolation = open_function(config.model)
    trust = f"`trust_code: true` and a pinned digest: {factory.shown} was run"
    identity = Identity(
        "python",
        factory.file.name,
        factory.sha256,
        len(factory.content),
        None,
        trust,
        (f"{factory.shown} is pinned",),
        isolation,
    )
    return _take_in_function(predict, identity, config, dataset)


def reopen_model(config: ExamineConfig, dataset: Dataset, columns: tuple[str, ...], reading: OutputReading) -> BlackBox:
    """Open the model file again, in another process than the one that took it in.

    Parameters
    ----------
    config : ExamineConfig
        Its ``model.sha256`` pins the file that was taken in.
    dataset : Dataset
        The rows, for their columns.
    columns, reading
        What a function was found to read and to return.

    Raises
    ------
    ConfigError, IntakeRefused
        No such file here, or another one than was taken in.
    """
    if config.model.format == "python":
        return FunctionModel(open_function(config.model)[0], columns, reading)
    config = settle_inputs(config)
    encoder, declared = _prepare(config, dataset)
    file, loaded = load_model(config.model)
    return Network(loaded, encoder, declared, file.format)


def _take_in_function(
    predict: Callable[[Any], Any], identity: Identity, config: ExamineConfig, dataset: Dataset
) -> tuple[FunctionModel, Intake]:
    rows = sample_rows(dataset, config.seed)
    model, note = adopt_function(predict, config, dataset, rows)
    if config.model.expected_score:
        check_columns([config.model.expected_score], dataset.columns, "model.expected_score")
    trial = try_model(model, rows, model.reading, config, dataset.rows)
    line = f"a frame with the columns {', '.join(model.columns)}"
    notes = (*trial.notes, *([note] if note else []))
    return model, _write_intake(identity, model.columns, (line,), config, model.reading, trial, notes)


def _take_in_scores(config: ExamineConfig, dataset: Dataset) -> Intake:
    few = dataset.rows >= LARGE_ROWS
    raw, reading, note = read_extremes(config, dataset) if few else read_scores(config, dataset)
    trial = Trial(tuple(check_scores(raw, reading)))
    columns = default_columns(config, dataset.columns)
    identity = Identity(
        "scores", "", NOT_IDENTIFIED, None, None, "no model: scores stored in the data were taken as they stand", ()
    )
    notes = (f"scores are column {config.model.scores}; nothing that needs the model could be measured",)
    return _write_intake(identity, columns, (), config, reading, trial, (*notes, *([note] if note else [])))


def _take_in_decisions(config: ExamineConfig, dataset: Dataset) -> Intake:
    rule = config.decision
    if rule is None or rule.column is None:
        raise ConfigError(
            "there is nothing to audit: no model, no scores and no column of decisions",
            place="model",
            hint="name a model, a column of scores (model: {scores: COLUMN}) or "
            "decision: {column: COLUMN, favourable: VALUE}",
        )
    if dataset.rows < LARGE_ROWS:  # of a large table the look at its columns has told as much
        read_decisions(rule, dataset)
    return Intake(
        format="decisions",
        file="",
        sha256=NOT_IDENTIFIED,
        trust="no model and no scores: decisions stored in the data were taken as they stand",
        output=f"decisions in column {rule.column}; {name_favourable(rule)} is favourable",
        columns=default_columns(config, dataset.columns),
        notes=("there are no scores and no model; what needs them could not be measured",),
    )


def _write_intake(
    identity: Identity,
    columns: tuple[str, ...],
    inputs: tuple[str, ...],
    config: ExamineConfig,
    reading: OutputReading,
    trial: Trial,
    notes: tuple[str, ...],
) -> Intake:
    failed = tuple(
        f"the contract does not hold: {check.title.lower()} — {check.detail}"
        for check in trial.checks
        if check.status == "fail"
    )
    return Intake(
        format=identity.format,
        file=identity.file,
        sha256=identity.sha256,
        size=identity.size,
        parameters=identity.parameters,
        trust=identity.trust,
        vetted=identity.vetted,
        isolation=identity.isolation,
        inputs=inputs,
        output=f"{config.model.output.task}: {reading.words()}",
        columns=columns,
        checks=trial.checks,
        pace=trial.pace.rough if trial.pace else None,
        pace_basis=trial.pace.basis if trial.pace else "",
        unused=trial.unused,
        notes=(*failed, *notes),
    )


def sample_rows(dataset: Dataset, seed: int, size: int = SAMPLE) -> pd.DataFrame:
    """Return a seeded sample of rows, without replacement, in file order."""
    rng = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(b"contract").digest()[:8], "big")])
    return dataset.glimpse(size, rng)


def digest_net(net: Any) -> str:
    """Return the digest of a net: SHA-256 of its state as safetensors bytes."""
    from safetensors.torch import save

    state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in net.state_dict().items()}
    return "sha256:" + hashlib.sha256(save(state)).hexdigest()
