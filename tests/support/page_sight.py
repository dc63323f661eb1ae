"""What is wrong with a page as a browser shows it: text that is cut or lies on other text, focus that nobody sees, and
an order of reading that is not the order on the screen (WCAG 2.2 §1.3.2, §1.4.10, §1.4.12, §2.4.3, §2.4.7, §2.4.11)."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from support.browser_visits import Visit

Sight: TypeAlias = Callable[[Visit], list[str]]
# The parts of every page, in the order in which they are read out.
PARTS = re.compile(r"banner( navigation)? main contentinfo( navigation)?( status)?")
LANDMARKS = {"banner", "navigation", "main", "contentinfo", "status"}

# The lines of all texts on the screen, and what most of the checks below share.
LINES = """
const words = (text) => `“${text.trim().replace(/\\s+/g, " ").slice(0, 40)}”`;
function* lines() {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest(".unseen, .skip, script, noscript, option")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) yield {node, element, box};
  }
}
"""
# Text outside of the page, where no scrolling reaches, or outside of a part that cuts what sticks out.
CUT = f"""() => {{
  {LINES}
  const found = new Set(), wide = document.documentElement.clientWidth;
  for (const {{node, element, box}} of lines()) {{
    if (box.left + scrollX < -1 || box.right > wide + 1) found.add(`${{words(node.data)}} leaves the page`);
    for (let part = element; part !== document.body; part = part.parentElement) {{
      const {{overflowX, overflowY}} = getComputedStyle(part);
      const frame = part.getBoundingClientRect();
      const isCut = (overflowX === "hidden" && (box.left < frame.left - 1 || box.right > frame.right + 1))
        || (overflowY === "hidden" && (box.top < frame.top - 2 || box.bottom > frame.bottom + 2));
      if (isCut) found.add(`${{words(node.data)}} is cut by ${{part.tagName}}.${{part.className}}`);
    }}
  }}
  return [...found];
}}"""
# Each line without the room above and below its letters, which lines of one text share.
OVERLAPPING = f"""() => {{
  {LINES}
  const all = [...lines()].filter(({{element}}) => !element.closest(".places")).map((line) => {{
    const {{left, right, top, bottom, height}} = line.box;
    return {{node: line.node, left, right, top: top + height * .22, bottom: bottom - height * .22}};
  }}).sort((one, other) => one.top - other.top);
  const found = new Set();
  all.forEach((one, number) => {{
    for (let next = number + 1; next < all.length && all[next].top < one.bottom; next++) {{
      const other = all[next];
      if (other.node === one.node || other.left >= one.right - 2 || one.left >= other.right - 2) continue;
      found.add(`${{words(one.node.data)}} and ${{words(other.node.data)}} overlap`);
    }}
  }});
  return [...found];
}}"""
# What is read later stands beside or below what is read before, never above it.
BACKWARDS = f"""() => {{
  {LINES}
  const found = [];
  let before = null;
  for (const line of lines()) {{
    if (!line.element.closest("main")) continue;
    const {{box}} = line;
    if (before && box.bottom <= before.box.top + 2 && box.left < before.box.right && before.box.left < box.right)
      found.push(`${{words(line.node.data)}} is read after ${{words(before.node.data)}} and stands above it`);
    before = line;
  }}
  return found;
}}"""
# After a first Tab the browser takes all focus for that of a keyboard: each control shows it, and nothing covers it.
UNFOCUSED = """() => {
  const found = [];
  const isDrawn = ({outlineStyle, outlineWidth}) => outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  const controls = "a[href], button, input:not([type=hidden]), select, summary, [tabindex]";
  for (const control of document.querySelectorAll(controls)) {
    if (!control.checkVisibility({visibilityProperty: true}) || control.disabled) continue;
    const name = control.outerHTML.slice(0, 120);
    if (control.tabIndex > 0) found.push(`comes before its turn: ${name}`);
    if (control.tabIndex < 0) continue;
    control.focus();
    if (!control.matches(":focus-visible")) { found.push(`takes no focus: ${name}`); continue; }
    if (!isDrawn(getComputedStyle(control)) && !isDrawn(getComputedStyle(control, "::before")))
      found.push(`does not show its focus: ${name}`);
    const [{left, right, top, bottom}] = control.getClientRects();
    const [x, y] = [(left + right) / 2, (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2];
    const above = document.elementFromPoint(x, y);
    if (!above || !(control.contains(above) || above.contains(control))) found.push(`is covered: ${name}`);
  }
  document.activeElement.blur();
  scrollTo(0, 0);
  return found;
}"""


class Node(NamedTuple):
    """What a screen reader meets. `level` is of a heading, and 0 of all else."""

    role: str
    name: str
    level: int = 0


def cut(visit: Visit) -> list[str]:
    return [str(one) for one in visit.run(CUT)] + ([] if visit.fits() else ["scrolls sideways"])


def overlapping(visit: Visit) -> list[str]:
    return [str(one) for one in visit.run(OVERLAPPING)]


def unfocused(visit: Visit) -> list[str]:
    visit.page.keyboard.press("Tab")
    return [str(one) for one in visit.run(UNFOCUSED)]


def misread(visit: Visit) -> list[str]:
    """The parts of the page come in their order, the way past them comes first, and headings leave out no level."""
    nodes = list(read_out(visit))
    parts = " ".join(node.role for node in nodes if node.role in LANDMARKS)
    flaws = [] if PARTS.fullmatch(parts) else [f"is read as {parts}"]
    first = next(node for node in nodes if node.role in {"link", "button", *LANDMARKS})
    flaws += [] if first.role == "link" else [f"begins with {first} and not with a way past"]
    levels = [node.level for node in nodes if node.role == "heading"]
    if levels[:1] != [1] or levels.count(1) != 1 or any(below - above > 1 for above, below in pairwise(levels)):
        flaws.append(f"has headings of levels {levels}")
    flaws += [f"has a heading without words: {node}" for node in nodes if node.role == "heading" and not node.name]
    return flaws + [str(one) for one in visit.run(BACKWARDS)]


def read_out(visit: Visit) -> Iterator[Node]:
    """Chromium's accessibility tree, from the front of the page to its end."""
    devtools = visit.page.context.new_cdp_session(visit.page)
    try:
        tree = {node["nodeId"]: node for node in devtools.send("Accessibility.getFullAXTree")["nodes"]}
    finally:
        devtools.detach()
    waiting = [node for node in tree.values() if "parentId" not in node]
    while waiting:
        node = waiting.pop()
        waiting += [tree[child] for child in reversed(node.get("childIds", [])) if child in tree]
        if not node["ignored"]:
            yield _told(node)


def _told(node: Any) -> Node:
    level = next((one["value"]["value"] for one in node.get("properties", []) if one["name"] == "level"), 0)
    return Node(node["role"]["value"], node.get("name", {}).get("value", ""), int(level))
