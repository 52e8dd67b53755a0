"""The house rules that a machine can check: who may import whom, sizes, words, and what is shipped."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "audit").rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in MODULES]

# a module may be longer where splitting it would split one table; the reason stands beside it
LONG_MODULES = {"audit/config/schema.py": "one field after the other, each with its docstring: audit.yaml itself"}
MAX_LINES, MAX_FUNCTION, USUAL_FUNCTION = 400, 50, 25
ROOMS_WITHOUT_A_NAME = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools", "stuff"}
CLICHES = re.compile(
    r"\b(seamless(ly)?|cutting[- ]edge|state[- ]of[- ]the[- ]art|game[- ]changer|world[- ]class|best[- ]in[- ]class|"
    r"leverag(e|es|ing) (the|our|your)|delv(e|es|ing)|effortless(ly)?|blazing(ly)?|next[- ]generation|empower(s|ing)?|"
    r"unlock(s|ing)? the|in today's|ever[- ]evolving|holistic)\b",
    re.IGNORECASE,
)
# written in parts, so that this file does not find itself
HOSTS = re.compile(r"https?://[a-z.-]*(?:pypi|pythonhosted|pytorch|npm|debian)[a-z.-]*")
MACHINE_PATHS = re.compile(rf"{re.escape(str(ROOT))}\b")
OURS = ("*.py", "*.md", "*.yaml", "*.yml", "*.toml", "*.j2", "*.css", "*.sh", "*.lock", "run", "quickstart", "lock")
NOT_OURS = {".git", ".venv", "build", "dist", "audits", "audit-log", "out", ".hypothesis", ".mypy_cache", ".ruff_cache"}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def our_texts():
    for path in sorted({path for pattern in OURS for path in ROOT.rglob(pattern)}):
        if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts):
            yield path, path.read_text(encoding="utf-8")


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and its decorators."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions_of(path: Path):
    return [node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_imports_keep_to_the_plan():
    """import-linter, with the contracts of pyproject.toml."""
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [5-9]\d* kept, 0 broken", done.stdout), done.stdout


LIGHT = ("audit.evidence", "audit.statistics", "audit.config", "audit.attestation", "audit.yamlfile", "audit.errors")
HEAVY = ("torch", "pandas", "interpret", "fairlearn", "sklearn", "captum")


def test_second_half_loads_nothing_heavy():
    """Import everything of the second half and of the ground, in a fresh process, and see what came with it."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if ".".join(path.relative_to(ROOT).with_suffix("").parts).startswith(LIGHT)
    ]
    script = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert len(names) > 30


def test_help_loads_nothing_heavy():
    script = (
        "import sys\nimport audit, audit.cli.main\n"
        f"print(*[n for n in {(*HEAVY, 'numpy', 'weasyprint', 'pyhanko', 'matplotlib')!r} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_module_says_what_it_is_and_stays_small(path):
    name = str(path.relative_to(ROOT))
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{name} does not open with what comes in, what goes out, and why"
    assert path.stem not in ROOMS_WITHOUT_A_NAME, f"{name}: if a thing has no name, it has no room"
    assert len(text.splitlines()) <= MAX_LINES or name in LONG_MODULES, f"{name} has {len(text.splitlines())} lines"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_public_names_are_documented(path):
    silent = [
        node.name
        for node in ast.iter_child_nodes(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)
    ]
    assert silent == []


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_function_is_long(path):
    assert [(node.name, code_lines(node)) for node in functions_of(path) if code_lines(node) > MAX_FUNCTION] == []


def test_nine_of_ten_functions_are_short():
    sizes = [code_lines(node) for path in MODULES for node in functions_of(path)]
    assert sum(size <= USUAL_FUNCTION for size in sizes) >= 0.9 * len(sizes)


def test_library_neither_prints_nor_exits():
    """Only the command line does."""
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        if "cli" not in path.relative_to(ROOT).parts and path.name != "__main__.py"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "exit", "quit", "sys.exit", "os._exit"}
    ]
    assert calls == []


def test_nobody_calls_a_global_generator():
    pattern = re.compile(
        r"np\.random\.(?!default_rng|Generator|SeedSequence|PCG64|BitGenerator)\w+\(|\bnumpy\.random\.seed"
    )
    found = [
        f"{path.relative_to(ROOT)}: {hit.group()}" for path in MODULES for hit in pattern.finditer(path.read_text())
    ]
    assert found == []


def test_texts_hold_no_host_no_machine_path_and_no_cliche():
    found = [
        f"{path.relative_to(ROOT)}:{text[: hit.start()].count(chr(10)) + 1}: {hit.group()}"
        for path, text in our_texts()
        for pattern in (HOSTS, MACHINE_PATHS, CLICHES)
        for hit in pattern.finditer(text)
        if path != Path(__file__).resolve()
    ]
    assert found == []


WITH_EXAMPLES = [path for path in MODULES if ">>>" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=[str(path.relative_to(ROOT)) for path in WITH_EXAMPLES])
def test_examples_in_docstrings_are_true(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0


def test_top_level_is_what_the_plan_names():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    expected = {"pyproject.toml", "README.md", "LICENSE", "audit", "templates", "policies", "tests", "examples"}
    assert {name.split("/")[0] for name in tracked if not name.startswith(".")} <= expected


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="the build backend is not installed")
def test_wheel_ships_templates_and_policies(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("glassbox_audit-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "policies"):
        ours = {
            f"audit/_shipped/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert ours, f"{folder} is empty"
        assert ours <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "audit/py.typed" in names  # the classifier says Typed, and type checkers ask for this file
    assert not [name for name in names if name.startswith(("tests/", "examples/"))]
