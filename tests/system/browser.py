"""A real browser without a screen, and what is to be checked of any page in it."""

from __future__ import annotations

import base64
import json
import pathlib
import shutil

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = None

DRIVER = shutil.which("chromedriver")
BROWSER = shutil.which("chromium")
LACKS = None if webdriver and DRIVER and BROWSER else "chromium, chromium-driver and python3-selenium are not all installed"

# What a careful reader would find wrong, each a sentence. Contrast by WCAG 2 (AA), from the styles as they are drawn.
FAULTS = r"""
const faults = [], all = selector => [...document.querySelectorAll(selector)];
const where = element => element.tagName.toLowerCase() + (element.id ? "#" + element.id : "") + " " +
    JSON.stringify((element.textContent || "").trim().slice(0, 40));
const shown = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    element.getClientRects().length > 0;

if (!document.documentElement.lang) faults.push("the page has no language");
if (!document.title) faults.push("the page has no title");
for (const tag of ["header", "main", "footer", "nav"])
    if (all("body " + tag).length !== 1) faults.push(`there is not one ${tag}`);
if (!all("nav")[0]?.ariaLabel) faults.push("nav has no name");

const ids = all("[id]").map(element => element.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`the id ${id} is there twice`);
for (const element of all("[aria-labelledby]"))
    if (!document.getElementById(element.getAttribute("aria-labelledby"))?.textContent.trim())
        faults.push("labelled by nothing: " + where(element));
for (const element of all("section, table")) if (!element.hasAttribute("aria-labelledby")) faults.push("no name: " + where(element));

let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6").filter(shown)) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) faults.push(`level ${next} follows ${level}: ` + where(heading));
    if (!heading.textContent.trim()) faults.push("an empty heading");
    level = next;
}
if (all("h1").length !== 1) faults.push("there is not one h1");

for (const cell of all("thead th")) if (cell.scope !== "col") faults.push("not the head of a column: " + where(cell));
for (const row of all("tbody tr")) if (row.cells[0].scope !== "row") faults.push("a row without a head: " + where(row));
for (const table of all("table")) {
    const columns = table.tHead.rows[0].cells.length;
    for (const row of table.tBodies[0].rows) if (row.cells.length !== columns) faults.push("a ragged table: " + where(row));
}
for (const link of all("a, button, summary")) if (!link.textContent.trim() && !link.ariaLabel) faults.push("a link without words");
for (const svg of all("svg"))
    if (svg.getAttribute("aria-hidden") !== "true" && !(svg.getAttribute("role") === "img" && svg.getAttribute("aria-label")))
        faults.push("a drawing without words: " + where(svg));
for (const list of all("ul, ol")) for (const child of list.children) if (child.tagName !== "LI") faults.push("not an item: " + where(child));
for (const list of all("dl")) for (const child of list.children)
    if (child.tagName !== "DIV" || child.children[0]?.tagName !== "DT" || child.children[1]?.tagName !== "DD")
        faults.push("not a term and its value: " + where(child));

const parts = colour => colour.match(/[\d.]+/g).map(Number);
const over = (top, below) => top.slice(0, 3).map((c, i) => c * (top[3] ?? 1) + below[i] * (1 - (top[3] ?? 1)));
const light = colour => {
    const [r, g, b] = colour.map(c => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = element => {
    const own = element ? parts(getComputedStyle(element).backgroundColor) : [255, 255, 255];
    return (own[3] ?? 1) === 1 ? own : over(own, ground(element.parentElement));
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || !shown(element) || ["SCRIPT", "STYLE", "TITLE", "title", "NOSCRIPT"].includes(element.tagName)) continue;
    const below = ground(element), a = light(over(parts(style.color), below)), b = light(below);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < least) faults.push(`contrast ${ratio.toFixed(2)}: ` + where(element));
    if (size < 12) faults.push(`letters of ${size} px: ` + where(element));
}

const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) faults.push(`${document.documentElement.scrollWidth} px wide in ${width}`);
for (const element of all("body *"))
    if (shown(element) && !element.closest("svg") && !element.classList.contains("skip") &&
        element.getBoundingClientRect().right > width + 1)
        faults.push("reaches out of the page: " + where(element));
return faults;
"""


class Browser:
    """One chromium; a page of it at a time."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.set_capability("acceptInsecureCerts", True)
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    def close(self):
        self.driver.quit()

    def show(self, width: int, theme: str):
        """How wide it is, and "light" or "dark"."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": theme}]})

    def accept(self, language: str):
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Language": language}})

    def scripts(self, may_run: bool):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not may_run})

    def open(self, url: str):
        self.driver.get(url)

    def faults(self) -> list[str]:
        return self.driver.execute_script(FAULTS)

    def text(self, selector: str = "body") -> str:
        return self.driver.find_element("css selector", selector).text

    def complaints(self) -> list[str]:
        """What the console said since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """What was asked of the network, or refused by the policy, since it was last asked."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def picture(self, path: pathlib.Path, height: int | None = None):
        """Of all the page, or of its top."""
        width, whole = self.driver.execute_script(
            "return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": min(height or whole, whole), "scale": 1}})
        path.write_bytes(base64.b64decode(shot["data"]))
