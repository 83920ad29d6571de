"""The page in a real browser: that it can be read by everybody, loads nothing, and follows what happens.

With --pictures=FOLDER, what was looked at is kept there.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import time

import pytest

import browser as browsers
from gateway import BUILD, free_port
from samples import hand_in, mdm_t02, numbered, patient_words_in, read

pytestmark = pytest.mark.skipif(browsers.LACKS is not None, reason=browsers.LACKS or "")

WIDTHS = (360, 1920)
THEMES = ("light", "dark")
SAMPLES = ("working", "stopped", "slowed", "critical", "empty", "attack")
HOLDS = ', policies: [{ type: "57833-6", action: hold }]'


@pytest.fixture(scope="module")
def pictures(request) -> pathlib.Path | None:
    folder = request.config.getoption("--pictures")
    if folder is not None:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    return folder and pathlib.Path(folder)


@pytest.fixture(scope="module")
def browser():
    opened = browsers.Browser()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def fresh(browser):
    """Each test begins with a page that knows nothing of the one before."""
    browser.open("about:blank")
    browser.show(1920, "light")
    browser.accept("fr")
    browser.complaints()
    browser.requests()


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> pathlib.Path:
    """Pages with all that a page can show, as the unit test draws them."""
    folder = tmp_path_factory.mktemp("pages")
    subprocess.run([BUILD / "tests" / "test_page"], env={**os.environ, "DMPFEED_PAGES": str(folder)}, check=True,
                   capture_output=True)
    return folder


@pytest.fixture
def busy(start_gateway):
    """A gateway that delivered two documents, and holds one."""
    gateway = start_gateway(site=HOLDS)
    for number, name in enumerate(("discharge-letter.xml", "laboratory-report.xml", "prescription.xml")):
        hand_in(gateway, ("mllp", "drop")[number % 2], read(name), name)
    gateway.settled()
    wait_until(lambda: "policy_hold" in gateway.fetch("/")[1])
    return gateway


def wait_until(is_so, timeout: float = 20):
    deadline = time.monotonic() + timeout
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)  # between questions, not for an event


# ---- whoever reads it ----

@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_everybody_can_read_it(browser, samples, pictures, sample, theme, width):
    for language in ("fr", "en"):
        page = samples / f"{sample}-{language}.html"
        if not page.exists():
            continue
        browser.show(width, theme)
        browser.open(page.as_uri())
        assert browser.faults() == []
        if pictures:
            browser.picture(pictures / f"{sample}-{language}-{theme}-{width}.png")


@pytest.mark.parametrize("name, sample, width, theme, height", [
    ("page.png", "working-fr", 1280, "light", 1640),
    ("page-stopped.png", "stopped-en", 1280, "dark", 900),
    ("page-phone.png", "working-fr", 360, "light", 900),
])
def test_the_pictures_of_the_readme_are_small(browser, samples, pictures, tmp_path, name, sample, width, theme, height):
    """They are taken with --pictures=conf/doc -k readme."""
    browser.show(width, theme)
    browser.open((samples / f"{sample}.html").as_uri())
    picture = (pictures or tmp_path) / name
    browser.picture(picture, height)
    assert 10_000 < picture.stat().st_size < 300_000


def test_the_checks_find_what_is_wrong(browser, tmp_path):
    """Or they would prove nothing."""
    page = tmp_path / "wrong.html"
    page.write_text('<!DOCTYPE html><html><head><meta name="viewport" content="width=device-width"></head><body><h1>a</h1><h3 id="x">b</h3><p id="x">c</p><table><thead><tr><th>d</th></tr>'
                    '</thead><tbody><tr><td>e</td></tr></tbody></table><svg></svg><a href="#"></a>'
                    '<p style="color: #aaa">f</p><p style="font-size: 9px">g</p><p style="width: 5000px">h</p></body></html>')
    browser.show(360, "light")
    browser.open(page.as_uri())
    faults = "\n".join(browser.faults())
    for fault in ("no language", "no title", "not one main", "twice", "level 3 follows 1", "head of a column",
                  "row without a head", "no name: table", "drawing without words", "link without words", "contrast 2.3",
                  "letters of 9 px", "wide in 360"):
        assert fault in faults


def test_the_running_gateway_shows_what_it_did(browser, busy):
    browser.open(busy.status_url)
    text = browser.text("main")
    assert "Tout fonctionne" in text
    assert "La politique du site retient ce type de document." in text
    assert "dmpfeedctl list --state held --reason policy_hold" in text
    assert re.search(r"CH DE VALBRUME\s+ouverte\s+il y a", text)
    assert browser.text("#day-title ~ .legend").split() == ["reçus", "3", "transmis", "2", "rejetés", "0"]
    assert browser.faults() == []


TARGETS = """
schema: usage-targets/1
document_types: { lettre: { type_codes: ["11490-0"] } }
denominators: {}
programmes:
  - id: interne
    label: "Objectifs internes"
    windows: [{ id: w, start: 2026-01-01, end: null, status: internal }]
    indicators:
      - id: lettres
        label: "Lettres de liaison"
        level: finess_eg
        numerator: { aggregate: documents, channel: [DMP], types: [lettre], outcomes: [ACCEPTED], date_basis: accepted }
        threshold: { kind: count, op: ">=", value: 2, status: internal }
