"""The panel's templates under Vue 3 and Vuetify 3, jdaviz's components stubbed: no warning is let pass."""

import importlib
import json
import re
from pathlib import Path

import pytest
from traitlets import HasTraits

import jdaviz_lrs.panel
from jdaviz_lrs.panel import vuetify
from jdaviz_lrs.panel.sections.verdict.section import VerdictSection
from jdaviz_lrs.panel.vuetify import PROPERTIES, TAGS, adapt_template, adapted, read_template
from tests.browser.conftest import system_chromium  # noqa: F401 - a fixture
from tests.panel.bare import BarePanel

PANEL = Path(jdaviz_lrs.panel.__file__).parent
TEMPLATES = {path.relative_to(PANEL).as_posix(): path for path in sorted(PANEL.rglob("*.vue"))}
MODULES = Path(__file__).parent / "node_modules"

#: Mounts a template, its script's own data and methods, and what Python gives it; returns what Vue says.
MOUNT = """([template, script, given, methods, props]) => {
    const exported = {}, said = [];
    new Function("module", script)(exported);
    const own = exported.exports || {};
    const stub = { inheritAttrs: false, template: "<div><slot></slot></div>" };
    const component = {
        ...own, template,
        data() { return { ...given, ...(own.data ? own.data.call(this) : {}) }; },
        methods: { ...Object.fromEntries(methods.map((name) => [name, () => {}])), ...own.methods },
    };
    const app = Vue.createApp(component, props).use(Vuetify.createVuetify());
    app.config.warnHandler = (text, _, trace) => said.push(text + trace);
    app.config.errorHandler = (error) => said.push(String(error));
    app.config.compilerOptions.isCustomElement = (tag) => tag === "jupyter-widget";
    const names = [...template.matchAll(/<((?:j|plugin|lrs|loader)-[\\w-]+)/g)].map((found) => found[1]);
    new Set(names).forEach((name) => app.component(name, stub));
    document.body.innerHTML = "<div id='app'></div>";
    app.mount("#app");
    return said;
}"""

