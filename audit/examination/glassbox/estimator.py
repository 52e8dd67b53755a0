"""The additive net on its own, with scikit-learn's interface.

Comes in: an array or a data frame, and a target. Goes out: a fitted estimator whose product is lookup tables: one per
feature (and class), pairs where asked for, bands. A frame's columns of numbers are numbers, all others categories;
missing values and levels never seen are welcome.
"""

# ruff: noqa: N803, N806
# scikit-learn calls the rows X

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from .additive import NetOrder, fit_outputs
from .bands import BandKind
from .deep import DeepOrder, fit_deep
from .encoder import Encoder, Floats, fit_encoder
from .files import flatten_tables, write_tables
from .shapes import TableBox
from .solver import Family

if TYPE_CHECKING:
    import pandas as pd

MANY_ROWS = 20_000


class _AdditiveNet(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share."""

    def __init__(
        self,
        *,
        solver: Literal["newton", "adam"] = "newton",
        interactions: int = 0,
        choose_interactions: bool = True,
        knots: int | None = None,
        monotone: Mapping[str, str] | None = None,
        bands: bool = True,
        replicas: int = 8,
        steps: int = 400,
        loss: Callable[..., Any] | None = None,
        device: str = "cpu",
        random_state: int = 0,
    ) -> None:
        self.solver = solver
        self.interactions = interactions
        self.choose_interactions = choose_interactions
        self.knots = knots
        self.monotone = monotone
        self.bands = bands
        self.replicas = replicas
        self.steps = steps
        self.loss = loss
        self.device = device
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def tables_(self) -> tuple[TableBox, ...]:
        """Lookup tables, one `TableBox` per output."""
        check_is_fitted(self)
        boxes: tuple[TableBox, ...] = self.boxes_
        return boxes

    def export_tables(self) -> dict[str, bytes]:
        """Return the tables as files: JSON and Parquet, by name.

        Returns
        -------
        dict of str to bytes
            ``net.json`` and ``net.parquet``; of several classes ``net_class0.json`` and so on.
        """
        boxes = self.tables_
        names = ["net"] if len(boxes) == 1 else [f"net_class{c}" for c in range(len(boxes))]
        files: dict[str, bytes] = {}
        for name, box in zip(names, boxes, strict=True):
            files |= {f"{name}.json": write_tables(box), f"{name}.parquet": flatten_tables(box)}
        return files

    def as_module(self) -> Any:
        """Return the net as torch modules: an `AdditiveNet`, or a list of them, one per class.

        Returns
        -------
        AdditiveNet or list of AdditiveNet
            Their forward pass takes encoded rows (``tables_[0].encoder.encode``) and gives the tables' numbers.
        """
        from .net import AdditiveNet

        nets = [AdditiveNet(box) for box in self.tables_]
        return nets[0] if len(nets) == 1 else nets

    def _fit_boxes(
        self, rows: pd.DataFrame, target: Floats, family: Family, classes: tuple[str, ...], weights: Floats | None
    ) -> None:
        if self.solver not in ("newton", "adam"):
            raise ValueError(f"solver is 'newton' or 'adam', not {self.solver!r}")
        if self.loss is not None and self.solver != "adam":
            raise ValueError("a loss of your own needs solver='adam'")
        if weights is not None:
            kept = weights > 0
            rows, target, weights = rows[kept], target[kept], weights[kept]
        kinds = {str(name): _kind_of(rows[name]) for name in rows}
        knots = self.knots or (128 if len(rows) >= MANY_ROWS else 64)
        encoder = fit_encoder(rows, kinds, knots=knots)
        self.boxes_ = self._solve(encoder, encoder.encode(rows), target, family, classes, weights)

    def _solve(
        self,
        encoder: Encoder,
        encoded: Floats,
        target: Floats,
        family: Family,
        classes: tuple[str, ...],
        weights: Floats | None,
    ) -> tuple[TableBox, ...]:
        rng = np.random.default_rng(self.random_state)
        band: BandKind = "laplace" if self.bands else "none"
        pairs, keep = self.interactions, not self.choose_interactions
        order = NetOrder("net", family, band, self.monotone, pairs, keep, classes)
        if self.solver == "adam":
            deep = DeepOrder(self.replicas, self.steps, loss=self.loss, device=self.device, seed=self.random_state)
            return fit_deep(encoder, encoded, target, order, deep, weights=weights)
        return fit_outputs(encoder, encoded, target, order, rng=rng, weights=weights)[0]

    def _scores(self, X: Any) -> Floats:
        """Return scores on the link scale, shape [n, outputs]."""
        check_is_fitted(self)
        rows = self._read(X, reset=False)
        encoded = self.boxes_[0].encoder.encode(rows)
        return np.stack([box.link_encoded(encoded) for box in self.boxes_], axis=1)

    def _read(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Return the rows as a frame; arrays are numbers and get names."""
        import pandas as pd

        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if not all(isinstance(name, str) for name in X.columns):
                X = X.set_axis([f"x{j}" for j in range(X.shape[1])], axis=1)
            if reset and not len(X):
                raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
            text = {name: object for name in X if _kind_of(X[name]) != "number"}
            return pd.DataFrame(X).astype(text)
        array = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=False)
        return pd.DataFrame(array.astype(np.float64), columns=[f"x{j}" for j in range(array.shape[1])])

    def _weigh(self, sample_weight: Any, rows: pd.DataFrame) -> Floats | None:
        if sample_weight is None:
            return None
        found: Floats = _check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
        if not found.any():
            raise ValueError("every sample weight is zero")
        return found


