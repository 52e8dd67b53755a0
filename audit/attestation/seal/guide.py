"""VERIFY.md: how anybody checks a report folder with tools that this project did not write.

Comes in: the sealed files and who signed. Goes out: a page of commands for ``sha256sum``, ``openssl`` and a POSIX
shell, filled in with this report's own numbers. A test runs every one of them. Names of people and files of this
report never enter a command; only fixed names and numbers do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from audit.evidence.dossier import SignerShown

_CMS = (
    "openssl cms -verify -binary -inform DER -purpose any -partial_chain -no_check_time "
    "-CAfile {certificate} -in {signature} -content {content} -out /dev/null"
)
_OWN = "signer.crt"
_EARLIER = re.compile(r"seals/[0-9]+/signer\.crt")


def write_guide(files: Mapping[str, bytes], signer: SignerShown | None, *, stamped: bool = False) -> bytes:
    """Return the text of VERIFY.md.

    Parameters
    ----------
    files : mapping
        Name to bytes, signed where they are.
    signer : SignerShown or None
        Who signed.
    stamped : bool
        Whether a time stamp server was configured.
    """
    if signer is None:
        return _join(_UNSIGNED, _block("sha256sum --check --strict SHA256SUMS"))
    parts = [
        _head(signer),
        _SUMS,
        _block("sha256sum --check --strict SHA256SUMS"),
        _MANIFEST,
        _block(_CMS.format(certificate=_OWN, signature="SHA256SUMS.p7s", content="SHA256SUMS")),
        _PERSON,
        _block("openssl x509 -in signer.crt -noout -subject -issuer -dates -fingerprint -sha256"),
        _STATEMENT,
        _block(*_STATEMENT_COMMANDS),
    ]
    earlier = sorted(filter(_EARLIER.fullmatch, files), key=lambda name: int(name.split("/")[1]))
    signers = [*earlier, _OWN]
    if _HTML_SIGNED in files.get("report.html", b""):
        parts += [_HTML, _block(*_html_commands(files["report.html"], signers[0]))]
    if "report.pdf" in files:
        parts += [_PDF, _block(*_pdf_commands(files["report.pdf"], signers))]
    if earlier:
        parts += [_EARLIER_SEALS, *(_block(*_earlier_commands(name)) for name in earlier)]
    if stamped:
        parts += [_STAMP, _block(*_stamp_commands("SHA256SUMS"))]
        parts += [_HISTORY, _block("ledger=${LEDGER:-audit-log}", *_stamp_commands("$ledger/checkpoint"))]
    return _join(*parts, _LIMITS)


def _head(signer: SignerShown) -> str:
    warning = _DEVELOPMENT if signer.development else ""
    return _HEAD.format(name=signer.name, fingerprint=signer.fingerprint, warning=warning)


def _html_commands(page: bytes, certificate: str) -> tuple[str, ...]:
    size = int(re.findall(re.escape(_HTML_SIGNED) + rb"([0-9]+)\n", page)[-1])
    return (
        "work=$(mktemp -d)",
        f'head -c {size} report.html > "$work/page"',
        f"tail -c +{size + 1} report.html | tail -n 1 | sed 's/-->$//' | openssl base64 -d -A > \"$work/page.p7s\"",
        _CMS.format(certificate=certificate, signature='"$work/page.p7s"', content='"$work/page"'),
    )


def _pdf_commands(data: bytes, certificates: Sequence[str]) -> tuple[str, ...]:
    """Return commands for every signature of a PDF, and for every time stamp over it."""
    from .pdf_check import PdfSignature, check_pdf_marks

    commands = ["work=$(mktemp -d)"]
    names = iter(certificates)
    marks = check_pdf_marks(data)
    for mark in marks:
        start, resume = mark.gap
        # head before tail: tail into head ends with a broken pipe where the shell minds one
        digits = f"head -c {start + 1 + 2 * mark.size} report.pdf | tail -c {2 * mark.size}"
        commands += [
            f"{{ head -c {start} report.pdf; head -c {mark.end} report.pdf | tail -c {mark.end - resume}; }} "
            '> "$work/signed"',
            f'{digits} | tr a-f A-F | basenc --base16 --decode > "$work/signed.p7s"',
        ]
        if isinstance(mark, PdfSignature):
            name = next(names)
            commands.append(_CMS.format(certificate=name, signature='"$work/signed.p7s"', content='"$work/signed"'))
        else:
            commands += _PDF_STAMP
    return (*commands, f"test $(wc -c < report.pdf) -eq {marks[-1].end}")


def _earlier_commands(certificate: str) -> tuple[str, ...]:
    folder = certificate.rpartition("/")[0]
    signature, content = f"{folder}/SHA256SUMS.p7s", f"{folder}/SHA256SUMS"
    return (
        _CMS.format(certificate=certificate, signature=signature, content=content),
        *_statement_commands(f"{folder}/"),
    )


_HTML_SIGNED = b"<!--audit-signature:v1 signed-bytes="
_PDF_STAMP = (
    'openssl pkcs7 -inform DER -in "$work/signed.p7s" -print_certs -out "$work/tsa.pem"',
    'openssl ts -verify -data "$work/signed" -in "$work/signed.p7s" -token_in -CAfile "$work/tsa.pem" -partial_chain',
)


def _statement_commands(folder: str) -> tuple[str, ...]:
    return tuple(
        command.replace("attestation.dsse.json", f"{folder}attestation.dsse.json").replace(
            "signer.", f"{folder}signer."
        )
        for command in _STATEMENT_COMMANDS
    )


_STATEMENT_COMMANDS = (
    "work=$(mktemp -d)",
    'sed \'s/.*"payload":"\\([^"]*\\)".*/\\1/\' attestation.dsse.json | openssl base64 -d -A > "$work/statement.json"',
    'sed \'s/.*"sig":"\\([^"]*\\)".*/\\1/\' attestation.dsse.json | openssl base64 -d -A > "$work/signature"',
    "{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' $(wc -c < \"$work/statement.json\"); "
    'cat "$work/statement.json"; } > "$work/signed"',
    'openssl dgst -sha256 -verify signer.pub -signature "$work/signature" "$work/signed"',
    'test "$(openssl x509 -in signer.crt -noout -pubkey)" = "$(cat signer.pub)"',
    'cat "$work/statement.json"',
)


def _stamp_commands(name: str) -> tuple[str, ...]:
    """Return commands for a time stamp beside a file; where there is none they do nothing."""
    return (
        f'if [ -e "{name}.tsr" ]; then',
        "  work=$(mktemp -d)",
        f'  openssl ts -reply -in "{name}.tsr" -token_out -out "$work/token"',
        '  openssl pkcs7 -inform DER -in "$work/token" -print_certs -out "$work/tsa.pem"',
        f'  openssl ts -verify -data "{name}" -in "{name}.tsr" -CAfile "$work/tsa.pem" -partial_chain',
        "fi",
    )


_UNSIGNED = """\
# How to check this report

