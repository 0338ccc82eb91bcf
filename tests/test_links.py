"""Links that lead nowhere are told from those that are there, also from those that only let browsers in."""

import http.server
import threading

import pytest

from tools import links


@pytest.fixture(scope="module")
def address():
    class Answers(http.server.BaseHTTPRequestHandler):
        """The last part of the path is the answer's code; 'once' is there the second time."""

        seen = 0

        def do_GET(self):
            Answers.seen += self.path == "/once"
            code = self.path.rpartition("/")[2]
            self.send_response(int(code) if code.isdigit() else 503 if Answers.seen == 1 else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(("path", "told"), [("200", ""), ("403", ""), ("404", "answers 404"), ("500", "answers 500")])
def test_a_page_that_is_there_is_told_from_one_that_is_not(address, path, told):
    assert links.trouble(f"{address}/{path}", pauses=[0]) == told


def test_a_server_may_fail_once(address):
    assert links.trouble(f"{address}/once", pauses=[0, 0]) == ""


def test_a_host_that_is_not_there_cannot_be_reached():
    assert links.trouble("http://127.0.0.1:9/", pauses=[0]).startswith("cannot be reached: ")


def test_a_doi_is_asked_of_its_registry(monkeypatch):
    asked = []
    monkeypatch.setattr(links, "opened", lambda address: asked.append(address) or "")
    links.trouble("https://doi.org/10.1/x", pauses=[0])
    assert asked == ["https://doi.org/api/handles/10.1/x"]


def test_what_leads_nowhere_is_named_and_fails(address, monkeypatch, capsys):
    monkeypatch.setattr(links.trouble, "__defaults__", ([0],))
    assert links.check([f"{address}/200", f"{address}/404"]) == 1
    assert capsys.readouterr().out == f"{address}/404 answers 404\n1 of 2 links lead somewhere\n"
    assert links.check([f"{address}/200"]) == 0