def _kind_of(column: pd.Series) -> str:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_bool_dtype(column):
        return "boolean"
    return "number" if is_numeric_dtype(column) else "category"


class AdditiveNetClassifier(ClassifierMixin, _AdditiveNet):  # type: ignore[misc]
    """Additive neural net for two classes or several.

    Parameters
    ----------
    solver : {"newton", "adam"}
        Penalised Newton steps to the optimum with automatic smoothing (default), or deep blocks by gradient descent,
        which takes a loss of your own and a GPU.
    interactions : int
        Most pairs, ranked by FAST.
    choose_interactions : bool
        Whether fewer are kept where further ones do not help on rows that are set aside.
    knots : int, optional
        Most knots per number; by default 64, or 128 from 20,000 rows on.
    monotone : mapping of str to str, optional
        Feature to ``increasing`` or ``decreasing``; columns of an array are called x0, x1, ...
    bands : bool
        Whether pointwise 95 % bands are computed.
    replicas, steps, loss, device
        For ``adam``: networks side by side, steps, ``loss(scores, target)`` per row, and where it runs.
    random_state : int
        Seed.

    Attributes
    ----------
    classes_ : ndarray
        Classes.
    boxes_ : tuple of TableBox
        Lookup tables, one box per output.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-3, 3, 400)[:, None]
    >>> net = AdditiveNetClassifier().fit(x, np.where(np.sin(3 * x[:, 0]) + np.cos(40 * x[:, 0]) > 0, "yes", "no"))
    >>> net.predict(x[100:103]).tolist()
    ['yes', 'yes', 'yes']
    >>> sorted(net.export_tables())
    ['net.json', 'net.parquet']
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to labels.

        Parameters
        ----------
        X : array or DataFrame, shape [n, features]
            Rows.
        y : array, shape [n]
            Labels of at least two classes.
        sample_weight : array, shape [n], optional
            Row weights; rows of weight zero are left out.

        Raises
        ------
        ValueError
            Fewer than two classes, or an option that is none.
        """
        rows, y = self._read(X, reset=True), _read_target(y, X)
        check_classification_targets(y)
        weights = self._weigh(sample_weight, rows)
        seen = y if weights is None else y[weights > 0]
        self.classes_ = np.unique(seen)
        if self.classes_.size < 2:
            raise ValueError(f"a classifier needs two classes, the labels have only one class: {self.classes_[0]!r}")
        target = np.searchsorted(self.classes_, y).clip(0, self.classes_.size - 1).astype(np.float64)
        several = self.classes_.size > 2
        names = tuple(str(name) for name in self.classes_) if several else ()
        self._fit_boxes(rows, target, "multiclass" if several else "binary", names, weights)
        return self

    def decision_function(self, X: Any) -> Floats:
        """Return log-odds of the second class, shape [n], or a score per class, shape [n, classes]."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class, shape [n, classes]."""
        scores = self._scores(X)
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class, shape [n]."""
        scores = self._scores(X)
        best = (scores[:, 0] > 0).astype(np.intp) if scores.shape[1] == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[best])


class AdditiveNetRegressor(RegressorMixin, _AdditiveNet):  # type: ignore[misc]
    """Additive neural net for numbers; parameters and attributes as in `AdditiveNetClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-3, 3, 400)[:, None]
    >>> net = AdditiveNetRegressor().fit(x, np.sin(x[:, 0]))
    >>> bool(net.score(x, np.sin(x[:, 0])) > 0.999)
    True

    A loss of one's own, here one that large errors hardly move, goes with gradient descent:

    >>> def robust(score, target):
    ...     return (1 + (score - target) ** 2).log()
    >>> net = AdditiveNetRegressor(solver="adam", loss=robust, steps=100, replicas=1)
    >>> bool(net.fit(x, np.sin(x[:, 0])).score(x, np.sin(x[:, 0])) > 0.9)
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to numbers.

        Parameters
        ----------
        X : array or DataFrame, shape [n, features]
            Rows.
        y : array of float, shape [n]
            Numbers.
        sample_weight : array, shape [n], optional
            Row weights; rows of weight zero are left out.
        """
        rows, y = self._read(X, reset=True), _read_target(y, X).astype(np.float64)
        if not np.isfinite(y).all():
            raise ValueError("Input y contains NaN or infinity.")
        self._fit_boxes(rows, y, "regression", (), self._weigh(sample_weight, rows))
        return self

    def predict(self, X: Any) -> Floats:
        """Return the expected number, shape [n]."""
        return self._scores(X)[:, 0]


def _read_target(y: Any, X: Any) -> np.ndarray:
    from sklearn.utils.validation import _num_samples

    if y is None:
        raise ValueError("this estimator requires y to be passed, but the target y is None")
    found = np.asarray(column_or_1d(y, warn=True))
    if found.size != _num_samples(X):
        raise ValueError(f"inconsistent numbers of samples: {_num_samples(X)} rows, {found.size} targets")
    return found