This report is **unsigned**. Nobody vouches for it: whoever changes a file can change `SHA256SUMS` too. The list below
shows damage by accident, nothing more. Run this in the report's folder:"""

_HEAD = """\
# How to check this report

Signed by **{name}**, certificate (SHA-256) `{fingerprint}`.{warning}

`audit verify .` checks all of what follows and more, and answers in one word; `audit verify . --trust CA.pem` also asks
whether the signer's certificate comes from an authority that you trust. The commands below need no part of this
project: GNU coreutils (`sha256sum`, `basenc`), `openssl` 3 and any shell, run in the report's folder. Each must end
without an error."""

_DEVELOPMENT = """

**This is a development key. It was made by the program itself and proves no identity**: the checks below show that the
files are as they were signed, not who signed them."""

_SUMS = """\
## Every file is as listed

Files in `individuals/`, if any, are outside of the list on purpose, because a person may ask that they be deleted;
`audit.json` holds their digests under `individuals`. Look for files that are not in the list, too."""

_MANIFEST = """\
## The list is signed

This shows that the owner of `signer.crt` signed it. To ask whether an authority that you trust stands behind that
certificate, put the authority's certificate in place of `signer.crt` and leave out `-partial_chain`."""

_PERSON = """\
## Who that is

Compare the fingerprint with one that you got from the signer by another way."""

_STATEMENT = """\
## The attestation is signed by the same key

It is an in-toto statement (in a DSSE envelope) that names every file, the model and the data by digest, with the
verdict of every rule. The last command shows it."""

_HTML = """\
## The page alone

`report.html` carries its own signature in the comment at its end, over every byte before that comment."""

_PDF = """\
## The PDF alone

`report.pdf` carries its own signatures (PAdES), one for each person, and time stamps over the whole of it where a
server gave them; what authorities say about revoked certificates lies in it, too, for readers of PAdES B-LT. If you
look at it in a PDF reader or with `pdfsig`, a signature that is called valid is not enough, because later additions can
hide what was signed: it must also say that the **whole document** is signed. The last command below asks just that."""

_EARLIER_SEALS = """\
## Who signed before

Others signed this report before. What they signed lies in `seals/`, in the order in which they did: the list of files
as it was then, with its signature, and their attestation. All files are as they were but the PDF, which has grown by
the signatures that came later."""

_STAMP = """\
## When

The time stamp, where the server gave one, shows that the list existed at that time. Whether you trust the time stamp
authority is for you to say; its certificate is taken from the stamp here."""

_HISTORY = """\
## How long the history was when

Audits are recorded in a ledger, which lies elsewhere; set `LEDGER` to its folder, or to one that holds a copy of its
`checkpoint` and `checkpoint.tsr`. The time stamp shows that a log of that length, with that digest, existed at that
time. To ask whether an authority that you trust made the stamp, put its certificate in place of `$work/tsa.pem` and
leave out `-partial_chain`. `audit ledger check` holds the log itself against the checkpoint."""

_LIMITS = """\
## What this does not show

That the numbers are right. Whether they are, a second person finds out by running the audit again: versions, seeds and
digests of everything that went in are in `audit.json` under `evidence.provenance`."""


def _block(*lines: str) -> str:
    return "```bash\n" + "\n".join(lines) + "\n```"


def _join(*parts: str) -> bytes:
    return ("\n\n".join(parts) + "\n").encode()
