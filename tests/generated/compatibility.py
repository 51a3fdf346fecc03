"""What a change of the OpenAPI document breaks for clients that were made from the one before.

What clients send may only be taken more freely than before, and what they are answered may only
say more precisely what it said: so schemas are compared in one direction for requests, and in the
other for answers. An answer may get new fields and new values of an enum, as the document says.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "patch")
_FOR_PEOPLE = {"title", "description", "summary", "examples", "example", "tags", "version"}
_LEAST = ("minimum", "minLength", "minItems")
_MOST = ("maximum", "maxLength", "maxItems")
_DRAFTS = ("anyOf", "oneOf")


def essence(document: Any) -> Any:
    """A document without what is for people alone; small enough to be kept, and to be read."""
    if isinstance(document, list):
        return [essence(each) for each in document]
    if not isinstance(document, dict):
        return document
    if "responses" in document:  # of an operation; errors share one shape, and are not compared
        told = {status: each for status, each in document["responses"].items() if status < "300"}
        document = document | {"responses": told}
    # A field may have such a name too: it then has a schema.
    return {
        name: essence(value)
        for name, value in document.items()
        if name not in _FOR_PEOPLE or isinstance(value, dict)
    }


def broken(old: Json, new: Json) -> list[str]:
    """What clients of the old document can no longer do, each with its place; of two `essence`s."""
    comparison = _Comparison(old, new)
    return sorted(set(comparison.of_paths()))


class _Side(NamedTuple):
    """One document, and what its references mean."""

    document: Json

    def resolve(self, part: Json) -> Json:
        while "$ref" in part:
            found: Any = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def drafts(self, schema: Json) -> list[Json]:
        """The alternatives of a schema, of which each has one type."""
        schema = self.resolve(schema)
        for word in _DRAFTS:
            if word in schema:
                return [draft for each in schema[word] for draft in self.drafts(each)]
        return [schema]


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = _Side(old), _Side(new)
        self._known: dict[tuple[int, int, bool], list[str]] = {}

    def of_paths(self) -> Iterator[str]:
        for path, old in self._old.document["paths"].items():
            new = self._new.document["paths"].get(path)
            if new is None:
                yield f"{path}: is gone"
                continue
            for method in _METHODS:
                if method in old:
                    at = f"{method.upper()} {path}"
                    if method not in new:
                        yield f"{at}: is gone"
                    else:
                        yield from self._operation(at, old[method], new[method])

    def _operation(self, at: str, old: Json, new: Json) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{at}: is called otherwise by generated clients"
        if new.get("security") and not old.get("security"):
            yield f"{at}: needs a token now"
        yield from self._parameters(at, old, new)
        yield from self._body(at, old, new)
        for status, answer in old["responses"].items():
            there = new["responses"].get(status)
            if there is None:
                yield f"{at} {status}: is gone"
                continue
            content = self._new.resolve(there).get("content", {})
            for kind, told in self._old.resolve(answer).get("content", {}).items():
                if kind not in content:
                    yield f"{at} {status}: {kind} is gone"
                else:
                    place = f"{at} {status}"
                    yield from self._answer(place, told["schema"], content[kind]["schema"])

    def _parameters(self, at: str, old: Json, new: Json) -> Iterator[str]:
        before, after = self._named(self._old, old), self._named(self._new, new)
        for key, parameter in before.items():
            place = f"{at} {key[1]}"
            if key not in after:
                yield f"{place}: is gone"
                continue
            if after[key].get("required") and not parameter.get("required"):
                yield f"{place}: is owed now"
            yield from self._request(place, parameter["schema"], after[key]["schema"])
        for key in after.keys() - before.keys():
            if after[key].get("required"):
                yield f"{at} {key[1]}: is owed now"

    @staticmethod
    def _named(side: _Side, operation: Json) -> dict[tuple[str, str], Json]:
        resolved = map(side.resolve, operation.get("parameters", []))
        return {(each["in"], each["name"].lower()): each for each in resolved}

    def _body(self, at: str, old: Json, new: Json) -> Iterator[str]:
        before, after = old.get("requestBody"), new.get("requestBody")
        if after is None:
            if before is not None:
                yield f"{at}: takes no body any more"
            return
        if after.get("required") and not (before and before.get("required")):
            yield f"{at}: owes a body now"
        for kind, told in (before or {"content": {}})["content"].items():
            if kind not in after["content"]:
                yield f"{at}: {kind} is not taken any more"
            else:
                schema = after["content"][kind]["schema"]
                yield from self._request(f"{at} body", told["schema"], schema)

    def _request(self, at: str, old: Json, new: Json) -> Iterator[str]:
        """What was taken is still taken."""
        return (at + found for found in self._schemas(old, new, is_answer=False))

    def _answer(self, at: str, old: Json, new: Json) -> Iterator[str]:
        """What is told was to be expected."""
        return (at + found for found in self._schemas(new, old, is_answer=True))

    def _schemas(self, sent: Json, taken: Json, *, is_answer: bool) -> list[str]:
        """Why what fits one schema does not fit another; places are below theirs.

        Of requests, what the old one lets send and the new one takes; of answers the other way.
        """
        giver, taker = (self._new, self._old) if is_answer else (self._old, self._new)
        key = (id(giver.resolve(sent)), id(taker.resolve(taken)), is_answer)
        if key not in self._known:
            self._known[key] = []  # within itself a schema fits, if it does
            self._known[key] = [
                found
                for draft in giver.drafts(sent)
                for found in min(
                    (self._draft(draft, each, is_answer) for each in taker.drafts(taken)), key=len
                )
            ]
        return self._known[key]

    def _draft(self, sent: Json, taken: Json, is_answer: bool) -> list[str]:  # noqa: FBT001
        kind, expected = sent.get("type"), taken.get("type")
        is_whole = (kind, expected) == ("integer", "number")
        if expected is not None and kind != expected and not is_whole:
            return [f": {kind} is new" if is_answer else f": {kind} is not taken any more"]
        if taken.get("format") not in (None, sent.get("format")):
            return [": another format"]
        found = [] if is_answer else list(_narrower(sent, taken))
        if "items" in taken:
            inner = self._schemas(sent.get("items", {}), taken["items"], is_answer=is_answer)
            found += [f"[]{each}" for each in inner]
        return [*found, *self._fields(sent, taken, is_answer)]

    def _fields(self, sent: Json, taken: Json, is_answer: bool) -> Iterator[str]:  # noqa: FBT001
        has, knows = sent.get("properties", {}), taken.get("properties", {})
        given, owed = set(sent.get("required", ())), set(taken.get("required", ()))
        for name, schema in has.items():
            if name in knows:
                inner = self._schemas(schema, knows[name], is_answer=is_answer)
                yield from (f"/{name}{each}" for each in inner)
            elif not is_answer and taken.get("additionalProperties") is False:
                yield f"/{name}: is not taken any more"
        for name in owed & has.keys() - given:
            yield f"/{name}: " + ("may be missing now" if is_answer else "is owed now")
        for name in (knows.keys() if is_answer else owed) - has.keys():
            yield f"/{name}: " + ("is gone" if is_answer else "is owed now")


def _narrower(old: Json, new: Json) -> Iterator[str]:
    """What of one type is not taken any more."""
    if "enum" in new or "const" in new:
        values = new.get("enum", [new.get("const")])
        for value in old.get("enum", [old["const"]] if "const" in old else [...]):
            if value not in values:
                yield f": {'not everything' if value is ... else value} is taken now"
    for words, is_least in ((_LEAST, True), (_MOST, False)):
        for word in words:
            bound, before = new.get(word), old.get(word)
            if bound is None:
                continue
            if before is None or (bound > before if is_least else bound < before):
                yield f": {word} is {bound}"
    if new.get("pattern") not in (None, old.get("pattern")):
        yield ": another pattern"
