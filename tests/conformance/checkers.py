"""How the checkers that nobody here wrote are found and asked; a checker that is not there skips its test and says why.

``tests/conformance/setup.sh`` installs them. With ``AUDIT_CONFORMANCE=required`` a missing one fails its test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / ".venv" / "conformance"
MODULES = TOOLS / "node_modules"
JAVA = Path("/usr/share/java")
JAXB = ("jaxb-runtime", "jaxb-core", "istack-commons-runtime", "txw2", "stax-ex", "FastInfoset", "javax.activation")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 900


def lack(what: str) -> None:
    """Skip a test whose checker is not there."""
    words = f"{what} is not installed: run tests/conformance/setup.sh"
    if os.environ.get("AUDIT_CONFORMANCE") == "required":
        pytest.fail(words)
    pytest.skip(words)


def need_command(name: str) -> str:
    found = shutil.which(name)
    if not found:
        lack(name)
    assert found
    return found


def need_file(path: Path, what: str) -> Path:
    if not path.exists():
        lack(what)
    return path


def run(*command: object, accept: Sequence[int] = (0,)) -> str:
    """Return what a command prints; fail where it ends otherwise than accepted."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode in accept, f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"[:4000]
    return done.stdout


CHANCE_ALIGNMENT = re.compile(r"\(offset (\d+)\): input stream is complete but output may still be valid")


def list_qpdf_faults(file: Path) -> list[str]:
    """Return everything that ``qpdf --check`` finds wrong in a file.

    qpdf inflates in pieces of 10,240 bytes into a buffer of 65,536; where a piece ends just as the buffer is full, it
    asks zlib once more, gets Z_BUF_ERROR and warns, though nothing is amiss (its own comment in ``Pl_Flate.cc`` says
    so). Such a warning is set aside only where zlib itself inflates the stream to its end with the right checksum.
    """
    command = [need_command("qpdf"), "--check", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    faults = [line for line in (done.stdout + done.stderr).splitlines() if re.match("(WARNING|ERROR)", line)]
    told = [line for line in faults if not ((met := CHANCE_ALIGNMENT.search(line)) and inflates(file, int(met[1])))]
    sound = done.returncode == 0 and "No syntax or stream encoding errors found" in done.stdout
    if not sound and not (done.returncode == 3 and faults and not told):
        told.append(f"qpdf ended with {done.returncode}: {done.stdout}{done.stderr}"[:4000])
    return told


def inflates(file: Path, offset: int) -> bool:
    """Tell whether the stream that begins at this byte is whole for zlib: its end is met, its checksum is right."""
    reader = zlib.decompressobj()
    try:
        reader.decompress(file.read_bytes()[offset:])
    except zlib.error:
        return False
    return reader.eof and re.match(rb"\r?\n?endstream", reader.unused_data) is not None


def ask_verapdf(files: Sequence[Path]) -> tuple[dict[tuple[str, str], int], str]:
    """Return how many checks veraPDF made of each (file name, profile), and everything that failed, in words."""
    need_command("java")
    need_file(TOOLS / "VeraCheck.class", "veraPDF")
    path = os.pathsep.join(map(str, [TOOLS / "verapdf.jar", TOOLS, *(JAVA / f"{name}.jar" for name in JAXB)]))
    told = run("java", "-Xss4m", "-cp", path, "VeraCheck", "3a,ua1", *files)
    made, failed = {}, []
    for line in told.splitlines():
        if line.startswith("    "):
            failed.append(line)
            continue
        profile, checks, wrong, file = line.split("\t")
        made[Path(file).name, profile] = int(checks)
        if int(wrong):
            failed.append(f"{Path(file).name} {profile}: {wrong} of {checks} checks fail")
    return made, "\n".join(failed)


def ask_vnu(files: Sequence[Path]) -> tuple[int, list[str]]:
    """Return how many messages the Nu HTML checker gives in all, and its errors."""
    need_command("java")
    jar = need_file(MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar", "vnu")
    done = subprocess.run(
        ["java", "-Xss4m", "-jar", str(jar), "--format", "json", "--exit-zero-always", *map(str, files)],
        capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    messages = json.loads(done.stderr)["messages"]
    wrong = [item for item in messages if item["type"] != "info"]
    return len(messages), [f"{Path(i['url']).name}:{i.get('lastLine')} {i['message']}" for i in wrong]


def browse(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what a visitor meets on each page, by width (1360 and 390 px) and colour scheme."""
    need_command("node")
    need_file(MODULES / "axe-core", "axe")
    found = next((shutil.which(name) for name in BROWSERS if shutil.which(name)), None)
    if not found:
        lack("Chromium")
    return [json.loads(line) for line in run("node", HERE / "browse.mjs", found, MODULES, *files).splitlines()]


def list_fonts(file: Path) -> list[tuple[str, bool, bool, bool]]:
    """Return family, embedded, subset, unicode of every font of a PDF."""
    lines = run(need_command("pdffonts"), file).splitlines()[2:]
    rows = [line.split() for line in lines]
    return [
        (re.sub(r"^[A-Z]{6}\+", "", row[0]), *(word == "yes" for word in row[-5:-2]))  # type: ignore[misc]
        for row in rows
    ]


def take_out(file: Path, folder: Path) -> dict[str, bytes]:
    """Return the files inside a PDF, as poppler takes them out."""
    folder.mkdir()
    run(need_command("pdfdetach"), "-saveall", "-o", folder, file)
    return {path.name: path.read_bytes() for path in folder.iterdir()}