#: What the panel's template hands to its own components: all that makes them draw what they can.
PROPS = {
    "field.vue": {
        "field": {
            "name": "extract_width",
            "kind": "number",
            "label": "Width",
            "hint": "In pixels",
            "shown": True,
        },
        "page": "",
        "value": 8,
        "problem": "",
    },
    "references.vue": {
        "references": [{"kind": "psf", "name": "built-in", "stand_in": "within 3 %"}],
        "nearby": {"psf": ["psf.fits"]},
        "overrides": {"extract1d": "", "apcorr": "", "psf": ""},
        "opened": 0,
        "json_path": "a.json",
        "status": {"text": "psf.fits is no PSF.", "kind": "problem", "place": "override_psf"},
    },
    "advice.vue": {"advice": [{"sentence": "The PSF is too wide.", "refinement": "width"}], "optimal": True},
    "image_switch.vue": {
        "views": ["data", "residual"],
        "shown": "residual",
        "colours": {"diverging": True, "low": "-1", "high": "1", "unit": "MJy / sr"},
        "disabled": False,
    },
    "foot.vue": {
        "work_line": "Fitting the trace",
        "status": {"text": "psf.fits is no PSF.", "kind": "problem", "place": "override_psf"},
        "told": "1 note",
        "problem": "psf.fits is no PSF.",
        "can_undo": True,
        "can_redo": False,
        "can_save": True,
        "spinner": False,
        "named": True,
        "overwrites": False,
    },
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_of_the_old_is_left(name):
    new = adapted(TEMPLATES[name].read_text(encoding="utf-8"))
    template = new[: new.rindex("</template>")]
    assert ".sync" not in template
    for tag in TAGS:
        assert f"<{tag}" not in template
    for tag, properties in PROPERTIES.items():
        for found in re.finditer(rf'<{tag}(?=[\s>])((?:\s+[^\s=>/]+(?:="[^"]*")?)*)', template):
            names = {one.partition("=")[0] for one in re.findall(r'[^\s=>/]+(?:="[^"]*")?', found[1])}
            assert not names & {*properties, "dense", "small"}


def test_what_vuetify_2_says_is_said_in_the_words_of_3():
    old = (
        '<template><v-text-field dense :value="a" @change="b = $event"></v-text-field>'
        '<plugin-switch :value.sync="c"/><v-btn small text>x</v-btn></template><script>a.sync</script>'
    )
    assert adapted(old) == (
        '<template><v-text-field density="compact" :model-value="a" @change="b = $event.target.value">'
        '</v-text-field><plugin-switch v-model:value="c"/><v-btn size="small" variant="text">x</v-btn>'
        "</template><script>a.sync</script>"
    )


def test_a_tooltip_is_given_to_its_element():
    old = (
        '<template><v-tooltip bottom><template v-slot:activator="{ on }"><a v-on="on">?</a></template>'
        "</v-tooltip></template>"
    )
    assert adapted(old) == (
        '<template><v-tooltip location="bottom"><template v-slot:activator="{ props }">'
        '<a v-bind="props">?</a></template></v-tooltip></template>'
    )


def test_templates_are_read_as_the_installed_vuetify_has_them(monkeypatch):
    path = TEMPLATES["sections/verdict/verdict.vue"]
    text = path.read_text(encoding="utf-8")
    for is_new, expected in ((True, adapted(text)), (False, text), (True, adapted(text))):
        monkeypatch.setattr(vuetify, "VUETIFY_3", is_new)
        assert read_template(path) == expected
        assert BarePanel(VerdictSection).section.template.template == expected
    assert adapted(text) != text


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_adapted_stays_so(name):
    new = adapted(TEMPLATES[name].read_text(encoding="utf-8"))
    assert adapted(new) == new


def widgets(name: str) -> list[type[HasTraits]]:
    """The classes beside a template whose own it is."""
    path = TEMPLATES[name]
    classes = []
    for source in path.parent.glob("*.py"):
        dotted = ".".join((PANEL.parent.name, *source.relative_to(PANEL.parent).with_suffix("").parts))
        module = importlib.import_module(dotted.removesuffix(".__init__"))
        classes += [
            one for one in vars(module).values() if isinstance(one, type) and issubclass(one, HasTraits)
        ]
    return [one for one in classes if str(vars(one).get("template_file", ("", ""))[-1]).endswith(path.name)]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_widget_adapts_its_template(name):
    for widget in widgets(name):
        members = (member for one in widget.__mro__ for member in vars(one).values())
        assert any(member is adapt_template for member in members), widget


def given(name: str) -> tuple[dict, list[str]]:
    """What Python gives a template: the traits of the class beside it at their first values, and methods."""
    traits: dict = {}
    methods: list[str] = []
    for one in widgets(name):
        for trait, kind in one.class_traits(sync=True).items():
            try:
                traits[trait] = json.loads(json.dumps(kind.default()))
            except (TypeError, ValueError):
                traits[trait] = None
        methods += [method.removeprefix("vue_") for method in dir(one) if method.startswith("vue_")]
    return traits | {"opened": 0} if "opened" in traits else traits, methods


@pytest.fixture(scope="module")
def page(system_chromium):  # noqa: F811
    if not MODULES.is_dir():
        pytest.skip(f"Vue 3 and Vuetify 3 are not at hand: npm install in {MODULES.parent}")
    page = system_chromium.new_page()
    page.add_script_tag(path=MODULES / "vue" / "dist" / "vue.global.js")
    page.add_script_tag(path=MODULES / "vuetify" / "dist" / "vuetify.js")
    yield page
    page.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", TEMPLATES)
def test_vue_3_renders_it_without_a_warning(page, name):
    text = adapted(TEMPLATES[name].read_text(encoding="utf-8"))
    template = text[text.index("<template>") + 10 : text.rindex("</template>")]
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    said = page.evaluate(MOUNT, [template, script[1] if script else "", *given(name), PROPS.get(name, {})])
    assert not said
