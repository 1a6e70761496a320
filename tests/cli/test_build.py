from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archgen import ArchError, files, load
from archgen.cli.build import LARGE

pytestmark = pytest.mark.torch


def test_dpn131_ends_with_its_figures(shell) -> None:
    result = shell("build", files.find("specs", "dpn131"))
    assert result.returncode == 0, result.stderr
    last = result.stdout.splitlines()[-1]
    assert last == "79,254,504 parameters, 16,013,648,896 MACs; torch agrees"


def test_a_network_as_json(run, small: Path) -> None:
    document = json.loads(run("build", small, "--json", "--out", "nets").stdout)
    assert document["agrees"] is True
    assert [check["what"] for check in document["checks"]] == [
        "parameters", "buffers", "MACs", "output",
    ]  # fmt: skip
    assert all(check["computed"] == check["counted"] for check in document["checks"])
    assert document["files"] == [f"nets/small.{end}" for end in ("safetensors", "py", "yaml")]


USER = """
import sys, torch
from safetensors.torch import load_file
from small import Small
model = Small()
model.load_state_dict(load_file("small.safetensors"), strict=True)
print(tuple(model.eval()(torch.zeros(2, 1, 8, 8)).shape))
assert not any(name.partition(".")[0] == "archgen" for name in sys.modules)
"""


