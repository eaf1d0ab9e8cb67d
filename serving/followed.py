"""What the follower of a registry last said; nothing where no registry is followed."""

import json
import time
from pathlib import Path

__all__ = ["REGISTRY", "STATUS", "registry_fault"]

REGISTRY = "registry"
"""Name under which a registry's fault stands beside those of models."""

STATUS = ".registry.json"
UNREADABLE = "what its follower said cannot be read; the last good versions answer"
SILENT_SECONDS = 60.0
"""A follower speaks every few seconds; one that is silent hangs or is gone."""


def registry_fault(models_dir: Path) -> str | None:
    """Why the registry cannot be followed now, or None.

    Parameters
    ----------
    models_dir
        Where the follower lays models out.
    """
    path = models_dir / STATUS
    try:
        # A pipe would hold the reader for ever, and with it the watch of all models.
        if path.exists() and not path.is_file():
            return UNREADABLE
        told = json.loads(path.read_text(encoding="utf-8"))
        fault, reached = told["fault"], told["reached"]
        silent = time.time() - path.stat().st_mtime > SILENT_SECONDS
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return UNREADABLE
    if silent:
        fault = "its follower is silent"
    if fault is None:
        return None
    return f"{str(fault)[:500]}; reached last: {reached or 'never'}; the last good versions answer"
