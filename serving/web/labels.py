"""What people call inputs, tests, models and fields."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from serving.web.texts import Texts

__all__ = [
    "field_label",
    "input_label",
    "model_label",
    "models_label",
    "orders_label",
    "test_label",
]

LAB = re.compile(r"visits\[(\d+)\]\.(?:labs\.)?(\w+)(?:\.\w+)?")


def input_label(name: str, t: Texts) -> str:
    """What people call an input."""
    return str(t["input"].get(name, name))


def test_label(name: str, t: Texts) -> str:
    """What people call an order: a test, or several that are ordered together."""
    return str(t["test"].get(name) or input_label(name, t))


def orders_label(names: Sequence[str], t: Texts) -> str:
    """Inputs by name, in a row; cytogenetic ones come from one order and are told as one."""
    orders = ("FISH" if name.startswith("fish_") else name for name in names)
    return ", ".join([test_label(order, t) for order in dict.fromkeys(orders)])


def model_label(entry: Mapping[str, Any], t: Texts) -> str:
    """What people call a model, short enough for a curve; a challenger says that it is one."""
    name, _, role = str(entry["model"]).partition("@")
    label = str(t["model"].get(name, entry["label"]))
    return f"{label} ({t['kind'].get(role, role)})" if role else label


def models_label(names: Sequence[str], t: Texts) -> str:
    """Models by the names people call them, in a row."""
    return ", ".join(str(t["model"].get(name, name)) for name in names)


def field_label(field: str, t: Texts) -> str:
    """What people call a field of the form."""
    if found := LAB.fullmatch(field):
        return f"{input_label(found[2], t)}, {t['form']['visit']} {int(found[1]) + 1}"
    section, _, name = field.rpartition(".")
    if section == "gate":
        return str(t["gate"][name])
    if field in t["field"]:
        return str(t["field"][field])
    return input_label(name, t)