def test_what_is_written_works_alone(run, small: Path, here: Path) -> None:
    assert run("build", small, "--out", "a/b").exit_code == 0
    folder = here / "a" / "b"
    assert sorted(path.name for path in folder.iterdir()) == [
        "small.py", "small.safetensors", "small.yaml",
    ]  # fmt: skip
    assert load(folder / "small.yaml") == load(small)
    assert run("build", folder / "small.yaml").exit_code == 0
    done = subprocess.run(
        [sys.executable, "-c", USER], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stdout == "(2, 10)\n", done.stderr


def test_the_resolved_spec_holds_the_changes(run, small: Path) -> None:
    assert run("build", small, "--set", "head.classes=7", "--out", "nets").exit_code == 0
    assert load("nets/small.yaml").get("head.classes") == 7


def test_seed_decides_the_weights(run, small: Path, here: Path) -> None:
    for folder, seed in [("a", 1), ("b", 1), ("c", 2)]:
        assert run("build", small, "--seed", seed, "--out", folder).exit_code == 0
    a, b, c = [(here / folder / "small.safetensors").read_bytes() for folder in "abc"]
    assert a == b != c


def test_disagreement_is_said_and_writes_nothing(
    run, small: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archgen.nn.verify._run", lambda model, net: (7, [(10,)]))
    result = run("build", small, "--out", "nets")
    assert result.exit_code == 1
    assert "torch agrees" not in result.stdout
    assert "disagrees on MACs" in result.stderr
    assert not (here / "nets").exists()
    checks = json.loads(run("build", small, "--json").stdout)["checks"]
    assert [check["what"] for check in checks if not check["agrees"]] == ["MACs"]


def test_a_large_network_needs_a_yes_before_torch_is_imported(here: Path) -> None:
    script = (
        "import sys; sys.argv[1:] = ['build', 'resnet18', '--set',"
        " 'stages.width=[20000, 20000, 20000, 20000]', '--out', 'nets']\n"
        "from archgen.cli import main\n"
        "try: main()\n"
        "finally: assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.endswith("parameters are more than 1,000,000,000; only 'archgen build --yes' "
                         "builds it")  # fmt: skip
    assert list(here.iterdir()) == []


def test_a_yes_is_heard(run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LARGE, "parameters", 1000)
    assert run("build", small).exit_code == 1
    assert run("build", small, "--yes").exit_code == 0


def test_a_file_is_no_folder(run, small: Path) -> None:
    result = run("build", small, "--out", small)
    assert result.exit_code == 1
    assert result.stderr == f"error: {small}: --out needs a folder, this is a file\n"


def test_too_much_work_needs_a_yes_as_well(run) -> None:
    result = run("build", "resnet50", "--set", "input=[3, 8192, 8192]")
    assert result.exit_code == 1
    assert "MACs are more than 1,000,000,000,000" in result.stderr


def test_no_memory_is_one_line(run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    monkeypatch.setattr("archgen.nn.verify._run", none_left)
    result = run("build", small)
    assert result.exit_code == 1
    assert result.stderr == "error: small: there is not enough memory for it\n"


@pytest.mark.parametrize("there", [False, True])
def test_full_disk_leaves_all_as_it_was(
    there: bool, run, small: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archgen.nn import save

    if there:
        (here / "nets").mkdir()
    write = save.write_whole

    def full(path: Path, content: str | bytes) -> None:
        if path.suffix == ".yaml":
            raise ArchError("", "cannot write: no space left on device", file=str(path))
        write(path, content)

    monkeypatch.setattr(save, "write_whole", full)
    result = run("build", small, "--out", "nets")
    assert result.exit_code == 1
    assert result.stderr == "error: nets/small.yaml: cannot write: no space left on device\n"
    assert sorted(path.name for path in here.iterdir()) == ["nets"] * there + ["small.yaml"]
    assert not there or list((here / "nets").iterdir()) == []


def test_a_real_limit_of_the_file_system(shell, small: Path, here: Path) -> None:
    import resource

    limit = (1000, 1000)
    result = shell(
        "build", small, "--out", "nets",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )  # fmt: skip
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line == "error: nets/small.safetensors: cannot write: file too large"
    assert [path.name for path in here.iterdir()] == ["small.yaml"]


# --- deploy forms -------------------------------------------------------------------------------


def test_a_deploy_form_ends_with_its_figures(shell) -> None:
    result = shell("build", "repvgg_a0", "--deploy", "--set", "input=[3, 32, 32]")
    assert result.returncode == 0, result.stderr
    *table, folded, last = result.stdout.splitlines()
    assert table[0].startswith("repvgg_a0_deploy: RepVGG")
    assert any(line.split()[:2] == ["total", "8,309,384"] for line in table)
    assert any(line.startswith("difference  at most 1e-09") for line in table)
    assert folded.startswith("params 9,108,968 -> 8,309,384, MACs ")
    assert last.startswith("8,309,384 parameters, ")
    assert last.endswith(" MACs; torch agrees")


DEPLOYED = """
import sys, torch
from safetensors.torch import load_file
from small_deploy import SmallDeploy
model = SmallDeploy()
model.load_state_dict(load_file("small_deploy.safetensors"), strict=True)
print(tuple(model.eval()(torch.zeros(2, 1, 8, 8)).shape))
assert not any(name.partition(".")[0] == "archgen" for name in sys.modules)
"""


def test_a_written_deploy_form_works_alone(run, small: Path, here: Path) -> None:
    result = run("build", small, "--deploy", "--json", "--out", "nets")
    document = json.loads(result.stdout)
    assert document["agrees"] is True
    assert document["name"] == "small_deploy"
    assert document["buffers"] == 0
    assert document["params"] == sum(row["params"] for row in document["stages"])
    assert document["checks"][-1]["what"] == "difference"
    assert document["files"] == [
        f"nets/small_deploy.{end}" for end in ("safetensors", "py", "yaml")
    ]
    assert sorted(path.name for path in (here / "nets").iterdir()) == [
        "small_deploy.py", "small_deploy.safetensors", "small_deploy.yaml",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", DEPLOYED], cwd=here / "nets", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout == "(2, 10)\n", done.stderr


def test_forms_that_differ_are_not_written(
    run, small: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archgen.nn.verify.difference", lambda model: 1e-3)
    result = run("build", small, "--deploy", "--out", "nets")
    assert result.exit_code == 1
    assert "disagrees on difference" in result.stderr
    assert not (here / "nets").exists()


def test_a_full_disk_leaves_no_half_of_a_deploy_form(
    run, small: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archgen.nn import save

    write = save.write_whole

    def full(path: Path, content: str | bytes) -> None:
        if path.suffix == ".py":
            raise ArchError("", "cannot write: no space left on device", file=str(path))
        write(path, content)

    monkeypatch.setattr(save, "write_whole", full)
    assert run("build", small, "--deploy", "--out", "nets").exit_code == 1
    assert [path.name for path in here.iterdir()] == ["small.yaml"]
