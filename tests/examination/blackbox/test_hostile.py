"""Crafted files: each is refused with a reason, runs nothing, and nothing of the file shows in the message."""

from __future__ import annotations

import io
import json
import os
import zipfile

import pytest

from audit.errors import IntakeRefused
from audit.examination.blackbox.exported import FORCE, LOOSEN, load_exported, weights_only
from audit.examination.blackbox.vet import list_members, read_archive


@pytest.fixture
def refuse(tools, people):
    """Return a function that loads a file as pt2, expects a refusal and returns its text."""

    def run(path, words):
        with pytest.raises(IntakeRefused, match=words) as caught:
            load_exported(path.read_bytes())
        text = str(caught.value)
        for secret in ("/home/", "Traceback", "nets.py", 'File "', str(path.parent)):
            assert secret not in text
        assert caught.value.hint
        assert caught.value.__cause__ is None
        return text

    return run


def test_the_untouched_file_loads(studio):
    loaded = load_exported(studio.files["pt2"].read_bytes())
    assert [argument.name for argument in loaded.arguments] == ["x_num", "x_cat"]
    assert [argument.width for argument in loaded.arguments] == [3, 2]


def test_sample_inputs_with_a_pickle(tools, studio, refuse, tmp_path):
    import torch

    marker = tmp_path / "ran"
    buffer = io.BytesIO()
    torch.save(((tools.Evil(marker),), {}), buffer)

    def change(members):
        members["data/sample_inputs/model.pt"] = buffer.getvalue()

    path = tools.change_zip(studio.files["pt2"], tmp_path / "evil.pt2", change)
    refuse(path, "sample inputs in the .pt2 hold more than tensors")
    assert not marker.exists()
    with pytest.raises(Exception):  # noqa: B017 -- whatever torch then says, the code has run
        torch.export.load(str(path))
    assert marker.exists(), "torch itself is not fooled by this file any more; the test proves nothing"


@pytest.mark.parametrize("kind", ["weights", "constants"])
def test_pickled_payload(tools, studio, refuse, tmp_path, kind):
    marker = tmp_path / "ran"

    def change(members):
        config = json.loads(members[f"data/{kind}/model_{kind}_config.json"])
        name = "weight_0" if kind == "weights" else "tensor_0"
        config["config"]["evil"] = {"path_name": name, "is_param": False, "use_pickle": True, "tensor_meta": None}
        members[f"data/{kind}/model_{kind}_config.json"] = json.dumps(config).encode()
        members[f"data/{kind}/{name}"] = tools.pickle_evil(marker)

    refuse(tools.change_zip(studio.files["pt2"], tmp_path / "evil.pt2", change), "as a pickle")
    assert not marker.exists()


@pytest.mark.parametrize("name", ["custom_obj_0", "opaque_obj_0", "model.pt"])
def test_pickled_member(tools, studio, refuse, tmp_path, name):
    """Custom and opaque objects are unpickled without any switch that forbids it."""
    path = tools.change_zip(
        studio.files["pt2"],
        tmp_path / "evil.pt2",
        lambda members: members.update({f"data/constants/{name}": tools.pickle_evil(tmp_path / "ran")}),
    )
    refuse(path, "carries a pickle")


@pytest.mark.parametrize(
    "member",
    ["data/aotinductor/model/model.so", "extra/libevil.so.1", "extra/run.sh", "data/aotinductor/model/main.cpp"],
)
def test_compiled_code(tools, studio, refuse, tmp_path, member):
    path = tools.change_zip(
        studio.files["pt2"], tmp_path / "evil.pt2", lambda members: members.update({member: b"\x7fELF"})
    )
    refuse(path, "compiled code")


def test_foreign_member(tools, studio, refuse, tmp_path):
    path = tools.change_zip(
        studio.files["pt2"], tmp_path / "evil.pt2", lambda members: members.update({"data/home/joe/secret": b"x"})
    )
    assert "joe" not in refuse(path, "does not need")


