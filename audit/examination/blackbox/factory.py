"""Code that you name and trust: the only import of foreign code in the project.

Comes in: ``module.py:name`` or ``package.module:name``. Goes out: a `Factory` with the digest of its file, taken
before a line of it runs.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from audit.errors import ConfigError, IntakeRefused, suggest_name


@dataclass(frozen=True, slots=True)
class Factory:
    """A named object in a file of code, not yet imported.

    Parameters
    ----------
    file : pathlib.Path
        The file.
    module : str
        Dotted module name; empty for a file.
    name : str
        The class or function.
    sha256 : str
        Digest of the file.
    content : bytes
        The file as it was digested; a file named by path is run from these bytes, not read again.
    """

    file: Path
    module: str
    name: str
    sha256: str
    content: bytes = field(repr=False)

    @property
    def shown(self) -> str:
        """``file:name`` without the folder."""
        return f"{self.module or self.file.name}:{self.name}"

    def find(self) -> Any:
        """Import the file and return the object.

        Raises
        ------
        ConfigError
            No such name in it.
        IntakeRefused
            Importing it failed.
        """
        try:
            module = importlib.import_module(self.module) if self.module else _run_file(self.file, self.content)
        except Exception as error:
            raise IntakeRefused(
                f"importing {self.shown} failed: {describe_error(error)}",
                hint="is everything that it imports installed here?",
            ) from None
        found: Any = module
        for part in self.name.split("."):
            if not hasattr(found, part):
                raise ConfigError(
                    f"{self.module or self.file.name} has no {part}",
                    place="model.factory",
                    hint=suggest_name(part, [name for name in vars(module) if not name.startswith("_")]),
                )
            found = getattr(found, part)
        return found

    def build(self, args: dict[str, Any]) -> Any:
        """Import the file and call the object with `args`.

        Raises
        ------
        IntakeRefused
            The call failed.
        """
        found = self.find()
        if not callable(found):
            raise ConfigError(f"{self.shown} is not a class or a function", place="model.factory")
        try:
            return found(**args)
        except Exception as error:
            raise IntakeRefused(f"{self.shown} failed: {describe_error(error)}", hint="check factory_args") from None


def find_factory(named: str) -> Factory:
    """Find the file behind ``module.py:name`` or ``package.module:name`` without running any of it.

    Raises
    ------
    ConfigError
        Not of that form, or no such file or module.
    """
    head, sign, name = named.rpartition(":")
    if not sign or not head or not name:
        raise ConfigError(
            f"{named} names no class or function",
            place="model.factory",
            hint="write module.py:Name or package.module:name",
        )
    if head.endswith(".py") or "/" in head or "\\" in head:
        file, module = Path(head), ""
    else:
        file, module = _locate_module(head), head
    try:
        content = file.read_bytes()
    except OSError:
        raise ConfigError(
            f"there is no file {file.name}", place="model.factory", hint="a relative path is relative to audit.yaml"
        ) from None
    return Factory(file, module, name, "sha256:" + hashlib.sha256(content).hexdigest(), content)


def describe_error(error: Exception) -> str:
    """Return type and first line of an error, cut to a sentence."""
    first = str(error).strip().splitlines()[:1]
    return f"{type(error).__name__}: {first[0][:200]}" if first else type(error).__name__


def _locate_module(dotted: str) -> Path:
    """Return the file of a module; `importlib.util.find_spec` would import its parents to answer."""
    path: list[str] | None = None
    spec = None
    parts = dotted.split(".")
    for at in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: at + 1]), path)
        if spec is None:
            break
        path = list(spec.submodule_search_locations or [])
    if spec is None or not spec.origin or not Path(spec.origin).is_file():
        raise ConfigError(
            f"there is no module {dotted}",
            place="model.factory",
            hint="install it, or write the path of its file: folder/module.py:Name",
        )
    return Path(spec.origin)


def _run_file(file: Path, content: bytes) -> ModuleType:
    name = f"_audited_{hashlib.sha256(content).hexdigest()[:16]}"
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module  # dataclasses inside the file look their module up
    sys.path.insert(0, str(file.parent))  # a file may import the file beside it
    try:
        exec(compile(content, file.name, "exec"), module.__dict__)  # noqa: S102 -- trusted by `trust_code`, digested
    except BaseException:
        sys.modules.pop(name, None)
        raise
    finally:
        sys.path.remove(str(file.parent))
    return module
