"""A small API server: it keeps objects by path, calls every node Ready, and notices nothing by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def rules(selector: str) -> list[str]:
    """The parts of a selector."""
    return [rule for rule in selector.split(",") if rule]


def selects(rule: str, content: dict[str, Any]) -> bool:
    """Return whether a part of a selector holds for fields, or for labels."""
    key, _, wanted = rule.partition("=")
    name = key.removesuffix("!")
    value = content[name] if name in content else value_at(content, name)
    return (value == wanted) is not key.endswith("!")


def value_at(content: dict[str, Any], path: str) -> str:
    """Return the text of a field, such as ``spec.nodeName``; empty if it is not there."""
    for part in path.split("."):
        content = content.get(part, {})
    return str(content or "")


class FakeApi:
    """The objects by their paths, and what was asked.

    Attributes:
        objects: path → object.
        asked: method and path of each request.
        ready: whether nodes become Ready.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.ready = True

    def add(self, path: str, **content: Any) -> None:
        """Put an object there, with name and namespace as its path says."""
        parts = path.split("/")
        namespace = {"namespace": parts[parts.index("namespaces") + 1]} if "namespaces" in parts else {}
        metadata = {"name": parts[-1], **namespace, **content.pop("metadata", {})}
        self.objects[path] = {"metadata": metadata, **content}

    def listed(self, path: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Return the objects of a collection, of all namespaces if its path names none, that match the selectors."""
        version, _, kind = path.rpartition("/")
        found = []
        for where, each in self.objects.items():
            collection = where.rpartition("/")[0]
            if collection == path or (collection.startswith(f"{version}/namespaces/") and collection.endswith(kind)):
                found.append(each)
        labels, fields = (query.get(f"{each}Selector", [""])[0] for each in ("label", "field"))
        return [
            each
            for each in found
            if all(selects(rule, each["metadata"].get("labels", {})) for rule in rules(labels))
            and all(selects(rule, each) for rule in rules(fields))
        ]

    @contextmanager
    def served(self, directory: Path) -> Iterator[Path]:
        """Serve it, and yield the path of a kubeconfig."""
        api = self

        class Answer(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def answer(self, content: object, code: int = 200) -> None:
                body = json.dumps(content).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def asked(self) -> tuple[str, dict[str, list[str]]]:
                parts = urlsplit(self.path)
                api.asked.append(f"{self.command} {parts.path}")
                return parts.path, parse_qs(parts.query)

            def do_GET(self) -> None:
                path, query = self.asked()
                found = api.listed(path, query)
                if "watch" in query:
                    lines = [json.dumps({"type": "ADDED", "object": each}) for each in found]
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write("".join(f"{line}\n" for line in lines).encode())
                else:
                    self.answer({"items": found, "metadata": {"resourceVersion": "1"}})

            def do_POST(self) -> None:
                path, _ = self.asked()
                length = int(self.headers["Content-Length"])
                content = json.loads(self.rfile.read(length))
                if path.endswith("/token"):
                    return self.answer({"status": {"token": "secret", "expirationTimestamp": "2026-01-01T00:00:00Z"}})
                name = content["metadata"]["name"]
                if f"{path}/{name}" in api.objects:
                    return self.answer({"message": "it exists"}, 409)
                if path.endswith("/nodes") and api.ready:
                    content["status"] = {**content["status"], **READY}
                content["metadata"]["resourceVersion"] = "1"
                api.objects[f"{path}/{name}"] = content
                return self.answer(content, 201)

            def do_PATCH(self) -> None:
                path, _ = self.asked()
                change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.objects[path].update(change)
                self.answer(api.objects[path])

            def do_DELETE(self) -> None:
                path, query = self.asked()
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                many = {"labelSelector", "fieldSelector"} & {*query}
                gone = api.listed(path, query) if many else [{"metadata": {"name": ""}}]
                for each in gone:
                    name = each["metadata"]["name"]
                    api.objects.pop(f"{path}/{name}".rstrip("/"), None)
                self.answer({})

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        kubeconfig = {
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": url}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "users": [{"name": "fake", "user": {"token": "none"}}],
        }
        path = directory / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
        try:
            yield path
        finally:
            server.shutdown()
            thread.join(timeout=10)
            server.server_close()
