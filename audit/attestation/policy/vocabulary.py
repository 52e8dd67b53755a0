"""The closed lists of facts, documents and places that rules and documents.yaml may name.

Comes in: nothing. Goes out: `FACTS`, `COMPUTED_FACTS`, `FIELDS`, and which place lies within which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from audit.evidence import Evidence, Intake, NotDone

FactKind = Literal["text", "list", "choice", "flag", "number"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about the system that only a person can state.

    Parameters
    ----------
    name : str
        ``area.name``.
    title : str
        What it states.
    kind : {"text", "list", "choice", "flag", "number"}
        What a value looks like.
    values : tuple of str
        Allowed values of a choice.
    """

    name: str
    title: str
    kind: FactKind
    values: tuple[str, ...] = ()


def _flag(name: str, title: str) -> Fact:
    return Fact(name, title, "flag")


_FACT_TABLE: tuple[Fact, ...] = (
    Fact("system.use_case", "Use case, e.g. employment.hiring or credit.underwriting", "text"),
    Fact("system.jurisdictions", "Where it is used, e.g. [EU, US-NYC]", "list"),
    Fact("system.role", "The organisation's role", "choice", ("provider", "deployer", "both")),
    Fact("system.risk_class", "Risk class under the AI Act", "choice", ("high", "limited", "minimal", "prohibited")),
    Fact("system.decision_kind", "What the system gives", "choice", ("selection", "score", "classification", "amount")),
    Fact(
        "system.decision_automation",
        "Who decides in the end; decisive_score is a person who draws strongly on the score",
        "choice",
        ("solely_automated", "decisive_score", "human_reviewed"),
    ),
    Fact("system.stage", "Stage of life", "choice", ("development", "pre_release", "production")),
    Fact("system.materiality", "Materiality", "choice", ("high", "medium", "low")),
    _flag("system.is_first_audit", "No earlier audit exists"),
    _flag("system.learns_after_deployment", "It goes on learning in use"),
    _flag("system.uses_special_categories", "Special-category data is processed"),
    _flag("system.profiles_people", "It profiles natural persons"),
    _flag("system.trains_models", "Its making involves training of models"),
    _flag("system.component_of_product", "It is part of a physical product"),
    _flag("system.vendor_supplied", "It is a vendor's or third party's product"),
    _flag("system.small_provider", "The provider is a small or medium enterprise"),
    _flag("system.significant_effect", "Its decisions have legal or similarly significant effects on people"),
    _flag(
        "system.consequential_decisions",
        "It materially influences decisions on education, employment, housing, lending, insurance, health care or "
        "essential government services",
    ),
    _flag("system.measures_abilities", "It measures skill, dexterity, reaction time or other abilities or traits"),
    Fact(
        "system.automation_ground",
        "Ground of automated decisions under Article 22(2) GDPR",
        "choice",
        ("contract", "law", "consent", "none"),
    ),
    _flag(
        "system.special_categories_excepted",
        "An exception of Article 9(2)(a) or (g) GDPR covers special-category data in decisions",
    ),
    Fact("logging.retention_months", "Months for which automatic logs are kept", "number"),
    Fact("governance.retention_years", "Years for which records of the system and its decisions are kept", "number"),
    Fact("notice.explanation_within_days", "Days within which an adverse decision is explained", "number"),
    _flag("organisation.is_bank", "A bank or bank group supervised by the Federal Reserve, the OCC or the FDIC"),
    Fact("organisation.total_assets_usd_bn", "Total assets in billions of US dollars", "number"),
    _flag("organisation.public_body", "A public body, or a private one that provides public services"),
    _flag("system.adverse_impact_found", "Adverse impact of the selection was found, by this audit or otherwise"),
    _flag("data.historical_available", "Historical data of the tool's use is available"),
    _flag("data.small_categories_excluded", "Categories below the size limit were left out"),
    Fact("features.roles_reviewed", "Roles for which a person went through all features, e.g. [prohibited]", "list"),
    _flag("change.material", "The change is material"),
)

FACTS: dict[str, Fact] = {fact.name: fact for fact in _FACT_TABLE}
"""Fact name to fact; documents.yaml supplies the values."""


def _model_pinned(evidence: Evidence) -> bool | None:
    if not isinstance(evidence.intake, Intake):
        return None
    return evidence.intake.sha256.startswith("sha256:")


def _data_pinned(evidence: Evidence) -> bool | None:
    files = [file for file in evidence.provenance.files if file.role == "data.audit"]
    return all(file.sha256.startswith("sha256:") for file in files) if files else None


