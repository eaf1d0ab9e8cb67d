import re
from importlib import resources

import pytest

SHEET = resources.files("serving.web").joinpath("static", "style.css").read_text("utf-8")
LIGHT, DARK, PRINT = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))
    for block in re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
)
SERIES = [f"c{i}" for i in range(8)]
PAIRS = [
    *((ink, ground) for ink in ("ink", "quiet", "accent", "warn") for ground in ("card", "soft")),
    *((ink, "card") for ink in ("bad", *SERIES)),
    ("quiet", "ground"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("ink", "bad-soft"),
    ("ink", "field"),
    ("accent-ink", "accent"),
]


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", PAIRS, ids="-on-".join)
def test_every_text_has_the_contrast_of_wcag_aa(
    theme: dict[str, str], pair: tuple[str, str]
) -> None:
    brighter, darker = sorted((luminance(theme[name]) for name in pair), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5


def test_both_themes_and_print_name_the_colours_of_all_models() -> None:
    for theme in (LIGHT, DARK, PRINT):
        assert len({theme[name] for name in SERIES}) == len(SERIES)


def test_motion_is_only_for_those_who_do_not_mind() -> None:
    for block in re.findall(r"[^\n]*scroll-behavior[^\n]*", SHEET):
        assert "prefers-reduced-motion: no-preference" in block
