"""An organisation's looks: what is let in, what is refused and why; a report is still a function of its dossier."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from dossier_fixture import make_dossier
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.render.brand import check_accent, contrast, read_brand, read_templates
from audit.attestation.render.html import render_html
from audit.attestation.render.lending import lend_fonts
from audit.attestation.render.logo import clean_svg, read_logo
from audit.attestation.render.pdf import render_pdf
from audit.config.schema import ReportOrder
from audit.errors import ConfigError
from audit.evidence import Dossier
from audit.shipped import shipped_folder

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10">{}</svg>'
COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def make_png(width: int = 8, height: int = 4) -> bytes:
    """A PNG by hand (PNG, 5.3), so that nothing of ours makes what is tested."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x7a\x1f\xa2" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def dress(dossier: Dossier, **order) -> Dossier:
    shown = dossier.presentation.model_copy(update={"brand": read_brand(ReportOrder(**order))})
    return dossier.model_copy(update={"presentation": shown})


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_that_of_the_guidelines(one, other, ratio):
    """Published examples of WCAG 2.x contrast ratios."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.006)


@given(COLOURS)
def test_a_colour_is_accepted_or_refused_with_one_that_would_be(colour):
    try:
        check_accent(colour)
    except ConfigError as error:
        assert (
            f"{min(contrast(colour, '#ffffff'), 21):.2f}" in error.what
            or f"{contrast(colour, '#f5f7f9'):.2f}" in error.what
        )
        check_accent(error.hint.rpartition(" ")[2])


def test_accent_reaches_both_formats(tmp_path):
    page = render_html(dress(make_dossier(), colours={"accent": "#7A1FA2"})).decode()
    assert "--accent: #7a1fa2; --band: #7a1fa2" in page
    dark = page.split("prefers-color-scheme: dark) { :root { --accent: ")[-1][:7]
    assert contrast(dark, "#11161c") >= 4.5


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<foreignObject/>", "<foreignObject>"),
        ('<image href="https://example.org/x.png"/>', "<image>"),
        ('<rect onload="x()" width="1" height="1"/>', "onload"),
        ('<use href="https://example.org/#a"/>', "outside"),
        ('<rect style="fill:url(https://example.org/a)"/>', "style"),
        ('<rect style="fill:u\\72l(https://example.org/a)"/>', "style"),
        ("<style>@import 'https://example.org/a.css';</style>", "style"),
        ("<text>Acme</text>", "paths"),
        ('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>', "<use>"),
    ],
)
def test_an_svg_that_does_more_than_show_is_refused(inside, told):
    with pytest.raises(ConfigError) as caught:
        clean_svg("logo.svg", SVG.format(inside).encode())
    assert told in str(caught.value)


def test_an_svg_keeps_its_shapes_and_loses_what_an_editor_left():
    inside = '<metadata><a/></metadata><x:y xmlns:x="urn:x"/><path d="M0 0h9" x:z="1" xmlns:x="urn:x" fill="#123456"/>'
    kept = clean_svg("logo.svg", SVG.format(inside).encode()).decode()
    assert "#123456" in kept
    assert "urn:x" not in kept
    assert "metadata" not in kept


def test_entities_are_refused():
    bomb = b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">&a;</svg>'
    with pytest.raises(ConfigError, match="entities"):
        clean_svg("logo.svg", bomb)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", make_png()[:40], b"\xff\xd8\xff\xe0\x00\x02", b"<html/>", b"\0" * 300_001]
)
def test_what_is_no_picture_is_refused(tmp_path, data):
    path = tmp_path / "logo.png"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match="report.logo"):
        read_logo(path)


def test_a_jpeg_in_print_inks_is_refused(tmp_path):
    from PIL import Image

    for mode, good in (("RGB", True), ("L", True), ("CMYK", False)):
        path = tmp_path / f"{mode}.jpg"
        Image.new(mode, (8, 4)).save(path)
        if good:
            assert read_logo(path).media_type == "image/jpeg"
        else:
            with pytest.raises(ConfigError, match="CMYK"):
                read_logo(path)


@pytest.mark.parametrize("name", ["logo.png", "logo.svg"])
def test_logo_stands_in_both_formats_and_the_pdf_conforms(tmp_path, name):
    page_validation = pytest.importorskip("page", reason="page-validation checks PDF/A; it is not installed")
    data = make_png() if name.endswith("png") else SVG.format('<rect width="9" height="9" fill="#7a1fa2"/>').encode()
    (tmp_path / name).write_bytes(data)
    dossier = dress(make_dossier(edition="summary"), logo=str(tmp_path / name))
    assert Dossier.parse(dossier.canonical()) == dossier
    assert dossier.presentation.brand.logo.data in render_html(dossier).decode()
    (tmp_path / "report.pdf").write_bytes(render_pdf(dossier))
    for profile in ("3a", "ua1"):
        told = str(page_validation.validate_pdf(str(tmp_path / "report.pdf"), profile=profile))
        faults = [line for line in told.splitlines() if line.startswith("[") and "STREAM-LENGTH" not in line]
        assert faults == []


def test_own_template_replaces_ours_and_runs_in_a_sandbox(tmp_path):
    (tmp_path / "parts").mkdir()
    part = tmp_path / "parts" / "end.html.j2"
    part.write_text('<section class="chapter" id="end"><p>Acme Bank, {{ d.evidence.subject.title }}</p></section>')
    dossier = dress(make_dossier(), templates=str(tmp_path))
    assert dossier.presentation.brand.templates[0].sha256.startswith("sha256:")
    assert "Acme Bank, " in render_html(dossier).decode()
    part.write_text("{{ d.__class__.__mro__ }}")
    with pytest.raises(Exception, match="unsafe|undefined"):
        render_html(dress(make_dossier(), templates=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("parts/covers.html.j2", "x", "parts/cover.html.j2"),
        ("parts/cover.html.j2", "{% if %}", "cover.html.j2:1"),
        ("parts/cover.html.j2", "<script>x</script>", "brings a script"),
        ("parts/report.js", "alert(1)", "stands in for no template"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(tmp_path, name, text, told):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_templates(tmp_path)
    assert told in str(caught.value)


def make_font(folder, sign: str) -> None:
    """A font in which `sign` is drawn as the letter A: a shipped one with its character map changed."""
    with TTFont(shipped_folder("templates") / "fonts" / "Inter-Regular.ttf") as font:
        for table in font["cmap"].tables:
            table.cmap[ord(sign)] = font.getBestCmap()[ord("A")]
        font.save(folder / "own.ttf")


def test_a_character_without_font_is_refused_by_name_and_place():
    dossier = Dossier.model_validate_json(make_dossier().model_dump_json().replace('"under 25"', '"under \u6771"'))
    with pytest.raises(ConfigError) as caught:
        lend_fonts(dossier, None)
    told = str(caught.value)
    assert "‘\u6771’ (U+6771, CJK UNIFIED IDEOGRAPH-6771)" in told
    assert "a group: “under \u6771”" in told
    assert "report.fonts" in told
    assert caught.value.exit_code == 2


def test_a_lent_font_draws_what_ours_lack(tmp_path):
    make_font(tmp_path, "\u6771")
    dossier = Dossier.model_validate_json(make_dossier().model_dump_json().replace('"under 25"', '"under \u6771"'))
    lent = lend_fonts(dossier, str(tmp_path))
    font = lent.presentation.brand.fonts[0]
    assert (font.name, font.characters) == ("own.ttf", "\u6771")
    assert lend_fonts(dossier, str(tmp_path)) == lent
    with TTFont(io.BytesIO(base64.b64decode(font.data))) as cut:
        assert ord("\u6771") in cut.getBestCmap()
        assert len(cut.getBestCmap()) < 40
    page = render_html(lent).decode()
    assert font.data in page
    assert 'font-family="Inter, Lent 1"' in page


def test_what_no_font_holds_is_told_although_a_folder_is_named(tmp_path):
    make_font(tmp_path, "\u6771")
    raw = make_dossier().model_dump_json().replace('"under 25"', '"under \u6771\U0001f600"')
    with pytest.raises(ConfigError, match="U\\+1F600.*own.ttf"):
        lend_fonts(Dossier.model_validate_json(raw), str(tmp_path))


def test_a_font_that_may_not_be_embedded_is_refused(tmp_path):
    make_font(tmp_path, "\u6771")
    with TTFont(tmp_path / "own.ttf") as font:
        font["OS/2"].fsType = 0x0002
        font.save(tmp_path / "own.ttf")
    raw = make_dossier().model_dump_json().replace('"under 25"', '"under \u6771"')
    with pytest.raises(ConfigError, match="licence"):
        lend_fonts(Dossier.model_validate_json(raw), str(tmp_path))


def test_machine_formats_need_no_font():
    raw = make_dossier(formats=("junit",)).model_dump_json().replace('"under 25"', '"under \u6771"')
    dossier = Dossier.model_validate_json(raw)
    assert lend_fonts(dossier, None) == dossier
