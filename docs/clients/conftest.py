"""A database at its baseline for every test of pytest: `afresh run -- pytest`, also with `-n 4`."""
import http.client
import json
import os
from urllib.parse import urlsplit

import pytest


class Database:
    """A lease, which ends with its connection: also if this process is killed."""

    def __init__(self, client):
        self._http = http.client.HTTPConnection(urlsplit(os.environ["AFRESH_SERVER"]).netloc)
        self.lease = self._ask("POST", "/v1/leases", {"client": client, "endsWithConnection": True})
        self.url = self.lease["url"]

    def reset(self, test):
        return self._call("reset", test=test)

    def load(self, fixtures):
        return self._call("load", set=fixtures)

    def snapshot(self, name):
        return self._call("snapshot", name=name)

    def restore(self, name):
        return self._call("restore", name=name)

    def release(self):
        self._ask("DELETE", f"/v1/leases/{self.lease['id']}")
        self._http.close()

    def _call(self, action, **body):
        return self._ask("POST", f"/v1/leases/{self.lease['id']}/{action}", body)

    def _ask(self, method, path, body=None):
        headers = {"Authorization": "Bearer " + os.environ["AFRESH_TOKEN"], "Content-Type": "application/json"}
        self._http.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._http.getresponse()
        answer = json.loads(response.read() or "{}")
        if response.status >= 400:
            raise RuntimeError(f"afresh: {answer['error']['message']}")
        return answer


@pytest.fixture(scope="session")
def leased():
    database = Database(os.environ.get("PYTEST_XDIST_WORKER", "pytest"))
    # Before the code under test connects.
    os.environ.update(database.lease["env"])
    yield database
    database.release()


@pytest.fixture(autouse=True)
def database(leased, request):
    yield leased
    leased.reset(request.node.nodeid)
