"""Each setting is explained, in the code and in docs/settings.md, and used."""

from pathlib import Path

from infra.settings import Settings, settings_table

USERS = ("infra", "api", "workers", "projections")


def test_every_setting_has_a_description() -> None:
    bare = [name for name, field in Settings.model_fields.items() if not field.description]

    assert bare == []


def test_the_settings_page_is_what_the_class_says(root: Path) -> None:
    page = (root / "docs/settings.md").read_text()

    assert page == settings_table(), "run: .venv/bin/python -m infra.settings > docs/settings.md"


def test_every_setting_is_used(root: Path) -> None:
    sources = "\n".join(
        path.read_text()
        for package in USERS
        for path in (root / package).rglob("*.py")
        if path != root / "infra/settings.py"
    )

    unused = [name for name in Settings.model_fields if f".{name}" not in sources]

    assert unused == []
