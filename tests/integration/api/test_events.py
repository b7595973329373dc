"""The event feed: by cursor and as it happens."""

from typing import Any

import httpx
import orjson

from infra.tokens import Role
from tests.support.api_server import Api, Outlet


class TestCursor:
    def test_whoever_goes_from_cursor_to_cursor_sees_each_event_once(self, shop: Outlet) -> None:
        for _ in range(5):
            shop.sell()
        seen: list[str] = []
        cursor = ""
        while True:
            page = shop.api.get("/v1/events", cursor=cursor, limit=7).json()
            cursor = page["cursor"]
            if not page["events"]:
                break
            assert len(page["events"]) <= 7
            seen += [event["position"] for event in page["events"]]

        assert len(seen) == len(set(seen)) == shop.api.log_length()

    def test_events_carry_what_happened_in_units(self, shop: Outlet) -> None:
        start = shop.api.get("/v1/events", cursor="latest").json()
        assert start["events"] == []
        sold = shop.sell().json()

        events = shop.api.get("/v1/events", cursor=start["cursor"]).json()["events"]

        issued = next(event for event in events if event["topic"] == "register.receipt-issued")
        assert issued["stream_id"] == str(shop.register_id)
        assert issued["data"]["receipt"]["receipt_id"] == sold["receipt_id"]
        assert issued["data"]["receipt"]["total_kopecks"] == 2750
        assert sold["position"] in {event["position"] for event in events}

    def test_cursor_that_is_none_is_refused(self, api: Api) -> None:
        answer = api.get("/v1/events", cursor="zzz")

        assert answer.status_code == 422
        assert answer.json()["field"] == "cursor"


class TestStream:
    def test_events_come_as_they_happen_and_a_new_connection_misses_nothing(
        self, shop: Outlet
    ) -> None:
        with _Stream(shop.api) as stream:
            start = stream.next()
            first = shop.sell().json()
            group = stream.next()
        second = shop.sell().json()
        with _Stream(shop.api, last_event_id=group["id"]) as stream:
            assert stream.next()["id"] == group["id"]
            missed = stream.next()

        assert "data" not in start
        assert first["receipt_id"] in _receipts(group)
        assert _receipts(missed) == {second["receipt_id"]}

    def test_too_many_streams_are_refused(self, api: Api) -> None:
        most = api.parts.settings.most_event_streams
        api.parts.metrics.open_streams += most
        try:
            answer = api.get("/v1/events/stream")
        finally:
            api.parts.metrics.open_streams -= most

        assert answer.status_code == 503
        assert answer.json()["code"] == "unavailable"


class _Stream:
    """A client of server-sent events."""

    def __init__(self, api: Api, *, last_event_id: str | None = None) -> None:
        self._api = api
        self._headers = {"Authorization": f"Bearer {api.tokens[Role.AUDITOR]}"}
        if last_event_id is not None:
            self._headers["Last-Event-ID"] = last_event_id

    def __enter__(self) -> "_Stream":
        self._client = httpx.Client(base_url=self._api.url, timeout=10)
        self._context = self._client.stream("GET", "/v1/events/stream", headers=self._headers)
        answer = self._context.__enter__()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        self._lines = answer.iter_lines()
        return self

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(None, None, None)
        self._client.close()

    def next(self) -> dict[str, str]:
        """The next group of fields."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                if fields:
                    return fields
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
        raise AssertionError("the stream ended")


def _receipts(group: dict[str, str]) -> set[str]:
    events: list[dict[str, Any]] = orjson.loads(group["data"])
    return {
        event["data"]["receipt"]["receipt_id"]
        for event in events
        if event["topic"] == "register.receipt-issued"
    }
