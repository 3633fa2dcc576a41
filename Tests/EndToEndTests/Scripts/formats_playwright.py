"""The client of formats_browser.py that records with Playwright. It reads the steps from its standard input and writes what it saw.

Usage: formats_playwright.py record|play|plain URL FILE embed|attach
"""

import json
import sys

from playwright.sync_api import sync_playwright

mode, base, file, kind, ask = sys.argv[1:]
steps = json.load(sys.stdin)
with sync_playwright() as library:
    # Debian's browser: nothing is downloaded.
    browser = library.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
    context = browser.new_context(**({"record_har_path": file, "record_har_content": kind} if mode == "record" else {}))
    if mode == "play":
        context.route_from_har(file, not_found="abort")
    page = context.new_page()
    page.goto(base + "/page")
    answers = [page.evaluate(ask, [step["method"], base + step["target"], step["fields"], step["body"]]) for step in steps]
    context.close()
    browser.close()
json.dump(answers, sys.stdout)
