/** Answers on their way out: error documents, the headers of every answer, and what a fault makes of them. */
import type { ServerResponse } from 'node:http';
import { CLOUDFRONT_XMLNS } from './cloudfront.ts';
import { type Fault, rewriteElements } from './faults.ts';
import { STS_XMLNS } from './sts.ts';
import type { Call, Refusal, Reply, Service } from './wire.ts';
import { xmlDocument } from './xml.ts';

/** What a fault answers with in place of the service; null where it lets the service answer. */
export function insteadOfAnswer(fault: Fault | undefined): Reply | null {
  switch (fault?.kind) {
    case 'body':
      return { status: fault.status, headers: fault.headers ?? {}, body: fault.body };
    case 'html':
      return {
        status: 503,
        headers: { 'content-type': 'text/html' },
        body: '<html><head><title>503 Service Unavailable</title></head><body><hr>gateway</body></html>',
      };
    case 'huge':
      return { status: 200, headers: { 'content-type': 'text/xml' }, body: Buffer.alloc(fault.bytes, 'x') };
    case 'redirect':
      return { status: 307, headers: { location: fault.to }, body: '' };
    default:
      return null;
  }
}

/** The error document of a service. */
export function errorReply(service: Service, refusal: Refusal, call: Call, requestId: string): Reply {
  const { code: Code, message: Message, details, status } = refusal;
  if (service === 's3') {
    const ids = { RequestId: requestId, HostId: hostId(requestId) };
    const body =
      call.method === 'HEAD' ? '' : xmlDocument('Error', null, { Code, Message, ...details, ...ids });
    return { status, headers: { 'content-type': 'application/xml' }, body };
  }
  const xmlns = service === 'sts' ? STS_XMLNS : CLOUDFRONT_XMLNS;
  const Type = status < 500 ? 'Sender' : 'Receiver';
  const body = xmlDocument('ErrorResponse', xmlns, { Error: { Type, Code, Message }, RequestId: requestId });
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function hostId(requestId: string): string {
  return Buffer.from(requestId.repeat(3)).toString('base64');
}

/** The headers that every answer carries. It never passes for AWS. */
export function commonHeaders(service: Service, requestId: string, now: Date): Record<string, string> {
  return {
    date: now.toUTCString(),
    server: 'capwrap-sandbox (not AWS)',
    'x-capwrap-sandbox': 'not-aws',
    ...(service === 's3'
      ? { 'x-amz-request-id': requestId, 'x-amz-id-2': hostId(requestId) }
      : { 'x-amzn-requestid': requestId }),
  };
}

/** Writes the answer, changed or cut short where the fault says so. */
export function send(reply: Reply, response: ServerResponse, method: string, fault: Fault | undefined): void {
  const changed =
    fault?.kind === 'rewrite' && typeof reply.body === 'string'
      ? rewriteElements(reply.body, fault.elements)
      : reply.body;
  const body = Buffer.from(changed);
  const headers: Record<string, string | number> = {
    ...reply.headers,
    'content-length': body.length,
  };
  if (fault?.kind === 'date') {
    if (fault.date === null) delete headers['date'];
    else headers['date'] = fault.date;
  }
  if (reply.status === 204) delete headers['content-length'];
  response.sendDate = false;
  response.writeHead(reply.status, headers);
  if (fault?.kind === 'truncated') {
    response.write(body.subarray(0, Math.ceil(body.length / 2)), () => response.destroy());
  } else {
    response.end(method === 'HEAD' ? undefined : body);
  }
}
