"""A mail server for tests: tells what happens, one JSON line each, the port first.

server.py MODE CERTIFICATE KEY [USER PASSWORD]    MODE: plain, starttls or implicit
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def tell(**what):
    print(json.dumps(what), flush=True)


def is_tls(server):
    return server.transport.get_extra_info("ssl_object") is not None


class Handler:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        tell(event="EHLO", name=hostname, tls=is_tls(server))
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        tell(event="MAIL", address=address)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such user\u0007here"
        envelope.rcpt_tos.append(address)
        tell(event="RCPT", address=address)
        return "250 OK"

    async def handle_RSET(self, server, session, envelope):
        tell(event="RSET")
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        tell(event="QUIT")
        return "221 Bye"

    async def handle_DATA(self, server, session, envelope):
        tell(event="DATA", data=envelope.original_content.decode("latin-1"))
        return "250 OK"


def authenticator(name, secret):
    def check(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (name.encode(), secret.encode())
        tell(event="AUTH", mechanism=mechanism, good=good, tls=is_tls(server))
        return AuthResult(success=good, handled=False)

    return check


async def main(mode, certificate, key, *credentials):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    options = {"hostname": "mail.test", "auth_require_tls": mode == "starttls"}
    if credentials:
        options["authenticator"] = authenticator(*credentials)
    else:
        options["auth_exclude_mechanism"] = ["LOGIN", "PLAIN"]
    if mode == "starttls":
        options["tls_context"] = context
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), **options),
        host="127.0.0.1",
        port=0,
        ssl=context if mode == "implicit" else None,
    )
    tell(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
