import pytest

from serving.web.texts import LANGUAGES, texts
from serving.web.wording import templates


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_language_stand_in_its_templates(language: str) -> None:
    words = texts(language)
    source = "<b>{{ t.form.visit }}</b>{{ t.nav[here] }} {{ t.title }}"
    html = templates(language).from_string(source).render(here="patient")
    assert html == f"<b>{words['form']['visit']}</b>{words['nav']['patient']} {words['title']}"


def test_a_word_is_escaped_like_any_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(texts("en"), "hostile", {"sign": "<b> & c"})
    html = templates("en").from_string("{{ t.hostile.sign }}{{ t.hostile['sign'] }}").render()
    assert html == 2 * "&lt;b&gt; &amp; c"


def test_no_word_can_be_taken_for_the_language_of_the_templates() -> None:
    for language in LANGUAGES:
        for word in _every(texts(language)):
            assert not any(sign in word for sign in ("{{", "{%", "{#"))


def test_a_word_that_is_not_there_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(KeyError):
        templates("en").from_string("{{ t.form.nothing }}")


def _every(words: object) -> list[str]:
    if isinstance(words, dict):
        return [word for value in words.values() for word in _every(value)]
    return [str(words)]
