/**
 * Problem details for requests that never reach a route: broken HTTP, headers that are too large, too slow or missing, expectations
 * that are not met, addresses that cannot be decoded. The connection is closed, since nobody knows where the next request in it would begin.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { arrivalErrors } from '../pipeline/arrivals/arrival-errors.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { newContext } from '../platform/telemetry/tracing.ts';
import { withWork } from '../platform/telemetry/work-context.ts';
import { apiErrors } from './api-errors.ts';
import { type Problem, problemOf, sendProblem } from './problems.ts';

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

export interface ConnectionErrors {
  /** Fastify's `clientErrorHandler`. */
  answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void;
  /** Fastify's `frameworkErrors`: the address could not be decoded or is too long. */
  answerBadAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void;
  /** Answers what the HTTP server would answer by itself, without saying anything, or not at all. */
  answerUnserved(server: Server): void;
  /** From now on the body of an upload comes over this socket, until its answer is given. */
  beginUpload(reply: FastifyReply): void;
}

/** Each answer has a trace of its own, which the log line has too (at `debug`: anybody can make any number of them). */
export function createConnectionErrors(logger: Logger): ConnectionErrors {
  const uploading = new WeakSet<Socket>();
  const inNewTrace = (error: HeadgateError, answer: () => void) =>
    withWork({ trace: newContext(undefined) }, () => {
      logger.debug('a request could not be read', { error });
      answer();
    });
  return {
    answerBrokenRequest(error, socket) {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      if (!socket.writable) {
        socket.destroy(error);
        return;
      }
      const broken = brokenRequest(error.code ?? '', uploading.has(socket));
      inNewTrace(broken, () => endWith(socket, problemOf(broken)));
    },
    answerBadAddress(_error, _request, reply) {
      reply.header('x-content-type-options', 'nosniff');
      const bad = new HeadgateError(apiErrors.E_REQUEST, 'the address could not be read');
      inNewTrace(bad, () => sendProblem(reply, bad));
    },
    answerUnserved(server) {
      server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
        const unmet = new HeadgateError(apiErrors.E_EXPECTATION, 'the only expectation that is met is 100-continue');
        inNewTrace(unmet, () => {
          const problem = problemOf(unmet);
          const { body, headers } = closingAnswer(problem);
          response.writeHead(problem.status, headers).end(body);
        });
      });
      server.on('connect', (_request: IncomingMessage, socket: Socket) => {
        const refused = new HeadgateError(apiErrors.E_REQUEST, 'nothing is passed on to other servers (CONNECT)');
        socket.on('error', () => undefined);
        inNewTrace(refused, () => endWith(socket, problemOf(refused)));
      });
    },
    beginUpload({ raw, request }) {
      const { socket } = request.raw;
      uploading.add(socket);
      raw.once('close', () => uploading.delete(socket));
    },
  };
}

function closingAnswer(problem: Problem) {
  const body = JSON.stringify(problem);
  const headers = {
    'content-type': 'application/problem+json',
    'x-content-type-options': 'nosniff',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  return { body, headers };
}

function endWith(socket: Socket, problem: Problem): void {
  const { body, headers } = closingAnswer(problem);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${reasons[problem.status]}\r\n${lines.join('')}\r\n${body}`);
}

/** RFC 9112, 3.2: in HTTP/1.1 a request names one host. */
export function requireHost(server: FastifyInstance): void {
  server.addHook('onRequest', async ({ raw }, reply) => {
    const hosts = raw.headersDistinct['host']?.length ?? 0;
    if (hosts === 1 || (hosts === 0 && raw.httpVersion !== '1.1')) return;
    reply.header('connection', 'close');
    throw new HeadgateError(apiErrors.E_REQUEST, hosts === 0 ? 'the header Host is missing' : 'the header Host is there twice');
  });
}

function brokenRequest(code: string, isUpload: boolean): HeadgateError {
  if (code === 'HPE_INVALID_EOF_STATE') {
    if (isUpload) return new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the sender ended the connection before the end of the file');
    return new HeadgateError(apiErrors.E_REQUEST, 'the connection was ended before the request was whole');
  }
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadgateError(apiErrors.E_HEADERS_TOO_LARGE, 'the headers are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new HeadgateError(apiErrors.E_REQUEST_TIMEOUT, 'the request did not come in time');
  return new HeadgateError(apiErrors.E_REQUEST, 'this is not HTTP as it is taken here');
}
