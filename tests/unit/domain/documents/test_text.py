"""What text becomes before it stands in a document, and what is refused."""

import pytest

from domain.documents.text import REPLACEMENTS, Limit, encodable
from domain.errors import InvalidField


class TestEncodable:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ('Магазин "Калина" № 5 — «Ґанок», 1°C…', 'Магазин "Калина" № 5 — «Ґанок», 1°C…'),
            ("м\u02bcята", "м'ята"),
            ("м’ята", "м’ята"),
            ("кока\u2011кола \u2212 2", "кока-кола - 2"),
            ("час 10\u201220", "час 10–20"),
            ("1\u202f000\u00a0г", "1 000\u00a0г"),
            ("чаи\u0306", "чай"),
            ("Nestlé Jägermeister", "Nestle Jagermeister"),
            ("Øl ½ л × 2, 15 ₴", "Ol 1/2 л x 2, 15 грн"),
            ("Мо\u200bло\ufeffко", "Молоко"),
            ("", ""),
        ],
    )
    def test_text_becomes_what_the_code_page_can_hold(self, given: str, expected: str) -> None:
        assert encodable(given, field="lines.0.name") == expected

    def test_every_replacement_is_needed_and_possible(self) -> None:
        for character, replacement in REPLACEMENTS.items():
            replacement.encode("cp1251")
            with pytest.raises(UnicodeEncodeError):
                character.encode("cp1251")

    @pytest.mark.parametrize(
        ("text", "named"),
        [("Кава 😀", "U+1F600"), ("日本", "U+65E5"), ("α-ліпоєва", "U+03B1"), ("ў̈", "U+0308")],
    )
    def test_other_characters_are_refused_by_name(self, text: str, named: str) -> None:
        with pytest.raises(InvalidField) as refusal:
            encodable(text, field="lines.0.name")
        assert refusal.value.field == "lines.0.name"
        assert named in refusal.value.expected

    @pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\rb", "\x00", "a\x7fb", "a\x85b", "\x98"])
    def test_control_characters_are_refused(self, text: str) -> None:
        with pytest.raises(InvalidField, match="control characters"):
            encodable(text, field="comment")

    def test_longest_text_of_a_field_is_taken_and_one_more_character_refused(self) -> None:
        assert encodable("х" * 64, field="lines.0.code", limit=Limit.LINE_CODE) == "х" * 64
        with pytest.raises(InvalidField, match="at most 64 characters"):
            encodable("х" * 65, field="lines.0.code", limit=Limit.LINE_CODE)

    def test_text_without_a_limit_of_its_own_is_bounded(self) -> None:
        with pytest.raises(InvalidField, match="at most 1024 characters"):
            encodable("х" * 1025, field="comment")

    def test_length_counts_after_replacing(self) -> None:
        with pytest.raises(InvalidField):
            encodable("₴" * 22, field="lines.0.code", limit=Limit.LINE_CODE)
        assert encodable("\u200b" * 80, field="lines.0.code", limit=Limit.LINE_CODE) == ""
