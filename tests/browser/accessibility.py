"""What cannot be read in the panel, and what axe-core finds in it that is ours to mend."""

from __future__ import annotations

import re

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator

#: The contrast of every text in sight to what it stands on (WCAG 2.1, "contrast ratio"), and the text.
CONTRASTS = """(panel) => {
    const numbers = (color) => [...color.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
    const light = (channels) => {
        const [r, g, b] = channels.map((n) => n / 255)
            .map((n) => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const [r, g, b, alpha] = numbers(getComputedStyle(e).backgroundColor);
            if (alpha > 0.9) { return [r, g, b]; }
        }
        return [255, 255, 255];
    };
    const texts = [...panel.querySelectorAll("*")]
        .filter((e) => e.checkVisibility({ visibilityProperty: true })
        && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
        && !e.closest("svg, .v-btn--disabled, .v-input--is-disabled, .v-tooltip"));
    return texts.map((e) => {
        const behind = ground(e), [r, g, b, alpha] = numbers(getComputedStyle(e).color);
        const text = [r, g, b].map((n, i) => alpha * n + (1 - alpha) * behind[i]);
        const [high, low] = [light(text), light(behind)].sort((one, other) => other - one);
        return [(high + 0.05) / (low + 0.05), e.innerText.trim()];
    });
}"""

#: What jdaviz itself writes fainter.
JDAVIZ_TEXTS = re.compile(r"Learn More|\(\d+/\d+ selected\)")

#: What belongs to jdaviz's and Vuetify's components: rules of axe-core, where they are broken, and why.
NOT_OURS = (
    (("button-name", "aria-command-name", "nested-interactive", "image-alt"),
     ".plugin-nested-toolbar, .only-show-in-tray, .lrs-popout",
     "the toolbar and the popout of a plot or a table are jdaviz's, their buttons without names"),
    (("button-name", "aria-command-name", "nested-interactive"),
     ".tray-plugin > .row:first-child",
     "the head of every panel, with its popout, is jdaviz's"),
    (("empty-table-header",),
     ".plugin-table-component th",
     "jdaviz's table has a column of check boxes without a name"),
    (("color-contrast",),
     ".plugin-table-component .grey--text",
     "jdaviz's table counts its columns in a faint grey"),
    (("nested-interactive",),
     ".v-select > .v-input__control > .v-input__slot",
     "Vuetify 2 makes a drop-down list a button around its own input"),
    (("aria-allowed-attr",),
     ".v-expansion-panel",
     "Vuetify 2 tells whether a section is open at the section; its button tells it, too"),
)  # fmt: skip

#: Of every broken rule, unless it is not ours: the rule, the element, and what is wrong.
FIND = """async ([panel, notOurs]) => {
    const found = await axe.run(panel, { resultTypes: ["violations"], elementRef: true });
    const excused = (rule, element) =>
        notOurs.some(([rules, place]) => rules.includes(rule) && element.closest(place));
    return found.violations.flatMap((one) => one.nodes
        // plots are drawn anew: what has left the page meanwhile is nobody's
        .filter((node) => node.element.isConnected && !excused(one.id, node.element))
        .map((node) => [one.id, node.html, node.failureSummary].join("\\n")));
}"""


def violations(panel: Locator) -> list[str]:
    """Return what axe-core finds in the panel as it is now, without what is not ours."""
    panel.page.evaluate(AXE_SCRIPT)
    not_ours = [(rules, place) for rules, place, _ in NOT_OURS]
    return panel.page.evaluate(FIND, [panel.element_handle(), not_ours])


def faint(panel: Locator) -> list[str]:
    """Return what is in our hands and cannot be read, with its contrast."""
    contrasts = [one for one in panel.evaluate(CONTRASTS) if not JDAVIZ_TEXTS.fullmatch(one[1])]
    # 4.5 is what WCAG asks of small text; jdaviz's own orange on white, of actions, has 3.7
    return [f"{ratio:.1f} {text}" for ratio, text in contrasts if ratio < 3.5]
