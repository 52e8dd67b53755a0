"""Tables beside the judged rows: a baseline, a later period, the rows that a model was trained on.

Comes in: the case and which table. Goes out: its rows, each column read as the same kind as in the judged rows, so that
the two compare; a sample of them where there are very many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.config.schema import ExamineConfig, FeatureDeclaration
from audit.errors import ConfigError, DataError
from audit.evidence import Subject
from audit.examination.data.read import Role, read_dataset
from audit.examination.data.split import stratified_sample

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.data.dataset import Dataset

    from .case import Case

MOST_ROWS = 300_000
"""Most rows of a table beside the judged ones that are held in memory."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows beside the judged ones.

    Parameters
    ----------
    name : str
        The key that names the table, and its file.
    frame : pandas.DataFrame, shape [n, ...]
        Typed rows, or a sample of them.
    rows : int
        Rows of the table.
    note : str
        How the sample was drawn; empty where these are all rows.
    """

    name: str
    frame: pd.DataFrame
    rows: int
    note: str


def open_beside(
    config: ExamineConfig, subject: Subject, judged: Dataset, blackbox: BlackBox | None
) -> dict[Role, Dataset]:
    """Open the tables of ``data.baseline`` and ``data.out_of_time``, before anything is computed.

    Parameters
    ----------
    config, subject, judged, blackbox
        How the judged rows are understood.

    Raises
    ------
    ConfigError, DataError
        As `read_beside`.
    """
    roles: tuple[Role, ...] = ("baseline", "out_of_time")
    return {
        role: _open(config, subject, judged, blackbox, role) for role in roles if getattr(config.data, role) is not None
    }


def read_beside(case: Case, role: Role, path: str | None = None) -> Beside:
    """Read a table beside the judged rows.

    Parameters
    ----------
    case : Case
        How the judged rows are understood.
    role : {"train", "baseline", "out_of_time"}
        Which table.
    path : str, optional
        Its file, where the key of that name does not name it.

    Raises
    ------
    ConfigError, DataError
        No such file or column, or content that cannot be compared.
    """
    config = case.config
    if path is not None:
        config = config.model_copy(update={"data": config.data.model_copy(update={role: path})})
    opened = case.beside.get(role) if path is None else None
    dataset = opened or _open(config, case.subject, case.dataset, case.blackbox, role)
    names = ", ".join(file.name for file in dataset.files[:2]) + (" and more" if len(dataset.files) > 2 else "")
    return take_rows(case, dataset, f"data.{role} ({names})")


def _open(config: ExamineConfig, subject: Subject, judged: Dataset, blackbox: BlackBox | None, role: Role) -> Dataset:
    features = {feature.name for feature in subject.features}
    kinds = {
        name: (config.features.get(name) or FeatureDeclaration()).model_copy(update={"kind": kind})
        for name, kind in judged.kinds.items()
        if name in features
    }
    place = f"data.{role}"
    try:
        dataset = read_dataset(config.model_copy(update={"features": kinds}), role=role)
    except ConfigError as error:  # which names the key that the column is for, and not the table that lacks it
        raise ConfigError(error.what, place=place, hint=error.hint) from None
    except DataError as error:
        raise DataError(error.what, place=place, hint=error.hint) from None
    wanted = [name for name in (blackbox.columns if blackbox else ()) if name not in dataset.columns]
    if wanted:
        raise ConfigError(
            f"the table of data.{role} has no column '{wanted[0]}', which the model reads",
            place=place,
            hint="name a table with the columns of the judged rows",
        )
    return dataset


def take_rows(case: Case, dataset: Dataset, name: str) -> Beside:
    """Return the rows of a table, a random sample of them where there are too many to hold."""
    if dataset.rows <= MOST_ROWS:
        return Beside(name, dataset.frame(), dataset.rows, "")
    rows = stratified_sample(dataset.rows, MOST_ROWS, case.rng(f"rows of {name}"))
    note = f"{name}: {MOST_ROWS:,} of {dataset.rows:,} rows, drawn at random"
    return Beside(name, dataset.take(rows).reset_index(drop=True), dataset.rows, note)
