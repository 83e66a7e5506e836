"""The approvals page as HTML: no scripts, nothing from elsewhere, and somebody else's text only escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from dropship_mcp.ledger import Approval
from dropship_tools.text import clean

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 0 1rem 3rem; background: #fff; color: #1b1b1b;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between;
  padding: .75rem 0; border-bottom: 1px solid #767676; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.2rem; }
a { color: #0b4f9e; }
pre { margin: 1rem 0; padding: 1rem; border: 2px solid #1b1b1b; white-space: pre-wrap; font: inherit; }
ul { padding: 0; list-style: none; }
li { padding: .6rem 0; border-bottom: 1px solid #d0d0d0; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
label { display: block; font-weight: 600; }
input { width: 100%; min-height: 2.75rem; padding: .5rem; border: 2px solid #595959; font: inherit; }
button { min-height: 2.75rem; padding: .5rem 1.25rem; border: 2px solid #1b1b1b; background: #fff; color: #1b1b1b;
  font: inherit; cursor: pointer; }
button.yes { background: #14532d; border-color: #14532d; color: #fff; }
.choice { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; }
.notice { padding: .75rem 1rem; border: 2px solid #8a1c1c; }
:focus-visible { outline: 3px solid #0b4f9e; outline-offset: 2px; }
"""

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",  # no-referrer would take the Origin from our own forms
    "cache-control": "no-store",
}

_STATES = {
    "waiting": "waits for a decision",
    "approved": "approved; the order has not been placed yet",
    "declined": "declined",
    "used": "approved, and used for the order",
    "expired": "expired",
}

_ENDS = {"waiting": "Waits until", "approved": "Good until"}


def overview(path: str, waiting: Sequence[Approval], recent: Sequence[Approval], signed_in: str) -> str:
    """What waits, and what happened lately; newest first."""
    rows = "".join(_row(path, a, f"waits until {_time(a.expires_at)}") for a in waiting)
    past = "".join(_row(path, a, f"{_STATES[a.state]}{_how(a)}") for a in recent)
    return _page(
        "Approvals",
        f"<h1>Approvals</h1><h2>Waiting for a decision ({len(waiting)})</h2>"
        + (f"<ul>{rows}</ul>" if rows else "<p>No order waits for approval.</p>")
        + "<h2>Decided lately</h2>"
        + (f"<ul>{past}</ul>" if past else "<p>Nothing yet.</p>"),
        signed_in,
    )


def details(path: str, approval: Approval, form: str, signed_in: str, notice: str = "") -> str:
    """One approval. It can be decided while it waits, if the question can be read."""
    number = approval.number
    body = _notice(notice) + f"<h1>Approval {number}: {_STATES[approval.state]}</h1><p>{_what(approval)}</p>"
    if approval.state == "waiting" and approval.question:
        body += (
            f"<pre>{escape(approval.question)}</pre>"
            f'<form method="post" action="{escape(path)}/{number}" class="choice">{_hidden("form", form)}'
            '<button class="yes" name="decision" value="approve">Approve this order</button>'
            '<button name="decision" value="decline">Decline</button></form>'
            "<p>Approving lets exactly this order go out once.</p>"
        )
    elif approval.state == "waiting":
        body += "<p>The question cannot be read, so nobody can agree to it.</p>"
    facts = [("Asked because", escape(clean(approval.reason))), ("Asked", _time(approval.asked_at))]
    if approval.decided_at:
        facts.append(("Decided", f"{_time(approval.decided_at)}{_how(approval)}"))
    if approval.state in _ENDS:
        facts.append((_ENDS[approval.state], _time(approval.expires_at)))
    shown = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    body += f'<dl>{shown}</dl><p><a href="{escape(path)}">All approvals</a></p>'
    return _page(f"Approval {number}: {_STATES[approval.state]}", body, signed_in)


def sign_in(path: str, number: int | None, problem: str = "") -> str:
    """The form that takes a token. `number`: the approval to show afterwards."""
    hint = ' aria-describedby="problem" aria-invalid="true"' if problem else ""
    return _page(
        "Sign in",
        "<h1>Sign in to approve orders</h1>"
        + _notice(problem)
        + f'<form method="post" action="{escape(path)}/sign-in">{_hidden("number", str(number or ""))}'
        '<p><label for="token">Your token, with the scope orders:approve</label>'
        f'<input id="token" name="token" type="password" autocomplete="current-password" required{hint}></p>'
        "<button>Sign in</button></form>",
    )


def message(path: str, title: str, text: str) -> str:
    """A sentence, where there is nothing else to show."""
    return _page(title, f'<h1>{title}</h1><p>{text}</p><p><a href="{escape(path)}">All approvals</a></p>')


def once_more(address: str) -> str:
    """Browsers send no cookie of ours with a link from elsewhere; with the next request, made from here, they do."""
    refresh = f'<meta http-equiv="refresh" content="0; url={escape(address)}">'
    return _page("Approvals", f'<h1>Approvals</h1><p><a href="{escape(address)}">Continue</a></p>', head=refresh)


def signed_in_as(path: str, subject: str, form: str) -> str:
    """The line that says who decides here. `form`: to sign out; empty where nobody has signed in."""
    leave = (
        f'<form method="post" action="{escape(path)}/sign-out">{_hidden("form", form)}<button>Sign out</button></form>'
        if form
        else ""
    )
    return f"<header><span>Signed in as {escape(clean(subject, 64))}</span>{leave}</header>"


def _page(title: str, main: str, header: str = "", head: str = "") -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} - dropship-mcp</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}<style>{STYLE}</style></head>'
        f"<body>{header}<main>{main}</main></body></html>"
    )


def _row(path: str, approval: Approval, state: str) -> str:
    number = approval.number
    return f'<li><a href="{escape(path)}/{number}">Approval {number}</a>: {_what(approval)}<br>{state}</li>'


def _what(approval: Approval) -> str:
    key = approval.key
    return escape(f"{key.mode} order {clean(key.reference, 60)} at {key.provider}, account {key.account}")


def _how(approval: Approval) -> str:
    return f", {escape(clean(approval.how, 120))}" if approval.how else ""


def _time(when: datetime) -> str:
    return f'<time datetime="{when:%Y-%m-%dT%H:%MZ}">{when:%Y-%m-%d %H:%M} UTC</time>'


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _notice(text: str) -> str:
    return f'<p class="notice" id="problem" role="alert">{escape(text)}</p>' if text else ""
