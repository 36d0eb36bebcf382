"""What axe-core finds in the panel that is ours to mend."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator

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