@pytest.mark.parametrize(
    "target",
    [
        "torch.load",
        "torch.hub.load",
        "os.system",
        "torch.ops.mylib.evil.default",
        "_operator.attrgetter",
        "math.prod",
        "#ext:thing",
        "torch.ops.higher_order.cond",
        "builtins.eval",
        "torch.ops.aten.add.Tensor.__class__",
    ],
)
def test_foreign_operator(tools, studio, refuse, tmp_path, target):
    def change(program):
        program["graph_module"]["graph"]["nodes"][0]["target"] = target

    refuse(tools.change_graph(studio.files["pt2"], tmp_path / "evil.pt2", change), "not one of torch.ops.aten")


@pytest.mark.parametrize(
    "target",
    ["save.default", "from_file.default", "set_.source_Tensor", "eq.str", "format.default", "no_such_operator.default"],
)
def test_operator_that_touches_the_machine(tools, studio, refuse, tmp_path, target):
    """aten::save and aten::from_file write and read files, though they are of torch.ops.aten."""

    def change(program):
        program["graph_module"]["graph"]["nodes"][0]["target"] = f"torch.ops.aten.{target}"

    refuse(tools.change_graph(studio.files["pt2"], tmp_path / "evil.pt2", change), "does not need to compute")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "[x for x in (1,)]",
        "lambda: 1",
        "Symbol('s0').func",
        "open('f')",
        "Function('f')(s0)",
        "9**9**9**9",
        "LShift(1, 99999999999)",
        "Symbol('x; import os')",
        "s0 if s1 else s2",
        "1 +",
        "Pow(Pow(Pow(9, 60), 60), 60)",
        "sympify('1')",
        "Integer('1' * 10)",
        "f'{s0}'",
        "s0" + " + s0" * 3000,
    ],
)
def test_unsafe_expression(tools, studio, refuse, tmp_path, text):
    def change(program):
        program["graph_module"]["graph"]["tensor_values"]["x_num"]["sizes"][0]["as_expr"]["expr_str"] = text

    refuse(tools.change_graph(studio.files["pt2"], tmp_path / "evil.pt2", change), "symbolic expression")


def _set(program, path, value):
    for key in path[:-1]:
        program = program[key]
    program[path[-1]] = value


DEFAULT_DICT = json.dumps(
    [1, {"type": "collections.defaultdict", "context": '{"default_factory_module": "os"}', "children_spec": []}]
)
GRAPH = ("graph_module", "graph")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        # names become Python source that torch executes
        ((*GRAPH, "nodes", 0, "name"), "x):\n  import os\n  #"),
        ((*GRAPH, "inputs", 0, "as_tensor", "name"), "a = open('f', 'w')"),
        (("graph_module", "module_call_graph", 0, "signature", "forward_arg_names"), ["x=print(1)", "y"]),
        # descriptions of trees name types that torch imports
        (
            ("graph_module", "module_call_graph", 0, "signature", "in_spec"),
            DEFAULT_DICT,
        ),
        (("graph_module", "module_call_graph", 0, "fqn"), "__class__.__init__"),
        (("graph_module", "signature", "input_specs", 0, "parameter", "parameter_name"), "__dict__.x"),
        (("verifiers",), ["EVIL"]),
        (("torch_version",), "2.13 /home/joe/build"),
        (("a_new_key",), "some text"),
        ((*GRAPH, "nodes", 0, "inputs", 0, "arg"), {"as_custom_obj": {"name": "x", "class_fqn": "os.system"}}),
        ((*GRAPH, "nodes", 0, "inputs", 0, "arg"), {"as_string": "'); import os; ('"}),
        ((*GRAPH, "custom_obj_values"), {"x": {"name": "x", "class_fqn": "y"}}),
        (("range_constraints",), {"__import__('os')": {"min_val": 1, "max_val": 2}}),
        ((*GRAPH, "tensor_values"), 7),
        (("graph_module",), []),
    ],
)
def test_text_that_would_become_code(tools, studio, refuse, tmp_path, path, value):
    path = tools.change_graph(studio.files["pt2"], tmp_path / "evil.pt2", lambda program: _set(program, path, value))
    text = refuse(path, ".")
    assert "joe" not in text
    assert "import" not in text


