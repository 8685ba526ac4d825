"""The proxy that the environment names for an address, by the variables that other programs heed as well.

`HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name one, `NO_PROXY` lists what is reached without: `*`, a host with all
below it, a host with a port, an address, a network, or a whole URL. The standard library knows only half of these.
"""

from __future__ import annotations

import ipaddress
from urllib.request import getproxies

import httpx

PORTS = {"http": 80, "https": 443}


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy for an address; None for none.

    Raises:
        ValueError: its port is none.
    """
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or any(_excludes(rule.strip().lower(), url) for rule in proxies.get("no", "").split(",")):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if (httpx.URL(proxy).port or 0) > 65535:
        raise ValueError("its port is none")
    return proxy


def _excludes(rule: str, url: httpx.URL) -> bool:
    if not rule or rule == "*":
        return rule == "*"
    scheme, _, rest = rule.rpartition("://")
    if scheme not in {"", "all", url.scheme}:
        return False
    rest = rest.rstrip("/")
    return _is_in_network(url.host, rest) or _is_host(rest, url)


def _is_in_network(host: str, text: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return False


def _is_host(text: str, url: httpx.URL) -> bool:
    """Whether a host, or one above it, is named, if need be with the port."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        host, port = text, ""
    if port and int(port) != (url.port or PORTS.get(url.scheme)):
        return False
    host = host.strip("[]").removeprefix("*").removeprefix(".")
    return bool(host) and (url.host.lower() == host or url.host.lower().endswith(f".{host}"))
