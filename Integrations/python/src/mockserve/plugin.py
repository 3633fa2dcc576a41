"""The pytest plugin: the fixture `mockserve`, a server for each test, and the marker of the same name."""

import hashlib
import os
import re
import shlex
import unicodedata
from pathlib import Path

import pytest

from .control import Control, MockServeError

MARKER = """\
mockserve(name=None, *, upstream=None, upstreams={}, mode=None, playback=None, unused="ignore", faults=(), options=(), \
cassettes="cassettes"): what the fixture `mockserve` replays or records. `name` is a folder in `cassettes`, or, if it ends in \
`.cassette`, a file that tests share; `upstream` is the origin of the real service, `upstreams` several with names; `mode` is that of \
`mockserve run`, by default --mockserve-mode, MOCKSERVE_MODE or replay; `unused="fail"` fails a test that does not use all that was \
recorded; `faults` are such as "GET /x: reset on 2"; `options` are others of `mockserve run`. A marker of a test overrides that of its \
class or module, value by value."""

SERVER = pytest.StashKey()
OUTCOMES = pytest.StashKey()
CLAIMS = pytest.StashKey()


def pytest_addoption(parser):
    group = parser.getgroup("mockserve")
    group.addoption(
        "--mockserve-mode",
        metavar="MODE",
        choices=["replay", "once", "missing", "all", "rewrite", "passthrough"],
        help="what mock servers record: replay (nothing), once, missing, all, rewrite or passthrough",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", MARKER)
    config.stash[CLAIMS] = {}
    config.stash[OUTCOMES] = {}
    config.pluginmanager.register(Outcomes(config), "mockserve-outcomes")


@pytest.fixture(scope="session")
def mockserve_control():
    """The process with the servers."""
    control = Control()
    yield control
    control.close()


@pytest.fixture
def mockserve(request, mockserve_control):
    """A mock server in the background, for this test alone: `mockserve.url`."""
    item = request.node
    settings = {}
    for marker in item.iter_markers("mockserve"):
        given = dict(marker.kwargs, **({"name": marker.args[0]} if marker.args else {}))
        if reason := _problem(given, marker.args):
            pytest.fail(f"@pytest.mark.mockserve {reason}.", pytrace=False)
        settings = {**given, **settings}
    mode = request.config.getoption("--mockserve-mode")
    cassette = cassette_path(item, settings.get("name"), settings.get("cassettes", "cassettes"))
    if not str(settings.get("name", "")).endswith(".cassette"):
        other = request.config.stash[CLAIMS].setdefault(str(cassette).lower(), item.nodeid)
        if other != item.nodeid:
            pytest.fail(f"{item.nodeid} and {other} would have the same cassette on some file systems: {cassette}.", pytrace=False)
    command = f"pytest --mockserve-mode=missing {shlex.quote(_shown(item))}"
    try:
        server = mockserve_control.start(cassette, *_options(settings, mode), record=command)
    except MockServeError as error:
        how = f"\nOn your own machine: {command}" if error.status == 77 else ""
        pytest.fail(f"{error}{how}", pytrace=False)
    item.stash[SERVER] = server
    yield server
    told = item.stash[SERVER] is None
    report = server.stop(keep=request.config.stash[OUTCOMES].pop(item.nodeid, False))
    if report and not told:
        pytest.fail(report, pytrace=False)


def _problem(given, arguments):
    """What is wrong with the arguments of a marker; None if nothing is."""
    unknown = given.keys() - {"name", "upstream", "upstreams", "mode", "playback", "unused", "faults", "options", "cassettes"}
    if unknown or len(arguments) > 1:
        return f"does not take {', '.join(sorted(unknown)) or 'more than a name'}"
    if not isinstance(given.get("name") or "", str):
        return "takes a name that is a string"
    if given.get("unused", "fail") not in ("fail", "ignore"):
        return 'takes unused="fail" or unused="ignore"'
    wrong = [name for name in ("faults", "options") if isinstance(given.get(name), str)]
    return f"takes a list of {wrong[0]}" if wrong else None


def _shown(item):
    """The id of a test, relative to the folder in which pytest was started."""
    _, *names = item.nodeid.split("::")
    return "::".join([os.path.relpath(item.path, item.config.invocation_params.dir), *names])


def _options(settings, mode):
    upstreams = dict(settings.get("upstreams", {}))
    if upstream := settings.get("upstream"):
        upstreams = {"default": upstream, **upstreams}
    for name, url in upstreams.items():
        yield f"--upstream={name}={url}"
    if mode := settings.get("mode") or mode:
        yield f"--mode={mode}"
    if playback := settings.get("playback"):
        yield f"--playback={playback}"
    if settings.get("unused", "ignore") == "fail":
        yield "--require-all-used"
    if str(settings.get("name", "")).endswith(".cassette"):
        yield "--shared"
    for fault in settings.get("faults", ()):
        yield f"--fault={fault}"
    yield from settings.get("options", ())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fails a test whose requests had no answer, even if the code under test ignored that."""
    try:
        result = yield
    except BaseException:
        if server := item.stash.get(SERVER, None):
            if report := server.report():
                item.add_report_section("call", "mockserve", report)
                item.stash[SERVER] = None
        raise
    if server := item.stash.get(SERVER, None):
        if report := server.report():
            item.stash[SERVER] = None
            pytest.fail(report, pytrace=False)
    return result


class Outcomes:
    """A test has passed only if every report of it says so: its subtests and its set-up report, too."""

    def __init__(self, config):
        self._outcomes = config.stash[OUTCOMES]

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        if not report.passed:
            self._outcomes[report.nodeid] = False
        elif report.when == "call":
            self._outcomes.setdefault(report.nodeid, not hasattr(report, "wasxfail"))


def cassette_path(item, name, folder):
    """Beside the test file: `cassettes/NAME/test_module/TestClass.test_name-arguments.cassette`."""
    path = item.path.parent / folder
    if name and name.endswith(".cassette"):
        return path / name
    for part in (name or "").split("/"):
        if part:
            path /= _file_name([part], "", part)
    path /= _file_name([item.path.stem], "", item.path.stem)
    function = getattr(item, "originalname", None) or item.name
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    arguments = item.name[len(function) :] if item.name.startswith(function) else ""
    return path / f"{_file_name([*classes, function], arguments, '/'.join([*classes, item.name]))}.cassette"


def _file_name(parts, details, identity):
    """A name that is allowed and different on every file system: where it does not say all, a digest is added."""

    def readable(text):
        return re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", text))[:60]

    stem = ".".join(readable(part) for part in parts)
    is_reserved = re.fullmatch(r"(?i)(con|prn|aux|nul|(com|lpt)\d)(\..*)?", stem)
    name = ("_" if is_reserved else "") + stem
    shown = readable(details.strip("[]"))
    if shown:
        name += f"-{shown}"
    if is_reserved or details or any(readable(part) != part for part in parts) or len(name.encode()) > 120:
        while len(name.encode()) > 120:
            name = name[:-1]
        name += f"-{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return name