def test_guards_and_stack_traces_are_left_behind(tools, studio, tmp_path):
    """torch executes guard code and writes stack traces into the module; neither reaches it."""
    marker = tmp_path / "ran"

    def change(program):
        program["guards_code"] = [f"open({str(marker)!r}, 'w') is not None"]
        for node in program["graph_module"]["graph"]["nodes"]:
            node["metadata"]["stack_trace"] = 'File "/home/joe/nets.py", line 1\n    secret'

    loaded = load_exported(tools.change_graph(studio.files["pt2"], tmp_path / "evil.pt2", change).read_bytes())
    assert not marker.exists()
    assert "joe" not in loaded.call.code
    assert not any("joe" in str(node.meta) for node in loaded.call.graph.nodes)


def test_json_that_is_none(tools, studio, refuse, tmp_path):
    for content in (b"{", b"[" * 100_000, b"\xff\xfe", b'"text"', b"null"):
        path = tools.change_zip(
            studio.files["pt2"],
            tmp_path / "evil.pt2",
            lambda members, content=content: members.update({"models/model.json": content}),
        )
        refuse(path, "damaged|does not have the form")


def test_training_mode(studio, refuse):
    text = refuse(studio.files["train"], "exported in training mode")
    assert "net.eval()" in text


@pytest.mark.parametrize("layer", ["dropout", "batch_norm"])
def test_each_training_layer_is_found(studio, refuse, tools, tmp_path, layer):
    def change(program):
        for node in program["graph_module"]["graph"]["nodes"]:
            if layer in node["target"]:
                for item in node["inputs"]:
                    if item["name"] in ("train", "training"):
                        item["arg"] = {"as_bool": True}

    text = refuse(tools.change_graph(studio.files["pt2"], tmp_path / "train.pt2", change), "training mode")
    assert layer in text


def test_fixed_batch_of_unusable_size(studio, refuse, tools, tmp_path):
    def change(program):
        for tensor in program["graph_module"]["graph"]["tensor_values"].values():
            if tensor["sizes"] and tensor["sizes"][0].get("as_int") == 4:
                tensor["sizes"][0]["as_int"] = 10**9

    text = refuse(tools.change_graph(studio.files["static"], tmp_path / "huge.pt2", change), "fixed batch of 1,000,000")
    assert "Dim('batch')" in text


def test_inputs_fixed_for_different_rows(studio, refuse, tools, tmp_path):
    def change(program):
        graph = program["graph_module"]["graph"]
        graph["tensor_values"]["x_num"]["sizes"][0]["as_int"] = 3

    refuse(tools.change_graph(studio.files["static"], tmp_path / "two.pt2", change), "different numbers of rows")


@pytest.mark.parametrize("size", [-1, 0, 10**12])
def test_weights_shorter_than_described(tools, studio, refuse, tmp_path, size):
    def change(members):
        config = json.loads(members["data/weights/model_weights_config.json"])
        next(iter(config["config"].values()))["tensor_meta"]["sizes"][0]["as_int"] = size
        if size == 0:  # an empty record that claims a size makes torch allocate it
            name = next(iter(config["config"].values()))
            name["tensor_meta"]["sizes"][0]["as_int"] = 10**12
            members[f"data/weights/{name['path_name']}"] = b""
        members["data/weights/model_weights_config.json"] = json.dumps(config).encode()

    refuse(tools.change_zip(studio.files["pt2"], tmp_path / "evil.pt2", change), "truncated or damaged")


def test_path_traversal(tmp_path, refuse):
    for name in ("../evil", "model/../../evil", "/etc/evil", "model\\evil", "model//evil", "C:/evil", "model/./evil"):
        path = tmp_path / "evil.pt2"
        with zipfile.ZipFile(path, "w") as archive:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, b"x")
        refuse(path, "path traversal")


def test_zip_bomb(tmp_path, refuse):
    path = tmp_path / "bomb.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for at in range(3):
            archive.writestr(f"model/data/weights/weight_{at}", bytes(30_000_000))
    refuse(path, "zip bomb")


