"""Tasks run in order wherever they run, and what goes wrong there is said in words."""

import operator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from audit.errors import ConfigError, DataError, TryAgain
from audit.examination.engine.engine import Engine, SerialExecutor, open_engine


def test_local_does_each_task_when_its_result_is_asked_for():
    done = []
    with open_engine() as engine:
        assert (engine.name, engine.ships) == ("local", False)
        results = engine.map(lambda item: done.append(item) or item * 2, [3, 1, 2])
        assert next(results) == 6
        assert done == [3]
        assert list(results) == [2, 4]


def test_serial_futures_are_futures():
    executor = SerialExecutor()
    assert executor.submit(pow, 2, 5).result() == 32
    failed = executor.submit(operator.truediv, 1, 0)
    assert isinstance(failed.exception(), ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        failed.result()


def test_executors_of_the_caller():
    with ThreadPoolExecutor(2) as pool, open_engine(executor=pool) as engine:
        assert (engine.name, engine.ships) == ("ThreadPoolExecutor", False)
        assert list(engine.map(abs, [-3, 2, -1])) == [3, 2, 1]
        assert not pool._shutdown
    with ProcessPoolExecutor(1) as pool, open_engine("dask://ignored:1", executor=pool) as engine:
        assert engine.ships
        assert list(engine.map(abs, [-3, 2])) == [3, 2]


def refuse(item):
    raise DataError("the column is not there", hint="add it")


def mistake(item):
    raise ConfigError("no such column", place="audit.yaml:3:1", hint="did you mean x?")


def test_errors_come_back_with_all_they_say():
    with ProcessPoolExecutor(1) as pool, open_engine(executor=pool) as engine:
        with pytest.raises(DataError) as refused:
            list(engine.map(refuse, [1]))
        assert refused.value.hint == "add it"
        with pytest.raises(ConfigError) as wrong:
            list(engine.map(mistake, [1]))
        assert wrong.value.mistakes[0].place == "audit.yaml:3:1"


def die(item):
    import os

    os._exit(9)


def test_a_lost_worker_means_try_again():
    with ProcessPoolExecutor(1) as pool, open_engine(executor=pool) as engine, pytest.raises(TryAgain, match="lost"):
        list(engine.map(die, [1]))


def test_engines_that_are_none():
    with pytest.raises(ConfigError, match="no engine 'spark'"), open_engine("spark"):
        pass


def test_without_the_package_there_is_advice(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ConfigError) as refused, open_engine("dask://127.0.0.1:8786"):
        pass
    assert "pip install 'glassbox-audit[dask]'" in str(refused.value)


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_does_not_answer_means_try_again(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("audit.examination.engine.engine.REACH_SECONDS", 1)
    with pytest.raises(TryAgain, match="no Dask scheduler answers") as refused, open_engine("dask://127.0.0.1:9"):
        pass
    assert refused.value.exit_code == 6
    assert isinstance(Engine(SerialExecutor()).executor, SerialExecutor)
