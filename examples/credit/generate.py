"""Made-up credit applicants whose truth is known, so that an audit of a model of them can be checked.

Comes in: a seed. Goes out: a table of 12,000 applicants: the first half trains the black boxes, the second is audited.
Nothing in it is about real people; "alder", "birch" and "cedar" are invented communities.

What is true by construction, and what an audit should therefore find:

==================  ===================================================================================================
ethnicity           alder 72 %, birch 26.8 %, cedar 1.2 % (small on purpose); birch and cedar earn somewhat less
postcode_band       four times in five ``D E F`` for birch and cedar, ``A B C`` for alder: an 80 % proxy of ethnicity
repaid              fair: depends on credit factors alone (`repayment_logit`). Impact ratio of the label about .95
legacy_decision     unfair: the same factors, and a deduction for the bands ``D E F``. Impact ratio about .69
age                 risk is U-shaped: least around 46
income              its benefit saturates
debts               hurt far more in the first two years of a job: the one interaction
sex                 no effect anywhere, and no feature of the models; ethnicity is none either
missing values      income 4 % (a little more often where it is low), years_employed 6 %, housing 3 %
==================  ===================================================================================================
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 51
APPLICANTS = 12_000
TRAINING = 6_000

BANDS = ("A", "B", "C", "D", "E", "F")
HOUSING = ("family", "own", "rent")
SHARES = {"alder": 0.72, "birch": 0.268, "cedar": 0.012}
PROXY_STRENGTH = 0.8
BAND_DEDUCTION = 1.1

# The models' fixed scaling: round figures near mean and spread, so that no number in an audit.yaml depends on a fit.
NUMBERS = ("age", "income", "debts", "years_employed", "loan_amount")
MEANS = (44.0, 36.0, 9.0, 7.0, 12.0)
SCALES = (15.0, 18.0, 9.0, 7.0, 8.0)
FILL = (44.0, 36.0, 9.0, 7.0, 12.0)


def generate_applicants(seed: int = SEED, count: int = APPLICANTS) -> pd.DataFrame:
    """Return made-up applicants with both labels.

    Parameters
    ----------
    seed : int
        Seed of everything random.
    count : int
        Number of applicants.

    Returns
    -------
    pandas.DataFrame
        One row per applicant, in the order of ``applicant_id``. Amounts in thousands.
    """
    rng = np.random.default_rng(seed)
    ethnicity = rng.choice(list(SHARES), size=count, p=list(SHARES.values()))
    minority = ethnicity != "alder"
    age = np.clip(rng.normal(44, 15, count), 18, 82).round()
    years = np.minimum(rng.exponential(7, count), age - 17).round(1)
    income = rng.lognormal(np.where(minority, 3.20, 3.52), 0.42, count).round(2)
    complete = pd.DataFrame(
        {
            "applicant_id": [f"{number:06d}" for number in range(1, count + 1)],
            "sex": rng.choice(["female", "male"], size=count, p=[0.49, 0.51]),
            "ethnicity": ethnicity,
            "age": age,
            "income": income,
            "debts": (rng.gamma(1.1, 8.0, count) * (rng.random(count) < 0.85)).round(2),
            "years_employed": years,
            "loan_amount": rng.gamma(2.4, 5.0, count).round(2),
            "housing": rng.choice(HOUSING, size=count, p=[0.15, 0.35, 0.5]),
            "postcode_band": _postcode_bands(minority, rng),
        }
    )
    repays = repayment_logit(complete)
    complete["repaid"] = (rng.random(count) < _sigmoid(repays)).astype(int)
    complete["legacy_decision"] = (rng.random(count) < _sigmoid(legacy_logit(complete, repays))).astype(int)
    return _blank_some(complete, rng)


def repayment_logit(applicants: pd.DataFrame) -> np.ndarray:
    """Return the true log-odds of repaying: the credit factors, and nothing else.

    Parameters
    ----------
    applicants : pandas.DataFrame
        Without missing values.
    """
    new_in_job = 1 / (1 + np.exp(2.0 * (applicants["years_employed"] - 2.0)))
    return (
        0.75
        - 1.0 * ((applicants["age"] - 46) / 26) ** 2
        + 2.6 * (1 - np.exp(-applicants["income"] / 28))
        - 0.035 * applicants["debts"] * (1 + 2.2 * new_in_job)
        - 0.02 * applicants["loan_amount"]
        + applicants["housing"].map({"family": 0.0, "own": 0.3, "rent": -0.1})
    ).to_numpy(float)


def legacy_logit(applicants: pd.DataFrame, repays: np.ndarray) -> np.ndarray:
    """Return the log-odds of a grant in the past: repayment as clerks saw it, less a deduction for three bands.

    Parameters
    ----------
    applicants : pandas.DataFrame
        Applicants.
    repays : ndarray
        True log-odds of repaying, shape ``[n]``.
    """
    return 1.2 * (repays - 0.9) - BAND_DEDUCTION * applicants["postcode_band"].isin(BANDS[3:]).to_numpy(float)


def _postcode_bands(minority: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    typical = rng.random(len(minority)) < PROXY_STRENGTH
    upper_half = minority == typical
    return np.array(BANDS)[rng.integers(0, 3, len(minority)) + 3 * upper_half]


def _blank_some(complete: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Take values out after the labels were drawn: what is not written down still has its effect."""
    poor = complete["income"] < 25
    blanks = {
        "income": rng.random(len(complete)) < np.where(poor, 0.055, 0.033),
        "years_employed": rng.random(len(complete)) < 0.06,
        "housing": rng.random(len(complete)) < 0.03,
    }
    for column, blank in blanks.items():
        complete[column] = complete[column].mask(blank)
    return complete


def _sigmoid(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def write_tables(folder: Path, seed: int = SEED) -> tuple[Path, Path]:
    """Write ``train.csv`` and ``applicants.csv``, and return their paths.

    Parameters
    ----------
    folder : Path
        Where to; made if it is not there.
    seed : int
        Seed of everything random.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = generate_applicants(seed)
    paths = folder / "train.csv", folder / "applicants.csv"
    for path, part in zip(paths, (table[:TRAINING], table[TRAINING:]), strict=True):
        part.to_csv(path, index=False, lineterminator="\n")
    return paths


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description="Write the example's applicants.")
    reader.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    reader.add_argument("--seed", type=int, default=SEED)
    given = reader.parse_args()
    for written in write_tables(given.out, given.seed):
        print(written)
