"""Where webhooks may go: nowhere but to the public internet, however the address is written."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest
from ensemble_server.app import create_app
from ensemble_server.notices.addresses import AddressRefused, is_public, look_up
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from serving import LOOPBACK

REFUSED = [
    "https://127.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST:8443/",
    "https://localhost./",
    "https://127.1/",
    "https://2130706433/",  # decimal
    "https://0x7f000001/",  # hexadecimal
    "https://0177.0.0.1/",  # octal
    "https://017700000001/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[0:0:0:0:0:ffff:10.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::10.0.0.1]/",  # NAT64
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",  # 6to4
    "https://[2001:0:7f00:1::1]/",  # Teredo
    "https://[fd00:ec2::254]/latest/meta-data",
    "https://[fe80::1]/",
    "https://[fe80::1%25lo]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://168.63.129.16/machine",
    "https://100.100.100.200/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://192.0.0.8/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://1.1.1.1\\@127.0.0.1/",
    "https://127.0.0.1#@1.1.1.1/",
    "https://127.0.0.1?@1.1.1.1/",
    "https://user:password@1.1.1.1/",
    "https://1.1.1.1:0/",
    "https://1.1.1.1:99999/",
    "https://1.1.1.1/a b",
    "https://1.1.1.1/\nX: y",
    "https://１.1.1.1/",
    "https://1.1.1.1/" + "a" * 2000,
    "https:///path",
    "https://",
    "http://1.1.1.1/",
    "ftp://1.1.1.1/",
    "file:///etc/passwd",
    "gopher://1.1.1.1/",
    "//1.1.1.1/",
    "1.1.1.1",
    "https://[::1",
    "https://no-such-host.invalid/",
    "https://" + "a" * 300 + ".example/",
    "",
]


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_public_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        look_up(url)


def test_the_api_refuses_them_too(tmp_path: Path) -> None:
    app = create_app(Settings(folder=tmp_path, workers=0))
    client = TestClient(app, base_url=LOOPBACK, client=("127.0.0.1", 5))
    for url in REFUSED:
        answer = client.post("/v1/webhooks", json={"url": url})
        assert answer.status_code == 422, url
        assert answer.json()["code"] in {"webhook-refused", "invalid-request"}
    assert client.get("/v1/webhooks").json() == {"webhooks": []}


@pytest.mark.parametrize(
    ("url", "there", "host"),
    [
        ("https://1.1.1.1/hook?a=b#c", "https://1.1.1.1:443/hook?a=b", "1.1.1.1"),
        ("https://1.1.1.1:8443", "https://1.1.1.1:8443/", "1.1.1.1:8443"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]:443/", "[2606:4700::1111]"),
    ],
)
def test_what_is_public_is_looked_up_once(url: str, there: str, host: str) -> None:
    target = look_up(url)
    assert (target.url, target.netloc) == (there, host)


def resolving_to(*addresses: str) -> Any:
    return lambda host, port, **_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses
    ]


def test_one_private_address_among_several_is_enough_to_refuse() -> None:
    assert str(look_up("https://a.example", resolver=resolving_to("1.1.1.1")).address) == "1.1.1.1"
    with pytest.raises(AddressRefused):
        look_up("https://a.example", resolver=resolving_to("1.1.1.1", "10.0.0.1"))
    with pytest.raises(AddressRefused):
        look_up("https://a.example", resolver=resolving_to())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/x", "https://localhost/", "http://10.0.0.1/"]
)
def test_a_service_within_a_network_may_allow_them(url: str) -> None:
    assert look_up(url, private=True).address


def test_ordinary_addresses_are_public() -> None:
    for address in ("8.8.8.8", "185.199.108.1", "2a00:1450:4001::1", "::ffff:8.8.8.8"):
        assert is_public(ipaddress.ip_address(address))
