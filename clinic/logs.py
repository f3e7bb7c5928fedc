"""What never stands in a log."""

import logging
import re

# The path of a mailed link: whoever reads its token may see and cancel the visit.
TOKEN = re.compile(r"/visit/[^/\s'\"]{20,}")


class WithoutTokens(logging.Filter):
    """Blanks the tokens of manage links in every record that passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/visit/" in message:
            record.msg, record.args = TOKEN.sub("/visit/[link]", message), ()
        return True
