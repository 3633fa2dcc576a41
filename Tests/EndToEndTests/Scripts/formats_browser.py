"""Parts of formats.py: the HAR of a browser.

One is put together from the events of the debugging protocol, as the developer tools do; mitmproxy, which reads HAR, plays it as the proxy of
the browser. The others are recorded and played by Playwright.
"""

import base64
import json
import os
import select
import subprocess
import tempfile
import time
import urllib.parse
import zipfile

from formats_common import of_mockserve, part, program, round_trip, seen
from formats_servers import PEERS, PLAYING, mitmdump
from formats_service import STEPS
from support import HERE

# What a page asks with `fetch`; the answer is without what a page is not shown.
ASK = """async ([method, url, headers, body]) => {
    const bytes = body === null ? undefined : Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    const answer = await fetch(url, { method, headers, body: bytes });
    let text = "";
    for (const byte of new Uint8Array(await answer.arrayBuffer())) text += String.fromCharCode(byte);
    return { status: answer.status, fields: [...answer.headers], body: btoa(text) };
}"""


class Browser:
    """Chromium without a window, spoken to through a pipe, with one page."""

    def __init__(self, *options):
        self.profile = tempfile.TemporaryDirectory(prefix="mockserve-test-", ignore_cleanup_errors=True)
        reading, self.input = os.pipe()
        output, writing = os.pipe()
        command = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", *options, "about:blank",
        ]
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{reading} 4>&{writing}', "sh", *command], pass_fds=(reading, writing), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(reading)
        os.close(writing)
        self.output = os.fdopen(output, "rb")
        self.rest, self.last, self.session, self.events = b"", 0, None, []
        target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable")

    def message(self):
        while b"\0" not in self.rest:
            assert select.select([self.output], [], [], 60)[0], "the browser does not answer"
            more = os.read(self.output.fileno(), 1 << 20)
            assert more, "the browser has ended"
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\0")
        return json.loads(line)

    def call(self, method, **parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters, **({"sessionId": self.session} if self.session else {})}
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.input, data) :]
        while True:
            answer = self.message()
            if answer.get("id") == self.last:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def load(self, url):
        before = len(self.events)
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events[before:]):
            self.events.append(self.message())

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        finally:
            self.process.wait(timeout=30)
            self.output.close()
            os.close(self.input)
            self.profile.cleanup()


def ask(browser, base, steps):
    browser.load(base + "/page")
    answers = []
    for step in steps:
        argument = json.dumps([step["method"], base + step["target"], step["fields"], step["body"]])
        done = browser.call("Runtime.evaluate", expression=f"({ASK})({argument})", awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, (step["method"], step["target"], done["exceptionDetails"])
        value = done["result"]["value"]
        answers.append(seen(value["status"], value["fields"], base64.b64decode(value["body"])))
    return answers


# MARK: The HAR


def pairs(headers):
    return [{"name": name, "value": value} for name, values in headers.items() for value in values.split("\n")]


def cookies(text):
    return [{"name": name, "value": value, "path": "", "domain": ""} for name, _, value in (one.strip().partition("=") for one in text.split(";")) if name]


def entry(hop, sent, received, finished, body, length):
    """One request and its answer, as the developer tools save it."""
    request, answer = hop["request"], hop["response"]
    fields = sent.get("headers") or request["headers"]
    asked = {
        "method": request["method"],
        "url": request["url"],
        "httpVersion": answer.get("protocol", "http/1.1"),
        "headers": pairs(fields),
        "queryString": [{"name": name, "value": value} for name, value in urllib.parse.parse_qsl(urllib.parse.urlsplit(request["url"]).query, keep_blank_values=True)],
        "cookies": cookies(next((value for name, value in fields.items() if name.lower() == "cookie"), "")),
        "headersSize": -1,
        "bodySize": 0,
    }
    if "postData" in request:
        kind = next((value for name, value in fields.items() if name.lower() == "content-type"), "")
        asked["postData"] = {"mimeType": kind, "text": request["postData"]}
        asked["bodySize"] = len(request["postData"].encode())
        if kind == "application/x-www-form-urlencoded":
            asked["postData"]["params"] = [{"name": name, "value": urllib.parse.quote(value)} for name, value in urllib.parse.parse_qsl(request["postData"])]
    fields = received.get("headers") or answer["headers"]
    content = {"size": 0, "mimeType": answer["mimeType"] or "x-unknown"}
    if body is not None:
        content.update(size=length, text=body["body"])
        if body["base64Encoded"]:
            content["encoding"] = "base64"
    return {
        "_connectionId": str(answer.get("connectionId", "")),
        "_initiator": hop["initiator"],
        "_priority": request["initialPriority"],
        "_resourceType": hop["type"].lower(),
        "cache": {},
        "connection": str(answer.get("connectionId", "")),
        "pageref": "page_1",
        "request": asked,
        "response": {
            "status": answer["status"],
            "statusText": answer["statusText"],
            "httpVersion": answer.get("protocol", "http/1.1"),
            "headers": pairs(fields),
            "cookies": [],
            "content": content,
            "redirectURL": next((value for name, value in fields.items() if name.lower() == "location"), ""),
            "headersSize": -1,
            "bodySize": -1,
            "_transferSize": int(finished.get("encodedDataLength", answer["encodedDataLength"])),
            "_error": None,
            "_fetchedViaServiceWorker": False,
        },
        "serverIPAddress": answer.get("remoteIPAddress", ""),
        "startedDateTime": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(hop["wallTime"])) + f".{int(hop['wallTime'] % 1 * 1000):03}Z",
        "time": 3.25,
        "timings": {"blocked": 1.5, "dns": -1, "ssl": -1, "connect": -1, "send": 0.25, "wait": 1, "receive": 0.5, "_blocked_queueing": 1.25},
    }


