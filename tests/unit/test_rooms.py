"""What the import contracts cannot see: names of outside things in the code, and who may speak of them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "pipeline" / "python" / "appstore_analytics"
READ_A_SECRET = {
    "functions/notify_slack/handler.py",
    "layers/pipeline/python/appstore_analytics/apple/keys.py",
    "layers/pipeline/python/appstore_analytics/slack/webhook.py",
    "layers/pipeline/python/appstore_analytics/wiring/apple_connections.py",
}
NEVER_READ_ONE = {
    "layers/pipeline/python/appstore_analytics/answers/installation.py",  # opens the client with which put-key stores
    "operations/doctor/names.py",  # asks whether a name is taken
}


def _files_with(*words: str) -> set[str]:
    files = [path for folder in (PACKAGE, ROOT / "functions", ROOT / "operations") for path in folder.rglob("*.py")]
    assert len(files) > 100
    return {
        str(path.relative_to(ROOT)) for path in files if any(word in path.read_text(encoding="utf-8") for word in words)
    }


def test_secrets_manager_is_known_by_name() -> None:
    assert _files_with("secretsmanager", "get_secret_value") == READ_A_SECRET | NEVER_READ_ONE


def test_a_secret_is_read_by_those_alone_who_use_it() -> None:
    found = _files_with("get_secret_value")
    assert found
    assert found <= READ_A_SECRET
