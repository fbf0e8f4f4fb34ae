"""The guides say what the code does: links, options, settings, examples, and both languages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache

import pytest

from config import iter_fields
from core.schemas import ChatRequest
from tests.unit.markdown_page import (
    PROJECT_ROOT,
    Heading,
    MarkdownPage,
    first_quoted,
    tables,
)

PAIRS = [
    ("README.md", "README_zh.md"),
    ("docs/architecture.md", "docs/zh/architecture.md"),
    ("docs/en/api.md", "docs/zh/api.md"),
    ("docs/en/deployment.md", "docs/zh/deployment.md"),
    ("docs/en/pages.md", "docs/zh/pages.md"),
]
PAGES = [name for pair in PAIRS for name in pair]
READMES = PAIRS[0]
ARCHITECTURES = PAIRS[1]
DEPLOYMENTS = PAIRS[3]
PROGRAMS = {
    "start_all.sh": ["bash", "start_all.sh"],
    "worker.py": [sys.executable, "worker.py"],
    "gateway.py": [sys.executable, "gateway.py"],
    "session_cleanup.py": [sys.executable, "session_cleanup.py"],
}
DEPLOYMENT_GUIDE = {
    "System requirements",
    "Resource table",
    "With the installer",
    "By hand",
    "Every field",
    "Attention backends",
    "Get the model",
    "Start and stop",
    "Command line",
    "TLS certificate",
    "Tests",
    "Runtime folders",
    "Troubleshooting",
}


def source_text(*patterns: str) -> str:
    """Code of the product, with strings that are split over lines put together."""
    files = [path for pattern in patterns for path in sorted(PROJECT_ROOT.glob(pattern))]
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text("utf-8") for path in files))


@cache
def options_of(program: str) -> frozenset[str]:
    """What `--help` of a program lists, itself included."""
    command = [*PROGRAMS[program], "--help"]
    told = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return frozenset(re.findall(r"(?<![\w-])--[a-z-]+", told.stdout)) | {"--help"}


def known_settings() -> set[str]:
    return {name for name, _ in iter_fields()}


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_leads_to_a_file_and_a_heading(name: str) -> None:
    page = MarkdownPage(name)
    for link in page.links:
        if re.match(r"https?:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.is_file(), f"{name} links to {link}"
        if anchor:
            known = MarkdownPage(str(path.relative_to(PROJECT_ROOT))).headings
            assert anchor in [heading.anchor for heading in known], f"{name} links to {link}"


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_structure(english: str, chinese: str) -> None:
    def shape(name: str) -> tuple[list[int], list[tuple[int, int]]]:
        page = MarkdownPage(name)
        sizes = [(len(table), len(table[0])) for table in tables(page.prose)]
        return [heading.level for heading in page.headings], sizes

    assert shape(english) == shape(chinese)


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_show_the_same_commands(english: str, chinese: str) -> None:
    def commands(name: str) -> list[str]:
        blocks = MarkdownPage(name).code_blocks("bash")
        plain = [re.sub(r" +#.*", "", block) for block in blocks]
        return [re.sub(r'"content": "[^"]*"', '"content"', block) for block in plain]

    assert commands(english) == commands(chinese)


@pytest.mark.parametrize("name", READMES)
def test_the_curl_example_is_a_valid_request(name: str) -> None:
    (command,) = [block for block in MarkdownPage(name).code_blocks("bash") if "curl" in block]
    body = re.search(r"-d '(.+)'", command)
    assert body
    request = ChatRequest.model_validate(json.loads(body[1]), extra="forbid")
    assert request.messages[0].role.value == "user"


@pytest.mark.parametrize("name", [name for name in PAGES if "architecture" not in name])
def test_python_and_json_examples_can_be_parsed(name: str) -> None:
    page = MarkdownPage(name)
    for block in page.code_blocks("python"):
        compile(block, name, "exec")
    for block in page.code_blocks("json"):
        json.loads(block)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_option_of_a_program_is_documented(name: str, program: str) -> None:
    rows = MarkdownPage(name).rows(program)
    documented = {option.split()[0] for option in first_quoted(rows)}
    assert documented | {"--help"} == options_of(program)


@pytest.mark.parametrize("name", PAGES)
def test_commands_use_options_that_exist(name: str) -> None:
    text = MarkdownPage(name).text
    used = {
        (program, option)
        for program in PROGRAMS
        for options in re.findall(rf"{re.escape(program)}((?: --[a-z-]+)+)", text)
        for option in options.split()
    }
    assert [use for use in used if use[1] not in options_of(use[0])] == []


@pytest.mark.parametrize("name", PAGES)
def test_settings_named_on_a_page_exist(name: str) -> None:
    sections = {setting.partition(".")[0] for setting in known_settings()}
    text = MarkdownPage(name).prose
    named = set(re.findall(rf"`((?:{'|'.join(sections)})\.[a-z_.]+)`", text))
    files = {setting for setting in named if setting.endswith((".py", ".json", ".md"))}
    assert named - files <= known_settings()


def test_every_setting_is_read_somewhere() -> None:
    code = source_text("*.py", "gateway_modules/**/*.py", "worker_modules/**/*.py", "core/**/*.py")
    names = {setting.rpartition(".")[2] for setting in known_settings()}
    read = set(re.findall(r"\b[a-z_]+\b", code.replace(source_text("core/config_sections.py"), "")))
    assert names - read == set()


def test_every_field_is_in_the_generated_reference() -> None:
    page = MarkdownPage("docs/configuration.md")
    listed = {
        f"{heading.text}.{setting}"
        for heading in page.headings
        if heading.level > 1
        for setting in first_quoted(page.rows(heading.text))
    }
    listed |= {heading.text for heading in page.headings if heading.level > 1}
    assert listed == known_settings()


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_environment_variables_are_read_somewhere(name: str) -> None:
    code = source_text("*.sh", "*.py", "deploy/*.py", "core/config_sections.py")
    by_libraries = {"HF_ENDPOINT", "HF_HOME", "HF_TOKEN", "HTTPS_PROXY"}
    variables = {
        variable
        for table in tables(MarkdownPage(name).prose)
        for variable in first_quoted(table)
        if re.fullmatch(r"[A-Z0-9_]{5,}", variable)
    }
    assert len(variables) > len(by_libraries)
    assert [variable for variable in variables - by_libraries if variable not in code] == []


@pytest.mark.parametrize(
    ("name", "heading"),
    [*zip(DEPLOYMENTS, ("Troubleshooting", "故障排查"), strict=True)],
)
def test_messages_in_the_troubleshooting_table_are_those_of_the_code(
    name: str, heading: str
) -> None:
    code = source_text("install.sh", "deploy/*.py", "MiniCPMO45/*.py", "core/*.py")
    for message in first_quoted(MarkdownPage(name).rows(heading)):
        for fragment in re.split(r"\b[NM]\b|…", message):
            assert fragment.strip() in code, f"{name}: {message}"


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        *zip(READMES, ("Folders", "目录"), strict=True),
        *zip(ARCHITECTURES, ("Folders and imports", "目录与导入规则"), strict=True),
    ],
)
def test_places_in_the_folder_maps_exist(name: str, heading: str) -> None:
    for place in first_quoted(MarkdownPage(name).rows(heading)):
        assert list(PROJECT_ROOT.glob(place.rstrip("/"))), f"{name}: {place}"


@pytest.mark.parametrize(
    ("name", "heading"),
    [*zip(ARCHITECTURES, ("The model package", "模型包"), strict=True)],
)
def test_the_map_of_the_model_package_names_its_modules(name: str, heading: str) -> None:
    package = PROJECT_ROOT / "MiniCPMO45"
    for place in first_quoted(MarkdownPage(name).rows(heading)):
        assert (package / place).exists(), f"{name}: {place}"


@pytest.mark.parametrize("name", PAGES)
def test_pages_show_no_picture_that_is_not_there(name: str) -> None:
    page = MarkdownPage(name)
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.text):
        assert (page.path.parent / picture).is_file(), picture


def test_a_heading_gets_the_anchor_that_the_web_page_gives_it() -> None:
    assert Heading(3, "start_all.sh").anchor == "start_allsh"
    assert Heading(2, "TLS 证书").anchor == "tls-证书"


def test_the_deployment_guide_is_complete() -> None:
    headings = {heading.text for heading in MarkdownPage(DEPLOYMENTS[0]).headings}
    assert headings >= DEPLOYMENT_GUIDE
