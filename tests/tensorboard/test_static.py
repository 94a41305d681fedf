"""Serving the page: the built one, or a sentence on how to build it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tensorboard.support import DATA, client


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built page, with a file beside it that is none of it."""
    static = tmp_path / "static"
    (static / "assets" / "deep").mkdir(parents=True)
    (static / "index.js").write_text("export function render() {}")
    (static / "assets" / "chart-B1a2c3D4.js").write_text("export {}")
    (static / "assets" / "style.css").write_text("p {}")
    (static / "assets" / "deep" / "x.svg").write_text("<svg/>")
    (tmp_path / "secret.js").write_text("secret")
    (static / "secret.js").write_text("secret")
    return static


def test_the_entry_module(tmp_path: Path, built: Path) -> None:
    response = client(tmp_path, static=built).get(f"{DATA}/index.js")
    assert response.mimetype == "text/javascript"
    assert response.text == "export function render() {}"
    assert "no-cache" in response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        ("chart-B1a2c3D4.js", "text/javascript"),
        ("style.css", "text/css"),
        ("deep/x.svg", "image/svg+xml"),
    ],
)
def test_assets(tmp_path: Path, built: Path, name: str, mimetype: str) -> None:
    response = client(tmp_path, static=built).get(f"{DATA}/assets/{name}")
    assert (response.status_code, response.mimetype) == (200, mimetype)
    assert response.data == (built / "assets" / name).read_bytes()


def test_only_names_with_a_hash_are_cached(tmp_path: Path, built: Path) -> None:
    of = client(tmp_path, static=built)
    hashed = of.get(f"{DATA}/assets/chart-B1a2c3D4.js").headers["Cache-Control"]
    plain = of.get(f"{DATA}/assets/style.css").headers["Cache-Control"]
    assert "max-age" in hashed
    assert "no-cache" in plain


@pytest.mark.parametrize(
    "name",
    [
        "nosuch.js",
        "",
        "deep",
        "../secret.js",
        "..%2fsecret.js",
        "../../secret.js",
        "%2e%2e/secret.js",
        "deep/../../secret.js",
        "/etc/passwd",
        "style.css%00",
    ],
)
def test_nothing_beside_the_page_is_served(tmp_path: Path, built: Path, name: str) -> None:
    response = client(tmp_path, static=built).get(f"{DATA}/assets/{name}")
    assert response.status_code == 404
    assert b"secret" not in response.data


def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    response = client(tmp_path, static=tmp_path / "nowhere").get(f"{DATA}/index.js")
    assert (response.status_code, response.mimetype) == (200, "text/javascript")
    assert "export function render" in response.text
    assert "npm run build" in response.text
    assert "textContent" in response.text
    assert "innerHTML" not in response.text