def _nothing_broke(evidence: Evidence) -> bool | None:
    if all(isinstance(part, NotDone) and not part.broke for _, part in evidence.sections()):
        return None  # nothing was carried out, so nothing could break
    return not evidence.broken


def _has_model(evidence: Evidence) -> bool:
    return evidence.subject.has_model


_SAME_SCORE = ("deterministic", "row_independent", "order_independent")
"""Checks that must have been made before anybody may say that a row always gets one score."""


def _contract_kept(evidence: Evidence) -> bool | None:
    if not isinstance(evidence.intake, Intake):
        return None
    found = {check.id: check.status for check in evidence.intake.checks}
    if "fail" in found.values():
        return False
    return True if all(found.get(name) in ("pass", "warn") for name in _SAME_SCORE) else None


COMPUTED_FACTS: dict[str, tuple[str, Callable[[Evidence], bool | None]]] = {
    "audit.model_digest_recorded": ("The model is pinned by its digest", _model_pinned),
    "audit.data_digest_recorded": ("The audited rows are pinned by their digest", _data_pinned),
    "audit.has_model": ("A model was examined, not stored scores or decisions alone", _has_model),
    "audit.contract_kept": (
        "The model keeps what an audit relies on: a row gets one score, alone or among others, in any order, as stored",
        _contract_kept,
    ),
    "audit.complete": ("No part of the examination broke", _nothing_broke),
}
"""Fact name to its title and to what reads it from the evidence."""

SEAL_FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        _flag("seal.intact", "Every file is as it was sealed"),
        _flag("seal.signed", "Somebody signed the report"),
        _flag("seal.trusted", "An authority that the verifier names stands behind the signer"),
        _flag("seal.development_key", "It was signed by a development key, which proves no identity"),
        _flag("seal.timestamped", "A time stamp authority shows when the signature existed"),
        Fact("seal.signers", "Names of those who signed, e.g. Ada Auditor; Acme (a semicolon for each comma)", "list"),
        Fact("seal.approvals", "Roles that signed with the decision to approve, e.g. [reviewer, approver]", "list"),
        Fact("seal.age_days", "Whole days since the report was signed, by its time stamp where it has one", "number"),
    )
}
"""Fact name to fact; known only once a report is sealed, so `audit verify --policy` decides the rules on them."""

