"""install.sh, start_all.sh, stop_all.sh and run_tests.sh, with a stand-in for Python and pip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config import PROJECT_ROOT

SCRIPTS = ["install.sh", "start_all.sh", "stop_all.sh", "run_tests.sh", "constraints/update.sh"]

# Answers what install.sh asks of Python, and writes down every pip call.
FAKE_PYTHON = """#!/usr/bin/env bash
case "$*" in
*"import pip"*) ;;
*"sys.version_info"*) echo 311 ;;
*"-m pip install"*)
    echo "$*" >>pip_calls
    [[ -z "${PIP_FAILS_ON:-}" || "$*" != *$PIP_FAILS_ON* ]] || { echo "$PIP_SAYS"; exit 1; } ;;
*check_install.py*) echo "  torch: fake" ;;
*MiniCPMO45.tiny*) mkdir -p "${@: -1}"; echo "built" >>tiny_calls ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


def put_program(folder: Path, name: str, content: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content)
    (folder / name).chmod(0o755)


class Tree:
    """A copy of the files that install.sh works with, and programs of our own in its PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.programs = root / "programs"
        self.programs.mkdir(parents=True)
        for name in [*SCRIPTS[:3], "deploy/check_install.py"]:
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copy(PROJECT_ROOT / name, root / name)
        for file in PROJECT_ROOT.glob("requirements*.txt"):
            shutil.copy(file, root)
        shutil.copytree(PROJECT_ROOT / "constraints", root / "constraints")
        (root / "MiniCPMO45").mkdir()
        (root / "MiniCPMO45" / "tiny.py").write_text("recipe = 1")
        put_program(root / ".venv/base/bin", "python", FAKE_PYTHON)

    def run(self, script: str, *arguments: str, **environment: str):
        inherited = {"HOME": os.environ.get("HOME", "/"), "PATH": f"{self.programs}:{os.defpath}"}
        return subprocess.run(
            ["bash", str(self.root / script), *arguments],
            cwd="/",
            env=inherited | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def pip_calls(self) -> str:
        calls = self.root / "pip_calls"
        return calls.read_text() if calls.exists() else ""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "project with spaces")


# --- every script


@pytest.mark.parametrize("script", [*SCRIPTS, ".ci/run"])
def test_a_script_is_valid_bash(script) -> None:
    subprocess.run(["bash", "-n", str(PROJECT_ROOT / script)], check=True)


@pytest.mark.parametrize("script", ["install.sh", "start_all.sh", "stop_all.sh"])
def test_an_unknown_option_is_an_error_that_installs_nothing(tree, script) -> None:
    ended = tree.run(script, "--htpp")
    assert ended.returncode != 0
    assert "unknown option --htpp" in ended.stderr
    assert not tree.pip_calls()


def test_run_tests_refuses_an_unknown_option() -> None:
    script = str(PROJECT_ROOT / "run_tests.sh")
    ended = subprocess.run(["bash", script, "--ful"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "--ful" in ended.stderr


@pytest.mark.parametrize("script", ["install.sh", "start_all.sh"])
def test_help_lists_the_options_and_installs_nothing(tree, script) -> None:
    ended = tree.run(script, "--help")
    assert ended.returncode == 0
    assert "--" in ended.stdout
    assert not tree.pip_calls()


@pytest.mark.parametrize("arguments", [["stop_all.sh"], ["start_all.sh", "--status"]])
def test_nothing_is_installed_only_to_say_that_nothing_runs(tree, arguments) -> None:
    shutil.rmtree(tree.root / ".venv")
    ended = tree.run(*arguments)
    assert ended.returncode == 0
    assert "Nothing runs" in ended.stdout
    assert not (tree.root / ".venv").exists()


# --- install.sh


def test_a_machine_without_a_gpu_gets_the_cpu_torch(tree) -> None:
    ended = tree.run("install.sh")
    assert ended.returncode == 0, ended.stderr
    torch, requirements, minicpmo = tree.pip_calls().splitlines()
    assert torch.endswith("torch==2.13.0")
    assert requirements.endswith("-r requirements.txt -c constraints/py311.txt")
    assert minicpmo.endswith("--no-deps -r requirements-minicpmo.txt")
    assert "torch: fake" in ended.stdout


def test_a_machine_with_a_gpu_gets_the_cuda_torch_with_torchaudio(tree) -> None:
    put_program(tree.programs, "nvidia-smi", "#!/bin/sh\necho 'GPU 0: NVIDIA X (UUID: GPU-1)'\n")
    ended = tree.run("install.sh", SKIP_FLASH_ATTN="1")
    assert ended.returncode == 0, ended.stderr
    assert "torch==2.8.0 torchaudio==2.8.0" in tree.pip_calls()
    assert "flash-attn" not in tree.pip_calls()


def test_flash_attn_that_cannot_be_built_does_not_end_the_installation(tree) -> None:
    put_program(tree.programs, "nvidia-smi", "#!/bin/sh\necho 'GPU 0: NVIDIA X (UUID: GPU-1)'\n")
    put_program(tree.programs, "nvcc", "#!/bin/sh\n")
    ended = tree.run("install.sh", PIP_FAILS_ON="flash-attn", PIP_SAYS="no compiler")
    assert ended.returncode == 0, ended.stderr
    assert "flash-attn could not be built" in ended.stdout


def test_the_user_may_choose_torch_and_its_index(tree) -> None:
    tree.run("install.sh", TORCH_SPEC="torch==2.9.1", TORCH_INDEX_URL="https://mirror.test/cpu")
    first = tree.pip_calls().splitlines()[0]
    assert first.endswith("--index-url https://mirror.test/cpu torch==2.9.1")


def test_the_tools_are_installed_when_asked_for(tree) -> None:
    tree.run("install.sh", "--dev")
    assert "-r requirements-dev.txt" in tree.pip_calls()


def test_a_second_run_installs_and_builds_nothing(tree) -> None:
    tree.run("install.sh", "--dev")
    calls = tree.pip_calls()
    for arguments in (["--dev"], []):
        assert tree.run("install.sh", *arguments).returncode == 0
    assert tree.pip_calls() == calls
    assert (tree.root / "tiny_calls").read_text().count("built") == 1


def test_changed_requirements_are_installed_again(tree) -> None:
    tree.run("install.sh")
    calls = tree.pip_calls()
    (tree.root / "requirements.txt").write_text("fastapi\n")
    tree.run("install.sh")
    assert tree.pip_calls() != calls


def test_a_changed_recipe_builds_the_embedded_checkpoint_again(tree) -> None:
    tree.run("install.sh")
    (tree.root / "MiniCPMO45" / "tiny.py").write_text("recipe = 2")
    tree.run("install.sh")
    assert (tree.root / "tiny_calls").read_text().count("built") == 2


def test_the_random_checkpoint_is_not_built_where_the_trained_one_is(tree) -> None:
    (tree.root / "resources" / "nano").mkdir(parents=True)
    (tree.root / "resources" / "nano" / "model.safetensors").touch()
    assert tree.run("install.sh").returncode == 0
    assert not (tree.root / "tiny_calls").exists()


def test_a_failed_installation_is_tried_again_next_time(tree) -> None:
    assert tree.run("install.sh", PIP_FAILS_ON="requirements.txt", PIP_SAYS="?").returncode == 1
    assert tree.run("install.sh").returncode == 0
    assert tree.pip_calls().count("-r requirements.txt") == 2


@pytest.mark.parametrize(
    ("pip_says", "remedy"),
    [
        ("Failed to establish a new connection: NewConnectionError", "Check the network"),
        ("OSError: [Errno 28] No space left on device", "Free some space"),
        ("ERROR: something unheard of", "tmp/install.log"),
    ],
)
def test_a_failing_pip_is_explained(tree, pip_says, remedy) -> None:
    ended = tree.run("install.sh", PIP_FAILS_ON="requirements.txt", PIP_SAYS=pip_says)
    assert ended.returncode == 1
    assert remedy in ended.stderr


def test_a_full_disk_is_noticed_before_anything_is_installed(tree) -> None:
    df = "#!/bin/sh\nprintf 'head\\ndisk 100 90 1048576 90%% /\\n'\n"
    put_program(tree.programs, "df", df)
    ended = tree.run("install.sh")
    assert ended.returncode == 1
    assert "1 GiB are free" in ended.stderr
    assert not tree.pip_calls()


def test_a_machine_without_python_is_told_what_to_install(tree) -> None:
    shutil.rmtree(tree.root / ".venv")
    for name in ("python3", "python3.10", "python3.11", "python3.12"):
        put_program(tree.programs, name, "#!/bin/sh\nexit 1\n")
    ended = tree.run("install.sh")
    assert ended.returncode == 1
    assert "python3-venv" in ended.stderr


def test_a_python_that_is_only_there_by_name_is_passed_over(tree) -> None:
    shutil.rmtree(tree.root / ".venv")
    maker = (
        "#!/usr/bin/env bash\n"
        '[ "$2" != venv ] || { mkdir -p "${@: -1}/bin"; cp fake "${@: -1}/bin/python"; }\n'
    )
    put_program(tree.root, "fake", FAKE_PYTHON)
    for name in ("python3", "python3.10", "python3.11"):
        put_program(tree.programs, name, "#!/bin/sh\nexit 1\n")
    put_program(tree.programs, "python3.12", maker)
    ended = tree.run("install.sh")
    assert ended.returncode == 0, ended.stderr
    assert "Making .venv/base with python3.12" in ended.stdout


# --- requirements


def requirement_names(file: str) -> list[str]:
    lines = (PROJECT_ROOT / file).read_text().splitlines()
    return [re.split("[=<>]", line)[0].lower() for line in lines if line and line[0] != "#"]


def test_torch_and_minicpmo_utils_are_left_to_install_sh() -> None:
    listed = set(requirement_names("requirements.txt"))
    assert not listed & {"torch", "torchaudio", "minicpmo-utils"}
    assert requirement_names("requirements-minicpmo.txt") == ["minicpmo-utils"]


@pytest.mark.parametrize("version", ["310", "311", "312"])
def test_constraints_hold_nothing_but_names_and_versions(version) -> None:
    lines = (PROJECT_ROOT / f"constraints/py{version}.txt").read_text().splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[0-9][A-Za-z0-9.]*", line), line
        assert not re.match(r"(torch|torchaudio|triton|nvidia-.*|cuda-.*)==", line), line


@pytest.mark.parametrize("version", ["310", "311", "312"])
def test_every_requirement_is_constrained(version) -> None:
    lines = (PROJECT_ROOT / f"constraints/py{version}.txt").read_text().splitlines()
    constrained = {line.partition("==")[0].replace("_", "-") for line in lines}
    for file in ("requirements.txt", "requirements-dev.txt", "requirements-stepaudio2.txt"):
        names = {name.replace("_", "-") for name in requirement_names(file)}
        assert names <= constrained


def test_every_dependency_is_explained() -> None:
    explained = (PROJECT_ROOT / "docs" / "dependencies.md").read_text().lower()
    for file in PROJECT_ROOT.glob("requirements*.txt"):
        for name in requirement_names(file.name):
            assert f"`{name}`" in explained, f"{name} of {file.name}"
