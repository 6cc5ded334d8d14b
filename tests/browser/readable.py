"""What a page must be for everybody: contrast, names, no sideways scrolling."""

from typing import Any

from playwright.sync_api import Page

CONTRAST = """
() => {
  const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const read = (text) => { const n = text.match(/[0-9.]+/g).map(Number); return [n.slice(0, 3), n[3] ?? 1]; };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const [colour, opacity] = read(getComputedStyle(at).backgroundColor);
      if (opacity === 1) return colour;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !one.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const [a, b] = [light(read(style.color)[0]), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${ratio.toFixed(2)} ${walk.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return poor;
}
"""  # noqa: E501 - a script reads best as one writes it
NAMELESS = """
() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.getAttribute("aria-label") || one.labels?.length || one.innerText?.trim()))
  .map((one) => one.outerHTML.slice(0, 120))
"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults_of(page: Page) -> dict[str, Any]:
    """What is wrong with the page as it stands; empty when nothing is."""
    found = {
        "contrast": page.evaluate(CONTRAST),
        "nameless": page.evaluate(NAMELESS),
        "sideways": page.evaluate(SIDEWAYS),
    }
    return {name: value for name, value in found.items() if value}


def settle(page: Page) -> None:
    """Wait until the live parts have arrived."""
    page.wait_for_function("() => !document.querySelector('.shimmer, .htmx-request')")
