"""One connection to the server: that of waitress, with problem+json errors that clients receive."""

import logging
import socket
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import Error

from kkcv.serve.access import sent_key
from kkcv.serve.models.faults import shown
from kkcv.serve.problems import DETAILS, HTTP_CODES, Problem

log = logging.getLogger("kkcv.serve")
LINGER_SECONDS = 5  # for a client that keeps sending a refused body


class Refusal(Error):
    """An error with a status that waitress itself never sends."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.code, self.reason = status, HTTPStatus(status).phrase


class ProblemTask(ErrorTask):
    """Writes errors of waitress as problem+json."""

    def execute(self) -> None:
        error = self.request.error
        code = HTTP_CODES.get(error.code, "internal")
        # waitress refuses what is equal to its limit
        detail = DETAILS[code].format(max_body=self.channel.adj.max_request_body_size - 1)
        if code == "bad-http":
            detail += f": {shown(error.body)}"  # in the words of waitress
        answer = Problem(code, detail).response()
        fields = {"status": error.code, "problem": code}
        log.info("refused: %s", detail, extra={"fields": fields})
        self.status = f"{error.code} {error.reason}"
        self.content_length = int(answer.headers.pop("Content-Length"))
        self.response_headers += answer.headers.to_wsgi_list()
        self.set_close_on_finish()
        self.channel.refused = True
        self.write(answer.get_data())


class RequestParser(HTTPRequestParser):
    """Refuses what a proxy in front may read in another way, which would let requests through.

    A body is read only of those whose key is known: bodies take memory and room on the disk.
    """

    error: Any

    def __init__(self, adjustments: Any, is_known: Callable[[str], bool]) -> None:
        super().__init__(adjustments)
        self._is_known = is_known

    def received(self, data: bytes) -> int:
        in_header = not self.headers_finished
        count = super().received(data)
        if in_header and self.headers_finished and self.body_rcv is not None and not self.error:
            headers = self.headers
            sent = sent_key(headers.get("AUTHORIZATION", ""), headers.get("X_API_KEY", ""))
            if not self._is_known(sent):
                self.error = Refusal(401, "the API key is missing or wrong")
                self.completed = True
        if self.error:
            self.expect_continue = False  # no more of the request is read
        return count

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        encoded = self.chunked or "TRANSFER_ENCODING" in self.headers
        if encoded and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Transfer-Encoding and Content-Length were both sent")
        if "," in self.headers.get("HOST", ""):  # waitress joins headers of one name
            raise ParsingError("Host was sent more than once")


class Channel(HTTPChannel):
    """A connection that lets a client read the answer even if its body was refused halfway."""

    @property
    def parser_class(self) -> Callable[[Any], RequestParser]:
        return partial(RequestParser, is_known=self.server.is_known)

    error_task_class = ProblemTask
    refused = False
    request: Any
    began: float | None = None  # when the request that is still arriving began

    @property
    def busy(self) -> bool:
        """Whether a request is arriving, being answered, or its response being sent."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    @property
    def held(self) -> int:
        """Bytes of bodies, in memory or in the temporary folder."""
        arriving = [] if self.request is None else [self.request]
        return sum(each.body_bytes_received for each in [*self.requests, *arriving])

    def received(self, data: bytes) -> bool:
        took = super().received(data)
        if self.request is None:
            self.began = None
        elif self.began is None:
            self.began = time.monotonic()
        return took

    def refuse(self, error: Error) -> None:
        """Answer the request that is arriving with an error, and close."""
        with self.requests_lock:
            request, self.request, self.began = self.request, None, None
            request.error = error
            request.completed = True
            self.requests.append(request)
            if len(self.requests) == 1:  # else a thread is at work on it, which goes on with this
                self.server.add_task(self)

    def handle_close(self) -> None:
        if self.refused and self.connected:
            Lingering(self.socket, self._map)
        super().handle_close()


class Lingering(wasyncore.dispatcher):
    """Reads and discards the rest of a refused body for a while.

    A socket that is closed with unread data is reset, and the client, still sending, would lose the
    answer that says why.
    """

    def __init__(self, connection: socket.socket, map: dict[int, Any]) -> None:
        self.deadline = time.monotonic() + LINGER_SECONDS
        super().__init__(connection.dup(), map=map)
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()

    def readable(self) -> bool:
        if time.monotonic() > self.deadline:
            self.close()
        return self.socket is not None

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        try:
            if not self.socket.recv(1 << 16):
                self.close()
        except OSError:
            self.close()

    def handle_close(self) -> None:
        self.close()
