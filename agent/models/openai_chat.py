"""Models behind an OpenAI-compatible endpoint: hosted, vLLM, Ollama, llama.cpp, ...

Chat completions, without streaming, because every server has them. The client library sends and
retries; the body is read here, since servers take liberties with it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.models.chat_body import read_body
from agent.models.completer import Completion, Model, Prompt, Script, Trouble
from evaluator.errors import ConfigError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAIError

KEY_VARIABLE = "OPENAI_API_KEY"
NO_KEY = "none"
"""What is sent where no key is set: servers on one's own machine want none."""
MAX_BODY_BYTES = 16 << 20
PATIENCE = 3.0
"""A call with all its retries may take so many times the time of one attempt."""
_USERS_FAULT = (400, 401, 403, 404, 405, 422)


def is_local(base_url: str | None) -> bool:
    """The endpoint is on this machine, so that nobody charges for it."""
    host = urlsplit(base_url or "").hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OpenAIChat:
    """Asks an endpoint. The key comes from the environment and goes nowhere else.

    Args:
        models: Who to ask.
        base_url: Of the endpoint; None for the library's default.
        timeout: Seconds per attempt.
        retries: Further attempts after 408, 409, 429, 5xx, timeouts and broken connections, with
            growing pauses, or those that Retry-After asks for.
        answer_tokens: Longest answer.
        temperature: None leaves it to the server.
    """

    name = "openai"

    def __init__(
        self,
        models: Sequence[Model],
        base_url: str | None,
        *,
        timeout: float,
        retries: int,
        answer_tokens: int,
        temperature: float | None = None,
    ) -> None:
        self.models = models
        self._base_url = base_url
        self._timeout = timeout
        self._retries = retries
        self._answer_tokens = answer_tokens
        self._temperature = temperature
        self._key = os.environ.get(KEY_VARIABLE, "")
        # OpenAI's own models know the newer name alone, other servers often the older one alone.
        self._limit_name = "max_completion_tokens" if base_url is None else "max_tokens"
        self._client: AsyncOpenAI | None = None

    def script(self, number: int) -> Script | None:
        """None: the search decides."""
        return None

    async def complete(self, number: int, model: str, prompt: Prompt) -> Completion:
        """One chat completion; see `Completer.complete`."""
        self._connected()  # the library takes its time to load; that is not the server's
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE * self._timeout):
                body = await self._send(model, prompt)
            return read_body(model, body, time.monotonic() - started)
        except TimeoutError:
            trouble, error = Trouble.UNAVAILABLE, "no answer in time"
        except Exception as caught:  # the boundary to a library and a server: anything may come
            trouble, error = self._explain(caught)
        seconds = time.monotonic() - started
        # A status of theirs is not billed; after a timeout or a cut connection nobody knows.
        billed = None if trouble is Trouble.UNAVAILABLE and "HTTP" not in error else 0
        return Completion(model, seconds, None, billed, billed, trouble, self.redacted(error))

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def served_models(self) -> list[str]:
        """Names of the models that the endpoint serves.

        Raises:
            ConfigError: It cannot be asked.
        """
        client = self._connected()
        try:
            async with asyncio.timeout(self._timeout):
                return [model.id async for model in client.models.list()]
        except Exception as caught:  # as above
            _, error = self._explain(caught)
            where = self._base_url or "the default endpoint"
            raise ConfigError(
                f"{where} does not list its models ({self.redacted(error)}): is it running? "
                "Otherwise name one with --model"
            ) from None

    def redacted(self, text: str) -> str:
        """Without the key: some servers quote it in their errors."""
        return text.replace(self._key, "[key]") if self._key else text

    async def _send(self, model: str, prompt: Prompt) -> bytes:
        from openai import BadRequestError

        try:
            return await self._attempt(model, prompt)
        except BadRequestError as error:
            if self._limit_name not in str(error):
                raise
            other = {"max_tokens", "max_completion_tokens"} - {self._limit_name}
            (self._limit_name,) = other
            return await self._attempt(model, prompt)

    async def _attempt(self, model: str, prompt: Prompt) -> bytes:
        import httpx2

        asked: dict[str, object] = {
            "model": model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
            self._limit_name: self._answer_tokens,
        }
        if self._temperature is not None:
            asked["temperature"] = self._temperature
        # Past the library's types, which it would match with the body one by one: that takes
        # longer than everything else it does.
        raw = await self._connected().post("/chat/completions", body=asked, cast_to=httpx2.Response)
        if len(raw.content) > MAX_BODY_BYTES:
            raise ValueError(f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB")
        return raw.content

    def _connected(self) -> AsyncOpenAI:
        if self._client is None:
            import openai

            local = is_local(self._base_url)
            self._client = openai.AsyncOpenAI(
                api_key=self._key or NO_KEY,
                base_url=self._base_url,
                timeout=self._timeout,
                max_retries=self._retries,
                # A proxy has no business between us and a server on this machine.
                http_client=openai.DefaultAsyncHttpxClient(trust_env=not local),
            )
        return self._client

    def _explain(self, error: BaseException) -> tuple[Trouble, str]:
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        if isinstance(error, APITimeoutError | TimeoutError):
            return Trouble.UNAVAILABLE, f"no answer within {self._timeout:g} s"
        if isinstance(error, APIConnectionError):
            cause = f": {error.__cause__}" if error.__cause__ else ""
            return Trouble.UNAVAILABLE, f"the connection failed{cause}"
        if isinstance(error, APIStatusError):
            code = error.status_code
            trouble = Trouble.REFUSED if code in _USERS_FAULT else Trouble.UNAVAILABLE
            return trouble, f"HTTP {code}: {_message(error)}"
        return Trouble.UNUSABLE, f"{type(error).__name__}: {error}"[:300]


def _message(error: OpenAIError) -> str:
    """The server's words, shortened; some send pages of HTML."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    text = said if isinstance(said, str) else json.dumps(body) if body else str(error)
    return " ".join(text.split())[:200]