def har(browser):
    hops, sent, received, finished, lengths = [], {}, {}, {}, {}
    for event in browser.events:
        value = event.get("params", {})
        number = value.get("requestId")
        open_hops = [hop for hop in hops if hop["requestId"] == number]
        match event["method"]:
            case "Network.requestWillBeSent":
                if "redirectResponse" in value:
                    open_hops[-1]["response"] = value["redirectResponse"]
                hops.append({**value, "response": None, "index": len(open_hops)})
            case "Network.responseReceived":
                open_hops[-1]["response"] = value["response"]
            case "Network.requestWillBeSentExtraInfo":
                sent.setdefault(number, []).append(value)
            case "Network.responseReceivedExtraInfo":
                received.setdefault(number, []).append(value)
            case "Network.dataReceived":
                lengths[number] = lengths.get(number, 0) + value["dataLength"]
            case "Network.loadingFinished":
                finished[number] = value
    entries = []
    for hop in hops:
        if not hop["response"] or not hop["request"]["url"].startswith("http://"):
            continue
        number, at = hop["requestId"], hop["index"]
        body, last = None, at == sum(other["requestId"] == number for other in hops) - 1
        if last and number in finished and hop["request"]["method"] != "HEAD" and hop["response"]["status"] != 204:
            body = browser.call("Network.getResponseBody", requestId=number)
        extra = [(many.get(number) or []) for many in (sent, received)]
        entries.append(entry(hop, *(many[at] if at < len(many) else {} for many in extra), finished.get(number, {}) if last else {}, body, lengths.get(number, 0)))
    page = {"startedDateTime": entries[0]["startedDateTime"], "id": "page_1", "title": entries[0]["request"]["url"], "pageTimings": {"onContentLoad": 20.5, "onLoad": 21}}
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [page], "entries": entries}}


def client(mode, base, file, steps):
    if mode == "play":
        with mitmdump(*PLAYING, "--server-replay", file, mode="regular") as proxy:
            return visit(base, steps, f"--proxy-server={proxy.url}", "--proxy-bypass-list=<-loopback>")
    return visit(base, steps, file=file)


def visit(base, steps, *options, file=None):
    browser = Browser(*options)
    try:
        browser.call("Network.enable", maxPostDataSize=1 << 20)
        browser.call("Network.setCacheDisabled", cacheDisabled=True)
        answers = ask(browser, base, steps)
        if file:
            with open(file, "w") as written:
                json.dump(har(browser), written, indent=2, ensure_ascii=False)
        return answers
    finally:
        browser.close()


# A HAR has no place for the bytes of a request, but only for text.
PAGE_STEPS = [step for step in STEPS if step["method"] != "PUT"]


@part
def chromium(place):
    # The body is saved without its compression, so that the length is another one.
    round_trip("chromium", place, "page.har", "har", client, PAGE_STEPS, lost={"content-encoding", "content-length"}, count=count)
    of_mockserve("chromium", place, "page.har", "har", client, PAGE_STEPS, {"content-encoding", "content-length"})


def count(file):
    if file.endswith(".zip"):
        with zipfile.ZipFile(file) as archive:
            return len(json.loads(archive.read("har.har"))["log"]["entries"])
    with open(file) as saved:
        return len(json.load(saved)["log"]["entries"])


# MARK: Playwright


def playwright_client(kind):
    return lambda mode, base, file, steps: program(
        os.path.join(PEERS, "python"), os.path.join(HERE, "formats_playwright.py"), mode, base, file or "-", kind, ASK, steps=steps
    )


@part
def playwright(place):
    # Its player gives the first answer to a request again and again, the last of two fields of a name, and all texts as UTF-8.
    steps = [step for at, step in enumerate(PAGE_STEPS) if step not in PAGE_STEPS[:at] and step["target"] != "/latin"]
    for file, kind in (("embedded.har", "embed"), ("attached/page.har", "attach")):
        os.makedirs(os.path.dirname(os.path.join(place, file)), exist_ok=True)
        round_trip("playwright", place, file, "har", playwright_client(kind), steps, {"content-encoding", "content-length"}, {"x-twice"}, count=count, exported_name="exported.har")
    of_mockserve("playwright", place, "page.har", "har", playwright_client("embed"), steps, {"content-encoding", "content-length", "x-twice"})
