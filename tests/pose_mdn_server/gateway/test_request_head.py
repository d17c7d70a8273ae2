import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn_server.gateway.http_errors import MalformedRequestError
from pose_mdn_server.gateway.request_head import parse_head

LINE = b"POST /a HTTP/1.1\r\nhost: localhost"

TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20).map(lambda text: f"x-{text}")
VALUE = st.text([chr(code) for code in range(0x20, 0x7F)], max_size=40)


@given(st.lists(st.tuples(TOKEN, VALUE), max_size=20))
def test_headers_survive(headers: list[tuple[str, str]]) -> None:
    lines = "".join(f"\r\n{name}: {value}" for name, value in headers)
    expected = tuple((name, value.strip(" ")) for name, value in headers)
    assert parse_head(LINE + lines.encode()).headers == (("host", "localhost"), *expected)


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: LINE + b"\r\n" + tail))
def test_any_bytes_are_a_request_or_refused(head: bytes) -> None:
    try:
        found = parse_head(head)
    except MalformedRequestError as error:
        refused = error
    else:
        assert found.path == "*" or found.path.startswith("/")
        assert found.length is None or found.length >= 0
        assert all("\r" not in value and "\n" not in value for pair in found.headers for value in pair)
        return
    assert 400 <= refused.status < 600
    assert "\n" not in refused.text


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"content-length: 3\r\ncontent-length: 3", 400),
        (b"content-length: 3\r\ntransfer-encoding: chunked", 400),
        (b"content-length: +3", 400),
        (b"content-length: 3, 3", 400),
        (b"content-length: 0x3", 400),
        (b"content-length:", 400),
        (b"content-length: 9999999999999999", 400),
        (b"transfer-encoding: gzip, chunked", 501),
        (b"transfer-encoding: chunked\r\ntransfer-encoding: chunked", 400),
        (b"x-a : 1", 400),
        (b" x-a: 1", 400),
        (b"x-a: 1\n x-b: 2", 400),
        (b"x-a: 1\x00", 400),
        (b"host: other", 400),
        (b"expect: tea", 417),
        (b"nothing", 400),
        (b"\r\n".join(b"x: 1" for _ in range(200)), 431),
    ],
)
def test_ambiguous_requests_are_refused(lines: bytes, status: int) -> None:
    with pytest.raises(MalformedRequestError) as refused:
        parse_head(LINE + b"\r\n" + lines)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"PRI * HTTP/2.0", 505),
        (b"GET / HTTP/1.1\r\nx: 1", 400),
        (b"GET  / HTTP/1.1\r\nhost: a", 400),
        (b"get / HTTP/1.1\r\nhost: a", 400),
        (b"GET evil.example:80 HTTP/1.1\r\nhost: a", 400),
        (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nhost: a", 414),
        (b"GET /", 400),
        (b"", 400),
    ],
)
def test_other_first_lines_are_refused(line: bytes, status: int) -> None:
    with pytest.raises(MalformedRequestError) as refused:
        parse_head(line)
    assert refused.value.status == status


def test_the_host_of_an_absolute_address_counts() -> None:
    head = parse_head(b"GET http://evil.example:80/metrics?x=1 HTTP/1.1\r\nhost: localhost")
    assert (head.path, head.host) == ("/metrics", "evil.example:80")


def test_old_clients_keep_nothing_alive() -> None:
    head = parse_head(b"GET / HTTP/1.0")
    assert (head.host, head.version, head.keeps_alive) == ("", "1.0", False)
    assert parse_head(LINE).keeps_alive
    assert not parse_head(LINE + b"\r\nconnection: Close, x").keeps_alive
