"""`python -m okta_devorg`: a local org in the foreground."""

import argparse
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

from okta_devorg import INSTALL

try:
    from okta_devorg.server import make_org
    from okta_devorg.state.org import Org
    from okta_devorg.state.users import UsersFileError
except ModuleNotFoundError as error:
    sys.exit(f"okta_devorg: {error.name} is not installed: {INSTALL}")


# Both are handled explicitly: the background jobs of a shell start with SIGINT ignored.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Run the org until a signal stops it; return the exit status."""
    options = argument_parser().parse_args()
    try:
        org, server = make_org(options.host, options.port, options.site, data=options.data, url=options.url or "")
    except OSError as error:
        print(f"okta_devorg: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    except UsersFileError as error:
        print(f"okta_devorg: {error}", file=sys.stderr)
        return 1
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    print(banner(org, options.host), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        org.closing.set()
        server.server_close()
    return 0


def stop(*_: object) -> None:
    """Stop the org at the first signal and ignore further ones: Ctrl-C and a parent process may both send one.

    :raises KeyboardInterrupt: always.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser("okta_devorg", description="A local Okta org for development. Not for production.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; by default only this machine")
    parser.add_argument(
        "--site", type=origin, default="http://127.0.0.1:8000", help="the origin of the site that people sign up on"
    )
    parser.add_argument("--url", type=origin, help="the org's public origin, behind a proxy with TLS")
    parser.add_argument("--data", type=Path, metavar="FILE", help="keep users in FILE between runs")
    return parser


def origin(text: str) -> str:
    """Return the origin in an argument.

    :raises argparse.ArgumentTypeError: if it is something else.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise argparse.ArgumentTypeError("an origin looks like http://127.0.0.1:8000")
    return f"{parts.scheme}://{parts.netloc}"


def banner(org: Org, host: str) -> str:
    """Return what the program prints when it has started: the pages, the issuer and the client."""
    app = org.policy.apps[0]
    reach = f"listening on {host}: others can reach it" if org.is_public else "this machine only"
    token = f"  token    {org.policy.api_token} (Management API, for this run)\n" if org.is_public else ""
    return (
        f"Local Okta org ({reach})\n"
        f"  mailbox  {org.base}/\n"
        f"  phone    {org.base}/phone\n"
        f"  users    {org.base}/users\n"
        f"  policy   {org.base}/policy\n"
        f"  issuer   {org.issuer}\n"
        f"  client   {app.client_id} ({app.label})\n"
        f"{token}"
        "Ctrl-C stops it."
    )


if __name__ == "__main__":
    sys.exit(main())
