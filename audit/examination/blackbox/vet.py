"""Vetting of archives before any library opens them.

Comes in: the bytes of a model file that is a zip archive. Goes out: its members, read and checked, or a refusal. The
loaders are then given a copy rebuilt from these members, so that nothing is loaded that was not looked at: not a second
entry of the same name, not a member that another zip reader would see, not a file changed on disk in between.

Messages never repeat a path or a text of the file beyond a short, plain member name.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from audit.errors import IntakeRefused

MAX_MEMBERS = 50_000
MAX_BYTES = 32 * 1024**3
BOMB_BYTES = 64 * 1024**2
BOMB_RATIO = 20
"""Archives of this kind are stored, not compressed; one that swells 20 times to over 64 MiB is a bomb."""

LIBRARY = re.compile(r"\.(so|dll|dylib|pyd|exe|sh|bat|pyc|jar|cubin|ptx|hsaco)(\.[0-9.]+)?$", re.IGNORECASE)
_PLAIN = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")

PT2_MEMBERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"archive_format",
        r"archive_version",
        r"byteorder",
        r"version",
        r"\.data/(version|serialization_id)",
        r"\.format_version",
        r"\.storage_alignment",
        r"models/[A-Za-z0-9_]+\.json",
        r"data/weights/(weight_[0-9]+|[A-Za-z0-9_]+_weights_config\.json)",
        r"data/constants/(tensor_[0-9]+|[A-Za-z0-9_]+_constants_config\.json)",
        r"data/sample_inputs/[A-Za-z0-9_]+\.pt",
        r"extra/[A-Za-z0-9_.-]{1,100}",
    )
)
"""What a .pt2 may hold, below its root folder."""

PICKLED = re.compile(r"^data/(weights|constants)/([A-Za-z0-9_]+\.pt|custom_obj_[0-9]+|opaque_obj_[0-9]+)$")
COMPILED = re.compile(r"^data/aotinductor/")


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip archive, read and checked.

    Parameters
    ----------
    root : str
        Name of its one top folder.
    members : dict of str to bytes
        Name below the root to content, in file order.
    """

    root: str
    members: dict[str, bytes]


def read_archive(data: bytes) -> Archive:
    """Read all members of a zip archive into memory.

    Raises
    ------
    IntakeRefused
        Truncated, damaged, encrypted, a bomb, or with names that leave the archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check_infos(infos, len(data))
            contents = {info.filename: archive.read(info) for info in infos}
    except IntakeRefused:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise IntakeRefused(
            "the model file is truncated or damaged: its zip archive cannot be read",
            hint="copy it again, or export the model again",
        ) from None
    except Exception as error:  # zlib.error and the like are not one family
        raise IntakeRefused(
            f"the model file is damaged ({type(error).__name__})", hint="copy it again, or export the model again"
        ) from None
    roots = {name.split("/", 1)[0] for name in contents}
    if len(roots) != 1 or any("/" not in name for name in contents):
        raise IntakeRefused(
            "the archive does not have the one top folder that torch writes",
            hint="export the model again; do not pack it by hand",
        )
    return Archive(roots.pop(), {name.split("/", 1)[1]: content for name, content in contents.items()})


def list_members(data: bytes) -> list[str] | None:
    """Return the member names of a zip archive, or None where it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [info.filename for info in archive.infolist()]
    except Exception:  # whatever is wrong with it, it is not a readable archive
        return None


def check_pt2_members(archive: Archive) -> None:
    """Refuse whatever a .pt2 of torch.export does not need.

    Raises
    ------
    IntakeRefused
        A pickle, compiled code, or a member that is not on the list.
    """
    for name in archive.members:
        if COMPILED.match(name) or LIBRARY.search(name):
            raise IntakeRefused(
                f"the .pt2 carries compiled code ({shown_name(name)})",
                hint="export it with torch.export.save, not as an AOTInductor package",
            )
        if PICKLED.match(name):
            raise IntakeRefused(
                f"the .pt2 carries a pickle ({shown_name(name)}), which can run any code when loaded",
                hint="export it again with a current torch.export.save",
            )
        if not any(pattern.fullmatch(name) for pattern in PT2_MEMBERS):
            raise IntakeRefused(
                f"the .pt2 carries something that a model does not need ({shown_name(name)})",
                hint="export it with torch.export.save and add nothing to the archive",
            )
    for wanted in ("archive_version", "byteorder"):
        if wanted not in archive.members:
            raise IntakeRefused(f"the .pt2 has no {wanted}: it is incomplete", hint="export it again")
    if archive.members["byteorder"].strip() != b"little":
        raise IntakeRefused("the .pt2 was written on a big-endian machine", hint="export it on a little-endian one")


_UNSAFE_CALL = re.compile(r"(?<![A-Za-z0-9_])(?:torch|ops\.aten|aten)\.(save|load|from_file|_print)(?![A-Za-z0-9_])")
_HOOK = re.compile(r"(?<![A-Za-z0-9_])def__(?:setstate|getstate|del|new)__\(|(?<![A-Za-z0-9_])def__init__\(")
_PYTHON_CALL = re.compile(r"\^[A-Za-z_]")
_NAMESPACE = re.compile(r"(?<![A-Za-z0-9_.])ops\.([A-Za-z_][A-Za-z0-9_]*)\.")
SAFE_NAMESPACES = frozenset({"prim", "aten"})
UNSAFE_KINDS = frozenset(
    {"aten::save", "aten::load", "aten::from_file", "aten::_print", "prim::PythonOp", "prim::Print", "prim::rpc_async"}
)
"""Operators of a compiled graph that touch the machine, or talk."""


