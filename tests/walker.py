"""A visitor over plain HTTP: keeps cookies, follows redirects, and sends the forms a page has, nothing else."""

import dataclasses
from html.parser import HTMLParser
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit


@dataclasses.dataclass
class Form:
    """Where a form goes, what it would send, and the buttons that send it."""

    action: str
    form_id: str
    fields: dict[str, str] = dataclasses.field(default_factory=dict)
    buttons: list[tuple[str, str]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Page:
    status: int
    path: str
    text: str
    forms: list[Form]

    def form_with(self, field: str) -> Form:
        """The form that has a field or a button of that name."""
        return next(f for f in self.forms if field in f.fields or any(name == field for name, _ in f.buttons))

    @property
    def starts(self) -> list[str]:
        """The values of its time buttons."""
        return [value for form in self.forms for name, value in form.buttons if name == "start"]


class _Forms(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.is_inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("id", "")))
            self.is_inside = True
        elif self.is_inside and found.get("name") and tag in {"input", "button", "textarea", "select"}:
            self._take(tag, found)

    def _take(self, tag: str, found: dict[str, str]) -> None:
        form, name, value = self.forms[-1], found["name"], found.get("value", "")
        if tag == "button" or found.get("type") == "submit":
            form.buttons.append((name, value))
        elif found.get("type") not in {"radio", "checkbox"} or "checked" in found:
            form.fields[name] = value
        else:
            form.fields.setdefault(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False


class Walker:
    """One browser without JavaScript."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Page:
        return self._ask("GET", path, "")

    def send(self, page: Page, form: Form, **values: str) -> Page:
        """Submit a form of the page; empty boxes that were not ticked are left out, as a browser does."""
        fields = {name: value for name, value in {**form.fields, **values}.items() if value != ""}
        return self._ask("POST", urljoin(page.path, form.action), urlencode(fields))

    def _ask(self, method: str, path: str, body: str) -> Page:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        for header in response.headers.get_all("Set-Cookie", []):
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})
        connection.close()
        to = response.headers.get("Location")
        if to is not None and response.status in {301, 302, 303}:
            return self._ask("GET", urlsplit(urljoin(path, to))._replace(scheme="", netloc="").geturl(), "")
        return Page(response.status, path, text, _Forms(text).forms)