FIELDS: dict[str, str] = {
    "system.name": "Name of the system",
    "system.version": "Version and its relation to earlier versions",
    "system.provider": "Provider, with contact",
    "system.deployer": "Deployer, with contact",
    "system.intended_purpose": "Intended purpose",
    "system.foreseeable_misuse": "Reasonably foreseeable misuse",
    "system.affected_people": "Persons and groups affected",
    "system.interactions": "Interaction with other hardware and software",
    "system.software_versions": "Versions of software and firmware",
    "system.forms_on_market": "Forms in which it is supplied",
    "system.hardware": "Hardware it runs on",
    "system.product_illustrations": "Illustrations of the product",
    "system.user_interface": "User interface",
    "system.instructions_for_use": "Instructions for use",
    "system.limitations": "Capabilities and limitations",
    "system.input_specifications": "What input the system needs",
    "system.lifetime_and_maintenance": "Lifetime, maintenance, care",
    "development.methods": "Methods and steps of development",
    "development.third_party_components": "Components of third parties",
    "development.design_choices": "Design choices and their reasons",
    "development.optimisation_target": "What it optimises for",
    "development.expected_output": "Expected output and its quality",
    "development.trade_offs": "Trade-offs made",
    "development.architecture": "Architecture",
    "development.compute": "Computing resources",
    "development.predetermined_changes": "Changes determined in advance",
    "development.change_log": "Changes through its life",
    "development.environment": "Impact of training and use on the environment",
    "data.datasheet": "Data sheet of the training data",
    "data.collection": "Collection, origin, original purpose",
    "data.selection": "How data was obtained and selected",
    "data.labelling": "Labelling",
    "data.cleaning": "Cleaning and preparation",
    "data.assumptions": "What the data is taken to represent",
    "data.suitability": "Availability, quantity, suitability",
    "data.bias_examination": "Examination for biases",
    "data.bias_mitigation": "What was done about biases",
    "data.gaps": "Gaps and shortcomings of the data",
    "data.context": "Setting in which it will be used",
    "data.test_data": "Validation and test data",
    "data.input_in_use": "How input data is kept relevant and representative in use",
    "data.special_categories_necessity": "Why special-category data was necessary",
    "data.special_categories_safeguards": "Safeguards for special-category data",
    "data.source_explanation": "Source of the audit data, explained",
    "data.historical_or_test": "Whether historical or test data was used, and why",
    "data.test_data_origin": "How test data was generated and obtained, and why historical data was not used",
    "data.small_category_justification": "Reason for leaving out small categories",
    "data.group_definitions": "How groups were defined and collected",
    "risk.management_system": "Risk management system",
    "risk.register": "Risks, and what remains of them",
    "risk.materiality": "Materiality: exposure and purpose",
    "risk.fundamental_rights_assessment": "Assessment of the impact on fundamental rights",
    "risk.complaints": "Complaints and redress",
    "risk.data_protection_assessment": "Assessment of the impact on data protection",
    "risk.privacy": "Privacy risk, examined",
    "risk.tracking": "How risks are found and followed in use",
    "risk.unmeasured": "Risks that are not measured, and why",
    "oversight.measures": "Human oversight",
    "oversight.interpretation_aids": "Aids to interpret the output",
    "oversight.assignees": "Named overseers, their competence and authority",
    "oversight.override_procedure": "How to override or stop it",
    "metrics.rationale": "Why these metrics",
    "metrics.thresholds_rationale": "Why these thresholds",
    "validation.report": "Validation report",
    "validation.independence": "Independence of the validator",
    "validation.test_logs": "Test logs and test reports",
    "validation.anti_bias_testing": "Tests against bias: what, how, how well",
    "validation.consultation": "Consultation of experts, users and affected people",
    "validation.conceptual_soundness": "Review of conceptual soundness",
    "validation.benchmarking": "Benchmarking against alternatives",
    "validation.outcomes_analysis": "Analysis of outcomes",
    "validation.job_relatedness": "Validation of job-relatedness",
    "validation.less_discriminatory_alternatives": "Search for less discriminatory alternatives",
    "monitoring.plan": "Monitoring plan",
    "monitoring.triggers": "Triggers and responses",
    "monitoring.incidents": "Incidents and their reporting",
    "logging.events": "Events that are logged",
    "logging.retention": "Retention of logs",
    "security.measures": "Security measures",
    "security.ai_specific": "Measures against poisoning, evasion, extraction",
    "governance.owner": "Accountable owner",
    "governance.inventory_entry": "Entry in the model inventory",
    "governance.quality_system": "Quality management system",
    "governance.standards_applied": "Standards applied",
    "governance.declaration": "Declaration of conformity",
    "governance.approvals": "Approvals and sign-offs",
    "governance.retention": "Retention of records",
    "governance.legal_ground": "Legal ground of automated decisions",
    "vendor.assessment": "Assessment of a vendor's product",
    "vendor.update_notices": "How deployers hear of updates",
    "notice.candidate_notice": "Notice to candidates",
    "notice.data_policy": "Kind and source of the data that the tool collects, and how long it is kept",
    "notice.adverse_action": "Adverse-action notice",
    "notice.reason_code_table": "Reason codes and their wording",
    "notice.decision_explanation": "How a decision is explained to the person",
    "notice.use_of_system": "Notice to people that the system is used on them",
    "notice.workers": "Notice to workers and their representatives",
    "rights.human_review": "How a person gets a human review, and is heard",
    "rights.data_correction": "How a person sees and corrects the data used",
    "rights.accommodation": "Accommodation for disability and religion",
    "publication.summary_url": "Public address of the summary of results",
    "publication.distribution_date": "Date on which the tool was first used",
    "auditor.independent": "Independent auditor",
    "auditor.conflicts": "Auditor's statement on conflicts of interest",
}
"""Field of documents.yaml to its title; a `document` rule may ask for it."""

ROLES = ("protected", "important", "increasing", "decreasing", "prohibited", "special_category")
"""Roles that mean something here; an organisation may declare others at its features."""

STANDARD_ATTRIBUTES = ("sex", "race_ethnicity", "age", "disability", "religion", "nationality")
"""Attribute names that shipped packs may use although an audit does not measure them; they are then inconclusive."""

# https://european-union.europa.eu/principles-countries-history/eu-countries_en
_EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
PLACES_WITHIN: dict[str, tuple[str, ...]] = {"US-NYC": ("US-NY", "US"), **{code: ("EU",) for code in _EU.split()}}
"""Place to the larger places it lies in, beyond what its own code says (``US-CA`` lies in ``US``)."""
