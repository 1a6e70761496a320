"""Pages of the explorer under Streamlit's own test runtime: logic without a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from archgen import files

SCRIPT = files.library("app") / "main.py"


def open_page(page: str, **query: str) -> AppTest:
    """Run a page as an address opens it; an exception of ours would be a bug."""
    app = AppTest.from_file(str(SCRIPT), default_timeout=60)
    app.query_params.update(query)
    app.switch_page(f"screens/{page}.py").run()
    assert not app.exception, app.exception[0]
    return app
