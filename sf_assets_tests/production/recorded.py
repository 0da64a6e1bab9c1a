"""Play the answers of exchanges.json: each has the form of an answer in the report of `sf-assets prove`.

To put a real account's answer into the tests, paste its entry of prove.json in the place of the entry of that name.
Snowflake's answers are played by `sf_assets_tests/snowflake/account.py`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.org.org import Org

Entry = Mapping[str, Any]
EXCHANGES: list[Entry] = json.loads((Path(__file__).parent / "exchanges.json").read_text(encoding="utf-8"))
USER_INFO = json.dumps({"user_id": "0055j0000000001AAA"})


def rounds(part: str) -> list[list[Entry]]:
    """Return a part's entries so that no round has two answers to one question."""
    entries = [entry for entry in EXCHANGES if entry["part"] == part]
    names = [entry["name"] for entry in entries]
    turns = [names[:place].count(name) for place, name in enumerate(names)]
    return [[entry for entry, own in zip(entries, turns, strict=True) if own == turn] for turn in sorted(set(turns))]


def play_salesforce(org: Org, entry: Entry) -> None:
    """Let the practice org give the answer of an entry; its other answers stay."""
    request, answer = entry["request"], entry["answer"]
    if request.endswith("/describe"):
        sobject = request.split("/")[-2]
        names = {name.lower(): name for name in org.table(sobject).schema.fields}
        for column in answer["hidden"]:
            org.hide_field(sobject, names[column])
        return
    org.faults.append(Fault(path="/services/oauth2/userinfo", status=200, body=USER_INFO, times=None))
    org.faults.append(Fault(soql=request.partition("<ID>")[0], times=None, **_response(answer)))


def aws_answer(entry: Entry) -> dict[str, tuple[int, str, str]]:
    """Return the answer of an entry as the served AWS takes it: action -> status, type and body."""
    service, _, name = entry["request"].partition(":")
    action = "".join(word.capitalize() for word in name.split("_"))
    answer, is_query = entry["answer"], service == "sts"
    if "code" not in answer:
        body = _xml(f"{action}Response", {f"{action}Result": answer}) if is_query else json.dumps(answer)
    elif is_query:
        body = _xml("ErrorResponse", {"Error": {"Code": answer["code"], "Message": answer["message"]}})
    else:
        body = json.dumps({"__type": answer["code"], "message": answer["message"]})
    return {action: (answer.get("status") or 200, "text/xml" if is_query else "application/x-amz-json-1.1", body)}


def _response(answer: Any) -> dict[str, Any]:
    if isinstance(answer, list):
        return {"status": 200, "body": json.dumps({"totalSize": len(answer), "done": True, "records": answer})}
    return {"status": answer["status"], "error_code": answer["errorCode"], "message": answer["message"]}


def _xml(name: str, value: Any) -> str:
    inner = (
        "".join(_xml(key, item) for key, item in value.items()) if isinstance(value, Mapping) else escape(str(value))
    )
    return f"<{name}>{inner}</{name}>"