def test_overlapping_members(tmp_path, refuse, studio):
    """Two entries of the directory that point to the same bytes."""
    path = tmp_path / "overlap.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/a", b"x" * 1000)
        first = archive.infolist()[0]
        second = zipfile.ZipInfo("model/b")
        for name in ("header_offset", "compress_size", "file_size", "CRC", "flag_bits", "external_attr"):
            setattr(second, name, getattr(first, name))
        archive.filelist.append(second)
        archive._didModify = True
    refuse(path, "overlap|damaged")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_member_twice(tmp_path, refuse):
    path = tmp_path / "twice.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/byteorder", b"little")
        archive.writestr("model/byteorder", b"big")
    refuse(path, "twice")


def test_two_roots_and_no_root(tmp_path, refuse):
    for names in (["a/x", "b/y"], ["x"]):
        path = tmp_path / "roots.pt2"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")
        refuse(path, "one top folder")


@pytest.mark.parametrize(
    "lacking",
    [
        "archive_version",
        "byteorder",
        "models/model.json",
        "data/weights/model_weights_config.json",
        "data/constants/model_constants_config.json",
        "data/weights/weight_1",
    ],
)
def test_incomplete(tools, studio, refuse, tmp_path, lacking):
    path = tools.change_zip(
        studio.files["pt2"],
        tmp_path / "part.pt2",
        lambda members: {name: content for name, content in members.items() if name != lacking},
    )
    refuse(path, ".")


def test_flipped_bytes_never_escape(studio):
    """A damaged file is refused or loads; no other error leaves the door."""
    import numpy as np

    rng = np.random.default_rng(0)
    data = studio.files["pt2"].read_bytes()
    for _ in range(60):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 3):
            broken[at] ^= int(rng.integers(1, 256))
        try:
            load_exported(bytes(broken))
        except IntakeRefused as error:
            assert error.what


def test_switch_is_set_and_put_back(monkeypatch):
    monkeypatch.setenv(LOOSEN, "1")
    monkeypatch.delenv(FORCE, raising=False)
    with pytest.raises(ZeroDivisionError), weights_only():
        assert os.environ[FORCE] == "1"
        assert LOOSEN not in os.environ
        raise ZeroDivisionError
    assert os.environ[LOOSEN] == "1"
    assert FORCE not in os.environ


@pytest.mark.parametrize(
    "call",
    [
        'torch.save(x, "f")',
        'ops.aten.save(x, "f")',
        'torch.from_file("f")',
        'torch . save(x, "f")',
        'torch.\\\n  save(x, "f")',
        'y = "#"; torch.save(x, "f")',
        "ops.evil.run(x)",
        'ops.image.read_file("f")',
    ],
)
def test_torchscript_that_touches_files(tools, studio, people, tmp_path, call):
    from audit.examination.blackbox.module import load_torchscript

    def change(members):
        name = next(name for name in members if name.startswith("code/") and name.endswith(".py"))
        members[name] = members[name] + f"\n  {call}\n".encode()

    path = tools.change_zip(studio.files["torchscript"], tmp_path / "evil.pt", change)
    with pytest.raises(IntakeRefused, match="touches files|not part of torch"):
        load_torchscript(path.read_bytes(), tools.configure(path=str(path)).model)


def test_torchscript_that_is_none(tools, studio, tmp_path):
    from audit.examination.blackbox.module import load_torchscript

    path = tools.change_zip(
        studio.files["torchscript"],
        tmp_path / "evil.pt",
        lambda members: {name: b"def" if name.endswith(".py") else content for name, content in members.items()},
    )
    with pytest.raises(IntakeRefused, match="cannot load this TorchScript") as caught:
        load_torchscript(path.read_bytes(), tools.configure(path=str(path)).model)
    assert caught.value.__cause__ is None


def test_archive_round_trip(studio):
    data = studio.files["pt2"].read_bytes()
    archive = read_archive(data)
    assert {f"{archive.root}/{name}" for name in archive.members} == set(list_members(data))
