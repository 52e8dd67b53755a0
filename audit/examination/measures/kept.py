"""The private file of scores: who was decided how, so that a later audit can be paired with this one.

Comes in: a case. Goes out: Parquet bytes with one line per person. The file is never part of a report: it lies beside
the folder, readable by its owner alone, and the dossier holds nothing of it but its digest.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.examination.data.values import value_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from .case import Case

SCHEMA = "scores/1"
GROUP, FEATURE = "group:", "feature:"
"""What the names of columns of groups and of the model's inputs begin with."""


def keep_people(case: Case, evidence_digest: str) -> bytes:
    """Return the private file of scores, as Parquet.

    Parameters
    ----------
    case : Case
        The examination; where it holds a sample of very many rows, the sample is kept.
    evidence_digest : str
        Digest of the evidence that these people stand behind.

    Notes
    -----
    Columns: ``id``, ``label``, ``score``, ``favourable``, ``weight``, one of each protected attribute and one of each
    input of the model (the features that drive a changed decision are read from them). What is not known is null.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    scores, size = case.scores, len(case.frame)
    named = case.config.data.id
    columns: dict[str, pa.Array] = {
        "id": pa.array(_ids(case, named), pa.string()),
        "label": _numbers(case.label, size),
        "score": _numbers(scores.score, size),
        "favourable": pa.nulls(size, pa.bool_()) if scores.favourable is None else pa.array(scores.favourable),
        "weight": _numbers(case.weights, size),
    }
    columns |= {f"{GROUP}{name}": pa.array(values.astype(str), pa.string()) for name, values in case.groups.items()}
    columns |= {
        f"{FEATURE}{feature.name}": _feature(case.frame[feature.name], number=feature.kind == "number")
        for feature in case.subject.features
        if feature.name in case.frame
    }
    about = {"schema": SCHEMA, "by": "id" if named else "place", "evidence": evidence_digest, "sampled": case.sampled}
    table = pa.table(columns).replace_schema_metadata({"glassbox-audit": json.dumps(about)})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _ids(case: Case, named: str | None) -> list[str]:
    if named is not None:
        return [value_text(value) for value in case.frame[named].tolist()]
    places = np.arange(len(case.frame)) if case.scores.kept is None else np.flatnonzero(case.scores.kept)
    return [str(place) for place in places]


def _numbers(values: np.ndarray | None, size: int) -> Any:
    import pyarrow as pa

    if values is None:
        return pa.nulls(size, pa.float64())
    return pa.array(np.asarray(values, dtype=np.float64), from_pandas=True)  # NaN is not known, hence null


def _feature(column: pd.Series, *, number: bool) -> Any:
    import pandas as pd
    import pyarrow as pa

    if number:
        return pa.array(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64), from_pandas=True)
    return pa.array([None if pd.isna(value) else value_text(value) for value in column.tolist()], pa.string())
