"""Text as a YAML scalar."""

import json
import re

_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def quoted(text: str) -> str:
    """`text` in double quotes, which read back as exactly the same text.

    JSON's escapes are YAML's too, save for what YAML calls a line break or unprintable.
    """
    escaped = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)
