"""What the import contracts cannot see: names of outside things in the code, and who may speak of them."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "pipeline" / "python" / "appstore_analytics"
KNOWS_SECRETS_MANAGER = {
    "functions/notify_slack/handler.py",
    "layers/pipeline/python/appstore_analytics/apple/keys.py",
    "layers/pipeline/python/appstore_analytics/slack/webhook.py",
    "layers/pipeline/python/appstore_analytics/wiring/apple_connections.py",
}


def _files_with(*words: str) -> set[str]:
    files = [path for folder in (PACKAGE, ROOT / "functions", ROOT / "operations") for path in folder.rglob("*.py")]
    assert len(files) > 100
    return {
        str(path.relative_to(ROOT)) for path in files if any(word in path.read_text(encoding="utf-8") for word in words)
    }


@pytest.mark.parametrize("word", ["secretsmanager", "get_secret_value"])
def test_secrets_manager_is_known_by_name_to_those_who_read_a_secret(word: str) -> None:
    found = _files_with(word)
    assert found
    assert found <= KNOWS_SECRETS_MANAGER


def test_everyone_who_may_know_secrets_manager_does() -> None:
    assert _files_with("secretsmanager", "get_secret_value") == KNOWS_SECRETS_MANAGER
