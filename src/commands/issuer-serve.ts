/** `capwrap issuer serve`: the public keys and the revocation list over HTTP, until it is told to stop. */

import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { isLoopback } from '../broker/endpoint.ts';
import { issuerFiles, readKey, readName, required } from '../broker/providers/local-issuer/files.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { openStateFor } from '../ui/open-state.ts';
import type { Command } from './command.ts';
import { answer } from './issuer-http.ts';
import { printFacts } from './issuer-output.ts';
import { type Stops, stopOnSignals } from './stop-on-signals.ts';

/** Milliseconds from a signal on in which open requests may still be answered. */
const GRACE_MS = 1_000;

export interface IssuerServeOptions {
  /** Address to listen on; 127.0.0.1 where undefined. */
  readonly host?: string;
  /** 0 or undefined takes a free one. */
  readonly port?: number;
}

/**
 * Serves until INT or TERM, then answers 0. Only public data goes out; nothing can be changed through it. Throws
 * ERR_ISSUER_NOT_READY without a key, and ERR_ISSUER_LISTEN where the address can't be had.
 */
export const issuerServe: Command<IssuerServeOptions> = async (context, options) => {
  const files = issuerFiles(openStateFor(context).dir, context.ambient.uid);
  required(readKey(files));
  const issuer = required(readName(files));
  const { host = '127.0.0.1', port = 0 } = options;
  const onLoopback = isLoopback({ hostname: isIPv6(host) ? `[${host}]` : host });
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    void answer({ files, onLoopback }, request, response);
  });
  server.maxConnections = 256;
  await listen(server, host, port);
  const stops = stopOnSignals(undefined, GRACE_MS);
  try {
    if (!onLoopback) {
      context.err(
        'capwrap: warning: plain HTTP beyond this machine can be altered on the way: put TLS in front of it',
      );
    }
    await printFacts(context, 'issuer.serve', { url: urlOf(server), issuer });
    await closed(server, stops);
    return 0;
  } finally {
    stops.release();
    server.close(); // where nobody could be told that it serves
  }
};

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Once it listens, an error is one connection that could not be taken: no reason to stop, and the promise is settled.
    server.on('error', (cause) => {
      const code = systemErrorCode(cause) ?? 'unknown error';
      reject(
        new CapwrapError('ERR_ISSUER_LISTEN', `"${host}" port ${port} can't be listened on (${code})`, {
          hint: 'capwrap issuer serve --port 0',
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** Settles once a signal has come and the open requests are answered, or have had their time. */
function closed(server: Server, { stop, cut }: Stops): Promise<void> {
  return new Promise((resolve) => {
    const close = (): void => {
      server.close(() => resolve());
      server.closeIdleConnections();
    };
    cut.addEventListener('abort', () => server.closeAllConnections());
    if (stop.aborted) close();
    else stop.addEventListener('abort', close);
  });
}

function urlOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
