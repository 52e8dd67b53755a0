"""The hall: the evidence document and its kin, plain records that know neither wing."""

from .attributions import Attributions, ColumnImportance, Explainer, ReferenceValue
from .base import NotDone, Record, Section, canonical_bytes, digest_bytes
from .calibration import Calibration, CalibrationBin
from .change import (
    READINGS,
    Change,
    DecisionsChanged,
    Difference,
    Driver,
    Move,
    Pairing,
    ShapeMoved,
    Side,
    VerdictChange,
)
from .countersignature import Countersignature
from .data import ColumnSummary, Data
from .decisions import Changeable, ChangeNeeded, Individual, IndividualDecisions, ReasonGiven
from .document import SECTION_NAMES, Evidence, read_evidence
from .dossier import Dossier, Presentation, SignerShown
from .drift import Drift, Unseen
from .effects import Disagreement, Effects, FeatureRug, Pair, PairSurface, WorkedStep, WorkedSum
from .estimate import Curve, Definition, Estimate, Group, Measurement, Parity, undefined
from .explanations import Explanations, MethodTested
from .fairness import (
    Cell,
    CountTable,
    CrossCheck,
    Fairness,
    OutcomeCell,
    OutcomeTable,
    StratifiedTable,
    Stratum,
    ThresholdCurve,
    ThresholdSweep,
)
from .fidelity import Departure, Fidelity
from .intake import ContractCheck, Intake
from .judgement import (
    OPEN_VERDICTS,
    SEVERITY_ORDER,
    VERDICT_ORDER,
    ClaimChecked,
    Judgement,
    LockSeen,
    PolicyText,
    RuleFinding,
    Severity,
    Verdict,
    VerdictWord,
    worst_verdict,
)
from .papers import Answer, Approval, Assignment, Papers, SuppliedText
from .performance import Performance
from .provenance import FileDigest, Provenance
from .robustness import Conformal, MovedFeature, Robustness
from .slices import Slice, Slices
from .subject import AttributeUsed, Decision, FeatureUsed, Subject

__all__ = [
    "OPEN_VERDICTS",
    "READINGS",
    "SECTION_NAMES",
    "SEVERITY_ORDER",
    "VERDICT_ORDER",
    "Answer",
    "Approval",
    "Assignment",
    "AttributeUsed",
    "Attributions",
    "Calibration",
    "CalibrationBin",
    "Cell",
    "Change",
    "ChangeNeeded",
    "Changeable",
    "ClaimChecked",
    "ColumnImportance",
    "ColumnSummary",
    "Conformal",
    "ContractCheck",
    "CountTable",
    "Countersignature",
    "CrossCheck",
    "Curve",
    "Data",
    "Decision",
    "DecisionsChanged",
    "Definition",
    "Departure",
    "Difference",
    "Disagreement",
    "Dossier",
    "Drift",
    "Driver",
    "Effects",
    "Estimate",
    "Evidence",
    "Explainer",
    "Explanations",
    "Fairness",
    "FeatureRug",
    "FeatureUsed",
    "Fidelity",
    "FileDigest",
    "Group",
    "Individual",
    "IndividualDecisions",
    "Intake",
    "Judgement",
    "LockSeen",
    "Measurement",
    "MethodTested",
    "Move",
    "MovedFeature",
    "NotDone",
    "OutcomeCell",
    "OutcomeTable",
    "Pair",
    "PairSurface",
    "Pairing",
    "Papers",
    "Parity",
    "Performance",
    "PolicyText",
    "Presentation",
    "Provenance",
    "ReasonGiven",
    "Record",
    "ReferenceValue",
    "Robustness",
    "RuleFinding",
    "Section",
    "Severity",
    "ShapeMoved",
    "Side",
    "SignerShown",
    "Slice",
    "Slices",
    "StratifiedTable",
    "Stratum",
    "Subject",
    "SuppliedText",
    "ThresholdCurve",
    "ThresholdSweep",
    "Unseen",
    "Verdict",
    "VerdictChange",
    "VerdictWord",
    "WorkedStep",
    "WorkedSum",
    "canonical_bytes",
    "digest_bytes",
    "read_evidence",
    "undefined",
    "worst_verdict",
]
