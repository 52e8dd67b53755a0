"""Where tasks run: in this process, on a Dask cluster, or on whatever executor a program brings.

Comes in: the `engine` of the configuration, or a ``concurrent.futures.Executor``. Goes out: an `Engine` whose `map`
keeps the order of the tasks. A task is a function of a module with arguments that say which files to read: rows never
travel, tables come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from audit.errors import AuditError, ConfigError, TryAgain

P = ParamSpec("P")
R = TypeVar("R")

LOCAL = "local"
DASK = "dask://"
REACH_SECONDS = 10
RETRIES = 3
"""How often a task is given to another worker after its own was lost."""


class SerialExecutor(Executor):
    """An executor that does each task at once, in this process."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Do the task and return it done."""
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(
        self, fn: Callable[..., R], *iterables: Iterable[Any], timeout: float | None = None, chunksize: int = 1
    ) -> Iterator[R]:
        """Do a task each time the next result is asked for, so that no result waits for another in memory."""
        return map(fn, *iterables)


@dataclass(frozen=True, slots=True)
class Engine:
    """What does tasks.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        The executor.
    name : str
        For readers.
    ships : bool
        Whether tasks go to other processes, so that only what is in files can be worked on.
    """

    executor: Executor
    name: str = LOCAL
    ships: bool = False

    def map(self, function: Callable[..., R], items: Iterable[Any]) -> Iterator[R]:
        """Yield the results of a function in the order of the items.

        Raises
        ------
        AuditError
            What the function raised.
        TryAgain
            Workers were lost again and again.
        """
        try:
            yield from self.executor.map(function, items)
        except (AuditError, MemoryError):
            raise
        except (BrokenProcessPool, CancelledError, OSError) as error:
            raise _lost(self.name, error) from error
        except Exception as error:
            if type(error).__name__ in ("KilledWorker", "FutureCancelledError", "CommClosedError"):
                raise _lost(self.name, error) from error
            raise


@contextmanager
def open_engine(address: str = LOCAL, executor: Executor | None = None) -> Iterator[Engine]:
    """Open what does the tasks, and close it again.

    Parameters
    ----------
    address : str
        ``local`` or ``dask://host:port``.
    executor : concurrent.futures.Executor, optional
        One that the caller made, and will shut down; it goes before the address.

    Raises
    ------
    ConfigError
        No such engine, or its package is not installed.
    TryAgain
        The scheduler does not answer.
    """
    if executor is not None:
        threads = isinstance(executor, ThreadPoolExecutor | SerialExecutor)
        yield Engine(executor, type(executor).__name__, ships=not threads)
    elif address == LOCAL:
        yield Engine(SerialExecutor())
    elif address.startswith(DASK):
        with _open_dask(address) as engine:
            yield engine
    else:
        raise ConfigError(f"there is no engine {address!r}", place="engine", hint="local, or dask://host:port")


@contextmanager
def _open_dask(address: str) -> Iterator[Engine]:
    try:
        import distributed
    except ImportError:
        raise ConfigError(
            f"the engine {address} needs the package distributed",
            place="engine",
            hint="pip install 'glassbox-audit[dask]'",
        ) from None
    try:
        made: Any = distributed.Client
        client = made(f"tcp://{address.removeprefix(DASK)}", timeout=REACH_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise TryAgain(
            f"no Dask scheduler answers at {address} within {REACH_SECONDS} seconds ({type(error).__name__})",
            hint="is it running, and is the port the scheduler's (8786) and not the dashboard's (8787)?",
        ) from None
    try:
        yield Engine(client.get_executor(retries=RETRIES, pure=False), address, ships=True)
    finally:
        client.close()


def _lost(name: str, error: Exception) -> TryAgain:
    return TryAgain(
        f"{name} lost the workers of a task again and again ({type(error).__name__})",
        hint="their memory may be too small for one batch of rows; see their logs",
    )
