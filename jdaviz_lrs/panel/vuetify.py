"""Templates for Vuetify 3, made of those for Vuetify 2: all that differs between them is told here.

The templates are written for the Vuetify that jdaviz stands on: ipyvuetify 1, Vuetify 2. jdaviz 5.1 stands on
ipyvuetify 3, with Vue 3 and Vuetify 3: there every template passes through `adapted` when it is read.
"""

from __future__ import annotations

import re
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from traitlets import validate

__all__ = ["VUETIFY_3", "adapt_template", "adapted", "read_template"]


def _is_new() -> bool:
    try:
        return int(version("ipyvuetify").split(".")[0]) >= 3
    except PackageNotFoundError:
        return False


VUETIFY_3 = _is_new()
"""Whether the Vuetify that is installed is the third."""

TAGS = {
    "v-expansion-panel-header": "v-expansion-panel-title",
    "v-expansion-panel-content": "v-expansion-panel-text",
}

CLASSES = {"text--secondary": "text-medium-emphasis"}

EVERYWHERE = {"dense": 'density="compact"', "small": 'size="small"'}
"""Properties of all tags of Vuetify's, as they are written; empty where there is none any more."""

PROPERTIES = {
    "v-alert": {"text": 'variant="tonal"'},
    "v-btn": {"text": 'variant="text"', "outlined": 'variant="outlined"', "tile": 'rounded="0"'},
    "v-expansion-panels": {"accordion": 'variant="accordion"'},
    "v-icon": {"left": "start"},
    "v-overlay": {":value": ":model-value", "absolute": "contained"},
    "v-select": {":value": ":model-value", "@change": "@update:model-value", ":menu-props": "", "attach": ""},
    "v-slider": {":value": ":model-value", "@input": "@update:model-value"},
    "v-checkbox": {":input-value": ":model-value", "@change": "@update:model-value"},
    "v-switch": {":input-value": ":model-value", "@change": "@update:model-value"},
    "v-text-field": {":value": ":model-value", "@input": "@update:model-value"},
    "v-textarea": {":value": ":model-value"},
    "v-tooltip": {"bottom": 'location="bottom"'},
}
"""Properties of single tags: one with a value keeps it."""

ACTIVATOR = {
    'v-slot:activator="{ on }"': 'v-slot:activator="{ props }"',
    'v-on="on"': 'v-bind="props"',
}
"""What a tooltip gives to the element that it belongs to."""

TAG = re.compile(r'<(/?)([a-z][\w-]*)((?:\s+[^\s=>/]+(?:="[^"]*")?)*)(\s*/?>)')
ATTRIBUTE = re.compile(r'(\s+)([^\s=>/]+)(="[^"]*")?')
SYNC = re.compile(r"^:([\w-]+)\.sync$")


def adapted(template: str) -> str:
    """Return a template, written for Vuetify 2, as Vuetify 3 has it; script and style stay."""
    end = template.rindex("</template>")
    return TAG.sub(_tag, template[:end]) + template[end:]


def read_template(path: Path) -> str:
    """Read a template as the Vuetify that is installed has it."""
    text = path.read_text(encoding="utf-8")
    return adapted(text) if VUETIFY_3 else text


@validate("template")
def adapt_template(widget, proposal):
    """Take the template, which ipyvue reads from its file, as the Vuetify installed has it.

    A class whose `template_file` is ours names this in its body.
    """
    template = proposal["value"]
    if VUETIFY_3:
        template.template = adapted(template.template)
    return template


def _tag(found: re.Match) -> str:
    slash, name, attributes, end = found.groups()
    changed = ATTRIBUTE.sub(partial(_attribute, name), attributes)
    return f"<{slash}{TAGS.get(name, name)}{changed}{end}"


def _attribute(tag: str, found: re.Match) -> str:
    space, name, value = found.group(1), found.group(2), found.group(3) or ""
    if known := ACTIVATOR.get(name + value):
        return f"{space}{known}"
    if sync := SYNC.match(name):
        return f"{space}v-model:{sync[1]}{value}"
    if name == "class":
        for old, new in CLASSES.items():
            value = value.replace(old, new)
    if tag == "v-text-field" and name == "@change":  # of the input itself, which tells no value
        value = re.sub(r"\$event(?!\.target)", "$event.target.value", value)
    known = PROPERTIES.get(tag, {}) | (EVERYWHERE if tag.startswith("v-") else {})
    if name not in known:
        return f"{space}{name}{value}"
    return f"{space}{known[name]}{value}" if known[name] else ""