"""


def test_a_place_stands_against_its_target(browser, make_gateway):
    gateway = make_gateway(extra="targets: { dir: targets, every: 1 s }")
    (gateway.folder / "targets").mkdir()
    (gateway.folder / "targets" / "interne.yaml").write_text(TARGETS)
    gateway.start()
    for number in range(2):
        hand_in(gateway, "mllp", numbered(number))
    gateway.settled()
    wait_until(lambda: '"MET_NOW"' in gateway.fetch("/api/v1/targets")[1].upper(), 30)
    browser.open(gateway.status_url)
    text = re.sub(r"\s+", " ", browser.text("#targets"))
    assert "Lettres de liaison" in text and "Objectifs internes" in text
    assert "atteint" in text and "2 seuil 2" in text
    assert browser.faults() == []


def test_the_language_is_the_browsers_or_the_one_chosen(browser, busy):
    browser.accept("en-GB,en;q=0.9")
    browser.open(busy.status_url)
    assert browser.text("h1") == "Everything works"
    browser.driver.find_element("link text", "Français").click()
    wait_until(lambda: browser.text("h1") == "Tout fonctionne")
    browser.driver.find_element("link text", "English").click()
    wait_until(lambda: browser.text("h1") == "Everything works")


# ---- what it asks for ----

def test_it_asks_for_nothing_but_itself_and_nothing_is_complained_of(browser, busy):
    browser.open(busy.status_url)
    browser.driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: browser.driver.execute_script("return document.documentElement.dataset.refreshed") == "1")
    assert browser.complaints() == []
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked and all(url.startswith(busy.status_url + "/") for url in asked)


def test_the_policy_stops_what_is_not_of_the_page(browser, busy):
    """A script or an image that came in by a hole that nobody knows would not run."""
    browser.open(busy.status_url)
    browser.complaints()
    browser.driver.execute_script("""
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script, Object.assign(new Image(), { src: "https://example.org/a.png" }));
        document.body.setAttribute("onclick", "window.ran = true");
        document.body.click();""")
    assert browser.driver.execute_script("return window.ran") is None
    assert len([line for line in browser.complaints() if "Content Security Policy" in line]) >= 3


# ---- as time goes on ----

def test_it_follows_what_happens_and_keeps_its_place(browser, busy):
    browser.show(360, "light")
    browser.open(busy.status_url)
    run = browser.driver.execute_script
    run("document.getElementById('day-figures').open = true; document.querySelector('#day-figures summary').focus();"
        "window.scrollTo(0, 700)")
    busy.send(mdm_t02(numbered(1, "prescription.xml")))  # one more that is held
    wait_until(lambda: "<b>2</b> <span>documents</span>" in busy.fetch("/?part=live")[1])
    wait_until(lambda: run("return document.documentElement.dataset.refreshed >= 1"), 30)  # by itself
    assert re.search(r"2\s+documents\s+La politique", browser.text("main"))
    assert run("return document.getElementById('day-figures').open")
    assert run("return document.activeElement.tagName + document.activeElement.parentElement.id") == "SUMMARYday-figures"
    assert run("return Math.round(window.scrollY)") == 700
    assert browser.text("#lost") == ""


def test_it_says_when_the_gateway_is_gone_and_when_it_is_back(browser, make_gateway):
    gateway = make_gateway(extra="")
    config = gateway.config.read_text().replace('"127.0.0.1:0"', f'"127.0.0.1:{free_port()}"', 1)
    gateway.config.write_text(config)
    gateway.start()
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    browser.open(gateway.status_url)
    gateway.stop()
    browser.driver.execute_script(look)
    wait_until(lambda: "La passerelle ne répond plus" in browser.text("#lost"))
    assert browser.faults() == []
    gateway.start()
    browser.driver.execute_script(look)
    wait_until(lambda: browser.text("#lost") == "")


def test_it_needs_no_script(browser, busy):
    browser.scripts(False)
    try:
        browser.open(busy.status_url)
        assert browser.text("h1") == "Tout fonctionne"
        assert "La politique du site retient" in browser.text("main")
        refresh = re.search(r'<noscript><meta http-equiv="refresh" content="(\d+)"', busy.fetch("/")[1])
        assert int(refresh[1]) >= 30
    finally:
        browser.scripts(True)


def test_it_can_be_used_by_keyboard(browser, busy):
    from selenium.webdriver.common.keys import Keys

    browser.open(busy.status_url)
    reached = []
    for _ in range(7):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(browser.driver.execute_script(
            "const at = document.activeElement, style = getComputedStyle(at);"
            "return [at.textContent.trim(), style.outlineStyle !== 'none', at.getBoundingClientRect().left >= 0]"))
    assert [text for text, *_ in reached[:3]] == ["Aller au contenu", "Français", "English"]
    assert all(outlined and inside for _, outlined, inside in reached)
    assert "Chiffres" in [text for text, *_ in reached]


# ---- what it keeps to itself ----

def test_nothing_of_a_patient_is_in_any_answer(start_gateway, simulator):
    gateway = start_gateway(site=HOLDS, first="100 ms")
    simulator.faults({"kind": "failure", "errorCode": "XDSRegistryError", "times": 1,
                      "text": "PAT-TROIS DOMINIQUE 279035121518989"},
                     {"kind": "failure", "errorCode": "XDSRegistryMetadataError", "times": 1,
                      "text": "le patient PAT-TROIS DOMINIQUE est inconnu"})
    for number, name in enumerate(("discharge-letter.xml", "laboratory-report.xml", "prescription.xml")):
        hand_in(gateway, ("drop", "mllp")[number % 2], read(name), f"PAT-TROIS DOMINIQUE {number}.xml")
    gateway.settled()
    wait_until(lambda: "policy_hold" in gateway.fetch("/")[1])
    for path in ("/", "/?lang=en", "/?part=live", "/api/v1/status", "/api/v1/documents", "/metrics", "/healthz", "/readyz"):
        headers, body = gateway.fetch(path)
        assert patient_words_in(body) == [], path
        assert patient_words_in(str(headers)) == [], path
    listed = json.loads(gateway.fetch("/api/v1/documents")[1])["documents"]
    assert len(listed) == 3 and not any("origin" in each for each in listed)
    gateway.stop()
    assert patient_words_in("\n".join(gateway.journal.lines)) == []
