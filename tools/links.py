"""The external links of the book, one a line in book/links.txt: open each, and say which lead nowhere.

``python -m tools.links`` opens them, and needs the network; ``python -m tools.links --list`` writes the file from the
book that was built last. A page that is there but shuts programs out counts as there: a browser opens it. Of a DOI its
registry is asked, as publishers shut out programs more often than not.
"""

import re
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from http.client import HTTPException

from analysis.runs import catalogue, publish

LINKS = catalogue.BOOK / "links.txt"
DOI, REGISTRY = "https://doi.org/", "https://doi.org/api/handles/"
SHUT_OUT = {401, 403, 405, 429}
PAUSES = (0, 5, 30)
"""Seconds before each try."""


def external(html):
    """The links in the text of a built book's pages that leave it, sorted."""
    found = set()
    for name in catalogue.toc_pages():
        text = (html / f"{name}.html").read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
        found |= {unescape(link) for link in re.findall(r'<a\b[^>]*\shref="(https?://[^"#]+)', text)}
    return sorted(found)


def trouble(link, pauses=PAUSES):
    """What is wrong with a link, or nothing; a server may fail all but once."""
    told = ""
    for pause in pauses:
        time.sleep(pause)
        told = opened(link.replace(DOI, REGISTRY, 1))
        if not told:
            break
    return told


def opened(address):
    """What opening an address once complains of, or nothing."""
    request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (link check of a book)"})
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        return "" if error.code in SHUT_OUT else f"answers {error.code}"
    except (OSError, HTTPException) as error:
        return f"cannot be reached: {getattr(error, 'reason', error)}"
    return ""


def check(links):
    """Print the links that lead nowhere; exit code 1 if there are any."""
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(links, pool.map(trouble, links), strict=True))
    broken = {link: told for link, told in found.items() if told}
    for link, told in broken.items():
        print(f"{link} {told}")
    print(f"{len(links) - len(broken)} of {len(links)} links lead somewhere")
    return int(bool(broken))


def main(arguments):
    """Write the file, or open what it lists."""
    if arguments == ["--list"]:
        LINKS.write_text("\n".join(external(publish.HTML)) + "\n", encoding="utf-8")
        return 0
    return check(LINKS.read_text(encoding="utf-8").split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