def check_torchscript(archive: Archive) -> tuple[str, ...]:
    """Refuse TorchScript that reads or writes files or calls operators from outside torch.

    Returns
    -------
    tuple of str
        What was looked at, one line each.

    Raises
    ------
    IntakeRefused
        Compiled code in the archive, a call that touches files, a foreign operator.
    """
    sources = {name: content for name, content in archive.members.items() if name.startswith("code/")}
    for name in archive.members:
        if LIBRARY.search(name):
            raise IntakeRefused(
                f"the TorchScript archive carries compiled code ({shown_name(name)})",
                hint="save it with torch.jit.save and add nothing to the archive",
            )
    for name, content in sources.items():
        if not name.endswith(".py"):
            continue
        text = content.decode("utf-8", "replace")
        # with and without comments, so that neither a comment nor a '#' inside a string hides a call
        for view in (text, re.sub(r"#[^\n]*", "", text)):
            _check_source(re.sub(r"[\s\\]+", "", view))
    return (
        f"{len(archive.members)} archive members, none compiled, no path leaves the archive",
        f"{sum(name.endswith('.py') for name in sources)} TorchScript sources: no file access, no foreign operator",
    )


def _check_source(joined: str) -> None:
    """Refuse a TorchScript source, written without spaces, that does more than compute."""
    call = _UNSAFE_CALL.search(joined)
    if call:
        raise IntakeRefused(
            f"the TorchScript calls torch.{call.group(1)}, which touches files of this machine",
            hint="a model must only compute; remove the call",
        )
    if _HOOK.search(joined):
        raise IntakeRefused(
            "the TorchScript has a hook that would run while it is loaded (__setstate__)",
            hint="export the model without __getstate__ and __setstate__, or as .pt2",
        )
    if _PYTHON_CALL.search(_without_texts(joined)):
        raise IntakeRefused(
            "the TorchScript calls a Python function that is not in the file",
            hint="export the model without functions that TorchScript ignores or cannot compile",
        )
    for space in _NAMESPACE.findall(joined):
        if space not in SAFE_NAMESPACES:
            raise IntakeRefused(
                f"the TorchScript calls operators of '{space[:40]}', which are not part of torch",
                hint="export the model without custom operators",
            )


def _without_texts(source: str) -> str:
    """Return a source without its string literals."""
    return re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", '""', source)


def check_kinds(kinds: Iterable[str]) -> int:
    """Refuse operators of a compiled graph that are not torch's own arithmetic, and return how many there are.

    Parameters
    ----------
    kinds : iterable of str
        ``namespace::name`` of every node.

    Raises
    ------
    IntakeRefused
        An operator that touches files, calls Python, or is foreign.
    """
    count = 0
    for kind in kinds:
        count += 1
        space = kind.split("::")[0]
        if kind in UNSAFE_KINDS or space not in SAFE_NAMESPACES:
            raise IntakeRefused(
                f"the TorchScript uses the operator {kind[:60] if re.fullmatch('[A-Za-z0-9_:]+', kind) else 'that'}, "
                "which a model does not need to compute",
                hint="a model must only compute on tensors; remove the call, or export it as .pt2",
            )
    return count


def write_archive(members: Iterable[tuple[str, bytes]], root: str) -> io.BytesIO:
    """Return a fresh, uncompressed archive of `members` below `root`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(f"{root}/{name}"), content)
    out.seek(0)
    return out


def shown_name(name: str) -> str:
    """Return the last part of a member name where it is short and plain, else ``a member``."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return last if _PLAIN.match(last) else "a member"


def _check_infos(infos: list[zipfile.ZipInfo], size: int) -> None:
    if not infos:
        raise IntakeRefused("the model file is an empty archive", hint="export the model again")
    if len(infos) > MAX_MEMBERS:
        raise IntakeRefused(
            f"the archive has {len(infos):,} members; a model has at most {MAX_MEMBERS:,}", hint="this is not a model"
        )
    total = sum(info.file_size for info in infos)
    if total > MAX_BYTES or (total > BOMB_BYTES and total > BOMB_RATIO * size):
        raise IntakeRefused(
            f"the archive swells from {size:,} to {total:,} bytes: a zip bomb, not a model",
            hint="model archives are stored without compression",
        )
    seen: set[str] = set()
    for info in infos:
        _check_name(info.filename)
        if info.filename in seen:
            raise IntakeRefused(f"the archive holds {shown_name(info.filename)} twice", hint="export the model again")
        seen.add(info.filename)
        if info.flag_bits & 0x1:
            raise IntakeRefused("the archive is encrypted", hint="save the model without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise IntakeRefused(
                "the archive uses a compression that torch does not write", hint="export the model again"
            )
    ends = sorted((info.header_offset, info.header_offset + info.compress_size) for info in infos)
    if any(end > following for (_, end), (following, _) in pairwise(ends)):
        raise IntakeRefused("members of the archive overlap: a zip bomb, not a model", hint="export the model again")


def _check_name(name: str) -> None:
    parts = name.split("/")
    if (
        name.startswith("/")
        or "\\" in name
        or "\x00" in name
        or ":" in parts[0]
        or any(part in ("", ".", "..") for part in parts)
    ):
        raise IntakeRefused(
            "a member's name leaves the archive (path traversal)", hint="this is not a file that torch wrote"
        )
