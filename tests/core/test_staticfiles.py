import re

import pytest
from django.core.management import call_command

from evalapp.core.staticfiles import write_imports_in

BUNDLED = {"staticfiles": {"BACKEND": "evalapp.core.staticfiles.BundledStaticFilesStorage"}}


def collect(settings, folder):
    settings.STATIC_ROOT = folder
    settings.STORAGES = {**settings.STORAGES, **BUNDLED}
    call_command("collectstatic", interactive=False, verbosity=0)
    return next(file for file in (folder / "css").glob("app.*.css") if file.suffix == ".css")


def test_the_collected_style_sheet_needs_no_other(settings, tmp_path):
    css = collect(settings, tmp_path).read_text()
    assert "@import" not in css
    assert css.index("@layer reset, tokens, base, components, utilities;") < css.index("@layer tokens {")
    assert "--accent:" in css and ".table__link" in css
    assert css.count("{") == css.count("}")


def test_collecting_again_follows_a_change_and_nothing_else(settings, tmp_path):
    first = collect(settings, tmp_path)
    assert collect(settings, tmp_path) == first


def test_the_bundle_is_compressed_and_hashed_by_its_content(settings, tmp_path):
    file = collect(settings, tmp_path)
    assert re.fullmatch(r"app\.[0-9a-f]{12}\.css", file.name)
    assert file.with_name(f"{file.name}.gz").stat().st_size < file.stat().st_size / 3


def test_an_address_in_an_imported_file_is_refused():
    with pytest.raises(ValueError, match=r"bad\.css"):
        write_imports_in('@import url("bad.css") layer(base);', lambda name: "a { background: url(x.png) }")
